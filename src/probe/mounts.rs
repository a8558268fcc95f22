//! Which file systems answer by themselves: no program and no other machine has to.
//!
//! Takes an open file, tells by the table of mounts (proc_pid_mountinfo(5)) what kind of file system it is on. A process
//! that asks often keeps the table, and reads it again when the kernel says that it has changed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Their kinds.
const OWN: &[&str] = &[
    "bcachefs", "btrfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660",
    "jfs", "ntfs3", "overlay", "proc", "ramfs", "reiserfs", "squashfs", "sysfs", "tmpfs", "vfat",
    "xfs", "zfs",
];

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// The table that a process keeps.
struct Kept {
    process: u32,
    /// None where it was not read yet.
    mounts: Option<Mounts>,
}

/// The table of mounts, as it was when it was read.
struct Mounts {
    file: File,
    /// Whether a mount answers by itself, by its number.
    are_own: HashMap<u64, bool>,
}

impl Kept {
    fn is_own(&mut self, number: u64) -> bool {
        if self.mounts.as_ref().is_none_or(Mounts::has_changed) {
            self.mounts = Mounts::read().ok();
        }
        let mounts = self.mounts.as_ref();
        mounts.is_some_and(|mounts| mounts.is_own(number))
    }
}

impl Mounts {
    fn read() -> io::Result<Self> {
        let mut file = File::open("/proc/self/mountinfo")?;
        let mut table = String::new();
        file.read_to_string(&mut table)?;
        let mounts = table.lines().filter_map(|line| {
            let (number, _) = line.split_once(' ')?;
            let (_, kind) = line.split_once(" - ")?;
            let kind = kind.split(' ').next()?;
            Some((number.parse().ok()?, OWN.contains(&kind)))
        });
        let are_own = mounts.collect();
        Ok(Self { file, are_own })
    }

    fn is_own(&self, number: u64) -> bool {
        self.are_own.get(&number).copied().unwrap_or(false)
    }

    /// Whether something was mounted or unmounted since it was read.
    fn has_changed(&self) -> bool {
        let mut file = [PollFd::new(self.file.as_fd(), PollFlags::POLLPRI)];
        poll(&mut file, PollTimeout::ZERO) != Ok(0)
    }
}

/// Keeps the table from now on, for this process alone: a child is not told of changes that this one was told of. The
/// caller must not close descriptors that are not its own any more.
pub fn keep() {
    KEPT.set(Some(Kept {
        process: std::process::id(),
        mounts: None,
    }));
}

/// Whether a file is on a file system that answers by itself.
pub(super) fn is_own(file: &File) -> bool {
    // A number may be given to another mount. It is asked for first, so the table is not older than it.
    let Some(number) = mount(file) else {
        return false;
    };
    KEPT.with_borrow_mut(|kept| match kept {
        Some(kept) if kept.process == std::process::id() => kept.is_own(number),
        Some(_) | None => Mounts::read().is_ok_and(|mounts| mounts.is_own(number)),
    })
}

/// The number of the mount that a file is on.
fn mount(file: &File) -> Option<u64> {
    let about = format!("/proc/self/fdinfo/{}", file.as_raw_fd());
    let about = fs::read_to_string(about).ok()?;
    let mut lines = about.lines();
    let number = lines.find_map(|line| line.strip_prefix("mnt_id:"))?;
    number.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// A variable that tells the test below that it runs in a table of mounts of its own.
    const INSIDE: &str = "KIBOSH_TEST_MOUNTS";

    #[test]
    fn what_is_mounted_later_is_known() {
        if let Some(folder) = std::env::var_os(INSIDE) {
            let is_own_now = || is_own(&File::open(&folder).unwrap());
            keep();
            assert!(is_own_now());
            let before = mount(&File::open(&folder).unwrap());
            let mounts = |arguments: &[&str]| {
                let mut mount = Command::new("mount");
                let done = mount.args(arguments).arg(&folder).status();
                assert!(done.unwrap().success());
            };
            mounts(&["-t", "tmpfs", "none"]);
            assert_ne!(mount(&File::open(&folder).unwrap()), before);
            assert!(is_own_now());
            mounts(&["-t", "mqueue", "none"]);
            assert!(!is_own_now());
            return;
        }
        let folder = std::env::temp_dir().join(format!("kibosh-mounts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut inside = Command::new("unshare");
        inside.args(["--user", "--map-root-user", "--mount", "--ipc"]);
        inside.arg(std::env::current_exe().unwrap());
        inside.args([
            "--exact",
            "probe::mounts::tests::what_is_mounted_later_is_known",
        ]);
        let output = inside.env(INSIDE, &folder).output().unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}{errors}");
        assert!(told.contains("1 passed"), "{told}{errors}");
    }

    #[test]
    fn files_of_the_kernel_are_its_own() {
        for path in ["/proc/self/stat", "/sys"] {
            assert!(is_own(&File::open(path).unwrap()), "{path}");
        }
    }
}
