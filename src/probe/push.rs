//! A branch that is pushed over the one of a remote.
//!
//! Takes a repository, a remote and a branch, gives what would be lost; none where it cannot be told. What the remote
//! has is what this repository knows of it: git refuses the push where that is not so (git-push(1),
//! `--force-with-lease`).

use std::path::{Path, PathBuf};

use super::Loss;
use super::files;
use super::git::Git;

/// How much of a file of settings is read, in bytes.
const MOST_SETTINGS: u64 = 1 << 20;
/// How many commits are looked at.
const MOST: usize = 1000;

/// Branches on which others build: whose commits are replaced there is for a person to say.
const SHARED: &[&str] = &[
    "main",
    "master",
    "trunk",
    "develop",
    "development",
    "dev",
    "production",
    "prod",
    "staging",
    "stable",
    "next",
];

/// Nothing, where each commit that the remote has is in the pushed branch, if only as the same change, or is one's own and
/// was in the branch before.
pub(super) fn look(
    git: &Git,
    remote: Option<&str>,
    branch: Option<&str>,
    settings: &[PathBuf],
) -> Option<Loss> {
    let says = |arguments: &[&str]| -> Option<String> {
        let said = String::from_utf8(git.says(arguments)?).ok()?;
        Some(said.trim_end().to_owned())
    };
    let head = says(&["symbolic-ref", "--quiet", "HEAD"])?;
    let current = head.strip_prefix("refs/heads/")?;
    let branch = branch.unwrap_or(current);
    let is_shared = SHARED.contains(&branch)
        || ["release", "hotfix", "support"]
            .iter()
            .any(|name| branch.starts_with(name));
    if is_shared || !settings.iter().all(|file| is_usual(file.as_path())) {
        return None;
    }
    // Nothing in the repository may have it push more, or elsewhere.
    let (_, status) = git.answers(&[
        "config",
        "--get-regexp",
        "^(push\\.|remote\\..*\\.(push|mirror)$|url\\.|branch\\..*\\.pushremote$)",
    ])?;
    if status != 1 {
        return None;
    }
    let of_branch = |key: &str| says(&["config", "--get", &format!("branch.{branch}.{key}")]);
    let remote = match remote {
        Some(remote) => remote.to_owned(),
        None => of_branch("remote")?,
    };
    // What is pushed without a name goes to the branch that it follows.
    if let Some(followed) = of_branch("merge")
        && followed != format!("refs/heads/{branch}")
    {
        return None;
    }
    let fetched = says(&["config", "--get-all", &format!("remote.{remote}.fetch")])?;
    if fetched != format!("+refs/heads/*:refs/remotes/{remote}/*") {
        return None;
    }
    let own = git.commit(&format!("refs/heads/{branch}"))??;
    let Some(theirs) = git.commit(&format!("refs/remotes/{remote}/{branch}"))? else {
        // Git knows no branch there, and pushes over none.
        return Some(Loss::default());
    };
    // Commits of theirs that are not here, not even as the same change on another base.
    let between = format!("{own}...{theirs}");
    let limit = format!("--max-count={MOST}");
    let gone = says(&[
        "rev-list",
        "--right-only",
        "--cherry-pick",
        "--no-merges",
        &limit,
        "--format=%ce",
        &between,
    ])?;
    let merges = says(&[
        "rev-list",
        "--count",
        "--merges",
        &format!("{own}..{theirs}"),
    ])?;
    if merges != "0" {
        return None;
    }
    let makers: Vec<&str> = gone
        .lines()
        .filter(|line| !line.starts_with("commit "))
        .collect();
    if makers.len() >= MOST {
        return None;
    }
    let me = says(&["show", "--no-patch", "--format=%ce", &own])?;
    // One's own commits that are replaced were on this branch, which still knows them.
    let known = says(&[
        "rev-list",
        "--walk-reflogs",
        &limit,
        &format!("refs/heads/{branch}"),
    ])?;
    let is_known = known.lines().any(|commit| commit == theirs);
    let is_nobodys = makers.iter().all(|maker| *maker == me && is_known);
    is_nobodys.then(Loss::default)
}

/// Whether settings of a person or of the system say nothing of what is pushed, and where.
fn is_usual(file: &Path) -> bool {
    let Ok(content) = files::content(file, MOST_SETTINGS) else {
        return false;
    };
    let content = String::from_utf8_lossy(&content.unwrap_or_default()).to_ascii_lowercase();
    ![
        "[push",
        "[include",
        "[url",
        "[remote",
        "[branch",
        "pushremote",
        "mirror",
    ]
    .iter()
    .any(|word| content.contains(word))
}
