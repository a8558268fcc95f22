//! Tracked files that are overwritten: what was changed in them, and what stands where others come.
//!
//! Takes a repository, paths and a revision, gives what would be lost; none where it cannot be told.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::Loss;
use super::files::{self, number};
use super::git::{Git, Status};
use super::index::Index;
use super::refs::lost_commits;
use super::state::Look;

/// How many files are named to git one by one.
const MOST_ADDED: usize = 50_000;

impl Look<'_> {
    /// Tracked files that are overwritten.
    pub(super) fn tree(
        &mut self,
        git: &Git,
        revision: Option<&str>,
        paths: &[String],
        index: bool,
        moves: bool,
    ) -> Option<Loss> {
        let file = Index::open(&git.own.join("index"), git.name_length)?;
        if revision.is_none() && !index && !paths.is_empty() {
            let mut all = paths.iter().map(|path| plain(git, path));
            let is_same = |path: Option<PathBuf>| {
                path.is_some_and(|path| self.same(git, &file, &path).is_some())
            };
            if all.all(is_same) {
                return Some(Loss::default());
            }
        }
        let contents = file.contents(None);
        if contents.hides || contents.submodules {
            return None;
        }
        let given: Vec<OsString> = paths.iter().map(OsString::from).collect();
        let status = git.status("no", "no", false, &given)?;
        let mut loss = self.changed(git, &status, index)?;
        let Some(revision) = revision else {
            return Some(loss);
        };
        let head = git.commit("HEAD")??;
        let target = git.commit(revision)??;
        if head != target {
            loss.untracked += self.overwritten(git, &head, &target, paths)?;
        }
        if moves && head != target {
            let name = git.says(&["rev-parse", "--symbolic-full-name", "HEAD"])?;
            let name = String::from_utf8(name).ok()?;
            let left = [name.trim().to_owned()];
            loss.commits = lost_commits(git, &[head], &left, Some(&target))?;
        } else if !moves && paths.is_empty() {
            // A commit that is checked out by itself is left.
            loss.commits = lost_commits(git, &[head], &[], Some(&target))?;
        }
        Some(loss)
    }

    /// What was changed in tracked files, and in the index where that is overwritten, too.
    pub(super) fn changed(&mut self, git: &Git, status: &Status, index: bool) -> Option<Loss> {
        let mut loss = Loss::default();
        let paths = status.changed.iter().filter_map(|(staged, state, path)| {
            let by_state = !matches!(state, b'.' | b'D');
            let by_index = index && !matches!(staged, b'.');
            (by_state || by_index).then_some(path)
        });
        // A directory that stands in place of a file gives way with all that is in it.
        let mut links = BTreeSet::new();
        for (_, state, path) in &status.changed {
            if *state != b'D' {
                continue;
            }
            // So does a link in place of a directory above.
            match self.link_above(git, path.as_os_str().as_bytes()) {
                Some(link) => _ = links.insert(link),
                None => {
                    loss.untracked += u64::from(files::at(&git.root.join(path)).ok()?.is_some())
                }
            }
        }
        loss.untracked += number(links.len());
        for path in paths.chain(&status.unmerged) {
            // What was deleted only comes back.
            if let Some(data) = files::at(&git.root.join(path)).ok()? {
                loss.files += 1;
                loss.modified += 1;
                loss.bytes = loss.bytes.saturating_add(data.len());
            }
        }
        // What is in the index and not in the working tree is in no file, and in no commit.
        let staged_alone = status
            .changed
            .iter()
            .filter(|(staged, state, _)| index && *state == b'D' && !matches!(staged, b'.' | b'D'));
        let staged_alone = number(staged_alone.count());
        loss.files += staged_alone;
        loss.modified += staged_alone;
        loss.modified += number(status.unmerged.len()).saturating_sub(loss.modified);
        Some(loss)
    }

    /// How many files that are not tracked stand where a revision has some.
    fn overwritten(
        &mut self,
        git: &Git,
        head: &str,
        target: &str,
        paths: &[String],
    ) -> Option<u64> {
        let mut arguments = vec![
            "diff-tree",
            "-r",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-relative",
            "--name-only",
            "--diff-filter=A",
            head,
            target,
            "--",
        ];
        arguments.extend(paths.iter().map(String::as_str));
        let said = git.says(&arguments)?;
        let mut found = 0;
        let added = said
            .split(|&byte| byte == 0)
            .filter(|path| !path.is_empty());
        for (place, path) in added.enumerate() {
            if place >= MOST_ADDED {
                return None;
            }
            let is_linked = self.link_above(git, path).is_some();
            // An error: a file stands where a directory is to be.
            let is_free = matches!(files::at(&git.root.join(OsStr::from_bytes(path))), Ok(None));
            found += u64::from(is_linked || !is_free);
        }
        Some(found)
    }
}

/// A path that is given to git, relative to the root, where it is surely no pattern.
fn plain(git: &Git, path: &str) -> Option<PathBuf> {
    if path.starts_with(':') || path.contains(['*', '?', '[', '\\']) {
        return None;
    }
    let folder = git.folder.canonicalize().ok()?;
    let mut whole = folder.strip_prefix(&git.root).ok()?.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => whole.push(name),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(whole)
}
