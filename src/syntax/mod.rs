//! Text to [`Script`]: pure and total. What bash could read differently is [`Unread`], never harmless.

mod script;

pub use script::{
    AssignedValue, Assignment, Command, Compound, Connector, Dialect, Operation, Piece, Reading,
    Redirect, RedirectOperator, Script, Simple, Span, Statement, Unread, Word,
};

/// Reads plain words only; everything else is unread.
#[must_use]
pub fn read(text: &str, _dialect: Dialect) -> Reading {
    let span = Span {
        start: 0,
        end: text.len(),
    };
    if !text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || " -./_:@%+,".contains(c))
    {
        let why = "more than plain words".to_owned();
        return Reading {
            unread: vec![Unread { span, why }],
            ..Reading::default()
        };
    }
    let words = text
        .split(' ')
        .filter(|w| !w.is_empty())
        .map(|word| Word {
            pieces: vec![Piece::Literal {
                text: word.to_owned(),
                quoted: false,
            }],
            span,
        })
        .collect();
    let command = Command::Simple(Simple {
        words,
        span,
        ..Simple::default()
    });
    let statements = vec![Statement {
        command,
        then: Connector::Sequence,
    }];
    Reading {
        script: Script { statements },
        unread: Vec::new(),
    }
}
