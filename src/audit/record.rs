//! Writing a line of the record.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::fcntl::OFlag;
use nix::unistd::{geteuid, getpid, getppid, getsid};
use serde::Serialize;

use crate::approve::{Approver, External};
use crate::broker::Reviewer;
use crate::decide::Decision;
use crate::report::check::word;
use crate::report::loss;
use crate::report::refusal::Refusal;
use crate::sys::limits;

use super::redact::redact;
use super::time::rfc3339;

/// A record of this size is put aside and a new one begun.
const MOST_BYTES: u64 = 32 << 20;
/// How much of a text is kept.
const MOST_TEXT: usize = 32 << 10;
/// How many findings are kept.
const MOST_FINDINGS: usize = 32;

/// What is recorded of one line.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The text of the line.
    pub text: &'a str,
    /// Where it came from, as a person is shown it.
    pub source: &'a str,
    /// Its working directory.
    pub cwd: &'a str,
    /// What was decided.
    pub decision: &'a Decision,
    /// What came of it.
    pub outcome: Outcome<'a>,
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It was handed to the real shell.
    Ran,
    /// It was handed to the real shell because a person said yes.
    Approved(&'a Approver),
    /// It was not run.
    Refused(&'a Refusal),
    /// The agent was told to ask its person, and what they say is not told here.
    LeftToAsk,
    /// It was only judged.
    DryRun,
}

impl<'a> Outcome<'a> {
    /// Who answered elsewhere.
    fn reviewer(self) -> Option<By<'a>> {
        match self {
            Self::Approved(Approver::Reviewer(reviewer)) => Some(By::Reviewer(reviewer)),
            Self::Approved(Approver::External(by))
            | Self::Refused(Refusal::External { by, .. }) => Some(By::External(by)),
            Self::Approved(Approver::Person | Approver::Policy)
            | Self::Ran
            | Self::Refused(_)
            | Self::LeftToAsk
            | Self::DryRun => None,
        }
    }

    /// The words for `outcome` and `why`.
    fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Ran => ("ran", None),
            Self::Approved(_) => ("approved", None),
            Self::LeftToAsk => ("left-to-ask", None),
            Self::DryRun => ("dry-run", None),
            Self::Refused(refusal) => (
                "refused",
                Some(match refusal {
                    Refusal::Policy => "policy",
                    Refusal::Person => "person",
                    Refusal::NoTerminal(_) => "no-terminal",
                    Refusal::Timeout { .. } => "timeout",
                    Refusal::Interrupted => "interrupted",
                    Refusal::Vanished => "vanished",
                    Refusal::TooMuch => "too-much",
                    Refusal::Preview => "preview",
                    Refusal::Pending { .. } | Refusal::Incomplete { .. } => "pending",
                    Refusal::Several(_) => "several",
                    Refusal::Reviewer { .. } | Refusal::External { .. } => "reviewer",
                    Refusal::Unanswered { .. } => "no-answer",
                    Refusal::TooMany => "too-many",
                    Refusal::NoBroker { .. } => "no-broker",
                }),
            ),
        }
    }
}

/// Who answered elsewhere: at another terminal, or through the reviewer command.
#[derive(Serialize)]
#[serde(untagged)]
enum By<'a> {
    Reviewer(&'a Reviewer),
    External(&'a External),
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    pid: i32,
    ppid: i32,
    sid: Option<i32>,
    cwd: &'a str,
    source: Cow<'a, str>,
    text: Cow<'a, str>,
    /// The length of the whole text, where not all of it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    decision: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewer: Option<By<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    rule: &'a str,
    layer: &'a str,
    effect: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<String>,
    subject: Cow<'a, str>,
}

/// The file of the record: what the setting names, none where it is `off`, else one in the user's
/// state folder. `XDG_STATE_HOME` is not read, because the agent sets it.
#[must_use]
pub fn place(setting: Option<&str>, home: Option<&Path>) -> Option<PathBuf> {
    match setting {
        Some("off") => None,
        Some(file) if Path::new(file).is_absolute() => Some(PathBuf::from(file)),
        Some(_) | None => Some(home?.join(".local/state/kibosh/audit.jsonl")),
    }
}

/// Writes an entry down, where there is a record. One that cannot be written changes nothing.
pub fn note(file: Option<&Path>, entry: &Entry<'_>) {
    if let Some(file) = file {
        let _ = record(file, entry);
    }
}

/// Appends one line for `entry` to the record in `file`.
///
/// # Errors
///
/// Where the file cannot be made, is not a plain file of this user, or cannot be written.
pub fn record(file: &Path, entry: &Entry<'_>) -> io::Result<()> {
    let line = line(entry, SystemTime::now())?;
    let (mut record, mut size) = open_or_create(file)?;
    if size >= MOST_BYTES && put_aside(&record, file)? {
        (record, size) = open(file)?;
    }
    if !limits::allow_file_of(size + line.len() as u64) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    // One write, so that lines of several processes do not mix.
    record.write_all(&line)
}

fn line(entry: &Entry<'_>, now: SystemTime) -> io::Result<Vec<u8>> {
    let Entry {
        text,
        source,
        cwd,
        decision,
        outcome,
    } = *entry;
    let kept = start(text, MOST_TEXT);
    let reviewer = outcome.reviewer();
    let (outcome, why) = outcome.words();
    let line = Line {
        time: rfc3339(now),
        pid: getpid().as_raw(),
        ppid: getppid().as_raw(),
        sid: getsid(None).ok().map(nix::unistd::Pid::as_raw),
        cwd,
        source: redact(source),
        text: redact(kept),
        bytes: (kept.len() < text.len()).then_some(text.len()),
        decision: word(decision.effect),
        outcome,
        why,
        reviewer,
        findings: decision
            .findings
            .iter()
            .take(MOST_FINDINGS)
            .map(found)
            .collect(),
    };
    let mut bytes = serde_json::to_vec(&line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn found(finding: &crate::decide::Finding) -> Found<'_> {
    Found {
        rule: &finding.rule,
        layer: &finding.layer,
        effect: word(finding.effect),
        reason: &finding.reason,
        loss: loss::of(finding),
        subject: redact(start(&finding.subject, MOST_TEXT / 8)),
    }
}

/// The longest start of `text` of at most `most` bytes.
fn start(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// Opens the record, and makes its folders where they are missing.
fn open_or_create(file: &Path) -> io::Result<(File, u64)> {
    match open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            open(file)
        }
        opened => opened,
    }
}

/// Opens the record for appending. It must be a plain file of this user: a link would let somebody
/// choose what is written to, and a pipe would make every command wait for its reader. Gives its size
/// too.
fn open(file: &Path) -> io::Result<(File, u64)> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let record = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits())
        .open(file)?;
    let found = record.metadata()?;
    if found.is_file() && found.uid() == geteuid().as_raw() {
        Ok((record, found.len()))
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// Renames a full record to `….1`, in place of the one before. True where a new one is to be opened;
/// of several processes that find it full, one does it.
fn put_aside(record: &File, file: &Path) -> io::Result<bool> {
    if record.try_lock().is_err() {
        return Ok(false);
    }
    let (ours, there) = (record.metadata()?, fs::symlink_metadata(file)?);
    if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
        fs::rename(file, aside(file))?;
    }
    Ok(true)
}

/// Where a record is put aside.
pub(super) fn aside(file: &Path) -> PathBuf {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".1");
    PathBuf::from(aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Finding;
    use crate::policy::schema::{Acknowledge, Effect};
    use crate::syntax::Span;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, UNIX_EPOCH};

    /// A folder of its own, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("kibosh-audit-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn denied() -> Decision {
        Decision {
            effect: Effect::Deny,
            left_out: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            beyond: Vec::new(),
            findings: vec![Finding {
                rule: "db.drop".into(),
                layer: "pack".into(),
                effect: Effect::Deny,
                reason: "drops a database".into(),
                instead: None,
                acknowledge: Acknowledge::Key,
                reviewers: 1,
                subject: "dropdb --password hunter2 prod".into(),
                resource: None,
                words: Vec::new(),
                around: crate::decide::around::Around::default(),
                preview: None,
                origin: Span { start: 0, end: 4 },
            }],
        }
    }

    fn entry<'a>(text: &'a str, decision: &'a Decision, outcome: Outcome<'a>) -> Entry<'a> {
        Entry {
            text,
            source: "-c",
            cwd: "/srv",
            decision,
            outcome,
        }
    }

    #[test]
    fn a_line_holds_the_decision_its_rules_and_no_secret() {
        let decision = denied();
        let text = "dropdb --password hunter2 prod";
        let line = line(
            &entry(text, &decision, Outcome::Refused(&Refusal::Policy)),
            UNIX_EPOCH + Duration::from_secs(1_798_761_600),
        );
        let mut line: serde_json::Value = serde_json::from_slice(&line.unwrap()).unwrap();
        for number in ["pid", "ppid", "sid"] {
            assert!(
                line.as_object_mut()
                    .unwrap()
                    .remove(number)
                    .unwrap()
                    .is_number()
            );
        }
        assert_eq!(
            line,
            serde_json::json!({
                "time": "2027-01-01T00:00:00.000Z",
                "cwd": "/srv",
                "source": "-c",
                "text": "dropdb --password [redacted] prod",
                "decision": "deny",
                "outcome": "refused",
                "why": "policy",
                "findings": [{
                    "rule": "db.drop",
                    "layer": "pack",
                    "effect": "deny",
                    "reason": "drops a database",
                    "subject": "dropdb --password [redacted] prod",
                }],
            })
        );
    }

    #[test]
    fn lines_are_appended_to_a_file_of_the_user_alone() {
        let folder = Folder::new("append");
        let file = folder.0.join("state/kibosh/audit.jsonl");
        let allowed = Decision::default();
        for text in ["true", "printf 'a\nb'"] {
            record(&file, &entry(text, &allowed, Outcome::Ran)).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap();
        assert_eq!(written.lines().count(), 2, "{written}");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let folder_mode = fs::metadata(file.parent().unwrap())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(folder_mode & 0o777, 0o700);
    }

    #[test]
    fn links_pipes_and_folders_are_not_written_to_and_nothing_waits() {
        let folder = Folder::new("odd");
        let target = folder.0.join("target");
        fs::write(&target, "").unwrap();
        symlink(&target, folder.0.join("link")).unwrap();
        nix::unistd::mkfifo(&folder.0.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::create_dir(folder.0.join("folder")).unwrap();
        let allowed = Decision::default();
        for name in ["link", "pipe", "folder", "target/below"] {
            let outcome = record(&folder.0.join(name), &entry("true", &allowed, Outcome::Ran));
            assert!(outcome.is_err(), "{name}");
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "");
    }

    #[test]
    fn a_full_record_is_put_aside() {
        let folder = Folder::new("full");
        let file = folder.0.join("audit.jsonl");
        let allowed = Decision::default();
        fs::write(&file, "old\n").unwrap();
        OpenOptions::new()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(MOST_BYTES)
            .unwrap();
        for _ in 0..2 {
            record(&file, &entry("true", &allowed, Outcome::Ran)).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
        assert_eq!(
            fs::metadata(folder.0.join("audit.jsonl.1")).unwrap().len(),
            MOST_BYTES
        );
    }

    #[test]
    fn a_huge_text_is_cut_and_its_length_kept() {
        let text = "ä".repeat(MOST_TEXT);
        let allowed = Decision::default();
        let line = line(&entry(&text, &allowed, Outcome::Ran), SystemTime::now()).unwrap();
        assert!(line.len() < MOST_TEXT + 1024);
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line.get("bytes").unwrap(), text.len());
    }

    #[test]
    fn the_place_is_the_setting_or_the_state_folder() {
        let home = Path::new("/home/me");
        let usual = "/home/me/.local/state/kibosh/audit.jsonl";
        for (setting, home, file) in [
            (None, Some(home), Some(usual)),
            (Some("/var/log/k"), Some(home), Some("/var/log/k")),
            (Some("off"), Some(home), None),
            (Some("relative"), Some(home), Some(usual)),
            (None, None, None),
        ] {
            assert_eq!(place(setting, home), file.map(PathBuf::from), "{setting:?}");
        }
    }
}
