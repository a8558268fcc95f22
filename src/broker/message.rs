//! What is said over the socket: one JSON object a line, in both directions.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::peer::Stranger;
use super::registry::{Known, Unfit};
use crate::decide::Decision;
use crate::policy::trust::hex;
use crate::sys::stat::Process;

/// The longest line that is taken from who asks or reviews.
pub const MOST_BYTES: usize = 256 << 10;
/// The longest line that a broker sends.
pub const MOST_REPLY: usize = 1 << 20;

/// What a person is asked about, all of it: an approval is for nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// What the policy says; at its strictest it is confirm.
    pub decision: Decision,
    /// The text of the line.
    pub text: String,
    /// Where the text came from.
    pub source: String,
    /// The working directory.
    pub cwd: String,
    /// A hash of the policy in force.
    pub policy: String,
    /// Which file would be started, and its state; none for a line.
    pub program: Option<String>,
    /// A hash of its environment ([`environment`]).
    pub environment: String,
    /// A hash of how it is called ([`call`]).
    pub call: String,
}

/// Variables that say nothing of what a command does, and change from one to the next; those of the directories are
/// looked at by themselves.
const PASSING: &[&[u8]] = &[b"_", b"SHLVL", b"PWD", b"OLDPWD", b"COLUMNS", b"LINES"];

/// Variables that name the directories from which `cd` starts.
const DIRECTORIES: &[&[u8]] = &[b"PWD", b"OLDPWD"];

/// A hash of an environment, given as `NAME=value` in any order: the same words do something else with another
/// account, project or search path.
#[must_use]
pub fn environment<'a>(entries: impl Iterator<Item = &'a [u8]>) -> String {
    let mut kept: Vec<&[u8]> = entries.filter(|entry| !is_one_of(PASSING, entry)).collect();
    kept.sort_unstable();
    hash(kept.into_iter())
}

/// The entries by which [`environment`] tells one from another, those of a name together.
#[must_use]
pub fn lasting<'a>(entries: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let name = |entry: &[u8]| {
        let name = entry.split(|&byte| byte == b'=').next();
        name.unwrap_or_default().to_vec()
    };
    let kept = entries.filter(|entry| !is_one_of(PASSING, entry));
    let mut kept: Vec<Vec<u8>> = kept.map(<[u8]>::to_vec).collect();
    // Of entries with the same name the first counts, so they keep their order.
    kept.sort_by_key(|entry| name(entry));
    kept
}

/// A hash of what is shown of a call only in part, byte by byte: the words, the working directory, and the variables
/// that name it and the one before.
#[must_use]
pub fn call<'a>(
    words: impl Iterator<Item = &'a [u8]>,
    cwd: &'a [u8],
    entries: impl Iterator<Item = &'a [u8]>,
) -> String {
    let words = hash(words);
    let mut named: Vec<&[u8]> = entries
        .filter(|entry| is_one_of(DIRECTORIES, entry))
        .collect();
    named.sort_unstable();
    hash([words.as_bytes(), cwd].into_iter().chain(named))
}

/// Whether an entry of an environment sets one of these variables.
fn is_one_of(names: &[&[u8]], entry: &[u8]) -> bool {
    let name = entry.split(|&byte| byte == b'=').next();
    name.is_some_and(|name| names.contains(&name))
}

fn hash<'a>(parts: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

impl Asked {
    /// What tells it from every other request: a hash of all of it.
    #[must_use]
    pub fn key(&self) -> String {
        // A structure of strings, numbers and lists always has its JSON.
        let text = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(text))
    }
}

/// The process that an agent's session is.
pub type Root = Process;

/// How far a yes reaches. It is always for the very same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Once.
    Once,
    /// As often as it is asked while the session lives from which it came.
    Session,
    /// As often as it is asked for so many seconds.
    Seconds(u32),
}

/// Who said yes at another terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewer {
    /// The user.
    pub uid: u32,
    /// The terminal, where it has a name.
    pub terminal: String,
    /// Who had said yes before, where a rule wants several people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Reviewer>,
}

/// To a broker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// May this run?
    Ask {
        /// What is asked about.
        asked: Box<Asked>,
        /// The session it comes from, where that is known.
        session: Option<Root>,
    },
    /// Was this said yes or no to before? It does not wait.
    Recall {
        /// What is asked about.
        asked: Box<Asked>,
        /// The session it comes from, where that is known.
        session: Option<Root>,
    },
    /// This was answered at the terminal where it was asked.
    Answered {
        /// What was asked about.
        asked: Box<Asked>,
        /// The session it came from, where that is known.
        session: Option<Root>,
        /// Whether that was a yes for the session; else it was a no.
        is_yes: bool,
        /// The terminal.
        terminal: String,
    },
    /// Who asked waits no longer.
    Leave,
    /// Which requests wait?
    List,
    /// Which requests wait, now and whenever that changes?
    Watch,
    /// What is this request?
    Look(u64),
    /// Yes, to what was shown.
    Approve {
        /// The request.
        number: u64,
        /// [`Asked::key`] of what was shown.
        key: String,
        /// How far.
        scope: Scope,
        /// [`Shown::session`] of what was shown.
        session: Option<Root>,
        /// The terminal of who says it.
        terminal: String,
    },
    /// No.
    Refuse {
        /// The request.
        number: u64,
        /// What whoever asked is told.
        why: Option<String>,
    },
    /// What has been approved?
    Grants,
    /// An approval ends.
    Revoke(u64),
    /// The terminal of who says it is a person's, or is to count as one no more.
    Register {
        /// Whether that ends.
        is_undo: bool,
    },
    /// Which terminals are registered?
    Registered,
}

/// From a broker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It waits for a person under this number.
    Waiting {
        /// The number.
        number: u64,
        /// Whether somebody watches.
        is_watched: bool,
        /// Who has said yes already, where several people are wanted.
        said: Vec<u32>,
    },
    /// A person said yes.
    Approved(Reviewer),
    /// A person said no.
    Refused {
        /// What they gave as the reason.
        why: Option<String>,
        /// Whether that was to an earlier request.
        is_earlier: bool,
    },
    /// Too many wait already.
    Full,
    /// Nobody waits any more on this connection.
    Left,
    /// What waits.
    List(Vec<Listed>),
    /// One request.
    Shown(Box<Shown>),
    /// What has been approved.
    Grants(Vec<Granted>),
    /// It was done.
    Done,
    /// It was noted; so many have said yes, and more are wanted.
    More(usize),
    /// It does not count: they have said yes already, or are not to.
    Uncounted,
    /// There is no such request or approval, or it is another one by now.
    Gone,
    /// The terminals that are registered.
    Registered(Known),
    /// The terminal is not registered; why.
    Unfit(Unfit),
    /// A session's approval is for a request of a session that is known and lives.
    NoSession,
    /// Who speaks may not take part; why.
    Stranger(Stranger),
}

/// A request in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its number.
    pub number: u64,
    /// How many seconds ago it was asked last.
    pub age: u64,
    /// Whether a command waits for the answer now.
    pub is_awaited: bool,
    /// How many people have said yes.
    pub said: usize,
    /// How many must.
    pub reviewers: u8,
    /// The rules that hold it.
    pub rules: Vec<String>,
    /// The start of its text.
    pub text: String,
    /// Where the text came from.
    pub source: String,
    /// The working directory.
    pub cwd: String,
}

/// A request as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Its number.
    pub number: u64,
    /// What is asked about.
    pub asked: Asked,
    /// The session that it comes from, where that is known.
    pub session: Option<Root>,
}

/// An approval in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Granted {
    /// Its number, which is that of the request.
    pub number: u64,
    /// How far it reaches.
    pub scope: Scope,
    /// How many seconds are left, where it ends by time.
    pub left: Option<u64>,
    /// The rules that held the request.
    pub rules: Vec<String>,
    /// The start of its text.
    pub text: String,
    /// The working directory.
    pub cwd: String,
}

/// The rules of a decision, each once.
#[must_use]
pub fn rules(decision: &Decision) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    for finding in &decision.findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule.clone());
        }
    }
    rules.truncate(4);
    rules
}

/// The start of a text, for a list.
#[must_use]
pub fn start(text: &str) -> String {
    text.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_told_by_all_but_what_passes() {
        let hash = |entries: &[&str]| environment(entries.iter().map(|entry| entry.as_bytes()));
        let usual = hash(&["A=1", "B=2"]);
        assert_eq!(usual, hash(&["B=2", "SHLVL=3", "A=1", "_=/bin/x", "PWD=/"]));
        for other in [
            &["A=1"][..],
            &["A=1", "B=3"],
            &["A=1B=2"],
            &["A=1", "B=2", "PATH=/x"],
        ] {
            assert_ne!(usual, hash(other), "{other:?}");
        }
    }

    #[test]
    fn a_call_is_told_by_each_byte_of_its_words_and_directories() {
        let hash = |words: &[&[u8]], cwd: &[u8], entries: &[&[u8]]| {
            call(
                words.iter().copied(),
                cwd,
                entries.iter().copied().chain([&b"A=1"[..]]),
            )
        };
        let usual = hash(&[b"sh", b"x y"], b"/\xfe", &[b"OLDPWD=/a", b"PWD=/\xfe"]);
        assert_eq!(
            usual,
            hash(&[b"sh", b"x y"], b"/\xfe", &[b"PWD=/\xfe", b"OLDPWD=/a"])
        );
        for other in [
            hash(
                &[b"sh", b"x", b"y"],
                b"/\xfe",
                &[b"OLDPWD=/a", b"PWD=/\xfe"],
            ),
            hash(
                &[b"sh", b"x y", b""],
                b"/\xfe",
                &[b"OLDPWD=/a", b"PWD=/\xfe"],
            ),
            hash(&[b"sh", b"x y"], b"/\xff", &[b"OLDPWD=/a", b"PWD=/\xfe"]),
            hash(&[b"sh", b"x y"], b"/\xfe", &[b"OLDPWD=/b", b"PWD=/\xfe"]),
            hash(&[b"sh", b"x y"], b"/\xfe", &[b"OLDPWD=/a", b"PWD=/b"]),
            hash(&[b"sh", b"x y"], b"/\xfe", &[b"PWD=/\xfe"]),
        ] {
            assert_ne!(usual, other);
        }
    }

    #[test]
    fn what_lasts_of_an_environment_is_the_same_where_its_hash_is() {
        let kept = |entries: &[&[u8]]| lasting(entries.iter().copied());
        let one: &[&[u8]] = &[
            b"B=2",
            b"A=1",
            b"SHLVL=1",
            b"_=/bin/x",
            b"COLUMNS=9",
            b"A=0",
        ];
        let other: &[&[u8]] = &[b"COLUMNS=8", b"A=1", b"A=0", b"B=2", b"_=/bin/y"];
        assert_eq!(kept(one), [b"A=1", b"A=0", b"B=2"]);
        assert_eq!(kept(one), kept(other));
        let hash = |entries: &[&[u8]]| environment(entries.iter().copied());
        assert_eq!(hash(one), hash(other));
        assert_ne!(kept(&[b"A=1"]), kept(&[b"A=2"]));
    }
}
