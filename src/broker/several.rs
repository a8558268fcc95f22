//! Who has said yes to a request that needs several people, and how far they reach together.

use std::time::{Duration, Instant};

use super::message::{Reply, Reviewer, Root, Scope};

/// How far a yes reaches, and the session that it was given in, where that matters.
pub type Reach = (Scope, Option<Root>);

/// How long a yes counts for one time: it waits for the command to be tried again, or for the next person.
pub const ONCE: Duration = Duration::from_secs(10 * 60);

/// Those who have said yes while more are wanted, each a user of their own.
#[derive(Default)]
pub struct Several(Vec<Yes>);

struct Yes {
    by: Reviewer,
    reach: Reach,
    until: Instant,
}

impl Several {
    /// The users whose yes counts.
    pub fn users(&self, now: Instant) -> Vec<u32> {
        let counts = self.0.iter().filter(|yes| yes.until > now);
        counts.map(|yes| yes.by.uid).collect()
    }

    /// Forgets those that have had their time; whether there were any.
    pub fn forget(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|yes| yes.until > now);
        self.0.len() != before
    }

    /// Adds one. Where there are enough then, gives the last with the others, and how far their yes reaches; what
    /// is asked after that begins anew.
    ///
    /// # Errors
    ///
    /// What the last is told: that they have said yes already, or that more are wanted.
    pub fn add(
        &mut self,
        mut by: Reviewer,
        mut reach: Reach,
        wanted: u8,
        now: Instant,
    ) -> Result<(Reviewer, Reach), Reply> {
        self.forget(now);
        if self.0.iter().any(|yes| yes.by.uid == by.uid) {
            return Err(Reply::Uncounted);
        }
        if self.0.len() + 1 < usize::from(wanted) {
            let until = now + ONCE;
            self.0.push(Yes { by, reach, until });
            return Err(Reply::More(self.0.len()));
        }
        for other in self.0.drain(..) {
            reach = both(reach, other.reach);
            by.with.push(other.by);
        }
        Ok((by, reach))
    }
}

/// How far two have said yes together: no further than either, and once where neither contains the other.
fn both(one: Reach, other: Reach) -> Reach {
    match (one.0, other.0) {
        (Scope::Seconds(first), Scope::Seconds(second)) => {
            (Scope::Seconds(first.min(second)), None)
        }
        (Scope::Session, Scope::Session) if one.1 == other.1 => one,
        _ => (Scope::Once, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_of_two_reaches_no_further_than_either() {
        let root = |process| {
            Some(Root {
                id: process,
                began: 1,
            })
        };
        let once = (Scope::Once, None);
        let session = |process| (Scope::Session, root(process));
        let time = |seconds| (Scope::Seconds(seconds), None);
        for (first, second, together) in [
            (once, once, once),
            (once, session(1), once),
            (time(60), once, once),
            (time(60), session(1), once),
            (time(60), time(600), time(60)),
            (session(1), session(1), session(1)),
            (session(1), session(2), once),
        ] {
            assert_eq!(both(first, second), together);
            assert_eq!(both(second, first), together);
        }
    }
}
