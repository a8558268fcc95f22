//! Arithmetic: `$((…))`, `$[…]`, `((…))`, subscripts, and the groups of extended patterns.
//!
//! bash first looks for the closing bracket with little regard to what is inside, and expands the
//! text later as in double quotes. Where the two could disagree, the reading says so.

use super::pieces::Pieces;
use super::reader::{Reader, Result};
use super::{Piece, Word};

/// What two opening parentheses turned out to be.
pub(super) enum Parenthesized {
    Arithmetic(Vec<Piece>),
    /// Commands: bash looked for the closing parenthesis up to here.
    Commands(usize),
}

impl Reader<'_> {
    /// Reads `$((…` as arithmetic, or as commands where it is not; the cursor stands at the second
    /// parenthesis.
    pub(super) fn arithmetic_or_substitution(
        &mut self,
        start: usize,
        quoted: bool,
    ) -> Result<Piece> {
        let second = self.source.pos;
        let doubts = self.unread.len();
        match self.nested(|reader| reader.parenthesized(start, false))? {
            Parenthesized::Arithmetic(pieces) => {
                self.hazards.arithmetic = true;
                Ok(Piece::Arithmetic(pieces))
            }
            Parenthesized::Commands(end) => {
                self.rewind(second, doubts)?;
                let script = self.substitution(start)?;
                if self.source.pos != end {
                    self.doubt(start, end.max(self.source.pos), "an ambiguous $((");
                }
                self.not_posix(start, "$((");
                Ok(Piece::Command { script, quoted })
            }
        }
    }

    /// Reads up to `))`; the cursor stands at the second opening parenthesis. For a command
    /// (`((…))`) a parenthesis alone settles that it is none.
    pub(super) fn parenthesized(&mut self, start: usize, command: bool) -> Result<Parenthesized> {
        self.source.bump();
        let mut pieces = Pieces::default();
        let mut depth = 2usize;
        let mut commands = false;
        let mut odd = false;
        loop {
            let Some(byte) = self.source.peek() else {
                return Err(self.ended(start, "a parenthesis is not closed"));
            };
            let at = self.source.pos;
            match byte {
                b'(' => {
                    self.source.bump();
                    pieces.text("(", true);
                    depth += 1;
                }
                b')' => {
                    self.source.bump();
                    depth -= 1;
                    if depth == 0 {
                        return Ok(Parenthesized::Commands(self.source.pos));
                    }
                    if depth > 1 {
                        pieces.text(")", true);
                        continue;
                    }
                    let next = if command {
                        self.source.raw()
                    } else {
                        self.source.peek()
                    };
                    if next == Some(b')') && !commands {
                        self.source.bump();
                        if odd {
                            self.doubt(start, self.source.pos, "quotes in arithmetic");
                        }
                        return Ok(Parenthesized::Arithmetic(pieces.0));
                    }
                    if command {
                        return Ok(Parenthesized::Commands(self.source.pos));
                    }
                    commands = true;
                }
                _ => odd |= self.arithmetic_part(byte, at, b"()", &mut pieces)?,
            }
        }
    }

    /// Reads `$[…]`; the cursor stands after the bracket.
    pub(super) fn bracket_arithmetic(&mut self, start: usize) -> Result<Vec<Piece>> {
        let mut pieces = Pieces::default();
        let mut depth = 1usize;
        let mut odd = false;
        loop {
            let Some(byte) = self.source.peek() else {
                return Err(self.ended(start, "a bracket is not closed"));
            };
            let at = self.source.pos;
            match byte {
                b'[' | b']' => {
                    self.source.bump();
                    depth = if byte == b'[' { depth + 1 } else { depth - 1 };
                    if depth == 0 {
                        if odd {
                            self.doubt(start, self.source.pos, "quotes in arithmetic");
                        }
                        return Ok(pieces.0);
                    }
                    pieces.text(self.source.slice(at, at + 1), true);
                }
                _ => odd |= self.arithmetic_part(byte, at, b"[]", &mut pieces)?,
            }
        }
    }

    /// Reads a part of an arithmetic expression that is no bracket of its own kind. Tells whether
    /// bash may look for the closing bracket elsewhere or expand what is quoted.
    fn arithmetic_part(
        &mut self,
        byte: u8,
        at: usize,
        brackets: &[u8; 2],
        pieces: &mut Pieces,
    ) -> Result<bool> {
        match byte {
            b'\'' => {
                self.source.bump();
                let text = self.single_quoted(at)?;
                pieces.text(text, true);
                return Ok(text.contains(['$', '`', '"', '\\', '(', ')', '[', ']']));
            }
            b'$' => {
                let (next, _) = self.source.after(at);
                self.dollar_in_group(pieces, true)?;
                let written = self.source.slice(at, self.source.pos);
                return Ok(match next {
                    Some(b'\'' | b'"') => true,
                    Some(b'(') => brackets == b"[]" && !pairs_up(written, brackets),
                    Some(b'{' | b'[') => !pairs_up(written, brackets),
                    _ => false,
                });
            }
            _ if self.quoting(byte, false, pieces)? => {
                let written = self.source.slice(at, self.source.pos);
                return Ok(byte == b'`' && written.contains("\\\""));
            }
            _ => {
                self.source.bump();
                self.source.run(|byte| {
                    matches!(
                        byte,
                        b'(' | b')' | b'[' | b']' | b'\\' | b'\'' | b'"' | b'`' | b'$'
                    )
                });
                pieces.text(self.source.slice(at, self.source.pos), true);
            }
        }
        Ok(false)
    }

    /// Reads `[…]` after a name; the cursor stands at the bracket.
    pub(super) fn subscript(&mut self) -> Result<Word> {
        let start = self.source.pos;
        self.source.bump();
        let pieces = self.nested(|reader| reader.bracketed(start))?;
        self.hazards.arithmetic = true;
        Ok(Word {
            pieces,
            span: self.source.span(start, self.source.pos),
        })
    }

    fn bracketed(&mut self, start: usize) -> Result<Vec<Piece>> {
        let mut pieces = Pieces::default();
        let mut depth = 1usize;
        loop {
            let Some(byte) = self.source.peek() else {
                return Err(self.ended(start, "a bracket is not closed"));
            };
            let at = self.source.pos;
            match byte {
                b'[' | b']' => {
                    self.source.bump();
                    depth = if byte == b'[' { depth + 1 } else { depth - 1 };
                    if depth == 0 {
                        return Ok(pieces.0);
                    }
                    pieces.text(self.source.slice(at, at + 1), false);
                }
                b'$' => self.dollar_in_group(&mut pieces, false)?,
                b'<' | b'>' if self.source.after(at).0 == Some(b'(') => {
                    self.source.pos = self.source.after(at).1 + 1;
                    let script = self.substitution(at)?;
                    pieces.push(Piece::Process {
                        script,
                        output: byte == b'>',
                    });
                }
                _ if self.quoting(byte, false, &mut pieces)? => {
                    let written = self.source.slice(at, self.source.pos);
                    if byte == b'\'' && written.contains(['$', '`']) {
                        self.doubt(
                            at,
                            self.source.pos,
                            "bash expands quoted text in a subscript",
                        );
                    }
                    if byte == b'\\' && written.contains(['$', '`']) {
                        self.doubt(
                            at,
                            self.source.pos,
                            "bash expands quoted text in a subscript",
                        );
                    }
                }
                _ => {
                    self.source.bump();
                    self.source.run(|byte| {
                        matches!(
                            byte,
                            b'[' | b']' | b'\\' | b'\'' | b'"' | b'`' | b'$' | b'<' | b'>'
                        )
                    });
                    pieces.text(self.source.slice(at, self.source.pos), false);
                }
            }
        }
    }

    /// Reads `(…)` of an extended pattern or a regular expression; the cursor stands at the
    /// parenthesis.
    pub(super) fn group(&mut self, pieces: &mut Pieces) -> Result<()> {
        self.nested(|reader| reader.grouped(pieces))
    }

    fn grouped(&mut self, pieces: &mut Pieces) -> Result<()> {
        let start = self.source.pos;
        let mut depth = 0usize;
        loop {
            let Some(byte) = self.source.peek() else {
                return Err(self.ended(start, "a parenthesis is not closed"));
            };
            let at = self.source.pos;
            match byte {
                b'(' | b')' => {
                    self.source.bump();
                    pieces.text(self.source.slice(at, at + 1), false);
                    depth = if byte == b'(' { depth + 1 } else { depth - 1 };
                    if depth == 0 {
                        return Ok(());
                    }
                }
                b'$' => {
                    self.dollar_in_group(pieces, false)?;
                    if !pairs_up(self.source.slice(at, self.source.pos), b"()") {
                        self.doubt(at, self.source.pos, "an expansion in a pattern");
                    }
                }
                b'<' | b'>' if self.source.after(at).0 == Some(b'(') => {
                    self.doubt(at, at + 1, "a process substitution in a pattern");
                    self.source.bump();
                }
                _ if self.quoting(byte, false, pieces)? => {}
                _ => {
                    self.source.bump();
                    self.source.run(|byte| {
                        matches!(
                            byte,
                            b'(' | b')' | b'\\' | b'\'' | b'"' | b'`' | b'$' | b'<' | b'>'
                        )
                    });
                    pieces.text(self.source.slice(at, self.source.pos), false);
                }
            }
        }
    }
}

/// Whether a search that only counts brackets, quotes aside, finds the same end as one that knows
/// what the text means. False where that is not plain to see.
fn pairs_up(text: &str, brackets: &[u8; 2]) -> bool {
    let [open, close] = *brackets;
    let mut depth = 0usize;
    let mut quote = None;
    let mut bytes = text.bytes();
    let has_brackets = text
        .bytes()
        .skip(2)
        .any(|byte| byte == open || byte == close);
    if has_brackets
        && [" #", "\t#", "\n#", "`"]
            .iter()
            .any(|odd| text.contains(odd))
    {
        return false;
    }
    while let Some(byte) = bytes.next() {
        let bracket = byte == open || byte == close;
        match quote {
            Some(_) if bracket => return false,
            Some(mark) if byte == mark => quote = None,
            Some(_) => {}
            None if byte == b'\\' => match bytes.next() {
                Some(next) if next == open || next == close => return false,
                _ => {}
            },
            None if byte == b'\'' || byte == b'"' => quote = Some(byte),
            None if byte == open => depth += 1,
            None if byte == close => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            None => {}
        }
    }
    depth == 0
}
