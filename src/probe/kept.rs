//! Which files the policy takes for no loss, by their names and by where they stand.
//!
//! Some names tell by themselves that a file is made again (`node_modules`). Others do so in a project only: `build`
//! beside a `Makefile` is not the `build` of somebody's pictures. The project that one works on is known; whether there is another one is looked for.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::files;
use crate::policy::matcher::Facts;
use crate::policy::paths::PathText;

/// Classes of the policy whose files are no loss: what is made again, below a working tree or a directory that
/// goes; what is so in a project; and, of what a command names itself, what is temporary.
const REGENERABLE: &str = "regenerable";
const BUILT: &str = "built";
const TEMPORARY: &str = "temporary";
/// What is a loss wherever it is, if it is named itself.
const PRECIOUS: &[&str] = &["valuable", "database", "credential"];
/// What stands in the directory of a project.
const PROJECT: &str = "project";

/// Whether the policy takes a path for no loss; `is_in` tells whether a path is in one of its classes.
#[must_use]
pub fn is_kept(path: &Path, is_in: &dyn Fn(&PathText, &str) -> bool) -> bool {
    let Some(path) = text(path) else {
        return false;
    };
    let is_in = |class: &&str| is_in(&path, class);
    [REGENERABLE, BUILT, TEMPORARY].iter().any(is_in) && !PRECIOUS.iter().any(is_in)
}

fn text(path: &Path) -> Option<PathText> {
    let text = path.to_str()?;
    Some(PathText {
        text: text.trim_end_matches('/').to_owned(),
        contents: false,
        floating: !text.starts_with('/'),
        glob: false,
    })
}

/// What is asked about paths and names that would go.
pub(super) trait Kept {
    /// Whether an absolute path, as the kernel finds it, is no loss.
    fn is_path(&self, path: &Path) -> bool;

    /// Whether a name below a directory, or a path in a working tree, is no loss.
    fn is_name(&self, name: &Path, is_in_project: &dyn Fn() -> bool) -> bool;

    /// Whether a directory belongs to a project.
    fn is_in_project(&self, folder: &Path) -> bool;
}

/// By the classes of the policy, and by what stands above.
pub(super) struct ByPolicy<'a> {
    facts: &'a Facts<'a>,
}

impl<'a> ByPolicy<'a> {
    pub(super) const fn of(facts: &'a Facts<'a>) -> Self {
        Self { facts }
    }

    /// The project to which a directory belongs: the closest one above, or itself, in which something stands that is only
    /// in the directory of a project. The home directory and what is above it are none: everything would be inside.
    fn project(&self, folder: &Path) -> Option<PathBuf> {
        let home = Path::new(self.facts.home());
        let is_project = |folder: &&Path| {
            let mut marks = self.facts.names_of(PROJECT).iter();
            marks.any(|mark| matches!(files::at(&folder.join(mark)), Ok(Some(_))))
        };
        let mut above = folder.ancestors().take_while(|at| !home.starts_with(at));
        above.find(is_project).map(Path::to_owned)
    }
}

impl Kept for ByPolicy<'_> {
    fn is_path(&self, path: &Path) -> bool {
        if is_kept(path, &|path, class| self.facts.is_in(path, class)) {
            return true;
        }
        let is_so_in = |project: &str| {
            let is_in = |path: &PathText, class: &str| self.facts.is_in_for(project, path, class);
            is_kept(path, &is_in)
        };
        let project = || self.project(path.parent()?)?.to_str().map(str::to_owned);
        is_so_in("/") && project().is_some_and(|project| is_so_in(&project))
    }

    fn is_name(&self, name: &Path, is_in_project: &dyn Fn() -> bool) -> bool {
        text(name).is_some_and(|name| {
            self.facts.is_in(&name, REGENERABLE)
                || self.facts.is_in(&name, BUILT) && is_in_project()
        })
    }

    fn is_in_project(&self, folder: &Path) -> bool {
        let is_here = text(folder).is_some_and(|folder| self.facts.is_in(&folder, "workspace"));
        is_here || self.project(folder).is_some()
    }
}

/// Whether a directory belongs to a project, looked at once.
pub(super) fn once<'a>(kept: &'a dyn Kept, folder: &'a Path) -> impl Fn() -> bool + 'a {
    let known = OnceCell::new();
    move || *known.get_or_init(|| kept.is_in_project(folder))
}
