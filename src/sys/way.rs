//! The way to a file, folder by folder and link by link, as the kernel goes it (path_resolution(7)): who can change
//! any of it chooses what is found.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::sys::statfs::{PROC_SUPER_MAGIC, statfs};

/// How many links are followed, as by the kernel.
const MOST_LINKS: usize = 40;

/// One thing on the way: a folder that is gone through, a link that is followed, or what is found at the end.
#[derive(Debug)]
pub struct Step {
    /// Where it is; no part of the path above it is a link.
    pub path: PathBuf,
    /// What the kernel tells of it, of a link itself.
    pub found: Metadata,
    /// Whether it is reached only by a link.
    pub is_behind_link: bool,
}

impl Step {
    /// Whether others than its owner can change it, or what is found in it. The mode of a link says nothing, and in
    /// a sticky folder others can make entries, but not exchange those of somebody else (inode(7)).
    #[must_use]
    pub fn is_open(&self) -> bool {
        let is_sticky = self.found.is_dir() && self.found.mode() & 0o1000 != 0;
        !self.found.is_symlink() && self.found.mode() & 0o022 != 0 && !is_sticky
    }
}

/// All that is on the way to an absolute path, from the root to what is found, the last.
///
/// # Errors
///
/// Where the path is not absolute, something on it is not there, or it leads in a circle.
pub fn way(path: &Path) -> io::Result<Vec<Step>> {
    let mut steps = Vec::new();
    go(path, &mut |step| steps.push(step))?;
    Ok(steps)
}

/// Whether a link on the way is one of the kernel's that leads each process elsewhere (`/proc/self/cwd`), or to what has no
/// name (`/proc/1/fd/3`): proc(5). Also where the way ends before it gets to anything.
#[must_use]
pub fn is_of_a_process(path: &Path) -> bool {
    let mut is_one = false;
    let _missing = go(path, &mut |step| {
        let above = || step.path.parent().map(statfs);
        is_one |= step.found.is_symlink()
            && !matches!(above(), Some(Ok(of)) if of.filesystem_type() != PROC_SUPER_MAGIC);
    });
    is_one
}

/// Gives each thing that is on the way, as far as it goes.
fn go(path: &Path, each: &mut dyn FnMut(Step)) -> io::Result<()> {
    if !path.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut at = PathBuf::new();
    let mut left: VecDeque<Part> = parts(path).collect();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        match part {
            Part::Root => at = PathBuf::from("/"),
            // Nothing before it is a link by now.
            Part::Up => drop(at.pop()),
            Part::Name(name) => at.push(name),
        }
        let found = fs::symlink_metadata(&at)?;
        let is_link = found.is_symlink();
        if !is_link && !found.is_dir() && !left.is_empty() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        each(Step {
            path: at.clone(),
            found,
            is_behind_link: links > 0,
        });
        if is_link {
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::other("too many links"));
            }
            let target = fs::read_link(&at)?;
            at.pop();
            for part in parts(&target).rev() {
                left.push_front(part);
            }
        }
    }
    Ok(())
}

enum Part {
    Root,
    Up,
    Name(OsString),
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = Part> {
    path.components().filter_map(|part| match part {
        Component::RootDir => Some(Part::Root),
        Component::ParentDir => Some(Part::Up),
        Component::Normal(name) => Some(Part::Name(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_leads_each_process_elsewhere_is_told() {
        let above = std::env::temp_dir().canonicalize().unwrap();
        let above = above.join(format!("kibosh-way-of-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        fs::create_dir(&above).unwrap();
        symlink("/proc/self/cwd", above.join("cwd")).unwrap();
        symlink("/proc/self/fd/77", above.join("gone")).unwrap();
        symlink(&above, above.join("plain")).unwrap();
        for (path, expected) in [
            (above.join("cwd/a"), true),
            (above.join("plain/cwd"), true),
            (above.join("gone/a"), true),
            (PathBuf::from("/dev/fd/77"), true),
            (PathBuf::from("/proc/1/cwd/a"), true),
            (PathBuf::from("/proc/self/stat"), true),
            (PathBuf::from("/proc/1/stat"), false),
            (above.join("plain/none"), false),
            (above.clone(), false),
        ] {
            assert_eq!(is_of_a_process(&path), expected, "{}", path.display());
        }
        fs::remove_dir_all(&above).unwrap();
    }

    #[test]
    fn each_folder_and_each_link_is_on_the_way() {
        let above = std::env::temp_dir().canonicalize().unwrap();
        let above = above.join(format!("kibosh-way-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        for folder in ["real", "one", "two/deep"] {
            fs::create_dir_all(above.join(folder)).unwrap();
        }
        let file = above.join("real/file");
        fs::write(&file, "").unwrap();
        symlink(above.join("two/deep/next"), above.join("one/file")).unwrap();
        symlink("../../over/file", above.join("two/deep/next")).unwrap();
        symlink("real", above.join("over")).unwrap();
        let steps = way(&above.join("one/file")).unwrap();
        let below: Vec<(String, bool)> = steps
            .iter()
            .filter_map(|step| {
                let path = step.path.strip_prefix(&above).ok()?;
                Some((path.display().to_string(), step.is_behind_link))
            })
            .collect();
        let expected = [
            ("", false),
            ("one", false),
            ("one/file", false),
            ("", true),
            ("two", true),
            ("two/deep", true),
            ("two/deep/next", true),
            ("two", true),
            ("", true),
            ("over", true),
            ("real", true),
            ("real/file", true),
        ];
        let expected = expected.map(|(path, behind)| (path.to_owned(), behind));
        assert_eq!(below, expected);
        assert_eq!(steps.first().unwrap().path, Path::new("/"));
        assert_eq!(steps.last().unwrap().path, file);

        symlink("circle", above.join("circle")).unwrap();
        for wrong in ["circle", "real/file/x", "real/none", "real/file/.."] {
            assert!(way(&above.join(wrong)).is_err(), "{wrong}");
        }
        assert!(way(Path::new("bin/sh")).is_err());
        fs::remove_dir_all(&above).unwrap();
    }
}
