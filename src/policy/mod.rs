//! Policies: from TOML files to rules in force, and from an action to what they say about it.

pub mod schema;
