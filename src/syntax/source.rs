//! The text under the cursor: bytes, line continuations and where they stand in the outermost text.
//!
//! bash drops a backslash before a newline as it fetches characters, except where it asks for them
//! raw (in single quotes, comments and quoted here-documents). [`Source::peek`] does the same, so no
//! caller sees a continuation in the middle of a token.

use super::Span;

/// How positions in this text relate to the outermost text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// The text is a slice of the outermost one that begins at this byte.
    Offset(usize),
    /// The text was derived (unescaped, joined): every position stands for this range.
    Within(Span),
}

/// A cursor over one text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    text: &'a str,
    /// The next byte.
    pub(super) pos: usize,
    origin: Origin,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, origin: Origin) -> Self {
        Self {
            text,
            pos: 0,
            origin,
        }
    }

    /// The whole text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The next byte as it stands.
    pub(super) fn raw(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    /// The next byte once line continuations before it are skipped.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.pos = self.skip_continuations(self.pos);
        self.raw()
    }

    /// The byte that follows the one at `pos`, continuations skipped, and its position.
    pub(super) fn after(&self, pos: usize) -> (Option<u8>, usize) {
        let next = self.skip_continuations(pos + 1);
        (self.text.as_bytes().get(next).copied(), next)
    }

    fn skip_continuations(&self, mut pos: usize) -> usize {
        let bytes = self.text.as_bytes();
        while bytes.get(pos) == Some(&b'\\') && bytes.get(pos + 1) == Some(&b'\n') {
            pos += 2;
        }
        pos
    }

    /// Moves over one byte.
    pub(super) fn bump(&mut self) {
        self.pos += 1;
    }

    /// Takes the whole character at the cursor, as it stands.
    pub(super) fn take_char(&mut self) -> Option<char> {
        let taken = self.text.get(self.pos..)?.chars().next()?;
        self.pos += taken.len_utf8();
        Some(taken)
    }

    /// Takes the longest run of bytes for which `stop` is false. `stop` must be true for ASCII only.
    pub(super) fn run(&mut self, stop: impl Fn(u8) -> bool) -> &'a str {
        let start = self.pos;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| stop(*byte));
        self.pos = length.map_or(self.text.len(), |length| start + length);
        self.slice(start, self.pos)
    }

    /// The text of a range.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// A range of this text as a range of the outermost text.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        match self.origin {
            Origin::Offset(offset) => Span {
                start: offset + start,
                end: offset + end,
            },
            Origin::Within(span) => span,
        }
    }

    /// The origin of a slice of this text that begins at `start`.
    pub(super) fn origin_at(&self, start: usize) -> Origin {
        match self.origin {
            Origin::Offset(offset) => Origin::Offset(offset + start),
            within => within,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peek_skips_continuations() {
        let mut source = Source::new("a\\\n\\\nb", Origin::Offset(0));
        assert_eq!(source.peek(), Some(b'a'));
        assert_eq!(source.after(0), (Some(b'b'), 5));
        source.bump();
        assert_eq!(source.raw(), Some(b'\\'));
        assert_eq!(source.peek(), Some(b'b'));
        assert_eq!(source.pos, 5);
    }

    #[test]
    fn derived_text_keeps_the_outer_range() {
        let outer = Span { start: 3, end: 9 };
        let source = Source::new("abc", Origin::Within(outer));
        assert_eq!(source.span(1, 2), outer);
        assert_eq!(
            Source::new("abc", Origin::Offset(4)).span(1, 2),
            Span { start: 5, end: 6 }
        );
    }
}
