//! The environment as it was inherited: in order, with duplicates, and with entries that are no
//! `NAME=value`, because the real shell will see all of that too. What a policy changes in it is changed here, once,
//! before anything is judged or started.

use std::ffi::{CStr, CString};

#[expect(unsafe_code, reason = "a variable of the C library")]
unsafe extern "C" {
    /// The vector that execve(2) gave, environ(7).
    static mut environ: *const *const libc::c_char;
}

/// Replaces the environment for everything that reads it in this process and for what it becomes. Entries that
/// were given out before stay valid. This process has one thread when it is called.
pub fn replace(entries: Vec<CString>) {
    let entries: &'static [CString] = entries.leak();
    let pointers = entries.iter().map(|entry| entry.as_ptr());
    let vector: Vec<*const libc::c_char> = pointers.chain([std::ptr::null()]).collect();
    #[expect(unsafe_code, reason = "a variable of the C library")]
    // SAFETY: no other thread reads it meanwhile, and the vector and its strings are never freed.
    unsafe {
        environ = vector.leak().as_ptr();
    }
}

/// The vector itself, to be handed on as it is.
#[must_use]
pub fn vector() -> *const *const libc::c_char {
    #[expect(unsafe_code, reason = "nothing else offers the entries as they are")]
    // SAFETY: the C runtime sets the pointer before `main`, and only `replace` changes it.
    unsafe {
        environ
    }
}

/// The entries, in the order in which execve(2) gave them.
///
/// The entries stay where they are for the whole run.
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
