//! How long looks may take together where others wait for them.
//!
//! Takes how long each look took; says whether another one may be made. What is looked at no more is not known.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// In how long a time they are counted together.
const WITHIN: Duration = Duration::from_secs(60);
/// How long they may take in that: one in ten.
const MOST: Duration = Duration::from_secs(6);

/// What looks have taken of a minute that is under way.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    began: Cell<Option<Instant>>,
    spent: Cell<Duration>,
}

impl Budget {
    /// Whether another look may be made now.
    #[must_use]
    pub fn is_left(&self, now: Instant) -> bool {
        self.spent_by(now) < MOST
    }

    /// Counts a look that has taken so long.
    pub fn spend(&self, now: Instant, time: Duration) {
        let spent = self.spent_by(now);
        if spent.is_zero() {
            self.began.set(Some(now));
        }
        self.spent.set(spent.saturating_add(time));
    }

    /// What has been spent of the minute that is under way.
    #[must_use]
    pub fn spent_by(&self, now: Instant) -> Duration {
        let is_over = |began: Instant| now.saturating_duration_since(began) >= WITHIN;
        if self.began.get().is_none_or(is_over) {
            Duration::ZERO
        } else {
            self.spent.get()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_take_a_part_of_each_minute_and_no_more() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let budget = Budget::default();
        for (second, takes, is_left) in [
            (0, 0, true),
            (0, 2, true),
            (10, 3, true),
            (20, 1, false),
            (59, 0, false),
            (60, 0, true),
            (61, 5, true),
            (119, 1, false),
            (120, 0, false),
            (121, 0, true),
        ] {
            if takes > 0 {
                budget.spend(at(second), Duration::from_secs(takes));
            }
            assert_eq!(budget.is_left(at(second)), is_left, "{second}");
        }
    }
}
