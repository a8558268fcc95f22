//! Text to [`Script`]: pure and total. What bash could read differently is [`Unread`], never harmless.
//!
//! A recursive-descent reader after the grammar and the lexer of bash 5.2 (`parse.y`), which decide
//! together: what a word is depends on the tokens before it, and a substitution in a word is read by
//! the grammar. Where bash itself reads a text twice (arithmetic, `${…}` in double quotes) and the
//! two readings could differ, the text is unread.
//!
//! Nothing here touches the file system, the environment or the terminal, panics, or takes more than
//! linear time and bounded depth.

mod script;

mod arithmetic;
mod braces;
mod compound;
mod dollar;
mod expand;
mod grammar;
mod hazards;
mod heredoc;
mod lexer;
mod pieces;
mod quote;
mod reader;
mod source;
mod token;
mod word;

pub use script::{
    AssignedValue, Assignment, Command, Compound, Connector, Dialect, Operation, Piece, Reading,
    Redirect, RedirectOperator, Script, Simple, Span, Statement, Unread, Word,
};

pub use grammar::is_descriptor;

use reader::Reader;
use source::Origin;

/// The longest text that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Whether a text is a whole program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Every construct that it begins is closed.
    Complete,
    /// More text could complete it: an open quote, a here-document without its end, `if` without
    /// `fi`, a backslash or an operator at the end.
    Incomplete,
    /// It is wrong, and more text will not mend it.
    Invalid,
}

/// Reads a text as the shell of `dialect` would.
///
/// Never fails: what was not understood, or could be understood differently, is in
/// [`Reading::unread`].
#[must_use]
pub fn read(text: &str, dialect: Dialect) -> Reading {
    if let Some(why) = refusal(text) {
        return Reading {
            script: Script::default(),
            unread: vec![Unread {
                span: Span {
                    start: 0,
                    end: text.len(),
                },
                why: why.to_owned(),
            }],
        };
    }
    let mut reader = Reader::new(text, Origin::Offset(0), dialect, 0);
    let script = reader.script();
    let mut unread = reader.unread;
    unread.extend(reader.hazards.conclude());
    Reading { script, unread }
}

/// Whether a text could be run as it is, or waits for more.
#[must_use]
pub fn completeness(text: &str, dialect: Dialect) -> Completeness {
    if refusal(text).is_some() {
        return Completeness::Invalid;
    }
    let mut reader = Reader::new(text, Origin::Offset(0), dialect, 0);
    match reader.run() {
        Err(stop) if stop.incomplete => Completeness::Incomplete,
        Err(_) => Completeness::Invalid,
        Ok(()) if reader.unfinished => Completeness::Incomplete,
        Ok(()) => Completeness::Complete,
    }
}

/// Why a text is not read at all.
fn refusal(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST {
        Some("longer than 1 MiB")
    } else if text.contains('\0') {
        Some("a NUL byte")
    } else {
        None
    }
}
