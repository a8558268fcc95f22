//! What the tests are told with.

pub mod place;
pub mod pty;
