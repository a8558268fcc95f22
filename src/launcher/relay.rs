//! Between the person's terminal and the inner one: keys one way, output the other, byte for byte, and
//! the window's size.
//!
//! Neither way waits for the other. Keys are taken only while the agent is in front.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::person::{Person, hung_up};
use super::picture::Picture;
use super::queue::{Flow, Queue};
use super::screen::Screen;
use crate::sys::terminal::{Modes, Window, set_window};

/// For how long output is still taken from an agent that has ended or stopped: what it wrote is there at
/// once, and the rest is of others.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
/// For how long the person's terminal may take no output before the rest is thrown away at the end.
const STUCK: Duration = Duration::from_secs(2);
/// How long the window is another one, so that an agent that compares sizes draws anew.
const OTHER_WINDOW: Duration = Duration::from_millis(100);
/// A window of which nothing is known.
const UNKNOWN: Window = Window {
    rows: 0,
    columns: 0,
    pixels: (0, 0),
};

/// Both terminals, and what is under way between them.
pub struct Relay {
    /// The person's terminal.
    pub person: Person,
    master: OwnedFd,
    keys: Queue,
    output: Queue,
    /// What the output has made of the person's terminal.
    pub screen: Screen,
    picture: Picture,
    /// Whether the agent is in front: the person's terminal is raw and its keys are the agent's.
    pub in_front: bool,
    /// The window is to be set back at this time.
    window_back: Option<Instant>,
    /// The modes of the inner terminal where they are not the person's yet.
    usual_modes: Option<Modes>,
    /// Whether nothing may pass: a person is being asked.
    is_held: bool,
}

impl Relay {
    /// Begins with nothing under way.
    #[must_use]
    pub fn new(person: Person, master: OwnedFd) -> Self {
        let in_front = person.is_taken();
        let usual_modes = if in_front {
            None
        } else {
            Modes::of(master.as_fd()).ok()
        };
        let picture = Picture::new(person.window().unwrap_or(UNKNOWN));
        Self {
            person,
            master,
            keys: Queue::default(),
            output: Queue::default(),
            screen: Screen::default(),
            picture,
            in_front,
            window_back: None,
            usual_modes,
            is_held: false,
        }
    }

    /// The numbers of all descriptors: held open by another process, they would hide an end.
    #[must_use]
    pub fn raw(&self) -> [RawFd; 3] {
        [
            self.person.descriptor().as_raw_fd(),
            self.person.watchdog().as_raw_fd(),
            self.master.as_raw_fd(),
        ]
    }

    /// What to wait for: the person's terminal first, then the inner one.
    #[must_use]
    pub fn descriptors(&self, is_settling: bool) -> [PollFd<'_>; 2] {
        let mut person = PollFlags::empty();
        let takes_keys = self.in_front && !self.is_held && self.keys.has_room();
        person.set(PollFlags::POLLIN, takes_keys);
        let shows = !self.is_held && !self.output.is_empty();
        person.set(PollFlags::POLLOUT, shows);
        let mut inner = PollFlags::empty();
        inner.set(PollFlags::POLLIN, self.takes_output(is_settling));
        inner.set(PollFlags::POLLOUT, !self.keys.is_empty());
        [
            PollFd::new(self.person.descriptor(), person),
            PollFd::new(self.master.as_fd(), inner),
        ]
    }

    /// When something is to be done though no byte comes.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.window_back
    }

    /// Whether output can be interrupted: nothing is under way and no sequence was begun.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.output.is_empty() && self.screen.is_between()
    }

    /// While it settles, only as much is taken as it needs to come to the end of a sequence.
    fn takes_output(&self, is_settling: bool) -> bool {
        if is_settling {
            self.output.is_empty() && !self.screen.is_between()
        } else {
            self.output.has_room()
        }
    }

    /// Moves what can be moved after a wait; false where the person's terminal is gone.
    #[must_use]
    pub fn pump(&mut self, events: [PollFlags; 2], is_settling: bool) -> bool {
        let [person, inner] = events;
        if hung_up(Some(person)) {
            return false;
        }
        if person.contains(PollFlags::POLLIN)
            && self.keys.fill(self.person.descriptor()) == Flow::Gone
        {
            // Another job may have been put in front in between; then there are no keys for us.
            if self.person.is_ours() {
                return false;
            }
            self.in_front = false;
        }
        if !inner.is_empty() && self.takes_output(is_settling) {
            self.output.fill(self.master.as_fd());
        }
        if !self.keys.is_empty() && self.keys.empty(self.master.as_fd(), &mut |_| {}) == Flow::Gone
        {
            self.keys.clear();
        }
        self.show() != Flow::Gone
    }

    /// Writes output, unless it is held.
    fn show(&mut self) -> Flow {
        if self.is_held {
            return Flow::Later;
        }
        let (screen, picture) = (&mut self.screen, &mut self.picture);
        self.output.empty(self.person.descriptor(), &mut |bytes| {
            screen.feed(bytes);
            picture.feed(bytes);
        })
    }

    /// Shows all that the agent has written until now.
    pub fn drain(&mut self) {
        let end = Instant::now() + LAST_OUTPUT;
        let mut patience = Instant::now() + STUCK;
        loop {
            let now = Instant::now();
            let read = if now < end {
                self.output.fill(self.master.as_fd())
            } else {
                Flow::Later
            };
            match self.show() {
                Flow::Moved(_) => patience = now + STUCK,
                Flow::Later => {}
                Flow::Gone => return,
            }
            let has_more = matches!(read, Flow::Moved(_));
            if self.output.is_empty() && !has_more || now > patience {
                return;
            }
            if !self.output.is_empty() {
                let mut polled = [PollFd::new(self.person.descriptor(), PollFlags::POLLOUT)];
                let _ = poll(&mut polled, PollTimeout::from(100_u8));
            }
        }
    }

    /// Gives the inner terminal the window of the person's.
    pub fn resize(&mut self) {
        if let Ok(window) = self.person.window() {
            let _ = set_window(self.master.as_fd(), window);
            self.picture.resize(window);
        }
    }

    /// Puts the agent in front, where the terminal is ours: raw, and with the window as it is now.
    pub fn come_to_front(&mut self) {
        self.in_front = self.person.is_ours() && self.person.take_again().is_ok();
        if self.in_front
            && let (Some(usual), Some(modes)) = (self.usual_modes.take(), self.person.before())
            && Modes::of(self.master.as_fd()).is_ok_and(|now| now == usual)
        {
            let _ = modes.set(self.master.as_fd());
        }
        self.resize();
    }

    /// Gives the person's terminal back.
    pub fn give_back(&mut self) {
        self.person.give_back();
        self.in_front = false;
    }

    /// Begins a question on the person's terminal, in the modes that it gives back to be restored after
    /// it; none where the terminal is not the agent's at the moment.
    pub fn begin_question(&mut self) -> Option<Modes> {
        self.is_held = true;
        if !self.in_front {
            return None;
        }
        let enter = self.screen.enter();
        self.write(&enter);
        self.person.give_back();
        self.person.modes().ok()
    }

    /// Ends a question that was begun so.
    pub fn end_question(&mut self, modes: Option<&Modes>) {
        self.is_held = false;
        let Some(modes) = modes else {
            return;
        };
        if self.person.is_ours() {
            // Where whoever asked was killed, it has restored nothing.
            let _ = modes.set(self.person.descriptor());
        }
        self.come_to_front();
        let leave = self.screen.leave(&self.picture);
        self.write(&leave);
        if self.screen.is_alternate() {
            self.change_window();
        }
    }

    /// Makes the agent draw anew, by another window for a moment.
    fn change_window(&mut self) {
        let Ok(window) = self.person.window() else {
            return;
        };
        let other = Window {
            rows: if window.rows > 1 {
                window.rows - 1
            } else {
                window.rows.saturating_add(1)
            },
            ..window
        };
        let _ = set_window(self.master.as_fd(), other);
        self.window_back = Some(Instant::now() + OTHER_WINDOW);
    }

    /// Sets the window back when it is time.
    pub fn turn(&mut self) {
        if self.window_back.is_some_and(|at| at <= Instant::now()) {
            self.window_back = None;
            self.resize();
        }
    }

    /// Writes words of our own, as far as the terminal takes them in time.
    fn write(&self, bytes: &[u8]) {
        let mut queue = Queue::default();
        queue.push(bytes);
        let end = Instant::now() + STUCK;
        while !queue.is_empty() && Instant::now() < end {
            match queue.empty(self.person.descriptor(), &mut |_| {}) {
                Flow::Moved(_) => {}
                Flow::Gone => return,
                Flow::Later => {
                    let mut polled = [PollFd::new(self.person.descriptor(), PollFlags::POLLOUT)];
                    let _ = poll(&mut polled, PollTimeout::from(100_u8));
                }
            }
        }
    }
}
