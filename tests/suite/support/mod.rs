//! What the tests are told with.

pub mod desk;
pub mod halted;
pub mod left;
pub mod patience;
pub mod place;
pub mod probe;
pub mod pty;
pub mod screen;
pub mod server;
pub mod tree;
