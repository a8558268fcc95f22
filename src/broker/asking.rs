//! The end of who asks.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Error;
use super::message::{Asked, MOST_BYTES, MOST_REPLY, Reply, Reviewer, Root, Said};
use super::place::Place;

/// How long a broker may take for what needs no person.
pub(super) const PROMPT: Duration = Duration::from_millis(2000);

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
    let line = bounded(&said)?;
    let mut broker = Line::new(Place::here()?.connect_or_start()?);
    broker.write(&line)?;
    match broker.reply(PROMPT)? {
        Reply::Waiting {
            number,
            is_watched,
            said,
        } => Ok(Answer::Waiting(Waiting {
            number,
            is_watched,
            said,
            line: broker,
        })),
        Reply::Stranger(why) => Err(Error::Unwelcome(why)),
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
    let line = bounded(&said).ok()?;
    let mut broker = Line::new(Place::here().ok()?.connect().ok()?);
    broker.write(&line).ok()?;
    answer(broker.reply(PROMPT).ok()?)
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
    let line = bounded(&said)?;
    let mut broker = Line::new(Place::here()?.connect_or_start()?);
    broker.write(&line)?;
    match broker.reply(PROMPT)? {
        Reply::Done => Ok(()),
        Reply::Stranger(why) => Err(Error::Unwelcome(why)),
        _ => Err(Error::Broken),
    }
}

/// A line, where a broker takes one so long.
fn bounded(said: &Said) -> Result<Vec<u8>, Error> {
    let mut line = serde_json::to_vec(said).map_err(|_| Error::TooLarge)?;
    line.push(b'\n');
    if line.len() > MOST_BYTES {
        return Err(Error::TooLarge);
    }
    Ok(line)
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
        self.line.stream.as_fd()
    }

    /// The answer that has arrived; none where it is not whole yet.
    ///
    /// # Errors
    ///
    /// Where the broker is gone.
    pub fn read(&mut self) -> Result<Option<Answer>, Error> {
        match self.line.read()? {
            Some(reply) => answer(reply).map(Some).ok_or(Error::Broken),
            None => Ok(None),
        }
    }

    /// Waits no longer. Gives the answer where one came just then: a yes is not lost between the two.
    pub fn leave(mut self) -> Option<Answer> {
        let said = serde_json::to_vec(&Said::Leave).ok()?;
        // A broker that has answered closes, and takes no more; what it said before can be read still.
        let _ = self.line.write(&[said, b"\n".to_vec()].concat());
        answer(self.line.reply(PROMPT).ok()?)
    }
}

/// A connection to a broker, on which no call waits longer than it says.
#[derive(Debug)]
pub(super) struct Line {
    stream: UnixStream,
    read: Vec<u8>,
}

impl Line {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::POLLOUT, PROMPT)?;
                }
                Err(_) => return Err(Error::Broken),
            }
        }
        Ok(())
    }

    /// The next reply, for which at most so long is waited.
    pub(super) fn reply(&mut self, longest: Duration) -> Result<Reply, Error> {
        let until = std::time::Instant::now() + longest;
        loop {
            if let Some(reply) = self.read()? {
                return Ok(reply);
            }
            let left = until.saturating_duration_since(std::time::Instant::now());
            self.wait(PollFlags::POLLIN, left)?;
        }
    }

    /// The next reply as far as it is there.
    pub(super) fn read(&mut self) -> Result<Option<Reply>, Error> {
        loop {
            if let Some(end) = self.read.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(|_| Error::Broken);
            }
            let mut buffer = [0; 16 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::Broken),
                Ok(count) => self
                    .read
                    .extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Error::Broken),
            }
            if self.read.len() > MOST_REPLY {
                return Err(Error::Broken);
            }
        }
    }

    fn wait(&self, what: PollFlags, longest: Duration) -> Result<(), Error> {
        if longest.is_zero() {
            return Err(Error::Broken);
        }
        let mut polled = [PollFd::new(self.stream.as_fd(), what)];
        let time = PollTimeout::try_from(longest).unwrap_or(PollTimeout::MAX);
        match poll(&mut polled, time) {
            Ok(0) => Err(Error::Broken),
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(_) => Err(Error::Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            line: Line::new(ours),
        };
        let answer = waiting.leave();
        assert!(
            matches!(&answer, Some(Answer::Approved(who)) if *who == by),
            "{answer:?}"
        );
    }
}
