//! kibosh, the shell you give to an AI agent. ARCHITECTURE.md tells how the parts fit.

pub mod batch;
pub mod cli;
pub mod pipeline;
pub mod verbs;

pub mod approve;
pub mod audit;
pub mod broker;
pub mod execute;
pub mod launcher;
pub mod report;
pub mod supervise;

pub mod agents;
pub mod doctor;
pub mod setup;

pub mod decide;
pub mod judge;
pub mod normalise;
pub mod surroundings;

pub mod probe;

pub mod policy;

pub mod action;
pub mod exit;
pub mod invocation;
pub mod syntax;
pub mod sys;
