//! kibosh, the shell you give to an AI agent. ARCHITECTURE.md tells how the parts fit.

pub mod action;
pub mod approve;
pub mod decide;
pub mod exit;
pub mod policy;
pub mod report;
pub mod syntax;
