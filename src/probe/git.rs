//! The system's git, asked so that it runs nothing but itself and writes nothing.
//!
//! Takes arguments, gives what git says. In a child of this program only: it makes processes and waits.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::contain::Allowed;
use super::machine::Variables;
use super::program;
use super::{discovery, files};

/// Where the system has it.
const PLACES: &[&str] = &["/usr/bin/git", "/bin/git", "/usr/local/bin/git"];

/// What is set whatever the repository says: nothing is started, and no change is overlooked.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.quotePath=false",
    "core.pager=cat",
    "color.ui=false",
    "safe.directory=*",
    "submodule.recurse=false",
    "status.relativePaths=false",
    "status.submoduleSummary=false",
    "diff.ignoreSubmodules=none",
];

/// Its environment: no configuration of system or user, no locks, nothing fetched, nothing asked.
const ENVIRONMENT: &[&str] = &[
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_ATTR_NOSYSTEM=1",
    "GIT_OPTIONAL_LOCKS=0",
    "GIT_NO_LAZY_FETCH=1",
    "GIT_NO_REPLACE_OBJECTS=1",
    "GIT_TERMINAL_PROMPT=0",
    "LC_ALL=C",
];

/// Of its variables, those about names, times, the network and what is told change nothing of what it does to
/// files and refs.
pub(super) const VARIABLES: Variables = Variables {
    of: "GIT_",
    harmless: &[
        "GIT_ADVICE",
        "GIT_ASKPASS",
        "GIT_AUTHOR_DATE",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_DATE",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_EDITOR",
        "GIT_FLUSH",
        "GIT_MERGE_AUTOEDIT",
        "GIT_OPTIONAL_LOCKS",
        "GIT_PAGER",
        "GIT_PROGRESS_DELAY",
        "GIT_SEQUENCE_EDITOR",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_TERMINAL_PROMPT",
    ],
    harmless_beginnings: &[
        "GIT_CURL_",
        "GIT_HTTP_",
        "GIT_PROXY_",
        "GIT_PS1_",
        "GIT_SSL_",
        "GIT_TRACE",
    ],
};

/// How many paths are given to one git.
const MOST_PATHS: usize = 4096;

/// A repository with a working tree.
#[derive(Debug)]
pub(super) struct Git {
    program: &'static Path,
    /// Where it runs.
    pub folder: PathBuf,
    /// The working tree.
    pub root: PathBuf,
    /// The repository's own folder, for this working tree.
    pub own: PathBuf,
    /// That of all its working trees.
    pub common: PathBuf,
    /// How long the names of objects are, in bytes.
    pub name_length: usize,
    /// Whether it is surely in the usual form: each ref stands in a file of its name or in `packed-refs`.
    pub is_usual: bool,
}

/// What git says of the state of files (git-status(1), porcelain format 2). Paths are relative to the root.
#[derive(Debug, Default)]
pub(super) struct Status {
    /// What differs between the commit, the index and the working tree, by its two letters.
    pub changed: Vec<(u8, u8, PathBuf)>,
    /// Conflicts.
    pub unmerged: Vec<PathBuf>,
    /// What is not tracked; a directory ends in a slash.
    pub untracked: Vec<PathBuf>,
    /// What is ignored, likewise.
    pub ignored: Vec<PathBuf>,
}

impl Status {
    /// What is not tracked, and whether it is ignored.
    pub fn not_tracked(&self) -> impl Iterator<Item = (&Path, bool)> {
        let untracked = self.untracked.iter().map(|path| (path.as_path(), false));
        untracked.chain(self.ignored.iter().map(|path| (path.as_path(), true)))
    }
}

/// Whether a directory, or one above it, looks like a repository.
pub(super) fn is_in_one(folder: &Path) -> bool {
    folder.ancestors().any(|above| {
        let is_there = |name: &str| matches!(files::at(&above.join(name)), Ok(Some(_)));
        is_there(".git") || is_there("HEAD") && files::is_folder(&above.join("objects"))
    })
}

impl Git {
    /// The repository in whose working tree a directory is; none where there is none, or git does not want to
    /// look at it.
    pub fn at(folder: &Path) -> Option<Self> {
        let program = program::at(PLACES)?;
        if let Some(root) = discovery::root(folder) {
            let own = root.join(".git");
            return Some(Self {
                program,
                folder: folder.to_owned(),
                root,
                common: own.clone(),
                own,
                name_length: 20,
                is_usual: true,
            });
        }
        let asked = [
            "rev-parse",
            "--path-format=absolute",
            "--git-dir",
            "--git-common-dir",
            "--show-toplevel",
            "--show-object-format",
        ];
        let (said, status) = run(program, folder, &asked.map(OsStr::new))?;
        let mut lines = said.split(|&byte| byte == b'\n');
        let mut path = || {
            let line = lines.next().filter(|line| line.starts_with(b"/"))?;
            Path::new(OsStr::from_bytes(line)).canonicalize().ok()
        };
        let (own, common, root) = (path()?, path()?, path()?);
        let name_length = match lines.next()? {
            b"sha1" => 20,
            b"sha256" => 32,
            _ => return None,
        };
        (status == 0).then(|| Self {
            program,
            folder: folder.to_owned(),
            root,
            own,
            common,
            name_length,
            is_usual: false,
        })
    }

    /// What git says, and its status.
    pub fn answers(&self, arguments: &[&str]) -> Option<(Vec<u8>, i32)> {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        run(self.program, &self.folder, &arguments)
    }

    /// What git says, where it succeeds.
    pub fn says(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let (said, status) = self.answers(arguments)?;
        (status == 0).then_some(said)
    }

    /// What is not tracked, with directories in which git sees nothing; relative to the root. A directory that is
    /// not tracked as a whole stands for all that is in it, and ends in a slash. `options` say which, by their being
    /// ignored.
    pub fn others(&self, options: &[&str], paths: &[OsString]) -> Option<Vec<PathBuf>> {
        let fixed = ["ls-files", "--others", "--directory", "--full-name", "-z"];
        let all = fixed.iter().chain(options).chain(&["--"]);
        let mut arguments: Vec<&OsStr> = all.map(OsStr::new).collect();
        arguments.extend(paths.iter().map(OsString::as_os_str));
        let (said, status) = run(self.program, &self.folder, &arguments)?;
        let paths = said.split(|&byte| byte == 0);
        let paths = paths.filter(|path| !path.is_empty());
        let paths = paths.map(|path| PathBuf::from(OsStr::from_bytes(path)));
        (status == 0).then(|| paths.collect())
    }

    /// The name of the commit that a revision is; `Some(None)` where git knows no such revision.
    pub fn commit(&self, revision: &str) -> Option<Option<String>> {
        if revision.starts_with('-') || revision.contains('\n') {
            return None;
        }
        let revision = format!("{revision}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", &revision];
        let (said, status) = run(self.program, &self.folder, &arguments.map(OsStr::new))?;
        match status {
            0 => String::from_utf8(said)
                .ok()
                .map(|name| Some(name.trim().to_owned())),
            1 => Some(None),
            _ => None,
        }
    }

    /// The state of files. `untracked` and `ignored` are values of git's options; `literal` says that the paths
    /// are no patterns.
    pub fn status(
        &self,
        untracked: &str,
        ignored: &str,
        literal: bool,
        paths: &[OsString],
    ) -> Option<Status> {
        if paths.len() > MOST_PATHS {
            return None;
        }
        let untracked = format!("--untracked-files={untracked}");
        let ignored = format!("--ignored={ignored}");
        let mut arguments: Vec<&OsStr> = Vec::new();
        if literal {
            arguments.push(OsStr::new("--literal-pathspecs"));
        }
        let options = [
            "status",
            "--porcelain=v2",
            "-z",
            "--no-renames",
            "--ignore-submodules=dirty",
            &untracked,
            &ignored,
            "--",
        ];
        arguments.extend(options.iter().map(OsStr::new));
        arguments.extend(paths.iter().map(OsString::as_os_str));
        let (said, status) = run(self.program, &self.folder, &arguments)?;
        (status == 0).then(|| parsed(&said)).flatten()
    }
}

/// Reads the state of files; none where it is not in the form that is known.
fn parsed(said: &[u8]) -> Option<Status> {
    let mut status = Status::default();
    for entry in said.split(|&byte| byte == 0).filter(|one| !one.is_empty()) {
        let (kind, rest) = entry.split_at_checked(2)?;
        let path = |fields: usize| {
            let path = rest.splitn(fields, |&byte| byte == b' ').nth(fields - 1)?;
            Some(PathBuf::from(OsString::from_vec(path.to_vec())))
        };
        match kind {
            b"1 " => status
                .changed
                .push((*rest.first()?, *rest.get(1)?, path(8)?)),
            b"u " => status.unmerged.push(path(10)?),
            b"? " => status.untracked.push(path(1)?),
            b"! " => status.ignored.push(path(1)?),
            _ => return None,
        }
    }
    Some(status)
}

/// Runs git; gives what it says and its exit status. None where it could not be started or says too much.
fn run(program: &Path, folder: &Path, arguments: &[&OsStr]) -> Option<(Vec<u8>, i32)> {
    let mut words: Vec<&[u8]> = vec![b"git", b"-C", folder.as_os_str().as_bytes()];
    for setting in SETTINGS {
        words.extend([&b"-c"[..], setting.as_bytes()]);
    }
    words.extend(arguments.iter().map(|argument| argument.as_bytes()));
    program::run(program, &words, ENVIRONMENT, Allowed::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_files_is_read_and_nothing_else() {
        let said =
            b"1 .M N... 100644 100644 100644 aa bb a b\x001 A. N... 0 100644 100644 00 cc c\x00\
            u UU N... 1 2 3 4 aa bb cc d e\x00? new dir/\x00! x.o\x00";
        let status = parsed(said).unwrap();
        let path = |text: &str| PathBuf::from(text);
        assert_eq!(
            status.changed,
            [(b'.', b'M', path("a b")), (b'A', b'.', path("c"))]
        );
        assert_eq!(status.unmerged, [path("d e")]);
        assert_eq!(status.untracked, [path("new dir/")]);
        assert_eq!(status.ignored, [path("x.o")]);
        for broken in [&b"2 R. x\0y\0"[..], b"1 .\0", b"x\0", b"1 .M N...\0"] {
            assert!(parsed(broken).is_none(), "{broken:?}");
        }
    }
}
