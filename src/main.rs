//! The binary: takes the argument vector from the C runtime and hands it to [`kibosh::cli`].

#![no_main]

#[path = "sys/entry.rs"]
mod entry;

use std::ffi::CString;

use kibosh::sys::memory::Memory;

#[global_allocator]
static MEMORY: Memory = Memory::new();

/// The whole run; gives the exit status where this program did not become another one.
fn start(argv: Vec<CString>) -> u8 {
    kibosh::cli::run(argv)
}
