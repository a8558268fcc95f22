//! Text to [`Script`]: pure and total. What bash could read differently is [`Unread`], never harmless.

mod script;

pub use script::{
    AssignedValue, Assignment, Command, Compound, Connector, Dialect, Operation, Piece, Reading,
    Redirect, RedirectOperator, Script, Simple, Span, Statement, Unread, Word,
};
