//! Finds and opens the files of the layers: `/etc/kibosh/*.toml`, the user's
//! `~/.config/kibosh/*.toml`, and a `.kibosh.toml` in each directory from the working directory up.
//!
//! Nothing here believes the environment: the home directory is the one of the user's entry in
//! `/etc/passwd`, and `XDG_CONFIG_HOME` is not read. A file that is there but cannot be read, or that
//! others could have written, is an error and never "no file".

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Layer;
use super::error::PolicyError;
use super::load::Text;
use crate::sys::way::way;

/// How large a policy file may be.
const FILE_BYTES: u64 = 1 << 20;

/// The name of a project's policy.
const PROJECT_FILE: &str = ".kibosh.toml";

/// Where a file that nobody in this user namespace owns seems to belong.
const OVERFLOW_UID: u32 = 65534;

/// Where to look for layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// The working directory, as the kernel names it; none where it is not known.
    pub cwd: Option<PathBuf>,
    /// The administrator's folder.
    pub system: Option<PathBuf>,
    /// The user's home directory.
    pub home: Option<Home>,
    /// The user.
    pub uid: u32,
}

/// A home directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The directory.
    pub path: PathBuf,
    /// Whether the system says so, not only the environment. Where it does not, its files may make
    /// the policy stricter only, as a project's.
    pub proven: bool,
}

impl Folders {
    /// The folders of this machine and this user.
    #[must_use]
    pub fn here() -> Self {
        let uid = nix::unistd::getuid().as_raw();
        let proven = fs::read("/etc/passwd")
            .ok()
            .and_then(|passwd| home_of(uid, &passwd));
        let told = || {
            std::env::var_os("HOME")
                .map(PathBuf::from)
                .filter(|home| home.is_absolute())
        };
        let home = match proven {
            Some(path) => Some(Home { path, proven: true }),
            None => told().map(|path| Home {
                path,
                proven: false,
            }),
        };
        Self {
            cwd: std::env::current_dir().ok(),
            system: Some(PathBuf::from("/etc/kibosh")),
            home,
            uid,
        }
    }

    /// The user's folder of policies.
    #[must_use]
    pub fn user(&self) -> Option<PathBuf> {
        self.home
            .as_ref()
            .map(|home| home.path.join(".config/kibosh"))
    }

    /// The file of the hashes of trusted files; none where the home directory is not proven, as then
    /// the agent could choose it.
    #[must_use]
    pub fn trusted(&self) -> Option<PathBuf> {
        let home = self.home.as_ref().filter(|home| home.proven)?;
        Some(home.path.join(".config/kibosh/trusted"))
    }

    /// The file of the hashes of policies that were found sound.
    #[must_use]
    pub fn sound(&self) -> Option<PathBuf> {
        self.home
            .as_ref()
            .map(|home| home.path.join(".local/state/kibosh/sound"))
    }
}

/// The home directory of a user in the text of `/etc/passwd` (passwd(5)).
fn home_of(uid: u32, passwd: &[u8]) -> Option<PathBuf> {
    let uid = uid.to_string();
    passwd.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        let found = fields.nth(2)? == uid.as_bytes();
        let home = fields.nth(2)?;
        let home = PathBuf::from(std::str::from_utf8(home).ok()?);
        (found && home.is_absolute()).then_some(home)
    })
}

/// Opens and reads every policy file: the system's, the user's, the project's, each group in the
/// order of the names.
///
/// # Errors
///
/// One for each file that is there but may not be used.
pub fn files(folders: &Folders) -> Result<Vec<Text>, Vec<PolicyError>> {
    let mut texts = Vec::new();
    let mut errors = Vec::new();
    if let Some(system) = &folders.system {
        let owners = Owners { user: None };
        folder(system, Layer::System, owners, &mut texts, &mut errors);
    }
    if let Some(user) = folders.user() {
        let owners = Owners {
            user: Some(folders.uid),
        };
        folder(&user, Layer::User, owners, &mut texts, &mut errors);
    }
    for directory in folders.cwd.iter().flat_map(|cwd| cwd.ancestors()) {
        match read(&directory.join(PROJECT_FILE), None) {
            Ok(Some(text)) => texts.push(Text {
                layer: Layer::Project,
                ..text
            }),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(texts)
    } else {
        Err(errors)
    }
}

/// Who may own a policy file, and alone write it: root, and the user where it is the user's.
#[derive(Clone, Copy)]
struct Owners {
    user: Option<u32>,
}

impl Owners {
    /// What is wrong with a file or folder, and with what leads to it where it is a link: the owner and mode, as
    /// doas(1) asks them.
    fn mistake(self, path: &Path, metadata: &Metadata) -> Option<PolicyError> {
        let of_file = self.mistake_of(path, metadata, metadata.mode() & 0o022 != 0);
        let is_link = || fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        of_file.or_else(|| is_link().then(|| self.mistake_on_the_way(path)).flatten())
    }

    /// What is wrong with a link on the way to a path, or with what is behind it.
    fn mistake_on_the_way(self, path: &Path) -> Option<PolicyError> {
        match way(path) {
            Ok(steps) => steps
                .iter()
                .filter(|step| step.is_behind_link || step.found.is_symlink())
                .find_map(|step| self.mistake_of(&step.path, &step.found, step.is_open())),
            Err(error) => {
                let message = format!("cannot be followed: {error}");
                Some(PolicyError::whole(path.display().to_string(), message))
            }
        }
    }

    fn mistake_of(self, path: &Path, metadata: &Metadata, is_open: bool) -> Option<PolicyError> {
        let owner = metadata.uid();
        let known =
            owner == 0 || Some(owner) == self.user || (owner == OVERFLOW_UID && root_is_unmapped());
        let path = path.display().to_string();
        if !known {
            let hint = match self.user {
                None => format!("an administrator must own it: chown root {path}"),
                Some(_) => "you or root must own it".to_owned(),
            };
            return Some(PolicyError::whole(path, "belongs to somebody else").hinted(hint));
        }
        if is_open {
            let hint = format!("take that away: chmod go-w {path}");
            return Some(PolicyError::whole(path, "can be written by others").hinted(hint));
        }
        None
    }
}

/// Whether this is a user namespace without root, in which root's files seem to be nobody's
/// (user_namespaces(7)).
fn root_is_unmapped() -> bool {
    let maps_root = |line: &str| line.split_whitespace().next() == Some("0");
    fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !map.lines().any(maps_root))
}

/// Reads the `*.toml` of a folder, where there is one.
fn folder(
    path: &Path,
    layer: Layer,
    owners: Owners,
    texts: &mut Vec<Text>,
    errors: &mut Vec<PolicyError>,
) {
    let names = match names(path, owners) {
        Ok(names) => names,
        Err(error) => {
            errors.push(error);
            return;
        }
    };
    for name in names {
        match read(&name, Some(owners)) {
            Ok(Some(text)) => texts.push(Text { layer, ..text }),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
}

/// The paths of the `*.toml` of a folder, sorted; none where there is no folder.
fn names(path: &Path, owners: Owners) -> Result<Vec<PathBuf>, PolicyError> {
    let unreadable = |error: io::Error| {
        PolicyError::whole(
            path.display().to_string(),
            format!("cannot be read: {error}"),
        )
        .hinted("without its policies nothing runs")
    };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let mistake = owners.mistake(path, &metadata);
    if let Some(mistake) = mistake.or_else(|| owners.mistake_on_the_way(path)) {
        return Err(mistake);
    }
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.path();
        if name
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Reads one policy file; none where it does not exist.
///
/// It is opened once, and what is checked is what was opened.
fn read(path: &Path, owners: Option<Owners>) -> Result<Option<Text>, PolicyError> {
    let wrong = |message: String, hint: &str| {
        PolicyError::whole(path.display().to_string(), message).hinted(hint)
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(wrong(
                format!("cannot be read: {error}"),
                "make it readable, or remove it",
            ));
        }
    };
    let metadata = file
        .metadata()
        .map_err(|error| wrong(format!("cannot be read: {error}"), "make it readable"))?;
    if !metadata.is_file() {
        return Err(wrong("is not a file".to_owned(), "remove it"));
    }
    if let Some(mistake) = owners.and_then(|owners| owners.mistake(path, &metadata)) {
        return Err(mistake);
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(format!("cannot be read: {error}"), "make it readable"))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(wrong(
            "is larger than 1 MiB".to_owned(),
            "divide it into several files",
        ));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Text {
            layer: Layer::Project,
            file: path.display().to_string(),
            text,
        })),
        Err(error) => {
            let before = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let message = "is not UTF-8".to_owned();
            Err(PolicyError::at(
                &path.display().to_string(),
                &text,
                before..before + 1,
                message,
            )
            .hinted("save it as UTF-8"))
        }
    }
}

/// Opens for reading without waiting for a writer of a pipe.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits() | nix::fcntl::OFlag::O_NOCTTY.bits())
        .open(path)
}

/// Reads a file of the shell's own that only the user or root may write; none where there is none or
/// where others could have written it.
#[must_use]
pub fn own_file(path: &Path, uid: u32) -> Option<String> {
    read(path, Some(Owners { user: Some(uid) }))
        .ok()
        .flatten()
        .map(|text| text.text)
}

/// The project's policy that is meant by `path`: the file, or the one of a directory, with the
/// directory as the kernel names it.
///
/// # Errors
///
/// That it cannot be read.
pub fn project_file(path: &Path) -> Result<Text, PolicyError> {
    let path = if path.is_dir() {
        path.join(PROJECT_FILE)
    } else {
        path.to_owned()
    };
    let missing = || {
        PolicyError::whole(path.display().to_string(), "there is no such file")
            .hinted("name the `.kibosh.toml` or its directory")
    };
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let directory = directory.canonicalize().map_err(|_unreachable| missing())?;
    let name = path.file_name().ok_or_else(missing)?;
    read(&directory.join(name), None)?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::home_of;
    use std::path::PathBuf;

    #[test]
    fn the_home_directory_is_that_of_the_entry_of_the_user() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nbroken\n\nu:x:1000:1000::/home/u:/bin/sh\n\
            v:x:1001:1001::relative:/bin/sh\n";
        assert_eq!(home_of(1000, passwd), Some(PathBuf::from("/home/u")));
        assert_eq!(home_of(0, passwd), Some(PathBuf::from("/root")));
        assert_eq!(home_of(1001, passwd), None);
        assert_eq!(home_of(7, passwd), None);
    }
}
