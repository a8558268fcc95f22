//! The exit statuses that are kibosh's own. Everything else is the child's, unchanged.

/// Nothing ran: stopped by policy or by a person.
pub const STOPPED: u8 = 126;
/// Nothing ran: kibosh itself failed.
pub const FAILED: u8 = 125;
/// `kibosh run`: the program cannot be executed, as shells say it.
pub const NOT_EXECUTABLE: u8 = 126;
/// `kibosh run`: there is no such program, as shells say it.
pub const NOT_FOUND: u8 = 127;
/// `kibosh check`: the line would run.
pub const CHECK_ALLOW: u8 = 0;
/// `kibosh check`: a person would be asked.
pub const CHECK_CONFIRM: u8 = 10;
/// `kibosh check`: the line would not run.
pub const CHECK_DENY: u8 = 20;
/// `kibosh log`: the record is shown.
pub const LOG: u8 = 0;
/// `kibosh doctor`: all that is asked for protects.
pub const DOCTOR_WELL: u8 = 0;
/// `kibosh doctor`: something is weak or missing.
pub const DOCTOR_WEAK: u8 = 1;
/// `kibosh approve`, `refuse`, `watch` and `grants`: nothing came of it.
pub const NOT_DONE: u8 = 1;
