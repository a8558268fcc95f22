//! kibosh, the shell you give to an AI agent. ARCHITECTURE.md tells how the parts fit.

pub mod action;
pub mod approve;
pub mod cli;
pub mod decide;
pub mod execute;
pub mod exit;
pub mod invocation;
pub mod pipeline;
pub mod policy;
pub mod report;
pub mod normalise;
pub mod syntax;
pub mod sys;
