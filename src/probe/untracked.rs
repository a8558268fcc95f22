//! Files that are not tracked, and linked working trees, deleted by git.
//!
//! Takes a repository and what is to go, gives what would be lost; none where it cannot be told.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Loss;
use super::ask::Ignored;
use super::files::Asked;
use super::git::Git;
use super::index::Index;
use super::refs::lost_commits;
use super::state::Look;
use super::tracked::changed;

impl Look<'_> {
    /// Files that are not tracked are deleted.
    pub(super) fn clean(
        &mut self,
        git: &Git,
        paths: &[String],
        ignored: Ignored,
        directories: bool,
        repositories: bool,
    ) -> Option<Loss> {
        let mut given: Vec<OsString> = paths.iter().map(OsString::from).collect();
        if given.is_empty() {
            given.push(".".into());
        }
        // An untracked directory is told as a whole, and with it the ignored files in it.
        let (untracked, how) = match ignored {
            Ignored::None => ("normal", "no"),
            Ignored::Also => ("normal", "matching"),
            Ignored::Only => ("all", "matching"),
        };
        let status = git.status(untracked, how, false, &given)?;
        let mut loss = Loss {
            deletes: true,
            ..Loss::default()
        };
        let untracked: &[PathBuf] = match ignored {
            Ignored::Only => &[],
            Ignored::None | Ignored::Also => &status.untracked,
        };
        for (list, is_ignored) in [(untracked, false), (&status.ignored, true)] {
            for path in list {
                if !directories && path.as_os_str().as_bytes().ends_with(b"/") {
                    continue;
                }
                let whole = git.root.join(path);
                let is_repository = whole.join(".git").symlink_metadata().is_ok();
                if is_repository && !repositories {
                    continue;
                }
                let found = self.not_tracked(git, path);
                loss.files += found.files;
                loss.bytes = loss.bytes.saturating_add(found.bytes);
                loss.at_least |= found.is_cut;
                if repositories {
                    loss.repositories += found.repositories;
                }
                if is_ignored {
                    loss.ignored += found.files;
                } else {
                    loss.untracked += found.files;
                }
            }
        }
        Some(loss)
    }

    /// A linked working tree is deleted.
    pub(super) fn worktree(&mut self, path: &Path) -> Option<Loss> {
        // One that is not there may be named by a part of its path.
        let real = path.canonicalize().ok()?;
        let git = Git::at(&real)?;
        let contents = Index::open(&git.own.join("index"), git.name_length)?.contents(None);
        if git.own == git.common || git.root != real || contents.hides || contents.submodules {
            return None;
        }
        let status = git.status("all", "matching", false, &[])?;
        let mut loss = changed(&git, &status, true)?;
        loss.deletes = true;
        let all = self.count(&real, Asked::Folders);
        loss.files = all.files;
        loss.bytes = all.bytes;
        // One is the file that links it to its repository.
        loss.repositories = all.repositories.saturating_sub(1);
        loss.at_least |= all.is_cut;
        for path in &status.untracked {
            loss.untracked += self.not_tracked(&git, path).files;
        }
        for path in &status.ignored {
            loss.ignored += self.not_tracked(&git, path).files;
        }
        let head = git.commit("HEAD")??;
        loss.commits = lost_commits(&git, &[head], &[], None)?;
        Some(loss)
    }
}
