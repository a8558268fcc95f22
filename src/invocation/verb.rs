//! Tells a verb of kibosh from the shell, by the words that it was called with.
//!
//! Whatever is not exactly a verb is for the shell. What the verbs do and take is no matter of this.

use std::ffi::CString;

/// The words that are verbs.
pub const VERBS: &[&str] = &[
    "approve",
    "check",
    "doctor",
    "explain",
    "grants",
    "hook",
    "init",
    "log",
    "pending",
    "policy",
    "refuse",
    "register",
    "run",
    "watch",
    "--broker",
    "--generate",
];

/// Whether the first word is exactly a verb, and kibosh was not called as another shell.
#[must_use]
pub fn is_verb(argv: &[CString]) -> bool {
    let [name, first, ..] = argv else {
        return false;
    };
    let name = name
        .as_bytes()
        .rsplit(|&byte| byte == b'/')
        .next()
        .unwrap_or_default();
    if name.starts_with(b"-") || name.ends_with(b"sh") && name != b"kibosh" {
        return false;
    }
    VERBS.iter().any(|verb| verb.as_bytes() == first.as_bytes())
}
