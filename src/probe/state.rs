//! The answer to a question: what the files and the repositories that it names hold, and nothing else does.
//!
//! Takes an [`Ask`], gives what would be lost; none where it cannot be told. In a child of this program
//! only. In every doubt it says more than is lost, or that it is not known.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use super::Loss;
use super::ask::{Ask, Ignored, Target};
use super::files::{self, Asked, Limits};
use super::git::{self, Git, Status};
use super::index::Index;
use super::refs::{branches, lost_commits, stash};
use super::{sqlite, terraform};

/// What is made again: a directory of this name, or a file of this kind. Absolute paths are asked about as
/// they are, others as they stand in a working tree or below what is deleted.
pub(super) trait Kept {
    /// Whether losing a path loses nothing.
    fn is_kept(&self, path: &Path) -> bool;
}

/// How many files are named to git one by one.
const MOST_ADDED: usize = 50_000;

/// What would be lost.
pub(super) fn look(ask: &Ask, kept: &dyn Kept, limits: &mut Limits) -> Option<Loss> {
    let look = &mut Look { kept, limits };
    match ask {
        Ask::Paths(paths) => look.paths(paths),
        Ask::Tree {
            folder,
            paths,
            revision,
            is_revision_or_path,
            index,
            moves,
        } => {
            let git = Git::at(folder)?;
            let (mut revision, mut paths) = (revision.clone(), paths.clone());
            let mut index = *index;
            if *is_revision_or_path {
                let first = revision?;
                let is_path = files::at(&folder.join(&first)).ok()?.is_some();
                let is_revision = git.commit(&first)?.is_some();
                // Git itself refuses what may be both.
                (revision, index) = match (is_revision, is_path) {
                    (true, false) if !paths.is_empty() => (Some(first), true),
                    // `HEAD:src` is a tree, `:/` is a path.
                    (false, false) if first.trim_start_matches(':').contains(':') => return None,
                    (false, _) => {
                        paths.insert(0, first);
                        (None, false)
                    }
                    (true, _) => return None,
                };
            }
            look.tree(&git, revision.as_deref(), &paths, index, *moves)
        }
        Ask::Clean {
            folder,
            paths,
            ignored,
            directories,
            repositories,
        } => {
            let git = Git::at(folder)?;
            let all = *directories || !paths.is_empty();
            look.clean(&git, paths, *ignored, all, *repositories)
        }
        Ask::Stash { folder, all } => stash(&Git::at(folder)?, *all),
        Ask::Branches {
            folder,
            names,
            kept,
        } => branches(&Git::at(folder)?, names, kept.as_deref()),
        Ask::Worktree(path) => look.worktree(path),
        Ask::Resources(ask) => terraform::look(ask),
        Ask::Rows(ask) => sqlite::look(ask),
    }
}

struct Look<'a> {
    kept: &'a dyn Kept,
    limits: &'a mut Limits,
}

impl Look<'_> {
    /// Paths that are deleted with all that is in them.
    fn paths(&mut self, targets: &[Target]) -> Option<Loss> {
        let mut loss = Loss {
            deletes: true,
            ..Loss::default()
        };
        for target in targets {
            let path = &target.path;
            let Some(data) = files::at(path).ok()? else {
                continue;
            };
            let (folder, real) = if target.contents {
                let real = path.canonicalize().ok()?;
                // Everything in a working tree is not its repository, but may be.
                if files::at(&real.join(".git")).ok()?.is_some() {
                    return None;
                }
                (real.parent()?.to_owned(), real)
            } else {
                // A link is deleted itself, unless it is named with a slash behind it.
                if data.is_symlink() && path.as_os_str().as_bytes().ends_with(b"/") {
                    return None;
                }
                let folder = path.parent()?.canonicalize().ok()?;
                let real = folder.join(path.file_name()?);
                (folder, real)
            };
            if self.kept.is_kept(&real) {
                continue;
            }
            let device = real.symlink_metadata().ok()?.dev();
            if folder.metadata().ok()?.dev() != device {
                return None;
            }
            loss.add(&self.path(&folder, &real)?);
        }
        Some(loss)
    }

    /// One path that is deleted; its directory has no link in it.
    fn path(&mut self, folder: &Path, real: &Path) -> Option<Loss> {
        let mut loss = Loss::default();
        let may_be_tracked = git::is_in_one(folder);
        let asked = if may_be_tracked {
            Asked::Folders
        } else {
            Asked::All
        };
        let all = self.count(real, asked);
        loss.files = all.files;
        loss.bytes = all.bytes;
        loss.repositories = all.repositories;
        loss.at_least = all.is_cut;
        let in_git = real
            .components()
            .any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
        if in_git {
            loss.repositories = loss.repositories.max(1);
            return Some(loss);
        }
        if all.files == 0 && all.repositories == 0 || all.is_cut {
            return Some(loss);
        }
        let Some(git) = may_be_tracked.then(|| Git::at(folder)).flatten() else {
            loss.outside = all.files;
            return Some(loss);
        };
        if [&git.root, &git.own, &git.common]
            .iter()
            .any(|place| place.starts_with(real))
        {
            loss.repositories = loss.repositories.max(1);
            return Some(loss);
        }
        let relative = real.strip_prefix(&git.root).ok()?;
        let index = Index::open(&git.own.join("index"), git.name_length)?;
        let below = relative.as_os_str().as_bytes();
        // Where all that is there is in the index as it is, git need not look.
        if !all.is_partly_kept && self.same(&git, &index, relative) == Some(all.files) {
            return Some(loss);
        }
        let contents = index.contents(Some(below));
        if contents.hides || contents.submodules {
            return None;
        }
        // Only so each file is told that stands below a directory where the index has a file.
        let status = git.status("all", "matching", true, &[real.as_os_str().to_owned()])?;
        for (_, state, path) in &status.changed {
            match state {
                b'.' | b'D' => {}
                b'A' => loss.untracked += 1,
                _ => loss.modified += u64::from(files::at(&git.root.join(path)).ok()?.is_some()),
            }
        }
        loss.modified += number(status.unmerged.len());
        let mut listed = 0;
        for (list, is_ignored) in [(&status.untracked, false), (&status.ignored, true)] {
            for path in list {
                let all = files::count(
                    &git.root.join(path),
                    &|_| false,
                    Asked::Folders,
                    self.limits,
                );
                listed += all.files;
                let found = self.not_tracked(&git, path);
                loss.at_least |= found.is_cut;
                if is_ignored {
                    loss.ignored += found.files;
                } else {
                    loss.untracked += found.files;
                }
            }
        }
        // Each file that is there must be one that git speaks of.
        let known = index.there(below, &mut |path| self.look(&git, path))? + listed;
        if !all.is_partly_kept && known != all.files {
            return None;
        }
        Some(loss)
    }

    /// Tracked files that are overwritten.
    fn tree(
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
        let mut loss = changed(git, &status, index)?;
        let Some(revision) = revision else {
            return Some(loss);
        };
        let head = git.commit("HEAD")??;
        let target = git.commit(revision)??;
        if head != target {
            loss.untracked += overwritten(git, &head, &target, paths)?;
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

    /// Files that are not tracked are deleted.
    fn clean(
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
    fn worktree(&mut self, path: &Path) -> Option<Loss> {
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

    /// What is lost with something that is not tracked.
    fn not_tracked(&mut self, git: &Git, path: &Path) -> files::Counted {
        if self.kept.is_kept(path) {
            return files::Counted::default();
        }
        self.count(&git.root.join(path), Asked::All)
    }

    /// How many files below a path of a working tree are there, all of them as the index has them.
    fn same(&mut self, git: &Git, index: &Index, path: &Path) -> Option<u64> {
        index.surely_same(path.as_os_str().as_bytes(), &mut |path| {
            self.look(git, path)
        })
    }

    /// What is at a path of a working tree.
    fn look(&mut self, git: &Git, path: &[u8]) -> Result<Option<Metadata>, ()> {
        if !self.limits.spend() {
            return Err(());
        }
        files::at(&git.root.join(OsStr::from_bytes(path)))
    }

    fn count(&mut self, path: &Path, asked: Asked) -> files::Counted {
        let kept = self.kept;
        files::count(path, &|name| kept.is_kept(name), asked, self.limits)
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

/// What was changed in tracked files, and in the index where that is overwritten, too.
fn changed(git: &Git, status: &Status, index: bool) -> Option<Loss> {
    let mut loss = Loss::default();
    let paths = status.changed.iter().filter_map(|(staged, state, path)| {
        let by_state = !matches!(state, b'.' | b'D');
        let by_index = index && !matches!(staged, b'.');
        (by_state || by_index).then_some(path)
    });
    // A directory that stands in place of a file gives way with all that is in it.
    for (_, state, path) in &status.changed {
        if *state == b'D' && files::at(&git.root.join(path)).ok()?.is_some() {
            loss.untracked += 1;
        }
    }
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
fn overwritten(git: &Git, head: &str, target: &str, paths: &[String]) -> Option<u64> {
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
        let path = git.root.join(OsStr::from_bytes(path));
        let is_there = match path.symlink_metadata() {
            Ok(_) => true,
            // A file stands where a directory is to be.
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        };
        found += u64::from(is_there);
    }
    Some(found)
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Whether a folder can be asked about at all.
pub(super) fn is_there(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|data| data.is_dir())
}
