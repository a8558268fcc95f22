//! What the verbs do. Each gives the exit status; nothing of the judged lines is ever run.

mod check;
mod explain;
mod policy;

pub use check::check;
pub use explain::explain;
pub use policy::policy;
