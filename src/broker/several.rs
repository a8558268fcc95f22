//! Who has said yes to a request that needs several people, and how far they reach together.

use super::message::{Reply, Reviewer, Root, Scope};

/// How far a yes reaches, and the session that it was given in, where that matters.
pub type Reach = (Scope, Option<Root>);

/// Those who have said yes while more are wanted, each a user of their own.
#[derive(Default)]
pub struct Several(Vec<(Reviewer, Reach)>);

impl Several {
    /// The users.
    pub fn users(&self) -> Vec<u32> {
        self.0.iter().map(|(by, _)| by.uid).collect()
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
    ) -> Result<(Reviewer, Reach), Reply> {
        if self.0.iter().any(|(other, _)| other.uid == by.uid) {
            return Err(Reply::Uncounted);
        }
        if self.0.len() + 1 < usize::from(wanted) {
            self.0.push((by, reach));
            return Err(Reply::More(self.0.len()));
        }
        for (other, also) in self.0.drain(..) {
            reach = both(reach, also);
            by.with.push(other);
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
