//! The only text for people: every message, prompt and explanation is worded here.
//!
//! Takes decisions and errors, gives strings. Whatever comes from a command line or a file goes
//! through [`escape`] first, so that nothing it holds can act on a terminal or pass for our words.
//! It never writes anything itself and never decides.

pub mod board;
pub mod check;
pub mod details;
pub mod diagnostic;
pub mod diff;
pub mod doctor;
pub mod escape;
pub mod excerpt;
pub mod exec;
pub mod explain;
pub mod external;
pub mod hook;
pub mod init;
pub mod launch;
pub mod log;
pub mod loss;
pub mod policy;
pub mod preview;
pub mod prompt;
pub mod refusal;
pub mod review;
pub mod source;
pub mod style;
pub mod whereabouts;

/// That a verb could not do what it was asked, and why.
#[must_use]
pub fn failure(doing: &str, error: &dyn std::fmt::Display) -> String {
    format!("kibosh: {doing}: {}", escape::escape(&error.to_string()))
}
