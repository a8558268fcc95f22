//! Quotes: `'…'`, `"…"`, `$'…'` and backticks.

use super::pieces::Pieces;
use super::reader::{Reader, Result};
use super::source::Origin;
use super::{Dialect, Piece};

impl<'a> Reader<'a> {
    /// Reads up to the closing `'`; the cursor stands after the opening one, which is at `start`.
    pub(super) fn single_quoted(&mut self, start: usize) -> Result<&'a str> {
        let text = self.source.run(|byte| byte == b'\'');
        if self.source.raw().is_none() {
            return Err(self.ended(start, "a single quote is not closed"));
        }
        self.source.bump();
        Ok(text)
    }

    /// Reads up to the closing `"`; the cursor stands after the opening one. Tells whether there is
    /// something inside that bash's search for braces does not see as quoted.
    pub(super) fn double_quoted(&mut self, start: usize, pieces: &mut Pieces) -> Result<bool> {
        let mut odd = false;
        pieces.text("", true);
        loop {
            let Some(byte) = self.source.peek() else {
                return Err(self.ended(start, "a double quote is not closed"));
            };
            let at = self.source.pos;
            match byte {
                b'"' => {
                    self.source.bump();
                    return Ok(odd);
                }
                b'\\' => self.escape_in_quotes(pieces, b"$`\"\\"),
                b'`' => {
                    let piece = self.backticks(true)?;
                    pieces.push(piece);
                }
                b'$' => {
                    let piece = self.nested(|reader| reader.dollar(true))?;
                    odd |= self
                        .source
                        .slice(at + 1, self.source.pos)
                        .contains(['"', '\'', '`']);
                    pieces.push(piece);
                }
                _ => {
                    let text = self
                        .source
                        .run(|byte| matches!(byte, b'"' | b'\\' | b'`' | b'$'));
                    pieces.text(text, true);
                }
            }
        }
    }

    /// Takes a backslash where only some characters can be escaped.
    pub(super) fn escape_in_quotes(&mut self, pieces: &mut Pieces, escapable: &[u8]) {
        self.source.bump();
        match self.source.raw() {
            Some(next) if escapable.contains(&next) => {
                self.source.bump();
                pieces.character(char::from(next), true);
            }
            _ => pieces.text("\\", true),
        }
    }

    /// Reads `` `…` ``; the cursor stands at the opening one.
    pub(super) fn backticks(&mut self, in_quotes: bool) -> Result<Piece> {
        let start = self.source.pos;
        self.source.bump();
        let mut text = String::new();
        loop {
            match self.source.peek() {
                None => return Err(self.ended(start, "a backtick is not closed")),
                Some(b'`') => break,
                Some(b'\\') => {
                    self.source.bump();
                    match self.source.take_char() {
                        Some(next @ ('$' | '`' | '\\')) => text.push(next),
                        Some('"') if in_quotes => text.push('"'),
                        Some(next) => {
                            text.push('\\');
                            text.push(next);
                        }
                        None => text.push('\\'),
                    }
                }
                Some(_) => text.push_str(self.source.run(|byte| matches!(byte, b'`' | b'\\'))),
            }
        }
        self.source.bump();
        let origin = Origin::Within(self.source.span(start, self.source.pos));
        let script = self.nested(|reader| {
            let mut inner = reader.inner(&text, origin);
            let script = inner.script();
            reader.absorb(inner);
            Ok(script)
        })?;
        Ok(Piece::Command {
            script,
            quoted: in_quotes,
        })
    }

    /// Reads `'…'` after `$`, with its escapes; the cursor stands after the quote.
    pub(super) fn ansi_quoted(&mut self, start: usize) -> Result<String> {
        let from = self.source.pos;
        loop {
            self.source.run(|byte| matches!(byte, b'\'' | b'\\'));
            match self.source.raw() {
                None => return Err(self.ended(start, "a single quote is not closed")),
                Some(b'\'') => break,
                Some(_) => {
                    self.source.bump();
                    self.source.take_char();
                }
            }
        }
        let written = self.source.slice(from, self.source.pos);
        self.source.bump();
        let decoded = String::from_utf8(decode_ansi(written));
        Ok(decoded.unwrap_or_else(|error| {
            self.doubt(start, self.source.pos, "bytes that are not text");
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }))
    }

    /// Reads a `'` in `"${…}"`: text as in other double quotes, but bash looks for its partner first.
    pub(super) fn quote_in_quoted_braces(
        &mut self,
        pieces: &mut Pieces,
        pattern: bool,
    ) -> Result<()> {
        let start = self.source.pos;
        self.source.bump();
        let text = self.single_quoted(start)?;
        if text.contains(['$', '`', '\\', '"', '}'])
            || self.hazards.posix
            || self.dialect == Dialect::Posix
        {
            self.doubt(start, self.source.pos, "a single quote in \"${…}\"");
        }
        if pattern {
            pieces.text(text, true);
        } else {
            pieces.text(self.source.slice(start, self.source.pos), true);
        }
        Ok(())
    }
}

/// Decodes the escapes of `$'…'` as bash does; a NUL ends the text.
fn decode_ansi(written: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let Some((&escape, after)) = rest.split_first().filter(|_| byte == b'\\') else {
            out.push(byte);
            continue;
        };
        rest = after;
        let number = match escape {
            b'a' => Some(7),
            b'b' => Some(8),
            b'e' | b'E' => Some(27),
            b'f' => Some(12),
            b'n' => Some(10),
            b'r' => Some(13),
            b't' => Some(9),
            b'v' => Some(11),
            b'\\' | b'\'' | b'"' | b'?' => Some(u32::from(escape)),
            b'0'..=b'7' => {
                let more = digits(&mut rest, 2, 8);
                Some((u32::from(escape - b'0') * 8u32.pow(more.1) + more.0) & 0xff)
            }
            b'x' => decode_hex(&mut rest).map(|value| value & 0xff),
            b'u' | b'U' => {
                let (value, count) = digits(&mut rest, if escape == b'u' { 4 } else { 8 }, 16);
                if count > 0 {
                    push_code_point(&mut out, value);
                    if value == 0 {
                        return out;
                    }
                    continue;
                }
                None
            }
            b'c' => decode_control(&mut rest),
            _ => None,
        };
        match number {
            Some(0) => return out,
            Some(value) => out.push(u8::try_from(value).unwrap_or(b'?')),
            None => out.extend([b'\\', escape]),
        }
    }
    out
}

/// Takes up to `most` digits: their value and how many there were.
fn digits(rest: &mut &[u8], most: u32, base: u32) -> (u32, u32) {
    let (mut value, mut count) = (0u32, 0);
    while count < most
        && let Some((&byte, after)) = rest.split_first()
        && let Some(digit) = char::from(byte).to_digit(base)
    {
        value = value.wrapping_mul(base).wrapping_add(digit);
        count += 1;
        *rest = after;
    }
    (value, count)
}

/// `\xHH` or `\x{H…}`.
fn decode_hex(rest: &mut &[u8]) -> Option<u32> {
    if let Some((b'{', inner)) = rest.split_first() {
        let mut inner = inner;
        let (value, _) = digits(&mut inner, u32::MAX, 16);
        *rest = inner.strip_prefix(b"}").unwrap_or(inner);
        return Some(value);
    }
    let (value, count) = digits(rest, 2, 16);
    (count > 0).then_some(value)
}

/// `\cX`; `\c\\` is one control character.
fn decode_control(rest: &mut &[u8]) -> Option<u32> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    if byte == b'\\' && after.first() == Some(&b'\\') {
        *rest = after.get(1..).unwrap_or_default();
    }
    Some(match byte {
        b'?' => 0x7f,
        other => u32::from(other.to_ascii_uppercase() & 0x1f),
    })
}

fn push_code_point(out: &mut Vec<u8>, value: u32) {
    match char::from_u32(value) {
        Some(character) => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        // Not a character: bash writes bytes that are not UTF-8, which the caller reports.
        None => out.push(0xff),
    }
}

#[cfg(test)]
mod tests {
    use super::decode_ansi;

    fn decoded(written: &str) -> String {
        String::from_utf8(decode_ansi(written)).unwrap()
    }

    #[test]
    fn ansi_escapes() {
        assert_eq!(decoded(r"\x72m \e \101\0601"), "rm \u{1b} A01");
        assert_eq!(decoded(r"rm\0foo"), "rm");
        assert_eq!(decoded(r"\x{72}\x{6d}"), "rm");
        assert_eq!(decoded(r"\u00e9\U1F600"), "é😀");
        assert_eq!(decoded(r"\q\'"), "\\q'");
        assert_eq!(decoded(r"\ca\c?"), "\u{1}\u{7f}");
    }
}
