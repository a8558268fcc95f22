//! The end of who asks.

use std::os::fd::BorrowedFd;

use super::Error;
use super::line::Line;
use super::message::{Asked, Reply, Reviewer, Root, Said};
use super::place::Place;

/// What was said to a request.
#[derive(Debug)]
pub enum Answer {
    /// A person said yes.
    Approved(Reviewer),
    /// A person said no; whether that was to an earlier one, and the reason they gave.
    Refused(Option<String>, bool),
    /// Too many wait already.
    Full,
    /// It waits for a person.
    Waiting(Waiting),
}

/// A request that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Its number.
    pub number: u64,
    /// Whether somebody watches.
    pub is_watched: bool,
    /// Who has said yes already, where several people are wanted.
    pub said: Vec<u32>,
    line: Line,
}

/// Asks the user's broker, which is started where none runs.
///
/// # Errors
///
/// Where there is none to ask.
pub fn ask(asked: Asked, session: Option<Root>) -> Result<Answer, Error> {
    let said = Said::Ask {
        asked: Box::new(asked),
        session,
    };
    let mut line = Line::to_broker(Place::make()?.connect_or_start()?);
    match line.ask(&said)? {
        Reply::Waiting {
            number,
            is_watched,
            said,
        } => Ok(Answer::Waiting(Waiting {
            number,
            is_watched,
            said,
            line,
        })),
        reply => answer(reply).ok_or(Error::Broken),
    }
}

/// What was said to the same before, where a broker runs that knows: a yes that counts still, or a no. Nothing
/// waits for it.
#[must_use]
pub fn recall(asked: Asked, session: Option<Root>) -> Option<Answer> {
    let said = Said::Recall {
        asked: Box::new(asked),
        session,
    };
    let mut line = Line::to_broker(Place::here().ok()?.connect().ok()?);
    answer(line.ask(&said).ok()?)
}

/// Tells the broker what a person has typed where they were asked: a yes for the session, or a no. A broker is
/// started where none runs.
///
/// # Errors
///
/// Where it does not know now: then a yes counts only once.
pub fn tell(
    asked: Asked,
    session: Option<Root>,
    is_yes: bool,
    terminal: String,
) -> Result<(), Error> {
    let said = Said::Answered {
        asked: Box::new(asked),
        session,
        is_yes,
        terminal,
    };
    let mut line = Line::to_broker(Place::make()?.connect_or_start()?);
    match line.ask(&said)? {
        Reply::Done => Ok(()),
        _ => Err(Error::Broken),
    }
}

/// What a reply means to who asked; none where it is no answer.
fn answer(reply: Reply) -> Option<Answer> {
    match reply {
        Reply::Approved(by) => Some(Answer::Approved(by)),
        Reply::Refused { why, is_earlier } => Some(Answer::Refused(why, is_earlier)),
        Reply::Full => Some(Answer::Full),
        _ => None,
    }
}

impl Waiting {
    /// Readable when there is an answer, or none will come.
    pub fn answered(&self) -> BorrowedFd<'_> {
        self.line.descriptor()
    }

    /// The answer that has arrived; none where it is not whole yet.
    ///
    /// # Errors
    ///
    /// Where the broker is gone.
    pub fn read(&mut self) -> Result<Option<Answer>, Error> {
        match self.line.next_reply()? {
            Some(reply) => answer(reply).map(Some).ok_or(Error::Broken),
            None => Ok(None),
        }
    }

    /// Waits no longer. Gives the answer where one came just then: a yes is not lost between the two.
    pub fn leave(mut self) -> Option<Answer> {
        answer(self.line.ask(&Said::Leave).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    #[test]
    fn an_answer_that_came_before_the_broker_closed_is_not_lost() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let by = Reviewer {
            uid: 7,
            terminal: String::new(),
            with: Vec::new(),
        };
        let reply = serde_json::to_vec(&Reply::Approved(by.clone())).unwrap();
        theirs.write_all(&[reply, b"\n".to_vec()].concat()).unwrap();
        drop(theirs);
        let waiting = Waiting {
            number: 1,
            is_watched: false,
            said: Vec::new(),
            line: Line::to_broker(ours),
        };
        let answer = waiting.leave();
        assert!(
            matches!(&answer, Some(Answer::Approved(who)) if *who == by),
            "{answer:?}"
        );
    }
}
