//! What a command changes about the reading of the text around it: options of the grammar, aliases,
//! and text that bash runs when it evaluates arithmetic.

use super::pieces::{is_name, known_text, literal};
use super::reader::Reader;
use super::token::Kind;
use super::{AssignedValue, Dialect, Piece, RedirectOperator, Simple, Span, Unread, Word};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Hazards {
    /// Text that runs a command where arithmetic takes it for an array element.
    injection: Option<Span>,
    /// Variables are evaluated as arithmetic.
    pub(super) arithmetic: bool,
    /// The text turns aliases on.
    aliases: bool,
    /// The text makes an alias.
    alias: bool,
    /// The text runs something unknown that could make one.
    hidden_alias: bool,
    /// The text turns posix mode on.
    pub(super) posix: bool,
}

impl Hazards {
    pub(super) fn absorb(&mut self, inner: Self) {
        self.injection = self.injection.or(inner.injection);
        self.arithmetic |= inner.arithmetic;
        self.aliases |= inner.aliases;
        self.alias |= inner.alias;
        self.hidden_alias |= inner.hidden_alias;
        self.posix |= inner.posix;
    }

    /// What the two halves make together.
    pub(super) fn conclude(&self) -> Option<Unread> {
        let span = self.injection.filter(|_| self.arithmetic)?;
        Some(Unread {
            span,
            why: "arithmetic may run what this text holds".to_owned(),
        })
    }
}

impl Reader<'_> {
    /// Notes what a command could change about the reading of the rest; `end` is where it ends.
    pub(super) fn note_hazards(&mut self, simple: &Simple, end: usize) {
        self.note_assignments(simple, end);
        for word in &simple.words {
            self.note_injection(word);
        }
        let Some((name, arguments)) = program(&simple.words) else {
            self.note_unknown_program(&simple.words, end);
            return;
        };
        match name.as_str() {
            "shopt" | "set" => self.note_options(&name, arguments, end),
            "alias" => {
                let defines = arguments.iter().any(|word| {
                    known_text(&word.pieces).contains('=') || !word.pieces.iter().all(is_literal)
                });
                if defines {
                    self.hazards.alias = true;
                    self.note_aliases(end);
                }
            }
            name if name.starts_with('-') && self.hazards.posix => {
                // `time` before an option is a program in posix mode.
                self.doubt(end, end, "an option before a command");
            }
            "time" if self.dialect == Dialect::Posix => {
                // A reserved word for some shells called sh, a program for others.
                let text = arguments.first().and_then(literal).unwrap_or_default();
                let name = text.split('=').next().unwrap_or_default();
                if Kind::reserved(&text).is_some() || name.len() < text.len() && is_name(name) {
                    self.doubt(end, end, "time before this");
                }
            }
            "eval" | "." | "source" => {
                for word in arguments {
                    let text = known_text(&word.pieces);
                    let changes = ["extglob", "posix", "POSIXLY_CORRECT"];
                    if changes.iter().any(|option| text.contains(option))
                        && !text.contains("-u ")
                        && self.goes_on(end)
                    {
                        self.doubt(end, end, "a change of the grammar");
                    }
                    // A file that is named plainly is for others to judge.
                    let hidden = name == "eval" && !word.pieces.iter().all(is_literal);
                    self.hazards.aliases |= text.contains("expand_aliases");
                    self.hazards.alias |= makes_alias(&text);
                    self.hazards.hidden_alias |= hidden;
                }
                self.note_aliases(end);
            }
            "test" | "[" | "printf" | "read" | "mapfile" | "readarray" | "unset" | "wait"
            | "getopts" | "let" | "declare" | "typeset" | "local" | "export" | "readonly" => {
                self.note_evaluation(&name, arguments, simple);
            }
            _ => {}
        }
    }

    /// Whether anything but blanks, separators and comments follows.
    fn goes_on(&self, end: usize) -> bool {
        let rest = self.source.text().get(end..).unwrap_or_default();
        rest.lines().any(|line| {
            let line = line.trim_start_matches([' ', '\t', ';', '&', '|', ')', '}']);
            !line.is_empty() && !line.starts_with('#')
        })
    }

    fn note_options(&mut self, name: &str, arguments: &[Word], end: usize) {
        let words: Vec<_> = arguments.iter().map(literal).collect();
        let flags: Vec<&str> = words
            .iter()
            .flatten()
            .map(String::as_str)
            .filter(|word| word.starts_with(['-', '+']))
            .collect();
        let has = |letter: char| {
            flags
                .iter()
                .any(|flag| flag.starts_with('-') && flag.contains(letter))
        };
        let turns_on = if name == "shopt" {
            has('s')
        } else {
            has('o') || has('H')
        };
        if !turns_on {
            return;
        }
        for word in &words {
            let option = word.as_deref();
            let doubtful = match option {
                Some("extglob") => self.has_extended_pattern(end),
                // Aliases that the text does not make are those of a start-up file.
                Some("expand_aliases") => {
                    self.hazards.aliases = true;
                    self.note_aliases(end);
                    false
                }
                Some("posix") => {
                    self.hazards.aliases = true;
                    self.hazards.posix = true;
                    self.note_aliases(end);
                    false
                }
                None => self.goes_on(end),
                Some("histexpand" | "history" | "-H") => self
                    .source
                    .text()
                    .get(end..)
                    .unwrap_or_default()
                    .contains('!'),
                Some(_) => false,
            };
            if doubtful {
                self.doubt(end, end, "an option that changes the grammar");
            }
        }
    }

    /// Notes a program whose name is not known, which could be `shopt`, `set` or `alias`.
    fn note_unknown_program(&mut self, words: &[Word], end: usize) {
        for text in words.iter().map(|word| known_text(&word.pieces)) {
            match text.as_str() {
                "expand_aliases" => self.hazards.aliases = true,
                "posix" => {
                    self.hazards.aliases = true;
                    self.hazards.posix = true;
                }
                "extglob" if self.has_extended_pattern(end) => {
                    self.doubt(end, end, "an option that changes the grammar");
                }
                other => self.hazards.hidden_alias |= other.contains('='),
            }
        }
        if self.hazards.aliases {
            self.note_aliases(end);
        }
    }

    /// Doubts the rest where aliases are expanded and one was made.
    fn note_aliases(&mut self, end: usize) {
        let hazards = &self.hazards;
        let doubtful = hazards.aliases && (hazards.alias || hazards.hidden_alias)
            || hazards.alias && self.dialect == Dialect::Posix;
        if doubtful && self.goes_on(end) {
            self.doubt(end, end, "an alias");
        }
    }

    /// Whether an extended pattern follows.
    fn has_extended_pattern(&self, end: usize) -> bool {
        let rest = self.source.text().get(end..).unwrap_or_default();
        let rest = rest.replace("\\\n", "");
        ["?(", "*(", "+(", "@(", "!("]
            .iter()
            .any(|opening| rest.contains(opening))
    }

    fn note_assignments(&mut self, simple: &Simple, end: usize) {
        for assignment in &simple.assignments {
            let words = match &assignment.value {
                AssignedValue::Scalar(word) => std::slice::from_ref(word),
                AssignedValue::Array(words) => words.as_slice(),
            };
            for word in words {
                self.note_injection(word);
                if assignment.name == "PS4" && runs(&known_text(&word.pieces)) {
                    self.doubt(end, end, "PS4 runs what it holds");
                }
            }
            if assignment.name == "BASH_ALIASES" {
                self.hazards.alias = true;
                self.note_aliases(end);
            }
            let lasting = simple.words.is_empty()
                || program(&simple.words).is_some_and(|(name, _)| runs_in_place(&name));
            if changes_grammar(&assignment.name) && lasting && self.goes_on(end) {
                self.doubt(end, end, "a variable that changes the grammar");
            }
        }
    }

    /// Notes a builtin that evaluates its arguments.
    fn note_evaluation(&mut self, name: &str, arguments: &[Word], simple: &Simple) {
        let declares = matches!(
            name,
            "declare" | "typeset" | "local" | "export" | "readonly"
        );
        let mut evaluates = !declares && !matches!(name, "test" | "[" | "printf" | "wait");
        for word in arguments {
            let text = known_text(&word.pieces);
            let flag = text.starts_with('-');
            if text.contains("BASH_ALIASES") {
                self.hazards.alias = true;
                self.note_aliases(self.source.pos);
            }
            evaluates |= match name {
                "test" | "[" => text == "-v" || text == "-R",
                "printf" => text.starts_with("-v"),
                "wait" => text.starts_with("-p"),
                _ => declares && flag && text.contains(['i', 'n']),
            };
            if changes_grammar(text.split('=').next().unwrap_or_default())
                && self.goes_on(self.source.pos)
                && !matches!(name, "test" | "[")
            {
                self.unread_at(word.span, "a variable that changes the grammar");
            }
            let value = text.split_once('=').map(|(_, value)| value);
            let compound = declares && value.is_some_and(|value| value.starts_with('('));
            let element = declares && injects(text.split('=').next().unwrap_or_default());
            if element || compound && runs(&text) && !has_array(word) || evaluates && injects(&text)
            {
                self.unread_at(word.span, "bash runs what stands in this subscript");
            }
        }
        let unknown = arguments
            .iter()
            .any(|word| word.pieces.iter().any(|piece| !is_literal(piece)));
        self.hazards.arithmetic |= evaluates && unknown;
        if matches!(name, "read" | "mapfile" | "readarray") {
            for redirect in &simple.redirects {
                if redirect.operator == RedirectOperator::HereString {
                    self.note_injection(&redirect.target);
                }
            }
        }
    }

    /// Notes text that runs a command where it is taken for an array element.
    pub(super) fn note_injection(&mut self, word: &Word) {
        let bracketed = word
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Literal { text, .. } if text.contains('[')));
        if bracketed && injects(&known_text(&word.pieces)) {
            self.hazards.injection.get_or_insert(word.span);
        }
    }

    /// Notes what `[[ … ]]` evaluates.
    pub(super) fn note_condition(&mut self, words: &[Word]) {
        let texts: Vec<String> = words.iter().map(|word| known_text(&word.pieces)).collect();
        let evaluates = texts.iter().any(|text| {
            matches!(
                text.as_str(),
                "-v" | "-R" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"
            )
        });
        if !evaluates {
            return;
        }
        self.hazards.arithmetic = true;
        for (word, text) in words.iter().zip(&texts) {
            if injects(text) {
                self.unread_at(word.span, "bash runs what stands in this subscript");
            }
        }
    }

    fn unread_at(&mut self, span: Span, why: &str) {
        self.unread.push(Unread {
            span,
            why: why.to_owned(),
        });
    }
}

/// The name of the program and its arguments, `builtin` and `command` looked through.
fn program(words: &[Word]) -> Option<(String, &[Word])> {
    let mut rest = words;
    loop {
        let (first, arguments) = rest.split_first()?;
        let name = literal(first)?;
        rest = arguments;
        match name.as_str() {
            "builtin" | "command" => {
                while let Some((option, after)) = rest.split_first()
                    && literal(option).is_some_and(|text| text.starts_with('-'))
                {
                    rest = after;
                }
            }
            _ => return Some((name, rest)),
        }
    }
}

/// Whether text, when it is run, makes an alias.
fn makes_alias(text: &str) -> bool {
    text.replace("unalias", "").contains("alias ") || text.contains("BASH_ALIASES")
}

/// Variables that change how bash reads when they are set.
fn changes_grammar(name: &str) -> bool {
    matches!(
        name,
        "POSIXLY_CORRECT" | "POSIX_PEDANTIC" | "BASH_COMPAT" | "BASHOPTS" | "SHELLOPTS"
    )
}

/// Programs that run text in this shell, to which an assignment before them applies.
fn runs_in_place(name: &str) -> bool {
    matches!(
        name,
        "eval" | "." | "source" | ":" | "exec" | "export" | "readonly" | "set" | "trap" | "unset"
    )
}

/// Whether text would run something if it was expanded.
fn runs(text: &str) -> bool {
    text.contains('`') || text.replace("$((", "").contains("$(")
}

/// Whether arithmetic would run something in this text: `name[…$(…`.
fn injects(text: &str) -> bool {
    let mut before = ' ';
    for (index, character) in text.char_indices() {
        if character == '[' && (before == '_' || before.is_ascii_alphanumeric()) {
            return runs(text.get(index..).unwrap_or_default());
        }
        before = character;
    }
    false
}

/// Whether the word was written as `NAME=(…)`, whose elements were read already.
fn has_array(word: &Word) -> bool {
    word.pieces.iter().any(|piece| {
        matches!(piece, Piece::Literal { text, quoted: false }
            if text.split_once("=(").is_some_and(|(name, _)| is_name(name.trim_end_matches('+'))))
    })
}

fn is_literal(piece: &Piece) -> bool {
    matches!(piece, Piece::Literal { .. })
}
