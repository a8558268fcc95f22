//! The state of one reading, shared by the lexer and the grammar.

use std::collections::HashMap;

use super::heredoc::Pending;
use super::source::{Origin, Source};
use super::token::{Kind, Token};
use super::{Dialect, Span, Unread, Word};

/// How deep constructs may nest. Deeper text is left unread, so that the stack never overflows.
const DEPTH: usize = 40;

/// What the lexer knows about the place it reads at. A command substitution starts with a fresh one.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The token read last.
    pub(super) last: Kind,
    /// The token before it.
    pub(super) before: Kind,
    /// The token that was looked at and not taken yet.
    pub(super) peeked: Option<Token>,
    /// In the patterns of a `case`.
    pub(super) case_pattern: bool,
    /// How many `for`, `case` and `select` wait for their `in`.
    pub(super) expecting_in: usize,
    /// Whether the `in` that is waited for is that of a `case`.
    pub(super) case_statement: bool,
    /// Only redirections were read of the current simple command.
    pub(super) redirects_only: bool,
    /// Arguments may be `NAME=(…)`, as after `declare`.
    pub(super) assignment_arguments: bool,
    /// In the parentheses of `NAME=(…)`.
    pub(super) compound_assignment: bool,
    /// In `[[ … ]]`.
    pub(super) condition: bool,
    /// The right side of `=~` is next.
    pub(super) regex: bool,
    /// The right side of `==` is next, where extended patterns are always known.
    pub(super) extended_pattern: bool,
    /// In a command substitution.
    pub(super) substitution: bool,
    /// Here-documents whose bodies begin after the next newline.
    pub(super) pending: Vec<Pending>,
}

/// Why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    /// Where, in the outermost text.
    pub(super) span: Span,
    /// Why, for a person.
    pub(super) why: String,
    /// Whether more text could complete what was begun.
    pub(super) incomplete: bool,
}

/// A result of reading.
pub(super) type Result<T> = std::result::Result<T, Stop>;

/// One reading of one text.
pub(super) struct Reader<'a> {
    pub(super) source: Source<'a>,
    pub(super) dialect: Dialect,
    pub(super) state: State,
    /// What bash could read differently, found so far.
    pub(super) unread: Vec<Unread>,
    /// Bodies of here-documents by the position of their operator.
    pub(super) bodies: HashMap<usize, Word>,
    /// Whether the text ended inside a here-document or after a backslash.
    pub(super) unfinished: bool,
    /// Where the last newline that was a token ends.
    pub(super) newline: usize,
    /// How many bytes may still be read a second time.
    pub(super) patience: usize,
    /// What braces may still cost.
    pub(super) braces: super::braces::Budget,
    pub(super) depth: usize,
    /// What the commands read so far could change about the rest.
    pub(super) hazards: super::hazards::Hazards,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, origin: Origin, dialect: Dialect, depth: usize) -> Self {
        Self {
            source: Source::new(text, origin),
            dialect,
            state: State::default(),
            unread: Vec::new(),
            bodies: HashMap::new(),
            unfinished: false,
            newline: 0,
            patience: text.len().saturating_mul(4) + 4096,
            braces: super::braces::Budget::default(),
            depth,
            hazards: super::hazards::Hazards::default(),
        }
    }

    /// Runs `read` one level deeper.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH {
            return Err(self.stop(self.source.pos, "nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Goes back to `pos`, if this was not done too often already. What was doubted since there were
    /// `doubts` of them is forgotten: the text is read again.
    pub(super) fn rewind(&mut self, pos: usize, doubts: usize) -> Result<()> {
        self.unread.truncate(doubts);
        let distance = self.source.pos.saturating_sub(pos);
        if distance > self.patience {
            return Err(self.stop(pos, "too ambiguous"));
        }
        self.patience -= distance;
        self.source.pos = pos;
        Ok(())
    }

    /// An error at a position of this text.
    pub(super) fn stop(&self, at: usize, why: impl Into<String>) -> Stop {
        Stop {
            span: self.source.span(at, self.source.text().len().max(at)),
            why: why.into(),
            incomplete: false,
        }
    }

    /// The error that the text ended inside of something.
    pub(super) fn ended(&self, at: usize, why: impl Into<String>) -> Stop {
        Stop {
            incomplete: true,
            ..self.stop(at, why)
        }
    }

    /// Notes something that bash could read differently.
    pub(super) fn doubt(&mut self, start: usize, end: usize, why: impl Into<String>) {
        let span = self.source.span(start.min(end), start.max(end));
        self.unread.push(Unread {
            span,
            why: why.into(),
        });
    }

    /// Notes something that another shell called as `sh` would read differently.
    pub(super) fn not_posix(&mut self, start: usize, what: &str) {
        if self.dialect == Dialect::Posix {
            self.doubt(
                start,
                self.source.pos,
                format!("sh may read {what} differently"),
            );
        }
    }

    /// A reader of text that was found in this one.
    pub(super) fn inner<'b>(&self, text: &'b str, origin: Origin) -> Reader<'b> {
        let mut inner = Reader::new(text, origin, self.dialect, self.depth);
        inner.braces = self.braces;
        inner.patience = self.patience;
        inner
    }

    /// Takes over what an inner reader found.
    pub(super) fn absorb(&mut self, inner: Reader<'_>) {
        self.unread.extend(inner.unread);
        self.hazards.absorb(inner.hazards);
        self.braces = inner.braces;
        self.patience = inner.patience;
    }
}
