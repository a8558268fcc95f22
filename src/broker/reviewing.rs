//! The end of who reviews. Whether a person is there, and what they typed, is for the caller to know before it
//! says anything here.

use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::geteuid;

use super::Error;
use super::line::Line;
use super::message::{Granted, Listed, Reply, Said, Scope, Shown};
use super::place::Place;
use super::shared::Shared;

/// What came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counts.
    Done,
    /// There is no such request any more, or none that is what was shown.
    Gone,
    /// So many have said yes now, and more are wanted.
    More(usize),
    /// It does not count: this user has said yes already, or is not to.
    Uncounted,
    /// The request comes from no session that is known and lives.
    NoSession,
}

/// What waits for a person; nothing where no broker runs.
///
/// # Errors
///
/// Where the broker cannot be spoken to.
pub fn pending() -> Result<Vec<Listed>, Error> {
    match say(None, &Said::List) {
        Ok(Reply::List(list)) => Ok(list),
        Ok(_) => Err(Error::Broken),
        Err(Error::Nobody) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What waits at the brokers of other users for more than one person, by user; of those that speak with this one.
#[must_use]
pub fn pending_of_others() -> Vec<(u32, Vec<Listed>)> {
    let Ok(Some(shared)) = Shared::here() else {
        return Vec::new();
    };
    let list = |user| match shared.connect(user).and_then(|to| ask(to, &Said::List)) {
        Ok(Reply::List(list)) if !list.is_empty() => Some((user, list)),
        _ => None,
    };
    shared.others().into_iter().filter_map(list).collect()
}

/// One request; none where there is no such one.
///
/// # Errors
///
/// As [`pending`].
pub fn look(whose: Option<u32>, number: u64) -> Result<Option<Shown>, Error> {
    match say(whose, &Said::Look(number)) {
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
pub fn approve(
    whose: Option<u32>,
    shown: &Shown,
    scope: Scope,
    terminal: String,
) -> Result<Outcome, Error> {
    let said = Said::Approve {
        number: shown.number,
        key: shown.asked.key(),
        scope,
        session: shown.session,
        terminal,
    };
    outcome(whose, &said)
}

/// Says no to a request.
///
/// # Errors
///
/// As [`pending`].
pub fn refuse(whose: Option<u32>, number: u64, why: Option<String>) -> Result<Outcome, Error> {
    outcome(whose, &Said::Refuse { number, why })
}

/// What has been approved; nothing where no broker runs.
///
/// # Errors
///
/// As [`pending`].
pub fn grants() -> Result<Vec<Granted>, Error> {
    match say(None, &Said::Grants) {
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
    outcome(None, &Said::Revoke(number))
}

fn outcome(whose: Option<u32>, said: &Said) -> Result<Outcome, Error> {
    match say(whose, said) {
        Ok(Reply::Done) => Ok(Outcome::Done),
        Ok(Reply::Gone) | Err(Error::Nobody) => Ok(Outcome::Gone),
        Ok(Reply::More(said)) => Ok(Outcome::More(said)),
        Ok(Reply::Uncounted) => Ok(Outcome::Uncounted),
        Ok(Reply::NoSession) => Ok(Outcome::NoSession),
        Ok(_) => Err(Error::Broken),
        Err(error) => Err(error),
    }
}

/// Says it to the broker of this user, or of another one.
fn say(whose: Option<u32>, said: &Said) -> Result<Reply, Error> {
    let stream = match whose.filter(|user| *user != geteuid().as_raw()) {
        None => Place::here()?.connect()?,
        Some(user) => Shared::here()?.ok_or(Error::Nobody)?.connect(user)?,
    };
    ask(stream, said)
}

fn ask(broker: UnixStream, said: &Said) -> Result<Reply, Error> {
    Line::to_broker(broker).ask(said)
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
        let mut line = Line::to_broker(Place::make()?.connect_or_start()?);
        line.say(&Said::Watch)?;
        Ok(Self(line))
    }

    /// To be waited on: what waits may have changed.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.descriptor()
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
        while let Some(reply) = self.0.next_reply()? {
            match reply {
                Reply::List(list) => last = Some(list),
                _ => return Err(Error::Broken),
            }
        }
        Ok(last)
    }
}
