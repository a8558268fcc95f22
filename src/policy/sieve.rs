//! A class of paths with what tells at a glance that most paths are not in it.

use std::cell::OnceCell;

use serde::Deserialize;

use super::glob;
use super::looks::{Looks, sum};
use super::schema::PathClass;

/// A class of paths, ready to be asked about many of them.
#[derive(Debug, Deserialize)]
#[serde(from = "PathClass")]
pub struct Class {
    paths: PathClass,
    sieve: OnceCell<Sieve>,
}

impl Class {
    /// The class as it is written.
    #[must_use]
    pub fn paths(&self) -> &PathClass {
        &self.paths
    }

    /// Whether a list of the class may name this path, which is in normal form and holds no pattern that finds
    /// others. `home` is the home directory.
    #[must_use]
    pub fn may_name(&self, path: &Seen, text: &str, home: &str) -> bool {
        let sieve = self.sieve.get_or_init(|| Sieve::of(&self.paths));
        sieve.may_hold(path, text, home)
    }
}

impl From<PathClass> for Class {
    fn from(paths: PathClass) -> Self {
        Self {
            paths,
            sieve: OnceCell::new(),
        }
    }
}

/// Some components of paths.
#[derive(Debug, Default)]
struct Components {
    /// Their sums, sorted.
    sums: Vec<u32>,
    /// Whether any other may be meant, too.
    is_open: bool,
}

impl Components {
    fn may_have(&self, sum: u32) -> bool {
        self.is_open || self.sums.binary_search(&sum).is_ok()
    }

    fn add(&mut self, pattern: &str) {
        if glob::is_literal(pattern) && !pattern.starts_with('~') {
            self.sums.push(sum(pattern));
        } else {
            self.is_open = true;
        }
    }

    fn is_empty(&self) -> bool {
        self.sums.is_empty() && !self.is_open
    }
}

/// What one component of each path of a class is.
#[derive(Debug, Default)]
struct Sieve {
    /// The first components of what is written from `/`.
    from_root: Components,
    /// Those of what is written from the home directory.
    from_home: Components,
    /// Those of all other patterns.
    from_here: Components,
    /// What stands anywhere.
    components: Components,
    /// Patterns of what stands anywhere.
    component_globs: Vec<String>,
    /// The last component.
    names: Components,
    /// What follows the last dot of the last component.
    extensions: Components,
    /// Patterns of the last component.
    name_globs: Vec<String>,
}

impl Sieve {
    fn of(class: &PathClass) -> Self {
        let mut sieve = Self::default();
        for pattern in class.at.iter().chain(&class.under) {
            sieve.add_place(pattern);
        }
        // All that is rooted is below the root.
        sieve.from_root.is_open |= class.under.iter().any(|pattern| pattern == "/");
        for pattern in class.component.iter().flat_map(|one| one.split('|')) {
            if glob::is_literal(pattern) {
                sieve.components.add(pattern);
            } else {
                sieve.component_globs.push(pattern.to_owned());
            }
        }
        for pattern in class.name_is.iter().flat_map(|one| one.split('|')) {
            let extension = pattern.strip_prefix("*.");
            match extension.filter(|it| glob::is_literal(it) && !it.contains('.')) {
                Some(extension) => sieve.extensions.add(extension),
                None if glob::is_literal(pattern) => sieve.names.add(pattern),
                None => sieve.name_globs.push(pattern.to_owned()),
            }
        }
        let Self {
            from_root,
            from_home,
            from_here,
            components,
            names,
            extensions,
            ..
        } = &mut sieve;
        for it in [
            from_root, from_home, from_here, components, names, extensions,
        ] {
            it.sums.sort_unstable();
        }
        sieve
    }

    /// Takes in a pattern of `at` or `under`.
    fn add_place(&mut self, pattern: &str) {
        let (among, rest) = if let Some(rest) = pattern.strip_prefix("**/") {
            (&mut self.components, rest)
        } else if let Some(rest) = pattern.strip_prefix("~/") {
            (&mut self.from_home, rest)
        } else if let Some(rest) = pattern.strip_prefix('/') {
            (&mut self.from_root, rest)
        } else {
            (&mut self.from_here, pattern)
        };
        let first = first_of(rest);
        among.add(first);
        // What is before the first slash of a rooted path is nothing, and a home directory of a name is a rooted path.
        if !pattern.starts_with('/') && (first.starts_with('~') || glob::matches(first, "")) {
            self.from_root.is_open = true;
        }
    }

    fn may_hold(&self, path: &Seen, text: &str, home: &str) -> bool {
        let from_start = if path.is_rooted {
            &self.from_root
        } else {
            &self.from_here
        };
        let first = path.components.get(usize::from(path.is_rooted));
        if first.is_some_and(|sum| from_start.may_have(*sum)) {
            return true;
        }
        if !self.from_home.is_empty() {
            let below = text.strip_prefix(home);
            let below = below.and_then(|rest| rest.strip_prefix('/'));
            let is_meant = |below: &str| self.from_home.may_have(sum(first_of(below)));
            if !glob::is_literal(home) || below.is_some_and(is_meant) {
                return true;
            }
        }
        let mut components = path.components.iter();
        if !self.components.is_empty() && components.any(|sum| self.components.may_have(*sum)) {
            return true;
        }
        let may_be_one = |pattern: &String| {
            path.looks.may_match_one(pattern)
                && text.split('/').any(|one| glob::is_one(pattern, one))
        };
        if self.component_globs.iter().any(may_be_one) {
            return true;
        }
        let last = text.get(path.last..).unwrap_or_default();
        let is_last = |pattern: &String| glob::is_one(pattern, last);
        path.components
            .last()
            .is_some_and(|sum| self.names.may_have(*sum))
            || path
                .extension
                .is_some_and(|sum| self.extensions.may_have(sum))
            || self.name_globs.iter().any(is_last)
    }
}

/// What all classes are asked of one path.
#[derive(Debug)]
pub struct Seen {
    is_rooted: bool,
    /// The sums of its components; that before a first slash is of nothing.
    components: Vec<u32>,
    looks: Looks,
    /// Where the last component begins.
    last: usize,
    extension: Option<u32>,
}

impl Seen {
    /// Looks at a path in normal form.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let components = || text.split('/');
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        let name = text.get(last..).unwrap_or_default();
        Self {
            is_rooted: text.starts_with('/'),
            components: components().map(sum).collect(),
            looks: Looks::of(components()),
            last,
            extension: name.rsplit_once('.').map(|(_, extension)| sum(extension)),
        }
    }
}

/// The first component of a path.
fn first_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}
