//! What begins with `$`: parameters and command substitutions. Arithmetic has its own module.

use super::pieces::{Pieces, parameter};
use super::reader::{Reader, Result, State};
use super::token::Kind;
use super::{Operation, Piece, Script, Word};

impl Reader<'_> {
    /// Reads an expansion; the cursor stands at the `$`. A `$` that begins none is text.
    pub(super) fn dollar(&mut self, quoted: bool) -> Result<Piece> {
        let start = self.source.pos;
        let (next, next_at) = self.source.after(start);
        self.source.pos = next_at;
        match next {
            Some(b'(') => {
                self.source.bump();
                if self.source.peek() == Some(b'(') {
                    return self.arithmetic_or_substitution(start, quoted);
                }
                let script = self.substitution(start)?;
                Ok(Piece::Command { script, quoted })
            }
            Some(b'{') => {
                self.source.bump();
                self.nested(|reader| reader.braced(start, quoted))
            }
            Some(b'[') => {
                self.source.bump();
                let pieces = self.nested(|reader| reader.bracket_arithmetic(start))?;
                self.hazards.arithmetic = true;
                self.not_posix(start, "$[…]");
                Ok(Piece::Arithmetic(pieces))
            }
            Some(byte) if begins_parameter(byte) => {
                let name = self.parameter_name(false);
                Ok(parameter(&name, quoted))
            }
            _ => {
                self.source.pos = start + 1;
                Ok(Piece::Literal {
                    text: "$".to_owned(),
                    quoted,
                })
            }
        }
    }

    /// Takes the name of a parameter: a name, digits (one digit outside of braces) or one special
    /// character. Empty where there is none.
    fn parameter_name(&mut self, in_braces: bool) -> String {
        let mut name = String::new();
        while let Some(byte) = self.source.peek() {
            let first = name.bytes().next();
            let belongs = match first {
                None => begins_parameter(byte),
                Some(first) if first.is_ascii_digit() => in_braces && byte.is_ascii_digit(),
                Some(first) if first == b'_' || first.is_ascii_alphabetic() => {
                    byte == b'_' || byte.is_ascii_alphanumeric()
                }
                Some(_) => false,
            };
            if !belongs {
                break;
            }
            name.push(char::from(byte));
            self.source.bump();
        }
        name
    }

    /// Reads `${…}`; the cursor stands after the brace.
    fn braced(&mut self, start: usize, quoted: bool) -> Result<Piece> {
        if let Some(b' ' | b'\t' | b'\n' | b'|') = self.source.peek() {
            self.doubt(start, self.source.pos, "${ …; }");
        }
        let prefixed = self.braced_prefix();
        let name = if self.begins_expansion() {
            String::new()
        } else {
            self.parameter_name(true)
        };
        let operator = self.source.peek();
        let (next, next_at) = self.source.after(self.source.pos);
        if name == "$" && operator == Some(b'$') {
            self.doubt(start, next_at, "a bad substitution");
        }
        let operation = match (operator, next) {
            (Some(b'}'), _) => {
                self.source.bump();
                if prefixed {
                    Operation::Other(Vec::new())
                } else {
                    Operation::Plain
                }
            }
            (Some(b':'), Some(colon @ (b'-' | b'=' | b'+'))) if !prefixed && !name.is_empty() => {
                self.source.pos = next_at + 1;
                let word = self.operand(start, quoted, false)?;
                operation(colon, word)
            }
            (Some(plain @ (b'-' | b'=' | b'+')), _) if !prefixed && !name.is_empty() => {
                self.source.bump();
                let word = self.operand(start, quoted, false)?;
                operation(plain, word)
            }
            (operator, next) => {
                let pattern = matches!(operator, Some(b'#' | b'%' | b'/' | b'^' | b','));
                let word = self.operand(start, quoted, pattern)?;
                self.hazards.arithmetic |= matches!(operator, Some(b':' | b'['));
                let portable = matches!(operator, Some(b'#' | b'%' | b'?'))
                    || operator == Some(b':') && next == Some(b'?');
                if !portable || name.is_empty() {
                    self.not_posix(start, "this ${…}");
                }
                if operator == Some(b'@') && next == Some(b'P') {
                    self.doubt(start, self.source.pos, "${…@P} runs what the value holds");
                }
                Operation::Other(vec![word])
            }
        };
        Ok(Piece::Parameter {
            name,
            operation,
            quoted,
        })
    }

    /// Whether a `$` inside of braces begins an expansion of its own, as in `${$(…)}`.
    fn begins_expansion(&mut self) -> bool {
        self.source.peek() == Some(b'$')
            && matches!(
                self.source.after(self.source.pos).0,
                Some(b'(' | b'{' | b'[' | b'\'' | b'"')
            )
    }

    /// Takes the `!` of `${!name}` or the `#` of `${#name}`.
    fn braced_prefix(&mut self) -> bool {
        let Some(first @ (b'!' | b'#')) = self.source.peek() else {
            return false;
        };
        let (next, next_at) = self.source.after(self.source.pos);
        let (closing, _) = self.source.after(next_at);
        let prefixed = match next {
            Some(byte) if byte == b'_' || byte.is_ascii_alphanumeric() => true,
            Some(b'@' | b'*') => true,
            Some(b'#' | b'?' | b'-' | b'$' | b'!') => closing == Some(b'}'),
            _ => false,
        };
        if prefixed {
            self.source.bump();
            if first == b'!' {
                self.hazards.arithmetic = true;
                self.not_posix(self.source.pos, "${!…}");
            }
        }
        prefixed
    }

    /// Reads what stands after an operator in `${…}`, up to and with the closing brace.
    pub(super) fn operand(&mut self, start: usize, quoted: bool, pattern: bool) -> Result<Word> {
        let from = self.source.pos;
        let mut pieces = Pieces::default();
        loop {
            let Some(byte) = self.source.peek() else {
                return Err(self.ended(start, "a brace is not closed"));
            };
            let at = self.source.pos;
            match byte {
                b'}' => {
                    let span = self.source.span(from, at);
                    self.source.bump();
                    let mut word = Word {
                        pieces: pieces.0,
                        span,
                    };
                    super::expand::tilde(&mut word.pieces, false);
                    return Ok(word);
                }
                b'\\' if quoted => {
                    self.escape_in_quotes(&mut pieces, b"$`\"\\}");
                    // What follows a backslash begins no quote, escaped or not.
                    if self.source.pos == at + 1
                        && let Some(next) = self.source.take_char()
                    {
                        pieces.character(next, true);
                    }
                }
                b'\'' if quoted => self.quote_in_quoted_braces(&mut pieces, pattern)?,
                b'<' | b'>' if self.source.after(at).0 == Some(b'(') => {
                    let doubled = at > from && matches!(self.source.slice(at - 1, at), "<" | ">");
                    if doubled {
                        self.doubt(at, at + 1, "a redirection in ${…}");
                    }
                    self.source.pos = self.source.after(at).1 + 1;
                    let script = self.substitution(at)?;
                    self.not_posix(at, "a process substitution");
                    pieces.push(Piece::Process {
                        script,
                        output: byte == b'>',
                    });
                }
                b'$' => self.dollar_in_group(&mut pieces, quoted)?,
                _ if self.quoting(byte, quoted, &mut pieces)? => {}
                _ => {
                    self.source.bump();
                    self.source.run(|byte| {
                        matches!(
                            byte,
                            b'}' | b'\\' | b'\'' | b'"' | b'`' | b'$' | b'<' | b'>'
                        )
                    });
                    pieces.text(self.source.slice(at, self.source.pos), quoted);
                }
            }
        }
    }

    /// Reads a quote, a backslash or backticks inside of a bracketed construct; false for other bytes.
    pub(super) fn quoting(&mut self, byte: u8, quoted: bool, pieces: &mut Pieces) -> Result<bool> {
        let at = self.source.pos;
        match byte {
            b'\\' => {
                self.source.bump();
                let escaped = self.source.take_char();
                pieces.character(escaped.unwrap_or('\\'), true);
            }
            b'\'' => {
                self.source.bump();
                let text = self.single_quoted(at)?;
                pieces.text(text, true);
            }
            b'"' => {
                self.source.bump();
                self.nested(|reader| reader.double_quoted(at, pieces))?;
            }
            b'`' => {
                let piece = self.backticks(quoted)?;
                pieces.push(piece);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads what begins with `$` inside of a bracketed construct, where `$'…'` is a quote.
    pub(super) fn dollar_in_group(&mut self, pieces: &mut Pieces, quoted: bool) -> Result<()> {
        let at = self.source.pos;
        match self.source.after(at) {
            (Some(b'\''), next_at) => {
                self.source.pos = next_at + 1;
                let text = self.ansi_quoted(at)?;
                pieces.text(&text, true);
                if quoted {
                    self.doubt(at, self.source.pos, "$'…' in double quotes");
                }
                self.not_posix(at, "$'…'");
            }
            (Some(b'"'), next_at) => {
                self.source.pos = next_at + 1;
                self.nested(|reader| reader.double_quoted(at, pieces))?;
                self.not_posix(at, "$\"…\"");
            }
            _ => {
                let piece = self.dollar(quoted)?;
                pieces.push(piece);
            }
        }
        Ok(())
    }

    /// Reads the commands of `$(…)`, `<(…)` or `>(…)`; the cursor stands after the parenthesis.
    pub(super) fn substitution(&mut self, start: usize) -> Result<Script> {
        let fresh = State {
            last: Kind::Substitution,
            substitution: true,
            ..State::default()
        };
        let outer = std::mem::replace(&mut self.state, fresh);
        let script = self.nested(|reader| {
            let script = reader.compound_list_or_nothing()?;
            let close = reader.next()?;
            match close.kind {
                Kind::CloseParen => Ok(script),
                Kind::Eof => Err(reader.ended(start, "a parenthesis is not closed")),
                _ => Err(reader.unexpected(&close)),
            }
        });
        let inner = std::mem::replace(&mut self.state, outer);
        let mut script = script?;
        if !inner.pending.is_empty() {
            return Err(self.stop(start, "a here-document begins after its substitution"));
        }
        self.fill(&mut script.statements);
        Ok(script)
    }
}

fn operation(operator: u8, word: Word) -> Operation {
    match operator {
        b'-' => Operation::Default(word),
        b'=' => Operation::Assign(word),
        _ => Operation::Alternative(word),
    }
}

/// Whether the byte after `$` begins a parameter.
fn begins_parameter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}
