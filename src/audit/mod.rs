//! One line of the record for every decision: what was asked, what was decided, what came of it.
//!
//! The record is a file of JSON objects, one a line, only ever appended to, readable by its user
//! alone. Secrets are taken out before anything is written ([`redact`]). A record that cannot be
//! written never changes what runs: agents' own confinement makes the home folder read-only, and a
//! decision does not become wrong by that.

mod history;
mod record;
pub mod redact;
mod secrets;
mod time;

pub use history::read;
pub use record::{Entry, Outcome, note, place};
