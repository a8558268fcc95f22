//! Which repository a directory is in, where that is plain: the usual `.git`, whose settings move nothing.
//!
//! Takes a directory, gives where the repository is; none in every doubt, so that git itself must say. It follows what
//! git does (gitrepository-layout(5), git-config(1)), and knows less of it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use super::files;

/// How much of a file is read, in bytes.
const MOST_SETTINGS: u64 = 64 << 10;
const MOST_HEAD: u64 = 4 << 10;

/// What may move the working tree, change the form of the repository, or lead to such a setting.
const MOVING: &[&str] = &["worktree", "include", "extensions"];

/// Settings that stand in every repository, as git writes them; with another value they may do so, too.
const USUAL: &[(&str, &str)] = &[
    ("bare", "bare = false"),
    ("repositoryformatversion", "repositoryformatversion = 0"),
];

/// The root of the working tree in which a directory is, as the kernel finds it. The repository is its `.git`, with
/// objects that are named by SHA-1 and each ref in a file or in `packed-refs`.
pub(super) fn root(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let device = folder.metadata().ok()?.dev();
    for above in folder.ancestors() {
        // Git goes on to no other file system, and takes what has these names for a repository by itself.
        if above.metadata().ok()?.dev() != device || files::at(&above.join("HEAD")).ok()?.is_some()
        {
            return None;
        }
        let own = above.join(".git");
        if files::at(&own).ok()?.is_some() {
            return is_usual(&own, device).then(|| above.to_owned());
        }
    }
    None
}

/// Whether git surely takes a directory for the repository of the one above.
fn is_usual(own: &Path, device: u64) -> bool {
    let is_folder = |path: &Path| {
        let data = files::at(path).ok().flatten();
        data.is_some_and(|data| data.is_dir() && data.dev() == device)
            && access(path, AccessFlags::X_OK).is_ok()
    };
    let is_free = |name: &str| matches!(files::at(&own.join(name)), Ok(None));
    let file = |name: &str, most| {
        let path = own.join(name);
        let is_file = files::at(&path).is_ok_and(|data| data.is_some_and(|data| data.is_file()));
        let content = files::content(&path, most).ok().flatten();
        content
            .filter(|_| is_file)
            .and_then(|content| String::from_utf8(content).ok())
    };
    is_folder(own)
        && ["objects", "refs"]
            .iter()
            .all(|name| is_folder(&own.join(name)))
        && ["commondir", "reftable"].iter().all(|name| is_free(name))
        && file("HEAD", MOST_HEAD).is_some_and(|head| is_head(&head))
        && file("config", MOST_SETTINGS).is_some_and(|settings| moves_nothing(&settings))
}

/// Whether it is a branch or a commit that is checked out.
fn is_head(head: &str) -> bool {
    let is_commit =
        |head: &str| head.len() == 40 && head.bytes().all(|byte| byte.is_ascii_hexdigit());
    let head = head.trim_end_matches('\n');
    let is_branch = |head: &str| {
        head.strip_prefix("ref: refs/heads/")
            .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace))
    };
    is_branch(head) || is_commit(head)
}

/// Whether settings surely leave the repository where and as it is. The names of sections and keys have no other form
/// than their letters in any case.
fn moves_nothing(settings: &str) -> bool {
    settings.lines().all(|line| {
        let line = line.to_ascii_lowercase();
        let mut usual = USUAL.iter().filter(|(name, _)| line.contains(name));
        !MOVING.iter().any(|name| line.contains(name))
            && usual.all(|(_, whole)| line.trim_matches(['\t', ' ']) == *whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_git_writes_move_nothing_and_others_may() {
        let usual = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\
            \tlogallrefupdates = true\n[remote \"origin\"]\n\turl = https://a.example/b.git\n\
            \tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"main\"]\n\tremote = origin\n";
        assert!(moves_nothing(usual));
        for more in [
            "[core] worktree = ..",
            "[CORE]\n\tWorkTree = /far",
            "\tbare = true",
            "\tbare",
            "\tbare = false # not",
            "[core] bare = false",
            "\trepositoryformatversion = 1",
            "[extensions]\n\tobjectFormat = sha256",
            "[include]\n\tpath = x",
            "[includeIf \"gitdir:/\"]\n\tpath = x",
        ] {
            assert!(!moves_nothing(&format!("{usual}{more}\n")), "{more}");
        }
    }

    #[test]
    fn a_head_is_a_branch_or_a_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (head, expected) in [
            ("ref: refs/heads/main\n", true),
            ("ref: refs/heads/a/b", true),
            (commit, true),
            ("ref: refs/heads/\n", false),
            ("ref: refs/tags/v1\n", false),
            ("ref: refs/heads/a b\n", false),
            ("ref:refs/heads/main\n", false),
            ("0123456789abcdef", false),
            ("", false),
        ] {
            assert_eq!(is_head(head), expected, "{head}");
        }
    }
}
