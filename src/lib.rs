//! kibosh, the shell you give to an AI agent. ARCHITECTURE.md tells how the parts fit.

pub mod exit;
pub mod syntax;
pub mod action;
pub mod policy;
pub mod decide;
