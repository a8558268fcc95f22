//! The answer to a question: what the files and the repositories that it names hold, and nothing else does.
//!
//! Takes an [`Ask`], gives what would be lost; none where it cannot be told. In a child of this program
//! only. In every doubt it says more than is lost, or that it is not known.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Loss;
use super::ask::{Ask, Ignored, Target, Written};
use super::files::{self, Asked, Counted, Limits, number};
use super::git::{self, Git};
use super::index::Index;
use super::kept::{self, Kept};
use super::refs::{branches, stash};
use super::untracked::{Cleaning, may_ignore};
use super::{postgres, push, script, sqlite, terraform};
use crate::sys::birth::Moment;

/// What would be lost. `kept` says whether losing something loses nothing.
/// `own` says from when on what was born is the own of who deletes it.
pub(super) fn look(
    ask: &Ask,
    kept: &dyn Kept,
    own: &dyn Fn() -> Option<Moment>,
    limits: &mut Limits,
) -> Option<Loss> {
    let look = &mut Look {
        kept,
        own,
        own_since: OnceCell::new(),
        limits,
        reached: HashMap::new(),
    };
    match ask {
        Ask::Paths(paths) => look.paths(paths, false),
        Ask::Trees(paths) => look.paths(paths, true),
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
            settings,
            directories,
            repositories,
        } => {
            let how = Cleaning {
                ignored: if *ignored == Ignored::Only
                    && settings.iter().any(|file| may_ignore(file))
                {
                    Ignored::Also
                } else {
                    *ignored
                },
                directories: *directories || !paths.is_empty(),
                repositories: *repositories,
            };
            look.clean(&Git::at(folder)?, paths, how)
        }
        Ask::Files(files) => look.files(files),
        Ask::Push {
            folder,
            remote,
            branch,
            settings,
        } => push::look(
            &Git::at(folder)?,
            remote.as_deref(),
            branch.as_deref(),
            settings,
        ),
        Ask::Stash { folder, all } => stash(&Git::at(folder)?, *all),
        Ask::Branches {
            folder,
            names,
            kept,
        } => branches(&Git::at(folder)?, names, kept.as_deref()),
        Ask::Worktree { folder, name } => look.worktree(folder, name),
        Ask::Resources(ask) => terraform::look(ask),
        Ask::Rows(ask) => sqlite::look(ask),
        Ask::Server(ask) => postgres::look(ask),
    }
}

/// A look, which is bounded.
pub(super) struct Look<'a> {
    kept: &'a dyn Kept,
    own: &'a dyn Fn() -> Option<Moment>,
    own_since: OnceCell<Option<Moment>>,
    limits: &'a mut Limits,
    /// Of directories in working trees: the link by which they are reached, where there is one.
    reached: HashMap<PathBuf, Option<PathBuf>>,
}

impl Look<'_> {
    /// Paths that are deleted with all that is in them, or only those of them that are directories.
    fn paths(&mut self, targets: &[Target], only_folders: bool) -> Option<Loss> {
        let mut loss = Loss {
            deletes: true,
            ..Loss::default()
        };
        for target in targets {
            let path = &target.path;
            if files::at(path).ok()?.is_none() {
                continue;
            }
            let (folder, real) = if target.contents {
                let real = path.canonicalize().ok()?;
                // Everything in a working tree is not its repository, but may be.
                if files::at(&real.join(".git")).ok()?.is_some() {
                    return None;
                }
                (real.parent()?.to_owned(), real)
            } else {
                let folder = path.parent()?.canonicalize().ok()?;
                let real = folder.join(path.file_name()?);
                // A link is deleted itself, unless it is named with a slash behind it.
                let is_followed = path.as_os_str().as_bytes().ends_with(b"/");
                if is_followed && files::at(&real).ok()?.is_none_or(|data| data.is_symlink()) {
                    return None;
                }
                (folder, real)
            };
            let is_counted = !only_folders || real.symlink_metadata().ok()?.is_dir();
            if !is_counted || self.kept.is_path(&real) {
                continue;
            }
            let device = real.symlink_metadata().ok()?.dev();
            if folder.metadata().ok()?.dev() != device {
                return None;
            }
            let since = *self.own_since.get_or_init(self.own);
            if since.is_some_and(|since| script::is_own(&real, since, self.limits)) {
                continue;
            }
            loss.add(&self.path(&folder, &real)?);
        }
        Some(loss)
    }

    /// Files that are written over.
    fn files(&mut self, files: &[Written]) -> Option<Loss> {
        let mut places = Vec::new();
        for file in files {
            // A link that leads to one is followed.
            let is_folder = files::is_folder(&file.path);
            if is_folder && file.into.is_empty() {
                return None;
            }
            if is_folder {
                places.extend(file.into.iter().map(|name| file.path.join(name)));
            } else {
                places.push(file.path.clone());
            }
        }
        places.sort();
        places.dedup();
        let mut loss = Loss::default();
        for path in places {
            let Some(data) = files::at(&path).ok()? else {
                continue;
            };
            // What a link leads to is written, or the link itself is replaced.
            if !data.is_file() {
                return None;
            }
            if data.len() == 0 {
                continue;
            }
            let target = Target {
                path,
                contents: false,
            };
            loss.add(&self.paths(&[target], false)?);
        }
        loss.deletes = false;
        loss.overwrites = true;
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
        loss.repositories = number(all.repositories.len());
        loss.at_least = all.is_cut;
        let in_git = real
            .components()
            .any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
        if in_git {
            loss.repositories = loss.repositories.max(1);
            return Some(loss);
        }
        if all.files == 0 && all.repositories.is_empty() || all.is_cut {
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
        for (path, is_ignored) in status.not_tracked() {
            let whole = git.root.join(path);
            listed += files::count(&whole, &|_| false, Asked::Folders, self.limits).files;
            self.not_tracked(&git.root, path, is_ignored, &mut loss);
        }
        // Each file that is there must be one that git speaks of.
        let known = index.there(below, &mut |path| match self.link_above(&git, path) {
            Some(_) => Ok(None),
            None => self.look(&git, path),
        });
        let known = known? + listed;
        if !all.is_partly_kept && known != all.files {
            return None;
        }
        Some(loss)
    }

    /// Adds what is lost with something that is not tracked; gives all that is there.
    pub(super) fn not_tracked(
        &mut self,
        root: &Path,
        path: &Path,
        is_ignored: bool,
        loss: &mut Loss,
    ) -> Counted {
        if self.kept.is_name(path, &|| true) {
            return Counted::default();
        }
        let found = self.count(&root.join(path), Asked::All);
        let files = if is_ignored {
            &mut loss.ignored
        } else {
            &mut loss.untracked
        };
        *files += found.files;
        loss.at_least |= found.is_cut;
        found
    }

    /// How many files below a path of a working tree are there, all of them as the index has them and none
    /// found through a link.
    pub(super) fn same(&mut self, git: &Git, index: &Index, path: &Path) -> Option<u64> {
        index.surely_same(
            path.as_os_str().as_bytes(),
            &mut |path| match self.link_above(git, path) {
                Some(_) => Err(()),
                None => self.look(git, path),
            },
        )
    }

    /// What is at a path of a working tree.
    fn look(&mut self, git: &Git, path: &[u8]) -> Result<Option<Metadata>, ()> {
        if !self.limits.spend() {
            return Err(());
        }
        files::at(&git.root.join(OsStr::from_bytes(path)))
    }

    /// The link that stands in a working tree in place of a directory above a path.
    pub(super) fn link_above(&mut self, git: &Git, path: &[u8]) -> Option<PathBuf> {
        let folder = Path::new(OsStr::from_bytes(path)).parent()?;
        self.link_at(&git.root, folder)
    }

    /// The link by which a directory is reached that has this path in a working tree.
    fn link_at(&mut self, root: &Path, folder: &Path) -> Option<PathBuf> {
        let above = folder.parent()?;
        let whole = root.join(folder);
        if let Some(known) = self.reached.get(&whole) {
            return known.clone();
        }
        let is_link = || matches!(files::at(&whole), Ok(Some(data)) if data.is_symlink());
        let link = self
            .link_at(root, above)
            .or_else(|| is_link().then(|| whole.clone()));
        self.reached.insert(whole, link.clone());
        link
    }

    pub(super) fn count(&mut self, path: &Path, asked: Asked) -> Counted {
        let is_in_project = kept::once(self.kept, path);
        let is_kept = |name: &Path| self.kept.is_name(name, &is_in_project);
        files::count(path, &is_kept, asked, self.limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same answer to everything.
    struct Always(bool);

    impl Kept for Always {
        fn is_path(&self, _: &Path) -> bool {
            self.0
        }

        fn is_name(&self, _: &Path, _: &dyn Fn() -> bool) -> bool {
            self.0
        }

        fn is_in_project(&self, _: &Path) -> bool {
            self.0
        }
    }

    #[test]
    fn what_could_not_be_counted_is_not_nothing() {
        for (kept, is_none) in [(true, true), (false, false)] {
            let mut loss = Loss::default();
            let mut look = Look {
                kept: &Always(kept),
                own: &|| None,
                own_since: OnceCell::new(),
                limits: &mut Limits::none(),
                reached: HashMap::new(),
            };
            look.not_tracked(Path::new("/"), Path::new("usr"), true, &mut loss);
            assert_eq!(loss.is_none(), is_none);
        }
    }
}
