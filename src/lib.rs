//! kibosh, the shell you give to an AI agent. ARCHITECTURE.md tells how the parts fit.

pub mod action;
pub mod decide;
pub mod exit;
pub mod policy;
pub mod syntax;
