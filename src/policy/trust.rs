//! Which project files a person trusts, by the hash of their path and content.
//!
//! A project's file is the agent's to write. It may always make the policy stricter; what would
//! loosen it holds only once a person has said `kibosh policy trust`, and until the file changes. The
//! hashes are in `~/.config/kibosh/trusted`, one `HASH  PATH` a line. Whoever calls [`record`] has
//! asked a person before: nothing here does.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Layer;
use super::compiled;
use super::discover::{self, Folders};
use super::load::Text;
use super::schema::{Match, PolicyFile, Settings};
use crate::sys::limits;

/// A part of a file that is not in force because the file is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// An exception from this rule.
    Exception(String),
    /// The description of this program.
    Program(String),
    /// What is known about this variable.
    Variable(String),
    /// More paths for this class, which other layers have.
    Class(String),
    /// What is known about this environment.
    Environment(String),
    /// What it says of credentials.
    Credentials,
    /// This setting.
    Setting(String),
}

/// The hash of a file as trust means it: of its path and its content.
#[must_use]
pub fn hash(file: &str, text: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(file);
    hasher.update([0]);
    hasher.update(text);
    hex(&hasher.finalize())
}

/// The hash of a text or of bytes alone, as sha256sum(1) shows it.
#[must_use]
pub fn hash_of_content(text: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(text))
}

/// A hash over several files and the packs they were read with.
#[must_use]
pub fn hash_of_all(texts: &[Text]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(compiled::FINGERPRINT.to_le_bytes());
    for text in texts {
        hasher.update(text.layer.name());
        hasher.update([0]);
        hasher.update(&text.file);
        hasher.update([0]);
        hasher.update((text.text.len() as u64).to_le_bytes());
        hasher.update(&text.text);
    }
    hex(&hasher.finalize())
}

/// A hash over the packs and over files, each with its layer and how much of it is not in force.
#[must_use]
pub fn hash_of_policy<'a>(files: impl Iterator<Item = (Layer, &'a str, &'a str, usize)>) -> String {
    let mut hasher = Sha256::new();
    hasher.update(compiled::FINGERPRINT.to_le_bytes());
    for (layer, file, text, left_out) in files {
        for part in [layer.name(), file, text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.update((left_out as u64).to_le_bytes());
    }
    hex(&hasher.finalize())
}

/// Bytes as digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a person has trusted this file as it is now.
#[must_use]
pub fn is_trusted(folders: &Folders, file: &str, text: &str) -> bool {
    let store = folders
        .trusted()
        .and_then(|store| discover::own_file(&store, folders.uid));
    store.is_some_and(|store| has_line(&store, &hash(file, text)))
}

/// Whether the first word of a line is this.
pub(super) fn has_line(store: &str, wanted: &str) -> bool {
    store
        .lines()
        .any(|line| line.split(' ').next() == Some(wanted))
}

/// Records that a person trusts this file as it is now; an earlier content of it is no longer
/// trusted.
///
/// # Errors
///
/// That there is no proven home directory, or that its folder cannot be written.
pub fn record(folders: &Folders, file: &str, text: &str) -> io::Result<()> {
    // A line break in the path would be a second line, with a hash that nobody has seen.
    if file.contains(char::is_control) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "its path holds control characters",
        ));
    }
    let line = format!("{}  {file}\n", hash(file, text));
    replace(folders, file, Some(&line))
}

/// Takes the trust in a file away.
///
/// # Errors
///
/// As [`record`].
pub fn forget(folders: &Folders, file: &str) -> io::Result<()> {
    replace(folders, file, None)
}

fn replace(folders: &Folders, file: &str, line: Option<&str>) -> io::Result<()> {
    let store = folders.trusted().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "the user has no home directory in /etc/passwd",
        )
    })?;
    let before = discover::own_file(&store, folders.uid).unwrap_or_default();
    let mut after: String = before
        .lines()
        .filter(|line| line.split_once("  ").is_none_or(|(_, other)| other != file))
        .map(|line| format!("{line}\n"))
        .collect();
    after.push_str(line.unwrap_or_default());
    write_whole(&store, &after)
}

/// Writes a file of the user's alone, so that a reader sees the old content or the new.
pub(super) fn write_whole(path: &Path, content: &str) -> io::Result<()> {
    if !limits::allow_file_of(content.len() as u64) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// Whether all of a file makes the policy stricter, so that nobody needs to trust it.
#[must_use]
pub fn is_only_stricter(content: &PolicyFile) -> bool {
    content.exceptions.is_empty()
        && content.programs.is_empty()
        && content.variables.is_empty()
        && content.classes.is_empty()
        && content.environments.is_empty()
        && content.credentials.is_none()
        && content.settings.is_none()
}

/// Leaves in a file that is not trusted what makes the policy stricter: its rules, classes that no
/// other layer has, a dry run. Gives what was taken out.
///
/// Such a class gets a name that only the rules of `file` know: another file that is not trusted can
/// neither widen nor empty it.
pub fn tighten(
    content: &mut PolicyFile,
    file: &str,
    is_class_elsewhere: impl Fn(&str) -> bool,
) -> Vec<Ignored> {
    let mut ignored = Vec::new();
    for exception in content.exceptions.drain(..) {
        ignored.push(Ignored::Exception(exception.rule));
    }
    for program in content.programs.drain(..) {
        ignored.extend(program.names.into_iter().take(1).map(Ignored::Program));
    }
    for variable in content.variables.drain(..) {
        ignored.extend(variable.names.into_iter().take(1).map(Ignored::Variable));
    }
    for environment in content.environments.drain(..) {
        ignored.push(Ignored::Environment(environment.name));
    }
    if content.credentials.take().is_some() {
        ignored.push(Ignored::Credentials);
    }
    content.classes.retain(|class| {
        let keep = !is_class_elsewhere(&class.name);
        if !keep {
            ignored.push(Ignored::Class(class.name.clone()));
        }
        keep
    });
    own_classes(content, file);
    if let Some(settings) = content.settings.take() {
        for (name, set) in [
            ("bash", settings.bash.is_some()),
            ("sh", settings.sh.is_some()),
            ("prompt-seconds", settings.prompt_seconds.is_some()),
            ("broker", settings.broker.is_some()),
            ("unwatched-seconds", settings.unwatched_seconds.is_some()),
            ("terminals", settings.terminals.is_some()),
            ("reviewer-command", settings.reviewer_command.is_some()),
            (
                "reviewers-directory",
                settings.reviewers_directory.is_some(),
            ),
            ("operator-counts", settings.operator_counts.is_some()),
            ("record", settings.record.is_some()),
            ("exec-gate", settings.exec_gate.is_some()),
            ("new-privileges", settings.new_privileges.is_some()),
            ("known-copies", !settings.known_copies.is_empty()),
            ("gains-privileges", !settings.gains_privileges.is_empty()),
        ] {
            if set {
                ignored.push(Ignored::Setting(name.to_owned()));
            }
        }
        content.settings = Some(Settings {
            dry_run: settings.dry_run.filter(|dry_run| *dry_run),
            ..Settings::default()
        });
    }
    ignored
}

/// Renames the classes of a file, where they are described and where the file names them.
fn own_classes(content: &mut PolicyFile, file: &str) {
    let names: Vec<String> = content
        .classes
        .iter()
        .map(|class| class.name.clone())
        .collect();
    let rename = |name: &mut String| {
        if names.contains(name) {
            *name = format!("{name} of {file}");
        }
    };
    for class in &mut content.classes {
        rename(&mut class.name);
        class.except.iter_mut().for_each(rename);
    }
    for rule in &mut content.rules {
        let matches = rule.matches.iter_mut().chain(&mut rule.followed_by);
        for list in matches.flat_map(class_lists) {
            list.iter_mut().for_each(rename);
        }
    }
}

/// The lists that name classes of paths.
fn class_lists(conditions: &mut Match) -> [&mut Vec<String>; 7] {
    [
        &mut conditions.paths,
        &mut conditions.targets,
        &mut conditions.sources,
        &mut conditions.unless_targets,
        &mut conditions.writes,
        &mut conditions.appends,
        &mut conditions.reads,
    ]
}
