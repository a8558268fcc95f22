//! Policies: from TOML files to rules in force, and from an action to what they say about it.

pub mod arguments;
pub mod glob;
pub mod matcher;
pub mod paths;
pub mod schema;
