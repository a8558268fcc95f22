//! Branches and stashes: which commits nothing names any more when they are gone.
//!
//! Takes names, gives what would be lost; none where it cannot be told. Only what this repository knows counts:
//! its own branches, tags and remote-tracking branches.

use std::fs;
use std::io::ErrorKind;

use super::Loss;
use super::files;
use super::git::Git;

/// How many commits nothing names any more when these branches stand elsewhere.
pub(super) fn lost_commits(
    git: &Git,
    from: &[String],
    left: &[String],
    kept: Option<&str>,
) -> Option<u64> {
    let mut arguments: Vec<String> = ["rev-list", "--count"].map(String::from).to_vec();
    arguments.extend_from_slice(from);
    arguments.push("--not".into());
    arguments.extend(kept.map(String::from));
    for name in left {
        if name.contains(['*', '?', '[', '\\']) {
            return None;
        }
        arguments.push(format!("--exclude={name}"));
    }
    arguments.push("--glob=refs/*".into());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = git.says(&arguments)?;
    std::str::from_utf8(&said).ok()?.trim().parse().ok()
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
    let is_in_pack = || match fs::read_to_string(git.common.join("packed-refs")) {
        Ok(text) => text.contains(name),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    !matches!(files::at(&git.common.join("reftable")), Ok(None))
        || !matches!(files::at(&git.common.join(name)), Ok(None))
        || is_in_pack()
}

/// What is lost with branches that are deleted, or moved to where `kept` is.
pub(super) fn branches(git: &Git, names: &[String], kept: Option<&str>) -> Option<Loss> {
    let mut loss = Loss::default();
    let mut from = Vec::new();
    let mut left = Vec::new();
    for name in names {
        // `@{-1}` is another branch.
        if name.starts_with('-') || name.contains(['@', '{', '^', '~', ':']) {
            return None;
        }
        let name = format!("refs/heads/{name}");
        if let Some(commit) = git.commit(&name)? {
            from.push(commit);
            left.push(name);
        }
    }
    if from.is_empty() {
        return Some(loss);
    }
    let kept = match kept {
        Some(revision) => Some(git.commit(revision)??),
        None => None,
    };
    loss.commits = lost_commits(git, &from, &left, kept.as_deref())?;
    Some(loss)
}
