//! Files that are not tracked, and linked working trees, deleted by git.
//!
//! Takes a repository and what is to go, gives what would be lost; none where it cannot be told.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use super::Loss;
use super::ask::Ignored;
use super::files::{self, Asked, number};
use super::git::Git;
use super::index::Index;
use super::refs::{lost_commits, of_worktree};
use super::state::Look;

/// What git-clean(1) is told.
#[derive(Clone, Copy)]
pub(super) struct Cleaning {
    /// Which ignored files go.
    pub ignored: Ignored,
    /// Whether directories go.
    pub directories: bool,
    /// Whether other repositories go.
    pub repositories: bool,
}

/// How many repositories git is asked about.
const MOST_ASKED: usize = 8;
/// How much of a file of settings is read, in bytes.
const MOST_SETTINGS: u64 = 1 << 20;

/// Whether a file of a person's or the system's may have git ignore more than the repository says: it is a list
/// of that, or settings that may name one.
pub(super) fn may_ignore(file: &Path) -> bool {
    let Ok(content) = files::content(file, MOST_SETTINGS) else {
        return true;
    };
    let content = content.unwrap_or_default().to_ascii_lowercase();
    let names = |word: &[u8]| content.windows(word.len()).any(|part| part == word);
    if file.file_name() == Some(OsStr::new("ignore")) {
        !content.is_empty()
    } else {
        names(b"excludesfile") || names(b"include")
    }
}

impl Look<'_> {
    /// Files that are not tracked are deleted.
    pub(super) fn clean(&mut self, git: &Git, paths: &[String], how: Cleaning) -> Option<Loss> {
        let mut given: Vec<OsString> = paths.iter().map(OsString::from).collect();
        if given.is_empty() {
            given.push(".".into());
        }
        // An untracked directory is told as a whole, and with it the ignored files in it.
        let (untracked, ignored, options): (_, _, &[&str]) = match how.ignored {
            Ignored::None => ("normal", "no", &["--exclude-standard"]),
            Ignored::Also => ("normal", "matching", &[]),
            Ignored::Only => ("all", "matching", &["--ignored", "--exclude-standard"]),
        };
        let mut loss = Loss {
            deletes: true,
            ..Loss::default()
        };
        // What git sees is all that goes, and perhaps ignored files that stay: one walk tells that it is nothing.
        let mut seen = None;
        if how.ignored != Ignored::Only {
            let all = self.seen(git, &given, options, how)?;
            if all.is_none() {
                return Some(loss);
            }
            seen = Some(all);
        }
        let status = git.status(untracked, ignored, false, &given)?;
        for (path, is_ignored) in status.not_tracked() {
            if is_ignored || how.ignored != Ignored::Only {
                self.cleaned(git, path, is_ignored, how, &mut loss);
            }
        }
        // Git does not tell of a directory in which nothing is but `.git`, and deletes it.
        if loss.is_none() && how.directories {
            let all = match seen {
                Some(all) => all,
                None => self.seen(git, &given, options, how)?,
            };
            // Of files it has told; those that it was told to ignore may be kept.
            loss.repositories = all.repositories;
            loss.at_least = all.at_least;
        }
        Some(loss)
    }

    /// What is lost with all that git sees and does not track.
    fn seen(
        &mut self,
        git: &Git,
        given: &[OsString],
        options: &[&str],
        how: Cleaning,
    ) -> Option<Loss> {
        let mut all = Loss::default();
        for path in git.others(options, given)? {
            self.cleaned(git, &path, false, how, &mut all);
        }
        Some(all)
    }

    /// Adds what is lost with one path that is not tracked.
    fn cleaned(
        &mut self,
        git: &Git,
        path: &Path,
        is_ignored: bool,
        how: Cleaning,
        loss: &mut Loss,
    ) {
        let is_folder = path.as_os_str().as_bytes().ends_with(b"/");
        let own = git.root.join(path).join(".git");
        if is_folder && (!how.directories || !how.repositories && is_spared(&own)) {
            return;
        }
        let found = self.not_tracked(&git.root, path, is_ignored, loss);
        loss.files += found.files;
        loss.bytes = loss.bytes.saturating_add(found.bytes);
        let mut asked = 0..MOST_ASKED;
        let mut goes = |repository: &Path| {
            how.repositories || asked.next().is_none() || !is_spared(repository)
        };
        let gone = found.repositories.iter().filter(|one| goes(one)).count();
        loss.repositories += number(gone);
    }

    /// A linked working tree is deleted.
    pub(super) fn worktree(&mut self, folder: &Path, name: &Path) -> Option<Loss> {
        let real = folder.join(name).canonicalize().ok()?;
        // Git takes a name first for the end of the path of one, wherever that is.
        let mut parts = name.components();
        let may_be_an_end = parts.all(|part| matches!(part, Component::Normal(_)));
        let git = Git::at(&real)?;
        if may_be_an_end && !real.ends_with(name) || Git::at(folder)?.common != git.common {
            return None;
        }
        let contents = Index::open(&git.own.join("index"), git.name_length)?.contents(None);
        if git.own == git.common || git.root != real || contents.hides || contents.submodules {
            return None;
        }
        let status = git.status("all", "matching", false, &[])?;
        let mut loss = self.changed(&git, &status, true)?;
        loss.deletes = true;
        let all = self.count(&real, Asked::Folders);
        loss.files = all.files;
        loss.bytes = all.bytes;
        // One is the file that links it to its repository.
        loss.repositories = number(all.repositories.len()).saturating_sub(1);
        loss.at_least |= all.is_cut;
        for (path, is_ignored) in status.not_tracked() {
            self.not_tracked(&git.root, path, is_ignored, &mut loss);
        }
        let mut from = of_worktree(&git)?;
        from.push(git.commit("HEAD")??);
        loss.commits = lost_commits(&git, &from, &[], None)?;
        Some(loss)
    }
}

/// Whether git-clean(1) spares the directory in which this is: only what git itself takes for a repository.
fn is_spared(repository: &Path) -> bool {
    let is_named = repository.file_name() == Some(OsStr::new(".git"));
    let folder = repository
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    is_named
        && matches!(files::at(repository), Ok(Some(_)))
        && folder.is_some_and(|folder| Git::at(&folder).is_some_and(|git| git.root == folder))
}
