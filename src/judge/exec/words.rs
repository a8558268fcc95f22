//! The words with which a program starts: execve(2)'s path, its argument vector, and the names of the file.
//!
//! Gives them as values of an action and as a line for people. It knows no program and no rule.

use std::borrow::Cow;
use std::ffi::CString;

use crate::action::Value;
use crate::judge::base::with_holes;

/// The words with which a program starts, and its names.
pub(super) struct Words<'e> {
    /// The path.
    pub path: &'e [u8],
    /// Further base names.
    pub names: &'e [String],
    /// The argument vector.
    pub argv: &'e [CString],
    /// Whether the program is what the first line of a script names, so that it runs the script itself.
    pub reads_script: bool,
}

impl Words<'_> {
    /// The base name of the path.
    pub fn name(&self) -> Cow<'_, str> {
        with_holes(base_name(self.path))
    }

    /// The base name that the program is told that it has.
    pub fn called(&self) -> Cow<'_, str> {
        let called = self.argv.first().map_or(&b""[..], |word| word.to_bytes());
        let called = base_name(called);
        with_holes(called.strip_prefix(b"-").unwrap_or(called))
    }

    /// The words after argv0.
    pub fn arguments(&self) -> Vec<Value> {
        let words = self.argv.iter().skip(1);
        words
            .map(|word| Value::known(with_holes(word.to_bytes())))
            .collect()
    }

    /// The words as a line for a shell, with the path for argv0.
    pub fn line(&self) -> String {
        let words =
            std::iter::once(self.path).chain(self.argv.iter().skip(1).map(|word| word.to_bytes()));
        let words: Vec<String> = words
            .map(|word| match shlex::bytes::try_quote(word) {
                Ok(quoted) => String::from_utf8_lossy(&quoted).into_owned(),
                Err(_) => String::from_utf8_lossy(word).into_owned(),
            })
            .collect();
        words.join(" ")
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}
