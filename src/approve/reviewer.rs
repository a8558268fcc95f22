//! The person at this terminal says what they think of a request that waits elsewhere.
//!
//! They are shown all that a question at the asker's own terminal shows, under the same conditions: the
//! terminal must be one at which a person may be, and only what is typed at the question counts. Nothing is
//! cleared here: what they said is told to the broker.

pub use crate::broker::Reviewer;
use crate::broker::Shown;

use super::terminal;
pub use super::terminal::{Choice, Keys};
use super::{Absence, Counts, Refusal, Request};

/// The name of the process that a request's session is, while it runs.
#[must_use]
pub fn session_of(shown: &Shown) -> Option<String> {
    shown.session.and_then(terminal::name_of)
}

/// How long a person has who came to answer.
const SECONDS: u8 = 120;

/// The terminal of this process, where a person may be at it.
///
/// # Errors
///
/// Why nobody can be asked here.
pub fn terminal() -> Result<String, Absence> {
    terminal::check().map(|device| device.unwrap_or_default())
}

/// Shows a request, which is of another user where one is named, and takes what is typed.
///
/// # Errors
///
/// Where nobody can be asked here, nothing was typed in time, or who was asked left.
pub fn ask(shown: &Shown, of: Option<u32>, keys: Keys) -> Result<Choice, Refusal> {
    let asked = &shown.asked;
    let request = Request {
        text: asked.text.clone(),
        source: asked.source.clone(),
        cwd: asked.cwd.clone(),
        seconds: SECONDS,
        times: 1,
        counts: Counts::default(),
        elsewhere: None,
    };
    terminal::choose(&asked.decision, &request, keys, (shown.session, of), None)
}
