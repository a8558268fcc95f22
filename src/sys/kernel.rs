//! What the kernel offers, asked without making use of it.

/// The version of Landlock's interface; 0 where the kernel has none, or it is switched off
/// (landlock_create_ruleset(2)).
#[must_use]
pub fn landlock_version() -> u32 {
    const VERSION: u32 = 1;
    #[expect(unsafe_code, reason = "a call without a safe form")]
    // SAFETY: asked for its version, the call takes no attributes and makes nothing.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0,
            VERSION,
        )
    };
    u32::try_from(version).unwrap_or(0)
}

/// Whether this process has given up the right to gain rights by an exec (`PR_GET_NO_NEW_PRIVS`,
/// prctl(2)).
#[must_use]
pub fn has_no_new_privileges() -> bool {
    #[expect(unsafe_code, reason = "nix has it behind a feature with much more")]
    // SAFETY: this call takes numbers only.
    let answer = unsafe { libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) };
    answer == 1
}
