//! Reading one word: its quotes, its expansions, and the shape of an assignment.

use super::pieces::{Pieces, is_name};
use super::reader::{Reader, Result};
use super::token::{Kind, Token};
use super::{Piece, Span, Word};

/// The front of `NAME=`, `NAME+=` or `NAME[subscript]=`.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) subscript: Option<Word>,
    pub(super) append: bool,
}

/// A word as the lexer found it, before braces and tildes.
#[derive(Clone, Debug, Default)]
pub(super) struct RawWord {
    /// Set where the word has the shape of an assignment; `pieces` are then the value.
    pub(super) head: Option<Head>,
    pub(super) pieces: Vec<Piece>,
    /// The elements of `NAME=(…)`.
    pub(super) array: Option<Vec<RawWord>>,
    /// Nothing in it was quoted or expanded.
    pub(super) plain: bool,
    /// Something in it was quoted.
    pub(super) quoted: bool,
    /// It has a `{` that could begin a brace expansion.
    pub(super) braces: bool,
    /// It has a comma, quoted or not.
    pub(super) commas: bool,
    /// A part of it where bash looks for braces differently.
    pub(super) odd_braces: bool,
    pub(super) span: Span,
}

impl RawWord {
    /// The text, where it is nothing but unquoted text.
    pub(super) fn plain_text(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [
                Piece::Literal {
                    text,
                    quoted: false,
                },
            ] if self.plain && self.head.is_none() => Some(text),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Builder {
    raw: RawWord,
    pieces: Pieces,
    dollar: bool,
}

impl Builder {
    /// The text so far, if it is a bare name and nothing else.
    fn name(&self) -> Option<&str> {
        let text = self.bare()?;
        is_name(text).then_some(text)
    }

    fn bare(&self) -> Option<&str> {
        match self.pieces.0.as_slice() {
            [
                Piece::Literal {
                    text,
                    quoted: false,
                },
            ] if self.raw.head.is_none() && !self.raw.quoted && !self.dollar => Some(text),
            _ => None,
        }
    }

    fn finish(mut self, span: Span) -> RawWord {
        self.raw.plain = !self.raw.quoted && !self.dollar;
        self.raw.pieces = self.pieces.0;
        self.raw.span = span;
        self.raw
    }
}

/// The bytes at which a run of plain text in a word ends.
fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'\\'
            | b'\''
            | b'"'
            | b'`'
            | b'$'
            | b'<'
            | b'>'
            | b'('
            | b')'
            | b'|'
            | b'&'
            | b';'
            | b' '
            | b'\t'
            | b'\n'
            | b'['
            | b'='
            | b'?'
            | b'*'
            | b'+'
            | b'@'
            | b'!'
    )
}

impl Reader<'_> {
    /// Reads a word that begins at the cursor.
    pub(super) fn read_word(&mut self) -> Result<Token> {
        let start = self.source.pos;
        let mut builder = Builder::default();
        while let Some(byte) = self.source.peek() {
            if !self.read_word_part(byte, &mut builder)? {
                break;
            }
        }
        let end = self.source.pos;
        if builder.raw.braces {
            builder.raw.commas = self.source.slice(start, end).contains(',');
        }
        let word = builder.finish(self.source.span(start, end));
        Ok(Token {
            kind: Kind::Word,
            start,
            end,
            word: Some(word),
        })
    }

    /// Reads one part of a word; false where the word ends.
    fn read_word_part(&mut self, byte: u8, builder: &mut Builder) -> Result<bool> {
        let at = self.source.pos;
        match byte {
            b'\\' => {
                self.source.bump();
                builder.raw.quoted = true;
                let escaped = self.source.take_char();
                if escaped.is_none() {
                    self.unfinished = true;
                }
                builder.pieces.character(escaped.unwrap_or('\\'), true);
            }
            b'\'' => {
                self.source.bump();
                builder.raw.quoted = true;
                let text = self.single_quoted(at)?;
                builder.pieces.text(text, true);
            }
            b'"' => {
                self.source.bump();
                builder.raw.quoted = true;
                builder.raw.odd_braces |= self.double_quoted(at, &mut builder.pieces)?;
            }
            b'`' => {
                builder.dollar = true;
                let piece = self.backticks(false)?;
                builder.pieces.push(piece);
            }
            b'$' => self.read_dollar_part(builder)?,
            b'<' | b'>' => {
                let (next, next_at) = self.source.after(at);
                if next != Some(b'(') {
                    return Ok(false);
                }
                builder.dollar = true;
                self.source.pos = next_at + 1;
                let script = self.substitution(at)?;
                self.not_posix(at, "a process substitution");
                builder.pieces.push(Piece::Process {
                    script,
                    output: byte == b'>',
                });
            }
            b'(' | b'|' if self.state.regex => {
                if byte == b'|' {
                    self.source.bump();
                    builder.pieces.text("|", false);
                } else {
                    self.group(&mut builder.pieces)?;
                }
            }
            b'?' | b'*' | b'+' | b'@' | b'!' => {
                let (next, _) = self.source.after(at);
                self.source.bump();
                builder.pieces.text(self.source.slice(at, at + 1), false);
                if self.state.extended_pattern && next == Some(b'(') {
                    self.source.peek();
                    self.group(&mut builder.pieces)?;
                }
            }
            b'[' if self.opens_subscript(builder) => self.read_subscript(builder)?,
            b'=' => self.read_equals(builder)?,
            b'(' | b')' | b'|' | b'&' | b';' | b' ' | b'\t' | b'\n' => return Ok(false),
            _ => {
                self.source.bump();
                self.source.run(is_special);
                let text = self.source.slice(at, self.source.pos);
                builder.raw.braces |= text.contains('{');
                builder.pieces.text(text, false);
            }
        }
        Ok(true)
    }

    /// Reads what begins with `$` in a word outside of quotes.
    fn read_dollar_part(&mut self, builder: &mut Builder) -> Result<()> {
        let at = self.source.pos;
        let (next, next_at) = self.source.after(at);
        builder.dollar = true;
        match next {
            Some(b'\'') => {
                self.source.pos = next_at + 1;
                builder.raw.quoted = true;
                let text = self.ansi_quoted(at)?;
                builder.pieces.text(&text, true);
                self.not_posix(at, "$'…'");
            }
            Some(b'"') => {
                self.source.pos = next_at + 1;
                builder.raw.quoted = true;
                builder.raw.odd_braces |= self.double_quoted(at, &mut builder.pieces)?;
                self.not_posix(at, "$\"…\"");
            }
            _ => {
                let piece = self.dollar(false)?;
                let written = self.source.slice(next_at, self.source.pos);
                let inner = written
                    .strip_prefix('{')
                    .and_then(|inner| inner.strip_suffix('}'))
                    .unwrap_or(written);
                if !written.starts_with('(') && inner.contains(['{', '}']) {
                    builder.raw.odd_braces = true;
                }
                builder.pieces.push(piece);
            }
        }
        Ok(())
    }

    /// Whether a `[` here begins a subscript, in which blanks and operators are text.
    fn opens_subscript(&self, builder: &Builder) -> bool {
        if self.state.compound_assignment
            && builder.pieces.0.is_empty()
            && builder.raw.head.is_none()
        {
            return true;
        }
        builder.name().is_some() && self.admits_assignment()
    }

    /// Whether a word here can be an assignment.
    pub(super) fn admits_assignment(&self) -> bool {
        self.at_command() && !self.state.case_pattern
    }

    /// Whether a word here is the first of a command.
    pub(super) fn at_command(&self) -> bool {
        let last = self.state.last;
        last == Kind::Assignment
            || self.state.redirects_only && !last.awaits_target()
            || !matches!(last, Kind::SemiSemi | Kind::SemiAnd | Kind::SemiSemiAnd)
                && last.admits_reserved(self.state.before)
    }

    fn read_subscript(&mut self, builder: &mut Builder) -> Result<()> {
        let at = self.source.pos;
        let subscript = self.subscript()?;
        self.not_posix(at, "a subscript");
        let name = builder.name().map(str::to_owned);
        let (append, value_at) = match self.source.peek() {
            Some(b'=') => (false, Some(self.source.pos + 1)),
            Some(b'+') => match self.source.after(self.source.pos) {
                (Some(b'='), equals) => (true, Some(equals + 1)),
                _ => (false, None),
            },
            _ => (false, None),
        };
        if let (Some(name), Some(value_at)) = (name, value_at) {
            self.source.pos = value_at;
            builder.pieces = Pieces::default();
            builder.raw.head = Some(Head {
                name,
                subscript: Some(subscript),
                append,
            });
            return self.read_array(builder);
        }
        builder.pieces.text("[", false);
        builder.pieces.append(subscript.pieces);
        builder.pieces.text("]", false);
        Ok(())
    }

    /// Reads `=`: the end of an assignment's front, or text.
    fn read_equals(&mut self, builder: &mut Builder) -> Result<()> {
        let at = self.source.pos;
        self.source.bump();
        let bare = builder.bare().unwrap_or_default();
        let name = bare.strip_suffix('+').unwrap_or(bare);
        if self.state.compound_assignment || !is_name(name) {
            builder.pieces.text("=", false);
            return Ok(());
        }
        let append = name.len() < bare.len();
        builder.raw.head = Some(Head {
            name: name.to_owned(),
            subscript: None,
            append,
        });
        if append && self.at_command() {
            self.not_posix(at, "+=");
        }
        builder.pieces = Pieces::default();
        self.read_array(builder)
    }

    /// Reads `(…)` after the front of an assignment, where it is one.
    fn read_array(&mut self, builder: &mut Builder) -> Result<()> {
        let admitted = self.admits_assignment() || self.state.assignment_arguments;
        if self.state.compound_assignment || !admitted || self.source.peek() != Some(b'(') {
            return Ok(());
        }
        let at = self.source.pos;
        self.source.bump();
        builder.raw.array = Some(self.array_elements(at)?);
        self.not_posix(at, "an array");
        if let Some(next) = self.source.peek()
            && !matches!(
                next,
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')' | b'<' | b'>'
            )
        {
            self.doubt(at, self.source.pos, "text directly after an array");
        }
        Ok(())
    }

    /// Reads the words up to the `)` of `NAME=(…)`.
    fn array_elements(&mut self, at: usize) -> Result<Vec<RawWord>> {
        let outer = std::mem::take(&mut self.state);
        self.state.last = Kind::Word;
        self.state.compound_assignment = true;
        self.state.assignment_arguments = outer.assignment_arguments;
        self.state.substitution = outer.substitution;
        self.state.pending = outer.pending.clone();
        let elements = self.nested(|reader| {
            let mut elements = Vec::new();
            loop {
                let token = reader.read_token()?;
                match token.kind {
                    Kind::CloseParen => return Ok(elements),
                    Kind::Newline => {}
                    Kind::Eof => return Err(reader.ended(at, "an array is not closed")),
                    Kind::Word | Kind::Assignment => elements.extend(token.word),
                    _ => return Err(reader.stop(token.start, "an operator in an array")),
                }
            }
        });
        let inner = std::mem::replace(&mut self.state, outer);
        self.state.pending = inner.pending;
        elements
    }
}
