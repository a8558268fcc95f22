//! The options of the shell, read in the order and by the rules of bash(1), section OPTIONS, and the
//! `parse_long_options` and `parse_shell_options` of its source: long options stand first and may have
//! one or two dashes, letters cluster, `-o` and `-O` take the next word wherever they stand in a
//! cluster.

use std::ffi::CString;

use super::Flavour;

/// The options that bear on reading the text, and on what runs beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-l`, `--login`, or an argv0 that begins with `-`.
    pub login: bool,
    /// `-i`, or standard input and error are terminals and nothing else gives commands.
    pub interactive: bool,
    /// `--posix` or `-o posix`.
    pub posix: bool,
    /// `-n` or a form of it: read, but run nothing.
    pub no_execution: bool,
    /// `-x`: `PS4` is expanded before each command.
    pub trace: bool,
    /// `-k`: assignments anywhere in a command are for its environment.
    pub keyword: bool,
    /// `-p`: no start-up files and functions are taken from the environment.
    pub privileged: bool,
    /// `--norc`.
    pub no_rc: bool,
    /// `--noprofile`.
    pub no_profile: bool,
    /// `--debugger`: a file of the debugger is executed first.
    pub debugger: bool,
    /// The place of the value of `--rcfile` or `--init-file`.
    pub rc_file: Option<usize>,
    /// The place behind the long options.
    pub long_end: usize,
    /// What `-o`, `-O` and the letters for the like turned on, by name.
    pub named: Vec<String>,
    /// What they turned off.
    pub unset: Vec<String>,
}

impl Options {
    /// Sets an option by the name that `-o` and `-O` take.
    fn set(&mut self, name: &[u8], on: bool) {
        match name {
            b"posix" => self.posix = on,
            b"noexec" => self.no_execution = on,
            b"xtrace" => self.trace = on,
            b"keyword" => self.keyword = on,
            b"privileged" => self.privileged = on,
            _ => {
                let name = String::from_utf8_lossy(name).into_owned();
                self.named.retain(|other| *other != name);
                self.unset.retain(|other| *other != name);
                if on {
                    self.named.push(name);
                } else {
                    self.unset.push(name);
                }
            }
        }
    }
}

/// What was read from the argument vector.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The options.
    pub options: Options,
    /// `-c` was given.
    pub command: bool,
    /// `-s` was given.
    pub input: bool,
    /// The place of the first operand.
    pub next: usize,
    /// How many words to pass on where the shell will only print something.
    pub fault: Option<usize>,
}

/// The letters that take no value, of bash(1) and of dash(1).
const BASH_LETTERS: &[u8] = b"abefhkmnprtuvxBCEHPTilcsD";
const SH_LETTERS: &[u8] = b"abefhkmnprtuvxBCEHPTilcsDIV";

/// The long options of bash(1) without a value that change nothing here.
const OTHER_LONG: [&[u8]; 5] = [
    b"debug",
    b"noediting",
    b"pretty-print",
    b"restricted",
    b"verbose",
];

/// Reads the options.
pub(super) fn read(argv: &[CString], flavour: Flavour) -> Read {
    let mut read = Read {
        next: 1.min(argv.len()),
        ..Read::default()
    };
    read.options.login = argv
        .first()
        .is_some_and(|word| word.to_bytes().starts_with(b"-"));
    read.long(argv);
    read.options.long_end = read.next;
    if read.fault.is_none() {
        read.letters(argv, flavour);
    }
    read
}

impl Read {
    /// The long options, up to the first word that is none.
    fn long(&mut self, argv: &[CString]) {
        let mut says = false;
        while let Some(word) = argv.get(self.next).map(|word| word.to_bytes()) {
            let Some(short) = word.strip_prefix(b"-") else {
                break;
            };
            let (name, double) = match short.strip_prefix(b"-") {
                Some(name) if !name.is_empty() => (name, true),
                _ => (short, false),
            };
            let after = self.next.saturating_add(1);
            match name {
                b"help" | b"version" => says = true,
                b"login" => self.options.login = true,
                b"posix" => self.options.posix = true,
                b"norc" => self.options.no_rc = true,
                b"noprofile" => self.options.no_profile = true,
                b"debugger" => self.options.debugger = true,
                b"dump-strings" | b"dump-po-strings" => self.options.no_execution = true,
                b"rcfile" | b"init-file" => {
                    self.next = after;
                    self.options.rc_file = Some(after);
                    if after >= argv.len() {
                        self.fault = Some(argv.len());
                    }
                }
                _ if OTHER_LONG.contains(&name) => {}
                _ if double => self.fault = Some(after),
                _ => break,
            }
            if self.fault.is_some() {
                return;
            }
            self.next = self.next.saturating_add(1);
        }
        if says {
            self.fault = Some(self.next);
        }
    }

    /// The clusters of letters.
    fn letters(&mut self, argv: &[CString], flavour: Flavour) {
        while let Some(word) = argv.get(self.next).map(|word| word.to_bytes()) {
            let Some((&sign @ (b'-' | b'+'), letters)) = word.split_first() else {
                return;
            };
            let mut next = self.next.saturating_add(1);
            if word == b"-" || word == b"--" {
                self.next = next;
                return;
            }
            for &letter in letters {
                let on = sign == b'-';
                match letter {
                    b'o' | b'O' => {
                        if let Some(name) = argv.get(next) {
                            self.options.set(name.to_bytes(), on);
                            next = next.saturating_add(1);
                        }
                    }
                    _ if !letters_of(flavour).contains(&letter) => {
                        self.fault = Some(next.min(argv.len()));
                        return;
                    }
                    _ => self.letter(letter, on),
                }
            }
            self.next = next;
        }
    }

    fn letter(&mut self, letter: u8, on: bool) {
        match letter {
            b'c' => self.command = true,
            b's' => self.input = true,
            b'l' => self.options.login = true,
            b'D' => self.options.no_execution = true,
            b'i' => self.options.interactive = on,
            b'n' => self.options.no_execution = on,
            b'x' => self.options.trace = on,
            b'k' => self.options.keyword = on,
            b'p' => self.options.privileged = on,
            b'H' => self.options.set(b"histexpand", on),
            _ => {}
        }
    }
}

fn letters_of(flavour: Flavour) -> &'static [u8] {
    match flavour {
        Flavour::Bash => BASH_LETTERS,
        Flavour::Sh => SH_LETTERS,
    }
}
