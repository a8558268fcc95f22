//! What protects here and what does not: the facts, and what each of them means.
//!
//! Looks at the kernel, the policy files, the paths that lead to a shell and the agents that are installed.
//! Nothing is made, changed or run, and nobody is asked. The words for it are in [`crate::report`].

mod facts;
mod marks;

pub mod agents;
pub mod kernel;
pub mod policy;
pub mod reach;
pub mod shells;
pub mod user;

pub use facts::{
    Agent, Budget, Cover, Facts, Folder, Gates, Kernel, Mistake, Namespaces, Policy, PolicyFile,
    Program, Reach, RealShell, Record, RegisteredTerminal, ReviewersDirectory, Settings, Shell,
    Standing, User, Way,
};
pub use marks::Mark;
