//! The daemon: takes requests and answers from processes that may take part, and waits for none of them.
//!
//! It ends by itself when it has had nothing to keep for a while, and when its socket is no longer the one
//! that is found. Who wants to know more than is told finds nothing: its memory is all that it has.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_name;
use nix::sys::signal::SigSet;
use nix::unistd::geteuid;

use super::book::{Book, Told, Waiter};
use super::connection::{Connection, Role};
use super::line::Line;
use super::message::{MOST_BYTES, MOST_REPLY, Reply, Reviewer, Said};
use super::peer::{Peer, check_this};
use super::place::Place;
use super::registry::{Known, Registry};
use super::shared::{Shared, settings};
use crate::policy::schema::Terminals;
use crate::sys::process;

/// How many connections there are at most.
const MOST_CONNECTIONS: usize = 256;
/// How many are taken at one turn.
const MOST_TAKEN: usize = 64;
/// How long who connects may take to say what they want.
const SILENCE: Duration = Duration::from_secs(5);
/// How long a command is waited for that waits for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long nobody is taken after it failed.
const SHORT: Duration = Duration::from_millis(20);
/// How often what has had its time is looked for.
const TURN: Duration = Duration::from_secs(2);
/// The same where nothing waits, and it is there for registered terminals only.
const LONG_TURN: Duration = Duration::from_secs(10);
/// How long a broker is there that has nothing to keep.
const IDLE: Duration = Duration::from_secs(120);

/// Serves until there is nothing to do. For a process that does nothing else, and that nobody waits for.
///
/// # Errors
///
/// Where this process may be no broker, or its socket cannot be made.
pub fn serve() -> io::Result<()> {
    SigSet::all().thread_set_mask()?;
    let place = Place::make().map_err(io::Error::other)?;
    process::become_unseen()?;
    // It was started from a link of the kernel's, which is what it would be called after.
    set_name(c"kibosh")?;
    check_this().map_err(io::Error::other)?;
    // Who counts, and who else may review, is known before anybody is listened to.
    let settings = settings().map_err(io::Error::other)?;
    let (listener, socket) = place.listen()?;
    let own = geteuid().as_raw();
    let uncounted = (settings.operator_counts == Some(false)).then_some(own);
    let shared = Shared::of(&settings).ok().flatten();
    let for_others = shared
        .as_ref()
        .and_then(|shared| Some((shared, shared.listen().ok()?)));
    let mut broker = Broker {
        book: Book::without(uncounted),
        is_required: settings.terminals == Some(Terminals::Registered),
        ..Broker::default()
    };
    let mut busy = Instant::now();
    while place.has(&socket) {
        let others = for_others.as_ref().map(|(_, (listener, _))| listener);
        broker.wait(&listener, others)?;
        let now = Instant::now();
        broker.turn(now);
        if !broker.is_idle() {
            busy = now;
        } else if now >= busy + IDLE {
            break;
        }
    }
    place.leave(&socket);
    if let Some((shared, (_, socket))) = &for_others {
        shared.leave(socket);
    }
    Ok(())
}

#[derive(Default)]
struct Broker {
    book: Book,
    registry: Registry,
    /// Whether only registered terminals count.
    is_required: bool,
    connections: BTreeMap<Waiter, Connection>,
    last: Waiter,
}

impl Broker {
    /// Waits for something to do, and does it.
    fn wait(
        &mut self,
        listener: &UnixListener,
        for_others: Option<&UnixListener>,
    ) -> io::Result<()> {
        let own = Some(geteuid().as_raw());
        let listeners: Vec<(&UnixListener, Option<u32>)> = std::iter::once((listener, own))
            .chain(for_others.map(|listener| (listener, None)))
            .collect();
        let ready = {
            let mut polled: Vec<PollFd<'_>> = listeners
                .iter()
                .map(|(listener, _)| PollFd::new(listener.as_fd(), PollFlags::POLLIN))
                .collect();
            polled.extend(self.connections.values().map(|one| {
                let more = if one.has_more() {
                    PollFlags::POLLOUT
                } else {
                    PollFlags::empty()
                };
                PollFd::new(one.descriptor(), PollFlags::POLLIN | more)
            }));
            let is_quiet = self.connections.is_empty() && self.book.is_empty();
            let turn = if is_quiet { LONG_TURN } else { TURN };
            let time = PollTimeout::try_from(turn).unwrap_or(PollTimeout::ZERO);
            match poll(&mut polled, time) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            polled
                .iter()
                .map(|one| one.any().unwrap_or(true))
                .collect::<Vec<bool>>()
        };
        let numbers: Vec<Waiter> = self.connections.keys().copied().collect();
        for (number, _) in numbers
            .into_iter()
            .zip(ready.iter().skip(listeners.len()))
            .filter(|(_, is_ready)| **is_ready)
        {
            self.hear(number);
        }
        for ((listener, user), is_ready) in listeners.into_iter().zip(ready) {
            if is_ready {
                self.take(listener, user);
            }
        }
        Ok(())
    }

    /// Takes who connects; who may not take part is told so and left.
    fn take(&mut self, listener: &UnixListener, user: Option<u32>) {
        for _ in 0..MOST_TAKEN {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // There are no descriptors left, say. Who connects stays where they are meanwhile.
                    std::thread::sleep(SHORT);
                    return;
                }
            };
            if self.connections.len() >= MOST_CONNECTIONS || stream.set_nonblocking(true).is_err() {
                continue;
            }
            match Peer::of(&stream, user) {
                Ok(peer) => {
                    self.last += 1;
                    let connection = Connection::new(stream, peer, Instant::now());
                    self.connections.insert(self.last, connection);
                }
                Err(stranger) => {
                    let reply = Reply::Stranger(stranger);
                    let _ = Line::of_broker(stream).send(&reply, MOST_REPLY);
                }
            }
        }
    }

    /// Reads what a connection says, and answers.
    fn hear(&mut self, number: Waiter) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.write();
        let Some(line) = connection.read() else {
            return;
        };
        let Ok(said) = serde_json::from_slice::<Said>(&line) else {
            connection.end();
            return;
        };
        if connection.role != Role::New && !matches!(said, Said::Leave) {
            connection.end();
            return;
        }
        let uid = connection.peer.uid;
        // It may have been taken over by another process since it connected.
        if let Err(stranger) = connection.peer.check() {
            connection.role = Role::Done;
            connection.send(&Reply::Stranger(stranger));
            return;
        }
        let is_own = uid == geteuid().as_raw();
        let before = self.book.changes();
        let (role, reply) = if is_own || self.may_be_said_by_others(&said) {
            self.answer(number, said, line.len(), uid)
        } else {
            (Role::Done, Some(Reply::Gone))
        };
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.role = role;
            match reply {
                Some(reply) => connection.send(&reply),
                None => connection.end(),
            }
        }
        if before != self.book.changes() {
            self.tell_watchers();
        }
    }

    /// Whether another user may say this here: of requests that need more than one person.
    fn may_be_said_by_others(&self, said: &Said) -> bool {
        match said {
            Said::List => true,
            Said::Look(number) | Said::Approve { number, .. } | Said::Refuse { number, .. } => {
                self.book.needs_several(*number)
            }
            Said::Ask { .. }
            | Said::Recall { .. }
            | Said::Answered { .. }
            | Said::Leave
            | Said::Watch
            | Said::Grants
            | Said::Revoke(_)
            | Said::Register { .. }
            | Said::Registered => false,
        }
    }

    /// What is said to one, and what the connection is for from then on.
    fn answer(
        &mut self,
        number: Waiter,
        said: Said,
        bytes: usize,
        uid: u32,
    ) -> (Role, Option<Reply>) {
        let now = Instant::now();
        let reply = match said {
            Said::Ask { asked, session } => {
                let is_watched = self.is_watched();
                return match self
                    .book
                    .ask(*asked, bytes.min(MOST_BYTES), session, number, now)
                {
                    Some(Reply::Waiting { number, said, .. }) => {
                        let reply = Reply::Waiting {
                            number,
                            is_watched,
                            said,
                        };
                        (Role::Asker, Some(reply))
                    }
                    reply => (Role::Done, reply),
                };
            }
            Said::Recall { asked, session } => {
                return (Role::Done, self.book.recall(&asked, session, now));
            }
            Said::Answered {
                asked,
                session,
                is_yes: true,
                terminal,
            } => {
                let by = Reviewer {
                    uid,
                    terminal,
                    with: Vec::new(),
                };
                return (Role::Done, self.book.keep(&asked, session, by));
            }
            Said::Answered { asked, .. } => {
                self.book.note_no(&asked, now);
                Reply::Done
            }
            Said::Leave => {
                self.book.leave(number);
                Reply::Left
            }
            Said::Watch => return (Role::Watcher, Some(Reply::List(self.book.list(now)))),
            Said::List => {
                let mut list = self.book.list(now);
                list.retain(|one| one.reviewers > 1 || uid == geteuid().as_raw());
                Reply::List(list)
            }
            Said::Look(wanted) => match self.book.look(wanted) {
                Some(shown) => Reply::Shown(Box::new(shown)),
                None => Reply::Gone,
            },
            Said::Approve {
                number,
                key,
                scope,
                session,
                terminal,
            } => {
                self.find_who_left();
                let by = Reviewer {
                    uid,
                    terminal,
                    with: Vec::new(),
                };
                let (reply, told) = self.book.approve(number, &key, (scope, session), &by, now);
                self.tell(told);
                reply
            }
            Said::Refuse { number, why } => {
                let (reply, told) = self.book.refuse(number, why, now);
                self.tell(told);
                reply
            }
            Said::Grants => Reply::Grants(self.book.grants(now)),
            Said::Revoke(number) if self.book.revoke(number) => Reply::Done,
            Said::Revoke(_) => Reply::Gone,
            Said::Register { is_undo } => self.register(number, is_undo),
            Said::Registered => Reply::Registered(Known {
                terminals: self.registry.list(),
                is_required: self.is_required,
                is_watched: self.is_watched(),
            }),
        };
        (Role::Done, Some(reply))
    }

    /// Registers the terminal of who is at the other end, or takes it out.
    fn register(&mut self, number: Waiter, is_undo: bool) -> Reply {
        let Some(connection) = self.connections.get(&number) else {
            return Reply::Gone;
        };
        let peer = &connection.peer;
        if is_undo {
            self.registry.remove(peer.id);
            return Reply::Done;
        }
        // What was read was of that process only if it runs still.
        let added = self.registry.add(peer.id);
        if let Err(stranger) = peer.check() {
            self.registry.remove(peer.id);
            return Reply::Stranger(stranger);
        }
        match added {
            Ok(()) => Reply::Done,
            Err(why) => Reply::Unfit(why),
        }
    }

    /// Answers those who wait.
    fn tell(&mut self, told: Told) {
        for (waiter, reply) in told {
            if let Some(connection) = self.connections.get_mut(&waiter) {
                connection.role = Role::Done;
                connection.send(&reply);
            }
        }
    }

    /// A yes for one time must not go to a command that has ended meanwhile.
    fn find_who_left(&mut self) {
        let askers: Vec<Waiter> = self
            .connections
            .iter()
            .filter(|(_, one)| one.role == Role::Asker)
            .map(|(number, _)| *number)
            .collect();
        for number in askers {
            self.hear(number);
            if self
                .connections
                .get(&number)
                .is_none_or(Connection::is_over)
            {
                self.book.leave(number);
            }
        }
    }

    fn is_watched(&self) -> bool {
        self.connections
            .values()
            .any(|one| one.role == Role::Watcher && !one.is_over())
    }

    fn tell_watchers(&mut self) {
        let list = self.book.list(Instant::now());
        for connection in self.connections.values_mut() {
            if connection.role == Role::Watcher {
                connection.send(&Reply::List(list.clone()));
            }
        }
    }

    /// Leaves who has had their time, and forgets what has.
    fn turn(&mut self, now: Instant) {
        let before = self.book.changes();
        for connection in self.connections.values_mut() {
            let longest = match connection.role {
                Role::New | Role::Done => SILENCE,
                Role::Asker => LONGEST_WAIT,
                Role::Watcher => Duration::MAX,
            };
            if now.saturating_duration_since(connection.since) > longest {
                connection.end();
            }
        }
        let over: Vec<Waiter> = self
            .connections
            .iter()
            .filter(|(_, one)| one.is_over())
            .map(|(number, _)| *number)
            .collect();
        for number in over {
            self.connections.remove(&number);
            self.book.leave(number);
        }
        self.book.turn(now);
        self.registry.turn();
        if before != self.book.changes() {
            self.tell_watchers();
        }
    }

    fn is_idle(&self) -> bool {
        self.connections.is_empty() && self.book.is_empty() && self.registry.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Root;
    use crate::broker::registry::Registered;

    #[test]
    fn while_a_terminal_is_registered_there_is_something_to_keep() {
        assert!(Broker::default().is_idle());
        let leader = Root::of(std::process::id().cast_signed()).unwrap();
        let known = Registered {
            leader,
            terminal: 1,
        };
        let broker = Broker {
            registry: Registry::of(&[known]),
            ..Broker::default()
        };
        assert!(!broker.is_idle());
    }
}
