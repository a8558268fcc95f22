//! What the verbs do. Each gives the exit status; nothing of a judged line is ever run.

mod check;
mod doctor;
mod explain;
mod log;
mod policy;
mod run;

pub use check::check;
pub use doctor::doctor;
pub use explain::explain;
pub use log::log;
pub use policy::policy;
pub use run::run;
