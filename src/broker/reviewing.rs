//! The end of who reviews. Whether a person is there, and what they typed, is for the caller to know before it
//! says anything here.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Error;
use super::asking::{Line, PROMPT};
use super::message::{Granted, Listed, Reply, Said, Scope, Shown};
use super::place::Place;

/// What came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counts.
    Done,
    /// There is no such request any more, or none that is what was shown.
    Gone,
    /// The request comes from no session that is known and lives.
    NoSession,
}

/// What waits for a person; nothing where no broker runs.
///
/// # Errors
///
/// Where the broker cannot be spoken to.
pub fn pending() -> Result<Vec<Listed>, Error> {
    match say(&Said::List) {
        Ok(Reply::List(list)) => Ok(list),
        Ok(_) => Err(Error::Broken),
        Err(Error::Nobody) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// One request; none where there is no such one.
///
/// # Errors
///
/// As [`pending`].
pub fn look(number: u64) -> Result<Option<Shown>, Error> {
    match say(&Said::Look(number)) {
        Ok(Reply::Shown(shown)) => Ok(Some(*shown)),
        Ok(Reply::Gone) | Err(Error::Nobody) => Ok(None),
        Ok(_) => Err(Error::Broken),
        Err(error) => Err(error),
    }
}

/// Says yes to what was shown. A person at this terminal has typed it.
///
/// # Errors
///
/// As [`pending`].
pub fn approve(shown: &Shown, scope: Scope, terminal: String) -> Result<Outcome, Error> {
    outcome(&Said::Approve {
        number: shown.number,
        key: shown.asked.key(),
        scope,
        terminal,
    })
}

/// Says no to a request.
///
/// # Errors
///
/// As [`pending`].
pub fn refuse(number: u64, why: Option<String>) -> Result<Outcome, Error> {
    outcome(&Said::Refuse { number, why })
}

/// What has been approved; nothing where no broker runs.
///
/// # Errors
///
/// As [`pending`].
pub fn grants() -> Result<Vec<Granted>, Error> {
    match say(&Said::Grants) {
        Ok(Reply::Grants(grants)) => Ok(grants),
        Ok(_) => Err(Error::Broken),
        Err(Error::Nobody) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Ends an approval.
///
/// # Errors
///
/// As [`pending`].
pub fn revoke(number: u64) -> Result<Outcome, Error> {
    outcome(&Said::Revoke(number))
}

fn outcome(said: &Said) -> Result<Outcome, Error> {
    match say(said) {
        Ok(Reply::Done) => Ok(Outcome::Done),
        Ok(Reply::Gone) | Err(Error::Nobody) => Ok(Outcome::Gone),
        Ok(Reply::NoSession) => Ok(Outcome::NoSession),
        Ok(_) => Err(Error::Broken),
        Err(error) => Err(error),
    }
}

fn say(said: &Said) -> Result<Reply, Error> {
    let mut line = Line::new(Place::here()?.connect()?);
    tell(&mut line, said)?;
    match line.reply(PROMPT)? {
        Reply::Stranger(why) => Err(Error::Unwelcome(why)),
        reply => Ok(reply),
    }
}

fn tell(line: &mut Line, said: &Said) -> Result<(), Error> {
    let mut bytes = serde_json::to_vec(said).map_err(|_| Error::TooLarge)?;
    bytes.push(b'\n');
    line.write(&bytes)
}

/// A look at all that waits, which goes on. While it is there, commands wait for an answer.
pub struct Watch(Line);

impl Watch {
    /// Begins, and starts a broker where none runs.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn begin() -> Result<Self, Error> {
        let mut line = Line::new(Place::here()?.connect_or_start()?);
        tell(&mut line, &Said::Watch)?;
        Ok(Self(line))
    }

    /// Waits until what waits has changed.
    ///
    /// # Errors
    ///
    /// Where that cannot be waited for.
    pub fn wait(&self) -> Result<(), Error> {
        let mut polled = [PollFd::new(self.0.descriptor(), PollFlags::POLLIN)];
        match poll(&mut polled, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(_) => Err(Error::Broken),
        }
    }

    /// What waits, if that was told since.
    ///
    /// # Errors
    ///
    /// Where the broker is gone.
    pub fn read(&mut self) -> Result<Option<Vec<Listed>>, Error> {
        let mut last = None;
        while let Some(reply) = self.0.read()? {
            match reply {
                Reply::List(list) => last = Some(list),
                Reply::Stranger(why) => return Err(Error::Unwelcome(why)),
                _ => return Err(Error::Broken),
            }
        }
        Ok(last)
    }
}
