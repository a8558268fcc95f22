//! Branches and stashes: which commits nothing names any more when they are gone.
//!
//! Takes names, gives what would be lost; none where it cannot be told. Only what this repository knows counts:
//! its own branches, tags and remote-tracking branches.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::Loss;
use super::files;
use super::git::Git;

/// Refs that a working tree has of its own (git-worktree(1)), and that go away with it.
const OF_WORKTREE: [&str; 3] = ["refs/bisect/", "refs/rewritten/", "refs/worktree/"];

/// How much of a file of refs is read, in bytes.
const MOST_PACKED: u64 = 4 << 20;

/// How many files of refs are read, and how much of one, in bytes.
const MOST_FILES: usize = 16_384;
const MOST_REF: u64 = 4 << 10;

/// How many commits are named to git one by one.
const MOST_NAMED: usize = 4096;

/// How many commits nothing names any more when these refs stand elsewhere. What only leads to another ref, or
/// goes away with a working tree, keeps nothing.
pub(super) fn lost_commits(
    git: &Git,
    from: &[String],
    left: &[String],
    kept: Option<&str>,
) -> Option<u64> {
    lost_beside(git, leading(git)?, from, left, kept)
}

/// The same, with the refs that lead to another one and that one.
fn lost_beside(
    git: &Git,
    leading: Vec<(String, String)>,
    from: &[String],
    left: &[String],
    kept: Option<&str>,
) -> Option<u64> {
    let mut arguments: Vec<String> = ["rev-list", "--count"].map(String::from).to_vec();
    arguments.extend_from_slice(from);
    arguments.push("--not".into());
    arguments.extend(kept.map(String::from));
    let leading = leading.into_iter().map(|(name, _)| name);
    for name in leading.chain(left.iter().cloned()) {
        if name.contains(['*', '?', '[', '\\']) {
            return None;
        }
        arguments.push(format!("--exclude={name}"));
    }
    for beginning in OF_WORKTREE {
        arguments.push(format!("--exclude={beginning}*"));
    }
    arguments.extend(["--glob=refs/*".into(), "--".into()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = git.says(&arguments)?;
    std::str::from_utf8(&said).ok()?.trim().parse().ok()
}

/// The refs that lead to another one, and that one.
fn leading(git: &Git) -> Option<Vec<(String, String)>> {
    if git.is_usual {
        return Names::read(&git.common).map(|names| names.leading);
    }
    const FORMAT: &str = "--format=%(if)%(symref)%(then)%(refname) %(symref)%(end)";
    let said = git.says(&["for-each-ref", FORMAT])?;
    let said = String::from_utf8(said).ok()?;
    let lines = said.lines().filter(|line| !line.is_empty());
    let pairs = lines.map(|line| line.split_once(' '));
    let pairs = pairs.map(|pair| pair.map(|(name, other)| (name.to_owned(), other.to_owned())));
    let pairs: Option<Vec<_>> = pairs.collect();
    pairs.filter(|pairs| pairs.len() <= MOST_NAMED)
}

/// Refs as the files of a usual repository have them (gitrepository-layout(5)).
#[derive(Default)]
struct Names {
    /// Those that lead to another one, and that one.
    leading: Vec<(String, String)>,
    /// The others, and what they name.
    plain: HashMap<String, String>,
}

impl Names {
    /// None where they are too many, or one is not in the form that is known: one that is a link is read where that
    /// leads, and is gone with it.
    fn read(repository: &Path) -> Option<Self> {
        let packed = files::content(&repository.join("packed-refs"), MOST_PACKED);
        let packed = String::from_utf8(packed.ok()?.unwrap_or_default()).ok()?;
        let pairs = packed.lines().filter_map(|line| line.split_once(' '));
        let mut names = Self {
            plain: pairs
                .map(|(commit, name)| (name.to_owned(), commit.to_owned()))
                .collect(),
            ..Self::default()
        };
        let mut folders = vec![repository.join("refs")];
        let mut left = MOST_FILES;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).ok()? {
                left = left.checked_sub(1)?;
                let entry = entry.ok()?;
                let (path, kind) = (entry.path(), entry.file_type().ok()?);
                if kind.is_dir() {
                    folders.push(path);
                    continue;
                }
                let content = kind.is_file().then(|| files::content(&path, MOST_REF));
                let content = String::from_utf8(content?.ok()??).ok()?;
                let name = path.strip_prefix(repository).ok()?.to_str()?.to_owned();
                if let Some(other) = content.strip_prefix("ref:") {
                    names.plain.remove(&name);
                    names.leading.push((name, other.trim().to_owned()));
                } else {
                    names.plain.insert(name, content.trim_end().to_owned());
                }
            }
        }
        Some(names)
    }

    /// Whether what each of these names is surely named by another one as well, which stays.
    fn keep(&self, gone: &[String]) -> bool {
        let stays = |name: &String| {
            !gone.contains(name)
                && !OF_WORKTREE.iter().any(|own| name.starts_with(own))
                && is_surely_one(name)
        };
        let is_named = |commit: &String| {
            let mut others = self.plain.iter().filter(|(_, other)| *other == commit);
            commit.len() == 40 && others.any(|(name, _)| stays(name))
        };
        gone.iter()
            .all(|name| self.plain.get(name).is_some_and(is_named))
    }
}

/// Whether git surely takes a file of this name for a ref, where some are not (git-check-ref-format(1)).
fn is_surely_one(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    let mut parts = name.split('/');
    parts.next() == Some("refs")
        && parts.clone().count() > 1
        && name.chars().all(is_plain)
        && !name.contains("..")
        && parts.all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.ends_with(".lock")
        })
}

/// The commits that only a working tree's own refs may name.
pub(super) fn of_worktree(git: &Git) -> Option<Vec<String>> {
    let mut arguments = vec!["for-each-ref", "--format=%(objectname)"];
    arguments.extend(OF_WORKTREE);
    let said = String::from_utf8(git.says(&arguments)?).ok()?;
    let names: Vec<String> = said.lines().map(String::from).collect();
    (names.len() <= MOST_NAMED).then_some(names)
}

/// What is lost with what was put aside: all of it, or one.
pub(super) fn stash(git: &Git, all: bool) -> Option<Loss> {
    let mut loss = Loss::default();
    if !may_have(git, "refs/stash") {
        return Some(loss);
    }
    if git.commit("refs/stash")?.is_some() {
        let said = git.says(&["rev-list", "--walk-reflogs", "--count", "refs/stash"])?;
        let number: u64 = std::str::from_utf8(&said).ok()?.trim().parse().ok()?;
        loss.stashes = if all { number.max(1) } else { 1 };
    }
    Some(loss)
}

/// Whether there may be a ref of this name (gitrepository-layout(5)).
fn may_have(git: &Git, name: &str) -> bool {
    let is_in_pack = || match files::content(&git.common.join("packed-refs"), MOST_PACKED) {
        Ok(None) => false,
        Ok(Some(content)) => content
            .windows(name.len())
            .any(|part| part == name.as_bytes()),
        Err(()) => true,
    };
    !matches!(files::at(&git.common.join("reftable")), Ok(None))
        || !matches!(files::at(&git.common.join(name)), Ok(None))
        || is_in_pack()
}

/// What is lost with branches that are deleted, or moved to where `kept` is.
pub(super) fn branches(git: &Git, names: &[String], kept: Option<&str>) -> Option<Loss> {
    // `@{-1}` is another branch.
    let is_plain =
        |name: &String| !name.starts_with('-') && !name.contains(['@', '{', '^', '~', ':']);
    if !names.iter().all(is_plain) {
        return None;
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("refs/heads/{name}"))
        .collect();
    let mut loss = Loss::default();
    // Mostly there are all of them, and git is asked but once.
    if kept.is_none() {
        let commits = if git.is_usual {
            let refs = Names::read(&git.common)?;
            if refs.keep(&names) {
                return Some(loss);
            }
            lost_beside(git, refs.leading, &names, &names, None)
        } else {
            lost_commits(git, &names, &names, None)
        };
        if let Some(commits) = commits {
            loss.commits = commits;
            return Some(loss);
        }
    }
    let mut from = Vec::new();
    let mut left = Vec::new();
    for name in names {
        if let Some(commit) = git.commit(&name)? {
            from.push(commit);
            left.push(name);
        }
    }
    if from.is_empty() {
        return Some(loss);
    }
    // Only where it is deleted, a ref that leads to another one is meant itself.
    if kept.is_some() {
        for (name, other) in leading(git)? {
            if left.contains(&name) {
                left.push(other);
            }
        }
    }
    let kept = match kept {
        Some(revision) => Some(git.commit(revision)??),
        None => None,
    };
    loss.commits = lost_commits(git, &from, &left, kept.as_deref())?;
    Some(loss)
}
