//! A settings file of an agent: read whole, and replaced whole.
//!
//! A link stays a link, a mode stays a mode, and a reader sees the old content or the new. Nothing is written
//! over what somebody else has written meanwhile.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

/// How large such a file may be.
const MOST_BYTES: u64 = 4 << 20;

/// The text of a file; none where there is none.
///
/// # Errors
///
/// That it cannot be read, is no file, is too large, or is not UTF-8.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits() | OFlag::O_NOCTTY.bits())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        // A link that leads nowhere is no missing file: it would be replaced.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut text = String::new();
    if file.take(MOST_BYTES + 1).read_to_string(&mut text)? as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    Ok(Some(text))
}

/// Replaces a file that held `before` by one that holds `after`; none is no file.
///
/// # Errors
///
/// That it holds something else by now, or cannot be written.
pub fn replace(path: &Path, before: Option<&str>, after: Option<&str>) -> io::Result<()> {
    let target = match before {
        Some(_) => path.canonicalize()?,
        None => path.to_owned(),
    };
    let is_as_it_was = || -> io::Result<()> {
        match read(&target)?.as_deref() == before {
            true => Ok(()),
            false => Err(io::Error::other("it has been changed meanwhile")),
        }
    };
    let Some(after) = after else {
        is_as_it_was()?;
        // What a link leads to may be kept elsewhere.
        return if !fs::symlink_metadata(path)?.is_symlink() {
            fs::remove_file(path)
        } else {
            replace(path, before, Some("{}\n"))
        };
    };
    let folder = target.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let fresh = fresh(&target);
    let written = write(&fresh, &target, after).and_then(|()| is_as_it_was());
    let done = written.and_then(|()| fs::rename(&fresh, &target));
    if done.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    done
}

fn fresh(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(format!(".{}.kibosh", std::process::id()));
    PathBuf::from(name)
}

/// Writes a new file with the mode and the owner of the one that it is to replace.
fn write(fresh: &Path, target: &Path, content: &str) -> io::Result<()> {
    let old = fs::metadata(target).ok();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(fresh)?;
    file.write_all(content.as_bytes())?;
    if let Some(old) = old {
        let new = file.metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}
