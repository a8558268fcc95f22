//! How long a test waits.

use std::time::{Duration, Instant};

/// As how much a turn counts at most.
const TURN: Duration = Duration::from_millis(250);

/// Time to wait in, turn by turn. A machine that stands still for a while, as virtual ones do, uses up one turn.
pub struct Patience {
    left: Duration,
    since: Instant,
}

impl Patience {
    /// So much time.
    pub fn new(time: Duration) -> Self {
        Self {
            left: time,
            since: Instant::now(),
        }
    }

    /// How long to wait now, before the next turn; none where no time is left.
    pub fn turn(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let spent = now.duration_since(self.since).min(TURN);
        self.since = now;
        self.left = self.left.saturating_sub(spent);
        (!self.left.is_zero()).then(|| self.left.min(TURN))
    }
}
