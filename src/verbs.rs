//! What the verbs do. Each gives the exit status; nothing of a judged line is ever run.

mod board;
mod check;
mod doctor;
mod explain;
mod hook;
mod init;
mod log;
mod notice;
mod policy;
mod question;
mod register;
mod review;
mod run;
mod watch;

pub use check::check;
pub use doctor::doctor;
pub use explain::explain;
pub use hook::hook;
pub use init::init;
pub use log::log;
pub use policy::policy;
pub use register::register;
pub use review::{approve, broker, grants, pending, refuse};
pub use run::run;
pub use watch::watch;
