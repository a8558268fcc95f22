//! How many files an action would take, by a look at each path that it names: cheap enough for every start.
//!
//! Takes paths, gives numbers. It follows no link below a directory, and stops at a number of entries and at a
//! time. What it cannot tell counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::action::Value;
use crate::policy::matcher::Facts;
use crate::policy::schema::{Loses, Program, Targets};
use crate::sys::birth::{self, Entry, Kind, Moment};

/// How many paths are looked at.
const MOST: u32 = 10_000;
/// How long they are looked at.
const LONGEST: Duration = Duration::from_millis(100);
/// How many words are remembered with a start.
const MOST_KEPT: usize = 64;

/// What an action names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Where the root of the process is as it is seen from here; empty where it is the same.
    root: PathBuf,
    list: Vec<Place>,
    /// Whether it writes over what it names, in place of deleting it.
    overwrites: bool,
}

/// What one word names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// The path; none where it is not known.
    path: Option<PathBuf>,
    /// If that is a directory: what is put into it, by name.
    into: Vec<String>,
}

/// How much that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Files and links.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Whether not all was looked at.
    pub at_least: bool,
}

impl Count {
    /// Adds another one.
    pub fn add(&mut self, more: Self) {
        self.files = self.files.saturating_add(more.files);
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.at_least |= more.at_least;
    }
}

impl Places {
    /// What an action names that would be lost in this way, for a process whose root is seen at `root`.
    #[must_use]
    pub fn of(at: Loses, facts: &Facts<'_>, skip: usize, root: PathBuf) -> Self {
        let overwrites = at == Loses::Overwritten;
        let words = match at {
            Loses::Targets | Loses::Overwritten => facts.targets(skip),
            Loses::Moved => facts.sources(skip),
            _ => Vec::new(),
        };
        let puts = |program: &Program| program.targets == Targets::Last;
        let into: Vec<String> = if overwrites && facts.program.is_some_and(puts) {
            facts.operands(skip).filter_map(name).collect()
        } else {
            Vec::new()
        };
        let cwd = facts.action.cwd.as_deref();
        // What code works out is not known, and may be nothing. A word that is no text is one all the same.
        let is_given = |word: &&Value| word.is_known() || facts.action.index == 0;
        let list = words.iter().filter(is_given).map(|word| Place {
            path: cwd
                .filter(|_| word.is_known())
                .map(|cwd| Path::new(cwd).join(&word.text)),
            into: into.clone(),
        });
        Self {
            root,
            list: list.collect(),
            overwrites,
        }
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the same words name the same for every process, and are few enough to be remembered.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        let is_same = self.root.as_os_str().is_empty();
        let mut named = self.list.iter();
        is_same && self.list.len() <= MOST_KEPT && named.all(|one| one.path.is_some())
    }

    /// Whether they are written over.
    #[must_use]
    pub fn are_written_over(&self) -> bool {
        self.overwrites
    }

    /// How much of it was there before `since` and is not `kept`, which says of a path whether it is no loss.
    #[must_use]
    pub fn count(&self, since: Moment, kept: &dyn Fn(&Path) -> bool) -> Count {
        let mut walk = Walk {
            places: self,
            since,
            kept,
            count: Count::default(),
            left: MOST,
            until: None,
        };
        let mut paths = Vec::new();
        for place in &self.list {
            let path = place.path.as_ref().filter(|_| walk.may_go_on());
            let Some(path) = path else {
                walk.count.files += 1;
                walk.count.at_least = true;
                continue;
            };
            let is_folder =
                || birth::at(&self.seen(path), true).is_ok_and(|found| found.kind == Kind::Folder);
            if !place.into.is_empty() && is_folder() {
                paths.extend(place.into.iter().map(|name| path.join(name)));
            } else {
                paths.push(path.clone());
            }
        }
        // The directory that takes a file and the file in it are named by one word.
        paths.sort();
        paths.dedup();
        for path in &paths {
            walk.one(path);
        }
        walk.count
    }

    /// A path of the process as it is seen from here.
    fn seen(&self, path: &Path) -> PathBuf {
        if self.root.as_os_str().is_empty() {
            return path.to_owned();
        }
        let mut parts = path.components();
        parts.next();
        self.root.join(parts.as_path())
    }
}

/// The name under which an operand arrives in a directory.
fn name(operand: &Value) -> Option<String> {
    let name = operand.text.trim_end_matches('/').rsplit('/').next()?;
    let is_one = operand.is_known() && !matches!(name, "" | "." | "..");
    is_one.then(|| name.to_owned())
}

/// A look at what is named.
struct Walk<'a> {
    places: &'a Places,
    since: Moment,
    kept: &'a dyn Fn(&Path) -> bool,
    count: Count,
    left: u32,
    until: Option<Instant>,
}

impl Walk<'_> {
    /// What one word names.
    fn one(&mut self, path: &Path) {
        let Ok(mut found) = birth::at(&self.places.seen(path), false) else {
            return;
        };
        if self.places.overwrites && found.kind == Kind::Link {
            match birth::at(&self.places.seen(path), true) {
                Ok(file) => found = file,
                Err(_) => return,
            }
        }
        match found.kind {
            Kind::Folder if self.places.overwrites || self.is_kept(path) => {}
            Kind::Folder => self.folder(path, found.device),
            Kind::File | Kind::Link | Kind::Other => {
                if self.is_lost(&found) && !self.is_kept(path) {
                    self.take(&found);
                }
            }
        }
    }

    /// Whether another path may be looked at. The time of the first one is not asked for: mostly it is the only one.
    fn may_go_on(&mut self) -> bool {
        const UNASKED: u32 = 16;
        self.left = self.left.saturating_sub(1);
        if self.left.is_multiple_of(UNASKED) {
            let until = *self.until.get_or_insert_with(|| Instant::now() + LONGEST);
            if Instant::now() >= until {
                self.left = 0;
            }
        }
        self.left > 0
    }

    /// All that is in a directory.
    fn folder(&mut self, path: &Path, device: (u32, u32)) {
        let mut open = vec![path.to_owned()];
        while let Some(folder) = open.pop() {
            let Ok(entries) = fs::read_dir(self.places.seen(&folder)) else {
                self.count.at_least = true;
                continue;
            };
            for entry in entries.flatten() {
                if !self.may_go_on() {
                    self.count.at_least = true;
                    return;
                }
                let path = folder.join(entry.file_name());
                let Ok(found) = birth::at(&self.places.seen(&path), false) else {
                    continue;
                };
                if (self.kept)(&path) {
                    continue;
                }
                if found.kind != Kind::Folder {
                    if self.is_lost(&found) {
                        self.take(&found);
                    }
                } else if found.device == device {
                    open.push(path);
                }
            }
        }
    }

    fn take(&mut self, found: &Entry) {
        self.count.files += 1;
        self.count.bytes = self.count.bytes.saturating_add(found.bytes);
    }

    /// Whether it holds something that was there before.
    fn is_lost(&self, found: &Entry) -> bool {
        let is_own = |born: Moment| self.since <= born && born.has_come();
        let is_old = !found.born.is_some_and(is_own);
        let holds = !(self.places.overwrites && found.bytes == 0);
        is_old && holds && found.kind != Kind::Other
    }

    /// Whether it is no loss by its name, and where it really is.
    fn is_kept(&self, path: &Path) -> bool {
        if !(self.kept)(path) {
            return false;
        }
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        let real = self.places.seen(above).canonicalize();
        real.is_ok_and(|real| {
            let real = real.join(name);
            real == path || (self.kept)(&real)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn places(paths: &[&Path], into: &[&str], overwrites: bool) -> Places {
        let into = into.iter().map(|&name| name.to_owned());
        let place = |path: &&Path| Place {
            path: Some((*path).to_owned()),
            into: into.clone().collect(),
        };
        Places {
            root: PathBuf::new(),
            list: paths.iter().map(place).collect(),
            overwrites,
        }
    }

    #[test]
    fn what_was_there_before_counts_unless_it_is_no_loss() {
        let folder = std::env::temp_dir().join(format!("kibosh-toll-{}", std::process::id()));
        fs::create_dir_all(folder.join("made/old")).unwrap();
        fs::write(folder.join("a"), "12345").unwrap();
        fs::write(folder.join("empty"), "").unwrap();
        fs::write(folder.join("made/old/b"), "1").unwrap();
        symlink("a", folder.join("link")).unwrap();
        symlink("made", folder.join("way")).unwrap();
        fs::create_dir(folder.join("away")).unwrap();
        symlink(&folder, folder.join("away/made")).unwrap();
        let at = |name: &str| folder.join(name);
        let kept = |path: &Path| path.components().any(|part| part.as_os_str() == "made");
        let none = |_: &Path| false;
        let future = Moment::now().unwrap();
        std::thread::sleep(Duration::from_millis(30));
        let later = Moment::now().unwrap();
        assert!(future < later);
        let files = |paths: &[&Path], overwrites, kept: &dyn Fn(&Path) -> bool| {
            let count = places(paths, &[], overwrites).count(later, kept);
            (count.files, count.bytes, count.at_least)
        };
        assert_eq!(files(&[&at("a"), &at("none")], false, &none), (1, 5, false));
        assert_eq!(files(&[&at("empty")], false, &none), (1, 0, false));
        assert_eq!(files(&[&at("empty")], true, &none), (0, 0, false));
        assert_eq!(files(&[&at("link")], false, &none), (1, 1, false));
        assert_eq!(files(&[&at("link")], true, &none), (1, 5, false));
        assert_eq!(files(&[&at("made")], true, &none), (0, 0, false));
        assert_eq!(files(&[&at("made/old/b")], false, &kept), (0, 0, false));
        assert_eq!(files(&[&at("made")], false, &none), (1, 1, false));
        assert_eq!(files(&[&at("made")], false, &kept), (0, 0, false));
        // The name alone is not believed: what it leads to counts.
        assert_eq!(files(&[&at("away/made/a")], false, &kept), (1, 5, false));
        assert_eq!(files(&[&at("made/../a")], false, &kept), (1, 5, false));
        // `cp a way/` arrives in the directory.
        let into = places(&[&at("way/old")], &["b", "c"], true);
        assert_eq!(into.count(later, &none).files, 1);
        // What is too much to be looked at counts as it is named.
        let many = vec![folder.join("none"); MOST as usize + 5];
        let many: Vec<&Path> = many.iter().map(PathBuf::as_path).collect();
        let count = places(&many, &[], false).count(later, &none);
        assert!(count.files >= 6 && count.at_least, "{count:?}");
        // What was made since is not what was there.
        let past = Moment::default();
        assert_eq!(places(&[&at("a")], &[], false).count(past, &none).files, 0);
        fs::remove_dir_all(&folder).unwrap();
    }
}
