//! What kibosh promises, shown on the built binary.

mod policy;
mod policy_layers;
mod shell;
