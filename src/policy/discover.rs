//! Where the layers are: `/etc/kibosh`, the user's `~/.config/kibosh`, and the project's
//! `.kibosh.toml`.

use std::path::PathBuf;

/// Where to look for layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// The working directory, as the kernel names it; none where it is not known.
    pub cwd: Option<PathBuf>,
    /// The administrator's folder.
    pub system: Option<PathBuf>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
}

impl Folders {
    /// The folders of this machine and this user.
    #[must_use]
    pub fn here() -> Self {
        Self {
            cwd: std::env::current_dir().ok(),
            system: Some(PathBuf::from("/etc/kibosh")),
            home: None,
        }
    }
}
