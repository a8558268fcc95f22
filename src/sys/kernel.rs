//! What the kernel offers, asked without making use of it.

/// Whether this process has given up the right to gain rights by an exec (`PR_GET_NO_NEW_PRIVS`,
/// prctl(2)).
#[must_use]
pub fn has_no_new_privileges() -> bool {
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: this call takes numbers only.
    let answer = unsafe { libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) };
    answer == 1
}
