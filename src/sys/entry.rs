//! The C entry point. Rust's own would set SIGPIPE to ignored, open `/dev/null` in place of closed
//! standard descriptors and put a handler on SIGSEGV, all of which the real shell would inherit.

use std::ffi::{CStr, CString};

/// Called by the C runtime with the vector that execve(2) was given.
#[expect(unsafe_code, reason = "the C runtime calls this by its unmangled name")]
#[unsafe(no_mangle)]
extern "C" fn main(
    count: std::os::raw::c_int,
    vector: *const *const std::os::raw::c_char,
) -> std::os::raw::c_int {
    let count = usize::try_from(count).unwrap_or_default();
    let mut arguments = Vec::with_capacity(count);
    for position in 0..count {
        // SAFETY: the vector has `count` elements (C standard, 5.1.2.2.1), so the place is in it.
        let place = unsafe { vector.add(position) };
        // SAFETY: as above, and the vector is aligned and stays alive for the whole run.
        let argument = unsafe { *place };
        // SAFETY: each of the first `count` elements points to a string that ends in NUL.
        let text = unsafe { CStr::from_ptr(argument) };
        arguments.push(CString::from(text));
    }
    i32::from(crate::start(arguments))
}
