//! What exactly is to be looked at, worked out from the words of an action: which paths, which branch, which
//! revision.
//!
//! Takes an action and what is at stake, gives a question that needs no grammar any more. An option that is
//! not known here, or a word that is not known yet, makes no question: then nothing can be told.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::action::{FileUse, Value};
use crate::invocation::View;
use crate::policy::arguments::{Flag, Positional};
use crate::policy::matcher::Facts;
use crate::policy::schema::{Loses, Program, Targets};

use super::{postgres, sqlite, terraform};

/// Which ignored files are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    /// None.
    None,
    /// These, too.
    Also,
    /// Only these.
    Only,
}

/// A path that is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Where it is.
    pub path: PathBuf,
    /// Whether all that is in it is meant, not it itself (`dir/*`).
    pub contents: bool,
}

/// A file that is written over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// If that is a directory: what is put into it, by name.
    pub into: Vec<String>,
}

/// What is to be looked at. Directories are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// These paths are deleted with all that is in them.
    Paths(Vec<Target>),
    /// Of such paths the directories.
    Trees(Vec<Target>),
    /// These files are written over.
    Files(Vec<Written>),
    /// A branch is pushed over the one of a remote, as far as that is known here.
    Push {
        /// Where git runs.
        folder: PathBuf,
        /// The remote; that of the branch where there is none.
        remote: Option<String>,
        /// The branch; the one that is checked out where there is none.
        branch: Option<String>,
        /// Files that may have git push more than that: of the person, of the system.
        settings: Vec<PathBuf>,
    },
    /// Tracked files are overwritten.
    Tree {
        /// Where git runs.
        folder: PathBuf,
        /// Which files; all of the working tree where there are none.
        paths: Vec<String>,
        /// The revision that they come from; the index or the commit that is checked out where there is none.
        revision: Option<String>,
        /// Whether it may also be that the revision is a path.
        is_revision_or_path: bool,
        /// Whether what is in the index is overwritten as well.
        index: bool,
        /// Whether the branch that is checked out moves there.
        moves: bool,
    },
    /// Files that are not tracked are deleted.
    Clean {
        /// Where git runs.
        folder: PathBuf,
        /// Which ones; all below `folder` where there are none.
        paths: Vec<String>,
        /// Which ignored ones.
        ignored: Ignored,
        /// Files that may have git ignore more than the repository does: of the person, of the system.
        settings: Vec<PathBuf>,
        /// Whether directories are deleted.
        directories: bool,
        /// Whether other repositories are.
        repositories: bool,
    },
    /// What was put aside is dropped.
    Stash {
        /// Where git runs.
        folder: PathBuf,
        /// All of it.
        all: bool,
    },
    /// Branches are deleted or moved away.
    Branches {
        /// Where git runs.
        folder: PathBuf,
        /// Their names.
        names: Vec<String>,
        /// What still names the commits then.
        kept: Option<String>,
    },
    /// A linked working tree is deleted.
    Worktree {
        /// Where git runs.
        folder: PathBuf,
        /// What it is called.
        name: PathBuf,
    },
    /// Resources are destroyed.
    Resources(terraform::Ask),
    /// Rows of a file are deleted or changed.
    Rows(sqlite::Ask),
    /// Rows of a server are, or its databases.
    Server(postgres::Ask),
}

impl Ask {
    /// The paths from which everything is looked for.
    pub fn places(&self) -> Vec<&Path> {
        match self {
            Self::Paths(targets) | Self::Trees(targets) => {
                targets.iter().map(|one| one.path.as_path()).collect()
            }
            Self::Files(files) => files.iter().map(|one| one.path.as_path()).collect(),
            Self::Push { folder, .. }
            | Self::Tree { folder, .. }
            | Self::Clean { folder, .. }
            | Self::Stash { folder, .. }
            | Self::Branches { folder, .. }
            | Self::Worktree { folder, .. } => vec![folder],
            Self::Resources(ask) => vec![ask.place()],
            Self::Rows(ask) => vec![ask.place()],
            Self::Server(ask) => ask.places(),
        }
    }
}

/// The question for an action of a process; none where it cannot be told what the action would touch.
pub(super) fn of(at: Loses, facts: &Facts<'_>, skip: usize, view: &View) -> Option<Ask> {
    if !is_where_it_is_written(facts) {
        return None;
    }
    match at {
        Loses::Targets => return targets(facts, skip).map(Ask::Paths),
        Loses::Trees => return targets(facts, skip).map(Ask::Trees),
        Loses::Overwritten => return overwritten(facts, skip),
        Loses::Redirected => return redirected(facts),
        Loses::Plan | Loses::State => return terraform::of(at, facts).map(Ask::Resources),
        Loses::Rows if postgres::is_client(facts.action) => {
            return postgres::of(facts, view).map(Ask::Server);
        }
        Loses::Rows => return sqlite::of(facts).map(Ask::Rows),
        _ => {}
    }
    let words = Words::of(facts)?;
    match at {
        Loses::Targets
        | Loses::Trees
        | Loses::Overwritten
        | Loses::Redirected
        | Loses::Moved
        | Loses::Plan
        | Loses::State
        | Loses::Rows => None,
        Loses::Pushed => pushed(&words, facts, view),
        Loses::Changes => changes(&words),
        Loses::Untracked => untracked(&words, facts, view),
        Loses::Stash => stash(&words),
        Loses::Commits => commits(&words),
        Loses::Worktree => worktree(&words),
    }
}

/// Whether the directory that an option names is surely the one that its text leads to.
fn is_where_it_is_written(facts: &Facts<'_>) -> bool {
    let options = facts.program.iter().flat_map(|one| &one.directory_options);
    let mut flags = options.flat_map(|option| facts.arguments.flags_named(option));
    flags.all(|flag| flag.value.as_ref().is_none_or(|value| !climbs(&value.text)))
}

/// Whether `..` stands behind a name: where that is a link, the directory above is another one.
fn climbs(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    let is_named = |part: Component<'_>| matches!(part, Component::Normal(_));
    parts.any(is_named) && parts.any(|part| part == Component::ParentDir)
}

/// The directory of which everything is meant (`dir/*`); none where a pattern stands before that as well: what
/// it finds may be links.
fn contents(cwd: &str, text: &str) -> Option<Target> {
    let (folder, last) = match text.rsplit_once('/') {
        Some(("", last)) => ("/", last),
        Some(parts) => parts,
        None => (".", text),
    };
    let is_all = last.contains('*')
        && last
            .chars()
            .all(|one| matches!(one, '*' | '.' | '?' | '[' | ']' | '!' | '^'));
    let is_plain = !folder.contains(['*', '?', '[', '(']);
    (is_all && is_plain).then(|| Target {
        path: Path::new(cwd).join(folder),
        contents: true,
    })
}

fn targets(facts: &Facts<'_>, skip: usize) -> Option<Vec<Target>> {
    let cwd = facts.action.cwd.as_deref()?;
    let target = |value: &Value| {
        if !value.is_known() {
            return None;
        }
        if value.glob {
            return contents(cwd, &value.text);
        }
        let text = &value.text;
        let last = text.trim_end_matches('/').rsplit('/').next()?;
        let is_named = !matches!(last, "" | "." | "..");
        is_named.then(|| Target {
            path: Path::new(cwd).join(text),
            contents: false,
        })
    };
    let targets: Option<Vec<Target>> = facts.targets(skip).iter().map(target).collect();
    targets.filter(|targets| !targets.is_empty())
}

fn overwritten(facts: &Facts<'_>, skip: usize) -> Option<Ask> {
    /// Options of what copies, moves and links that do not change what is written where.
    const PLAIN: &[&str] = &[
        "-a",
        "--archive",
        "-f",
        "--force",
        "-i",
        "--interactive",
        "-m",
        "--mode",
        "-p",
        "--preserve",
        "-r",
        "-R",
        "--recursive",
        "-s",
        "--symbolic",
        "-t",
        "--target-directory",
        "-u",
        "--update",
        "-v",
        "--verbose",
    ];
    let cwd = facts.action.cwd.as_deref()?;
    let is_last = |program: &Program| program.targets == Targets::Last;
    let mut into = Vec::new();
    if facts.program.is_some_and(is_last) {
        let mut flags = facts
            .arguments
            .flags
            .iter()
            .filter(|flag| !is_cluster(flag));
        if !flags.all(|flag| PLAIN.contains(&flag.name.as_str())) {
            return None;
        }
        for source in facts.operands(skip) {
            let name = source.text.trim_end_matches('/').rsplit('/').next();
            let name = name.filter(|name| !matches!(*name, "" | "." | ".."))?;
            if !source.is_known() || source.glob {
                return None;
            }
            into.push(name.to_owned());
        }
        into.pop();
    }
    let targets = facts.targets(skip);
    written(targets.iter(), cwd, &into)
}

fn redirected(facts: &Facts<'_>) -> Option<Ask> {
    let cwd = facts.action.cwd.as_deref()?;
    let redirections = facts.action.redirections.iter();
    let files = redirections.filter(|one| one.usage == FileUse::Write);
    written(files.map(|one| &one.file), cwd, &[])
}

fn written<'v>(files: impl Iterator<Item = &'v Value>, cwd: &str, into: &[String]) -> Option<Ask> {
    let written = |value: &Value| {
        let is_clear =
            value.is_known() && !value.glob && !value.text.is_empty() && !climbs(&value.text);
        is_clear.then(|| Written {
            path: Path::new(cwd).join(&value.text),
            into: into.to_vec(),
        })
    };
    let all: Option<Vec<Written>> = files.map(written).collect();
    all.filter(|all| !all.is_empty()).map(Ask::Files)
}

/// Whether several letters stand together: those are read one by one, and as one word as well.
fn is_cluster(flag: &Flag) -> bool {
    !flag.name.starts_with("--") && flag.name.len() > 2
}

/// The words of a git command.
struct Words<'f> {
    folder: PathBuf,
    /// The subcommand.
    name: &'f str,
    flags: Vec<&'f Flag>,
    operands: Vec<&'f Positional>,
    /// Where `--` stands among the arguments.
    divided: Option<usize>,
}

/// Options of git itself that change nothing of what it does to files.
const OF_GIT: &[&str] = &[
    "-C",
    "-P",
    "-p",
    "--no-pager",
    "--paginate",
    "--no-optional-locks",
    "--no-advice",
];

impl<'f> Words<'f> {
    fn of(facts: &'f Facts<'_>) -> Option<Self> {
        if facts.action.program != "git" {
            return None;
        }
        let (first, operands) = facts.arguments.positionals.split_first()?;
        let mut directories = 0;
        let mut flags = Vec::new();
        let flags_given = facts.arguments.flags.iter();
        for flag in flags_given.filter(|flag| !is_cluster(flag)) {
            if flag.at > first.at {
                // Where the packs read a directory, a subcommand may mean something else by it.
                if flag.name == "-C" {
                    return None;
                }
                flags.push(flag);
            } else if !OF_GIT.contains(&flag.name.as_str()) {
                return None;
            } else {
                directories += usize::from(flag.name == "-C");
            }
        }
        let arguments = &facts.action.arguments;
        let is_known = arguments.iter().all(|word| word.is_known() && !word.glob);
        let divided = arguments.iter().position(|word| word.text == "--");
        (is_known && directories <= 1).then(|| Self {
            folder: PathBuf::from(facts.action.cwd.clone().unwrap_or_default()),
            name: &first.value.text,
            flags,
            operands: operands.iter().collect(),
            divided: divided.filter(|at| *at > first.at),
        })
    }

    fn has(&self, names: &[&str]) -> bool {
        self.flags
            .iter()
            .any(|flag| names.contains(&flag.name.as_str()))
    }

    /// Whether no other options are given.
    fn has_only(&self, names: &[&str]) -> bool {
        self.flags
            .iter()
            .all(|flag| names.contains(&flag.name.as_str()))
    }

    fn value(&self, names: &[&str]) -> Option<String> {
        let mut named = self.flags.iter();
        let flag = named.find(|flag| names.contains(&flag.name.as_str()))?;
        flag.value.as_ref().map(|value| value.text.clone())
    }

    /// The operands before and after `--`.
    fn parts(&self) -> (Vec<String>, Vec<String>) {
        let text = |one: &&&Positional| one.value.text.clone();
        let is_before = |one: &&&Positional| self.divided.is_none_or(|at| one.at < at);
        let before = self.operands.iter().filter(is_before);
        let after = self.operands.iter().filter(|one| !is_before(one));
        (
            before.map(|one| text(&one)).collect(),
            after.map(|one| text(&one)).collect(),
        )
    }

    fn tree(&self, revision: Option<String>, paths: Vec<String>, index: bool) -> Ask {
        Ask::Tree {
            folder: self.folder.clone(),
            paths,
            revision,
            is_revision_or_path: false,
            index,
            moves: false,
        }
    }
}

const QUIET: &[&str] = &["-q", "--quiet", "--progress", "--no-progress"];
const FORCE: &[&str] = &["-f", "--force", "--discard-changes"];

fn with<'a>(lists: &[&[&'a str]]) -> Vec<&'a str> {
    lists.concat()
}

/// The only one of at most one; none where there are more.
fn at_most_one(mut words: Vec<String>) -> Option<Option<String>> {
    (words.len() <= 1).then(|| words.pop())
}

/// A revision as git's other commands take it (`-` is the branch before this one).
fn revision(word: Option<String>) -> Option<String> {
    word.map(|word| if word == "-" { "@{-1}".into() } else { word })
}

fn changes(words: &Words<'_>) -> Option<Ask> {
    let (before, after) = words.parts();
    match words.name {
        "reset" => {
            let known = with(&[QUIET, &["--hard", "--merge", "--refresh", "--no-refresh"]]);
            if !words.has_only(&known) || words.divided.is_some() {
                return None;
            }
            let revision = revision(at_most_one(before)?);
            let mut ask = words.tree(revision, Vec::new(), true);
            if let Ask::Tree { moves, .. } = &mut ask {
                *moves = true;
            }
            Some(ask)
        }
        "checkout" | "switch" => {
            let branch = ["--detach", "-d", "--guess", "--no-guess"];
            let is_forced = words.has(FORCE);
            if is_forced && before.len() <= 1 && after.is_empty() {
                let known = with(&[QUIET, FORCE, &branch]);
                let revision = revision(at_most_one(before)?);
                return words
                    .has_only(&known)
                    .then(|| words.tree(revision, Vec::new(), true));
            }
            if words.name == "switch" || !words.has_only(&with(&[QUIET, FORCE, &["--overlay"]])) {
                return None;
            }
            checkout_paths(words, before, after)
        }
        "restore" => {
            const INDEX: &[&str] = &["-S", "--staged"];
            const TREE: &[&str] = &["-W", "--worktree"];
            const SOURCE: &[&str] = &["-s", "--source"];
            if !words.has_only(&with(&[QUIET, INDEX, TREE, SOURCE])) {
                return None;
            }
            let paths: Vec<String> = before.into_iter().chain(after).collect();
            let source = words.value(SOURCE);
            let index = words.has(INDEX);
            if paths.is_empty() || index && !words.has(TREE) {
                return None;
            }
            let index = index || source.is_some();
            Some(words.tree(source, paths, index))
        }
        "rm" => {
            let known = with(&[&["-r", "-f", "--force", "--ignore-unmatch"], QUIET]);
            let paths: Vec<String> = before.into_iter().chain(after).collect();
            (words.has_only(&known) && !paths.is_empty()).then(|| words.tree(None, paths, true))
        }
        _ => None,
    }
}

/// `git checkout [REVISION] [--] PATH…`.
fn checkout_paths(words: &Words<'_>, before: Vec<String>, after: Vec<String>) -> Option<Ask> {
    if words.divided.is_some() {
        let revision = revision(at_most_one(before)?);
        let index = revision.is_some();
        return (!after.is_empty()).then(|| words.tree(revision, after, index));
    }
    let (first, others) = before.split_first()?;
    let mut ask = words.tree(Some(first.clone()), others.to_vec(), true);
    if let Ask::Tree {
        is_revision_or_path,
        ..
    } = &mut ask
    {
        *is_revision_or_path = true;
    }
    Some(ask)
}

fn untracked(words: &Words<'_>, facts: &Facts<'_>, view: &View) -> Option<Ask> {
    const FORCE: &[&str] = &["-f", "--force"];
    const EXCLUDE: &[&str] = &["-e", "--exclude"];
    let known = with(&[QUIET, FORCE, EXCLUDE, &["-d", "-x", "-X"]]);
    if words.name != "clean" || !words.has_only(&known) || !words.has(FORCE) {
        return None;
    }
    let is_only = words.has(&["-X"]);
    // What is ignored besides is kept, unless just that goes, or a pattern takes back that something is ignored.
    let mut excluded = words.flags.iter();
    let is_kept = |value: &Value| !is_only && !value.text.starts_with('!');
    let keeps = excluded.all(|flag| {
        !EXCLUDE.contains(&flag.name.as_str()) || flag.value.as_ref().is_some_and(is_kept)
    });
    if !keeps {
        return None;
    }
    let settings = if is_only {
        settings(facts, view)?
    } else {
        Vec::new()
    };
    let forced = words.flags.iter();
    let forced = forced.filter(|flag| FORCE.contains(&flag.name.as_str()));
    let repositories = forced.count() > 1;
    let (before, after) = words.parts();
    Some(Ask::Clean {
        folder: words.folder.clone(),
        paths: before.into_iter().chain(after).collect(),
        settings,
        ignored: if is_only {
            Ignored::Only
        } else if words.has(&["-x"]) {
            Ignored::Also
        } else {
            Ignored::None
        },
        directories: words.has(&["-d"]),
        repositories,
    })
}

/// Files in which a person or the system may have named what git ignores; none where another process is to
/// have others.
fn settings(facts: &Facts<'_>, view: &View) -> Option<Vec<PathBuf>> {
    const NAMES: [&str; 2] = ["HOME", "XDG_CONFIG_HOME"];
    let given = &facts.action.environment;
    if NAMES.iter().any(|name| given.contains_key(*name)) {
        return None;
    }
    let [home, folder] = NAMES.map(|name| {
        let value = view.variable(name).filter(|value| *value != OsStr::new(""));
        value.map(PathBuf::from)
    });
    let folder = folder.or_else(|| home.as_ref().map(|home| home.join(".config")));
    let own = folder
        .iter()
        .flat_map(|folder| ["git/ignore", "git/config"].map(|name| folder.join(name)));
    let own = own.chain(home.iter().map(|home| home.join(".gitconfig")));
    let of_system = ["/etc/gitconfig", "/usr/local/etc/gitconfig"].map(PathBuf::from);
    Some(own.chain(of_system).collect())
}

fn stash(words: &Words<'_>) -> Option<Ask> {
    let (first, others) = words.operands.split_first()?;
    let all = match first.value.text.as_str() {
        "drop" => false,
        "clear" => true,
        _ => return None,
    };
    let is_plain = words.name == "stash" && words.has_only(QUIET) && others.len() <= 1;
    is_plain.then(|| Ask::Stash {
        folder: words.folder.clone(),
        all,
    })
}

fn commits(words: &Words<'_>) -> Option<Ask> {
    const DELETE: &[&str] = &["-d", "--delete"];
    let (before, after) = words.parts();
    if words.divided.is_some() || !after.is_empty() {
        return None;
    }
    let branches = |names, kept| Ask::Branches {
        folder: words.folder.clone(),
        names,
        kept,
    };
    let or_head = |word: Option<&String>| word.cloned().unwrap_or_else(|| "HEAD".to_owned());
    match words.name {
        "branch" if words.has(&["-D"]) || words.has(DELETE) => {
            let known = with(&[DELETE, QUIET, &["-D", "-f", "--force"]]);
            (words.has_only(&known) && !before.is_empty()).then(|| branches(before, None))
        }
        "branch" if words.has(&["-M"]) => {
            let (name, old) = before.split_last()?;
            let old = old.first().map(|old| format!("refs/heads/{old}"));
            (words.has_only(&["-M"]) && before.len() <= 2)
                .then(|| branches(vec![name.clone()], Some(or_head(old.as_ref()))))
        }
        "branch" => {
            let (name, rest) = before.split_first()?;
            let known = with(&[QUIET, &["-f", "--force"]]);
            (words.has_only(&known) && rest.len() <= 1)
                .then(|| branches(vec![name.clone()], Some(or_head(rest.first()))))
        }
        "checkout" => {
            let name = words.value(&["-B"])?;
            (words.has_only(&with(&[QUIET, &["-B"]])) && before.len() <= 1)
                .then(|| branches(vec![name], Some(or_head(before.first()))))
        }
        _ => None,
    }
}

/// `git push --force-with-lease [REMOTE [BRANCH]]`: git itself sees to it that the remote has what is known here.
fn pushed(words: &Words<'_>, facts: &Facts<'_>, view: &View) -> Option<Ask> {
    const LEASE: &str = "--force-with-lease";
    const KNOWN: &[&str] = &[
        LEASE,
        "--force-if-includes",
        "-u",
        "--set-upstream",
        "--no-verify",
        "--verify",
        "-v",
        "--verbose",
    ];
    let (before, after) = words.parts();
    let mut leases = words.flags.iter().filter(|flag| flag.name == LEASE);
    let is_whole = words.name == "push"
        && words.has_only(&with(&[QUIET, KNOWN]))
        && leases.all(|flag| flag.value.is_none())
        && after.is_empty()
        && before.len() <= 2;
    let mut names = before.into_iter();
    let (remote, branch) = (names.next(), names.next());
    let is_name = |name: &String| {
        let mut bytes = name.bytes();
        !name.starts_with('-')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
    };
    let is_clear = is_whole && remote.iter().chain(&branch).all(is_name);
    if !is_clear {
        return None;
    }
    Some(Ask::Push {
        folder: words.folder.clone(),
        remote,
        branch,
        settings: settings(facts, view)?,
    })
}

fn worktree(words: &Words<'_>) -> Option<Ask> {
    let [action, path] = words.operands.as_slice() else {
        return None;
    };
    let is_plain = words.name == "worktree"
        && action.value.text == "remove"
        && words.has_only(&["-f", "--force"]);
    is_plain.then(|| Ask::Worktree {
        folder: words.folder.clone(),
        name: PathBuf::from(&path.value.text),
    })
}
