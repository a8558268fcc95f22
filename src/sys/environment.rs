//! The environment as it was inherited: in order, with duplicates, and with entries that are no
//! `NAME=value`, because the real shell will see all of that too.

use std::ffi::CStr;

#[expect(unsafe_code, reason = "a variable of the C library")]
unsafe extern "C" {
    /// The vector that execve(2) gave, environ(7).
    static environ: *const *const libc::c_char;
}

/// The vector itself, to be handed on as it is.
#[must_use]
pub fn vector() -> *const *const libc::c_char {
    #[expect(unsafe_code, reason = "nothing else offers the entries as they are")]
    // SAFETY: the C runtime sets the pointer before `main`, and nothing here sets variables.
    unsafe {
        environ
    }
}

/// The entries, in the order in which execve(2) gave them.
///
/// Nothing here changes the environment, so the entries stay where they are for the whole run.
pub fn entries() -> impl Iterator<Item = &'static [u8]> {
    let vector = vector();
    // Fused, so that nobody looks behind the end.
    (0..)
        .map_while(move |position| entry(vector, position))
        .fuse()
}

/// The entry at a place; none at the end.
fn entry(vector: *const *const libc::c_char, position: usize) -> Option<&'static [u8]> {
    if vector.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "a vector of C")]
    // SAFETY: the places before this one held entries, so this one is at most the null at the end.
    let place = unsafe { vector.add(position) };
    #[expect(unsafe_code, reason = "a vector of C")]
    // SAFETY: as above.
    let text = unsafe { *place };
    if text.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "a string of C")]
    // SAFETY: an entry is a string that ends in NUL, and it stays for the whole run.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_bytes())
}

/// The values of a variable: more than one where the environment has it more than once.
pub fn values(name: &str) -> impl Iterator<Item = &'static [u8]> {
    entries().filter_map(move |entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}
