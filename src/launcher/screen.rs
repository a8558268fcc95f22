//! What the agent has made of the person's terminal, as far as a question on it must know: whether the
//! alternate screen is shown, and which modes would disturb (mouse reports, a hidden cursor…).
//!
//! Takes the agent's output as it reaches the terminal, in pieces that may end anywhere; gives what to
//! write before a question and after it. It never changes the output (ctlseqs of xterm, ECMA-48).

use std::collections::BTreeMap;

use super::picture::Picture;

/// Modes that show the alternate screen.
const ALTERNATE: [u16; 3] = [47, 1047, 1049];
/// The mode in which the cursor is seen; the only one here that is usually on.
const CURSOR: u16 = 25;
/// Modes that are switched off for a question: keys of an application, mouse and focus reports,
/// bracketed paste, held back drawing, reports of size and colour.
const DISTURBING: [u16; 11] = [1, 9, 1000, 1001, 1002, 1003, 1004, 2004, 2026, 2031, 2048];
/// Longer sequences have no meaning that matters here.
const LONGEST: usize = 256;

/// Where in the output the terminal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Between sequences.
    #[default]
    Between,
    /// Inside a character of UTF-8, with so many bytes to come.
    Character(u8),
    /// Behind ESC.
    Escape,
    /// Behind ESC and bytes in between, such as a character set.
    Intermediate,
    /// Inside a control sequence.
    Sequence,
    /// Inside a string (title, image), up to ST or BEL.
    Text,
    /// Behind an ESC in a string.
    TextEscape,
}

/// The terminal as the agent left it.
#[derive(Debug, Default)]
pub struct Screen {
    place: Place,
    sequence: Vec<u8>,
    modes: BTreeMap<u16, bool>,
    has_key_protocol: bool,
    /// The numbers with which margins were set last, where there are any.
    margins: Option<Vec<u8>>,
}

impl Screen {
    /// Takes output that the terminal has got.
    pub fn feed(&mut self, output: &[u8]) {
        for &byte in output {
            self.place = self.next(byte);
        }
    }

    /// Whether the output may be interrupted here.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.place == Place::Between
    }

    /// Whether the alternate screen is shown.
    #[must_use]
    pub fn is_alternate(&self) -> bool {
        ALTERNATE.iter().any(|mode| self.is_on(*mode))
    }

    /// What to write before a question: an empty screen of its own, and no mode that disturbs.
    #[must_use]
    pub fn enter(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if self.place != Place::Between {
            // CAN ends whatever was begun.
            text.push(CANCEL);
        }
        for mode in DISTURBING.iter().filter(|mode| self.is_on(**mode)) {
            set(&mut text, *mode, false);
        }
        if !self.is_alternate() {
            // It saves the cursor with its colours too.
            set(&mut text, 1049, true);
        } else {
            text.extend_from_slice(b"\x1b[r");
        }
        text.extend_from_slice(b"\x1b[0m\x1b(B\x0f\x1b[H\x1b[2J");
        set(&mut text, CURSOR, true);
        if self.has_key_protocol {
            text.extend_from_slice(b"\x1b[>0u");
        }
        text
    }

    /// What to write after a question. Where the agent was on the alternate screen, `picture` is drawn there.
    #[must_use]
    pub fn leave(&self, picture: &Picture) -> Vec<u8> {
        let mut text = Vec::new();
        if self.has_key_protocol {
            text.extend_from_slice(b"\x1b[<u");
        }
        text.extend_from_slice(b"\x1b[0m\x1b[H\x1b[2J");
        if self.is_alternate() {
            text.extend_from_slice(&picture.draw());
            if let Some(margins) = &self.margins {
                text.extend_from_slice(b"\x1b[");
                text.extend_from_slice(margins);
                // It moves the cursor (DECSTBM).
                let (row, column) = picture.cursor();
                text.extend_from_slice(format!("r\x1b[{row};{column}H").as_bytes());
            }
        } else {
            set(&mut text, 1049, false);
        }
        for mode in DISTURBING.iter().filter(|mode| self.is_on(**mode)) {
            set(&mut text, *mode, true);
        }
        if self.modes.get(&CURSOR) == Some(&false) {
            set(&mut text, CURSOR, false);
        }
        text
    }

    fn is_on(&self, mode: u16) -> bool {
        self.modes.get(&mode).copied().unwrap_or(false)
    }

    fn next(&mut self, byte: u8) -> Place {
        match (self.place, byte) {
            (_, CANCEL | SUBSTITUTE) => Place::Between,
            (Place::Text, ESCAPE) => {
                self.sequence.clear();
                Place::TextEscape
            }
            (Place::TextEscape, b'\\') | (Place::Text, BELL) => Place::Between,
            (Place::Text, _) => Place::Text,
            (_, ESCAPE) => {
                self.sequence.clear();
                Place::Escape
            }
            (Place::Escape | Place::TextEscape, _) => self.escape(byte),
            (Place::Intermediate, 0x30..=0x7e) => Place::Between,
            (Place::Intermediate, _) => Place::Intermediate,
            (Place::Sequence, 0x40..=0x7e) => {
                self.sequence(byte);
                Place::Between
            }
            (Place::Sequence, _) => {
                // Controls inside of a sequence act by themselves.
                if byte >= 0x20 && self.sequence.len() < LONGEST {
                    self.sequence.push(byte);
                }
                Place::Sequence
            }
            (Place::Character(left), 0x80..=0xbf) if left > 1 => Place::Character(left - 1),
            (_, 0xc2..=0xdf) => Place::Character(1),
            (_, 0xe0..=0xef) => Place::Character(2),
            (_, 0xf0..=0xf4) => Place::Character(3),
            _ => Place::Between,
        }
    }

    /// The byte behind ESC.
    fn escape(&mut self, byte: u8) -> Place {
        match byte {
            b'[' => Place::Sequence,
            b']' | b'P' | b'X' | b'^' | b'_' => Place::Text,
            0x20..=0x2f => Place::Intermediate,
            b'c' => {
                // A full reset.
                self.modes.clear();
                self.has_key_protocol = false;
                self.margins = None;
                Place::Between
            }
            _ => Place::Between,
        }
    }

    /// A whole control sequence that ends in `last`.
    fn sequence(&mut self, last: u8) {
        match (self.sequence.split_first(), last) {
            (Some((b'?', modes)), b'h' | b'l') => {
                for mode in modes.split(|byte| *byte == b';') {
                    let mode = std::str::from_utf8(mode)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    if let Some(mode) = mode.filter(|mode| is_known(*mode)) {
                        self.modes.insert(mode, last == b'h');
                    }
                }
            }
            // The keyboard protocol of kitty; without a prefix it restores the cursor.
            (Some((b'>' | b'=' | b'<', _)), b'u') => self.has_key_protocol = true,
            (None, b'r') => self.margins = None,
            (Some((b'0'..=b'9' | b';', _)), b'r') => self.margins = Some(self.sequence.clone()),
            _ => {}
        }
    }
}

fn is_known(mode: u16) -> bool {
    mode == CURSOR || ALTERNATE.contains(&mode) || DISTURBING.contains(&mode)
}

/// Switches a private mode.
fn set(text: &mut Vec<u8>, mode: u16, is_on: bool) {
    text.extend_from_slice(format!("\x1b[?{mode}{}", if is_on { 'h' } else { 'l' }).as_bytes());
}

const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::terminal::Window;

    /// The screen after `output`, which is given whole and byte by byte: that makes no difference.
    fn after(output: &str) -> Screen {
        let (mut whole, mut single) = (Screen::default(), Screen::default());
        whole.feed(output.as_bytes());
        output.bytes().for_each(|byte| single.feed(&[byte]));
        assert_eq!(format!("{whole:?}"), format!("{single:?}"));
        whole
    }

    fn picture(output: &str) -> Picture {
        let mut picture = Picture::new(Window {
            rows: 10,
            columns: 40,
            pixels: (0, 0),
        });
        picture.feed(output.as_bytes());
        picture
    }

    #[test]
    fn the_alternate_screen_is_seen_however_it_is_asked_for() {
        for (output, is_alternate) in [
            ("", false),
            ("\x1b[?1049h", true),
            ("\x1b[?47h", true),
            ("\x1b[?1047h", true),
            ("\x1b[?1;1049;25h", true),
            ("text\x1b[?1049hmore\x1b[?1049l", false),
            ("\x1b[?1049$p", false),
            ("\x1b[1049h", false),
            ("\x1b]0;[?1049h\x07", false),
            ("\x1bP\x1b[?1049h", true),
            ("\x1b]0;title\x1b\\\x1b[?1049h", true),
            ("\x1b[?10\x1b[?1049h", true),
            ("\x1b[?10\x1849h", false),
            ("\x1b[?1049h\x1bc", false),
            ("\x1b[?99999999999h\x1b[?1049h", true),
        ] {
            assert_eq!(after(output).is_alternate(), is_alternate, "{output:?}");
        }
    }

    #[test]
    fn output_is_interrupted_between_sequences_and_characters_only() {
        for (output, is_between) in [
            ("plain", true),
            ("\x1b", false),
            ("\x1b[1;3", false),
            ("\x1b[1;31m", true),
            ("\x1b(", false),
            ("\x1b(B", true),
            ("\x1b]8;;http://", false),
            ("\x1b]8;;http://\x07", true),
            ("\x1b_Gf=100;AAAA", false),
            ("\x1b_Gf=100;AAAA\x1b\\", true),
            ("ä€😀", true),
        ] {
            assert_eq!(after(output).is_between(), is_between, "{output:?}");
        }
        for cut in [b"\xc3".as_slice(), b"\xe2\x82", b"\xf0\x9f\x98"] {
            let mut screen = Screen::default();
            screen.feed(cut);
            assert!(!screen.is_between(), "{cut:?}");
        }
    }

    #[test]
    fn a_question_gets_a_screen_of_its_own_and_leaves_the_modes_as_they_were() {
        let plain = after("$ ");
        assert_eq!(
            (plain.enter(), plain.leave(&picture("$ "))),
            (
                b"\x1b[?1049h\x1b[0m\x1b(B\x0f\x1b[H\x1b[2J\x1b[?25h".to_vec(),
                b"\x1b[0m\x1b[H\x1b[2J\x1b[?1049l".to_vec()
            )
        );
        let drawn = after("\x1b[?1049h\x1b[2;9r\x1b[?25l\x1b[?1003h\x1b[?2004h\x1b[>1u");
        assert_eq!(
            (drawn.enter(), drawn.leave(&picture("text"))),
            (
                b"\x1b[?1003l\x1b[?2004l\x1b[r\x1b[0m\x1b(B\x0f\x1b[H\x1b[2J\x1b[?25h\x1b[>0u"
                    .to_vec(),
                b"\x1b[<u\x1b[0m\x1b[H\x1b[2J\x1b[?25h\x1b[m\x1b[H\x1b[Jtext\x1b[2;9r\x1b[1;5H\x1b[?1003h\x1b[?2004h\x1b[?25l".to_vec()
            )
        );
    }

    #[test]
    fn a_sequence_that_was_begun_is_ended_before_a_question() {
        assert_eq!(after("\x1b]0;ti").enter().first(), Some(&CANCEL));
    }
}
