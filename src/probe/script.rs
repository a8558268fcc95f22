//! What a script has made itself a moment ago: it takes it away again, and nobody misses it.
//!
//! `configure` makes a directory for a test, and removes it after that. Takes the program that is about to start, says
//! from when on a file counts as its script's own. What it cannot tell is nobody's own.

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::files::Limits;
use crate::invocation::{Invocation, Source, View, is_shell};
use crate::sys::birth::{self, Entry, Kind, Moment};
use crate::sys::stat::Stat;

/// How long ago at most. A script may run for hours, as one that is an agent does, and a person saves files meanwhile.
const RECENT: Duration = Duration::from_secs(60);
/// How much that may be at most: what is put back from elsewhere is written anew, too, by `git stash pop` say.
const MOST_FILES: u32 = 64;
const MOST_BYTES: u64 = 16 << 20;
/// How many processes one may have been forked from another.
const MOST_FORKS: usize = 32;

/// From when on what was born is the own of the script that starts a program; none where no script does. When that
/// began is told to a hundredth of a second, so it may be that much earlier.
pub(super) fn own_since(view: &View) -> Option<Moment> {
    let mut shell = view.task()?;
    let words = words(shell)?;
    let program = program(shell)?;
    for _ in 0..MOST_FORKS {
        let parent = Stat::of(shell)?.parent;
        if self::words(parent).as_ref() != Some(&words) {
            break;
        }
        shell = parent;
    }
    if !is_shell(&program) {
        return None;
    }
    let source = Invocation::of_shell(words, &program, view).source;
    if !matches!(source, Source::Command(_) | Source::File(_)) {
        return None;
    }
    Moment::ago(Stat::of(shell)?.age()?.min(RECENT)).ok()
}

/// The words of a process.
fn words(id: i32) -> Option<Vec<CString>> {
    let mut bytes = fs::read(format!("/proc/{id}/cmdline")).ok()?;
    // Each word ends in a zero.
    (bytes.pop()? == 0).then_some(())?;
    let words = bytes.split(|&byte| byte == 0);
    words.map(|word| CString::new(word).ok()).collect()
}

/// The name of the file that a process runs.
fn program(id: i32) -> Option<String> {
    let file = fs::read_link(format!("/proc/{id}/exe")).ok()?;
    Some(file.file_name()?.to_str()?.to_owned())
}

/// Whether all that stands at a path was born since then, is little, and on one file system.
pub(super) fn is_own(path: &Path, since: Moment, limits: &mut Limits) -> bool {
    let Ok(first) = birth::at(path, false) else {
        return false;
    };
    let is_since = |time: Option<Moment>| time.is_some_and(|time| since <= time && time.has_come());
    // What was moved here from another file system, or unpacked, is mostly written before.
    let is_new = |entry: &Entry| {
        entry.device == first.device
            && is_since(entry.born)
            && (entry.kind == Kind::Folder || is_since(entry.written))
    };
    let (mut files, mut bytes) = (0u32, 0u64);
    let mut open = vec![(path.to_owned(), first)];
    while let Some((path, entry)) = open.pop() {
        files += 1;
        bytes = bytes.saturating_add(entry.bytes);
        if !is_new(&entry) || files > MOST_FILES || bytes > MOST_BYTES || !limits.spend() {
            return false;
        }
        if entry.kind != Kind::Folder {
            continue;
        }
        let Ok(entries) = fs::read_dir(&path) else {
            return false;
        };
        for next in entries {
            let Ok(next) = next else { return false };
            let Ok(found) = birth::at(&next.path(), false) else {
                return false;
            };
            open.push((next.path(), found));
            if open.len() > MOST_FILES as usize {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::time::Instant;

    #[test]
    fn what_was_born_since_then_is_ones_own_and_nothing_else() {
        let place = std::env::temp_dir().join(format!("kibosh-own-{}", std::process::id()));
        fs::create_dir_all(place.join("old/in")).unwrap();
        fs::write(place.join("old/in/a"), "1").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let since = Moment::now().unwrap();
        fs::create_dir_all(place.join("new/in")).unwrap();
        fs::write(place.join("new/in/a"), "1").unwrap();
        symlink("/etc", place.join("new/link")).unwrap();
        fs::create_dir(place.join("many")).unwrap();
        for number in 0..=MOST_FILES {
            fs::write(place.join(format!("many/{number}")), "").unwrap();
        }
        fs::create_dir(place.join("mixed")).unwrap();
        fs::hard_link(place.join("old/in/a"), place.join("mixed/a")).unwrap();
        fs::create_dir(place.join("copied")).unwrap();
        let copied = fs::File::create(place.join("copied/a")).unwrap();
        copied
            .set_modified(std::time::SystemTime::now() - Duration::from_secs(9))
            .unwrap();
        fs::write(place.join("old/b"), "1").unwrap();
        fs::File::create(place.join("large"))
            .unwrap()
            .set_len(MOST_BYTES + 1)
            .unwrap();
        let is_own = |name: &str| {
            let mut limits = Limits::until(Instant::now() + Duration::from_secs(9));
            is_own(&place.join(name), since, &mut limits)
        };
        for (name, expected) in [
            ("new", true),
            ("new/in/a", true),
            ("new/link", true),
            ("old/b", true),
            ("old", false),
            ("old/in", false),
            ("many", false),
            ("mixed", false),
            ("copied", false),
            ("large", false),
            ("none", false),
        ] {
            assert_eq!(is_own(name), expected, "{name}");
        }
        fs::remove_dir_all(&place).unwrap();
    }
}
