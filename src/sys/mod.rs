//! What the standard library and nix do not offer safely. Gives safe functions, each over one call of
//! the system; the only module with unsafe code. It never holds a rule and never words a message.
//!
//! `entry.rs` beside this file is compiled into the binary only, because it defines `main`.

pub mod beside;
pub mod birth;
pub mod bpf;
pub mod descriptors;
pub mod environment;
pub mod filter;
pub mod handing;
pub mod kernel;
pub mod landlock;
pub mod limits;
pub mod memory;
pub mod patience;
pub mod peek;
pub mod peer;
pub mod process;
pub mod signals;
pub mod stat;
pub mod terminal;
pub mod trace;
pub mod way;
