//! Asking by a command of the administrator's or the user's, which takes the question to where people are.
//!
//! The request goes to its standard input as one JSON object; the answer is one on its standard output, which
//! must name the request, and status 0. Everything else is a no. The command is trusted with the answer, so
//! nobody but root and the user may be able to exchange it, and it gets nothing that an agent could set:
//! neither variables nor descriptors nor a directory.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::signals::Held;
use super::{Absence, External, Refusal, Unanswered, Unsound};
use crate::broker::{Asked, check_this};
use crate::decide::Finding;
use crate::policy::schema::{Acknowledge, Effect};
use crate::policy::trust::hex;
use crate::report::loss;
use crate::sys::way::way;

/// How much a command may answer.
const MOST_ANSWER: usize = 16 << 10;
/// How long the name of who answers may be.
const MOST_NAME: usize = 200;
/// Its whole environment. The home directory is none in which an agent could leave what interpreters and clients
/// read by themselves, such as `~/.curlrc` or the user's own modules of Python.
const ENVIRONMENT: [&CStr; 3] = [
    c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    c"HOME=/",
    c"LANG=C.UTF-8",
];

/// Asks by the command; gives who said yes.
///
/// # Errors
///
/// Why it is a no. `absence` is why nobody can be asked here.
pub fn ask(
    asked: &Asked,
    command: &[String],
    seconds: u8,
    absence: Absence,
) -> Result<External, Refusal> {
    let name = command.first().cloned().unwrap_or_default();
    let unanswered = |why| Refusal::Unanswered {
        absence: absence.clone(),
        command: name.clone(),
        why,
    };
    // A command that a guarded process starts is guarded itself, and within reach of others that are.
    check_this().map_err(|stranger| unanswered(Unanswered::Stranger(stranger)))?;
    check(Path::new(&name)).map_err(|why| unanswered(Unanswered::File(why)))?;
    let failed = |error: &io::Error| Unanswered::Failed(error.kind().to_string());
    let id = id().map_err(|error| unanswered(failed(&error)))?;
    let request = Request::new(asked, &id, seconds);
    let mut request = serde_json::to_vec(&request).map_err(|_| Refusal::TooMuch)?;
    request.push(b'\n');
    let held = Held::back().map_err(|_| Refusal::Interrupted)?;
    let kept = start(command).map_err(|error| unanswered(failed(&error)))?;
    let answer = match converse(&kept, &request, &held, seconds)? {
        Ok(answer) => understand(&answer, &id),
        Err(why) => Err(why),
    };
    let answer = answer.map_err(unanswered)?;
    let by = External {
        by: answer.by,
        command: name.clone(),
    };
    match answer.answer {
        Word::Yes => Ok(by),
        Word::No => Err(Refusal::External {
            by,
            why: answer.why,
        }),
    }
}

/// What the command is told.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Request<'a> {
    /// What the answer must name; another one each time.
    id: &'a str,
    /// The same for the very same request, and another for every other.
    same: String,
    uid: u32,
    seconds: u8,
    text: &'a str,
    source: &'a str,
    cwd: &'a str,
    policy: &'a str,
    findings: Vec<Found<'a>>,
}

/// What is asked about.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Found<'a> {
    rule: &'a str,
    layer: &'a str,
    reason: &'a str,
    instead: Option<&'a str>,
    subject: &'a str,
    resource: Option<&'a str>,
    acknowledge: Acknowledge,
    /// What would be lost, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<String>,
    /// Where it would happen, as far as that is told apart.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    environments: &'a [String],
}

impl<'a> Request<'a> {
    fn new(asked: &'a Asked, id: &'a str, seconds: u8) -> Self {
        let findings = asked.decision.findings.iter();
        Self {
            id,
            same: asked.key(),
            uid: geteuid().as_raw(),
            seconds,
            text: &asked.text,
            source: &asked.source,
            cwd: &asked.cwd,
            policy: &asked.policy,
            findings: findings
                .filter(|finding| finding.effect != Effect::Allow)
                .map(Found::of)
                .collect(),
        }
    }
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            rule: &finding.rule,
            layer: &finding.layer,
            reason: &finding.reason,
            instead: finding.instead.as_deref(),
            subject: &finding.subject,
            resource: finding.resource.as_deref(),
            acknowledge: finding.acknowledge,
            loss: loss::of(finding),
            environments: &finding.around.environments,
        }
    }
}

/// What the command says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Answer {
    id: String,
    answer: Word,
    by: String,
    why: Option<String>,
}

/// What it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Yes,
    No,
}

/// Reads an answer: one object and nothing else, to this very request, by somebody.
fn understand(text: &[u8], id: &str) -> Result<Answer, Unanswered> {
    let answer: Answer = serde_json::from_slice(text).map_err(|_| Unanswered::Garbage)?;
    if answer.id != id {
        return Err(Unanswered::AnotherRequest);
    }
    if answer.by.trim().is_empty() || answer.by.chars().count() > MOST_NAME {
        return Err(Unanswered::Garbage);
    }
    Ok(answer)
}

/// Tells the command the request, and waits for all that it answers and for its end.
fn converse(
    kept: &Kept,
    request: &[u8],
    held: &Held,
    seconds: u8,
) -> Result<Result<Vec<u8>, Unanswered>, Refusal> {
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    let mut rest = request;
    let mut answer = Vec::new();
    let mut is_open = true;
    loop {
        held.check()?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Err(Unanswered::Time { seconds }));
        }
        match kept.status() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Ok(Err(Unanswered::Lost)),
            Ok(0) => {
                return Ok(match read(kept, &mut answer) {
                    Ok(_) => Ok(answer),
                    Err(why) => Err(why),
                });
            }
            Ok(status) => return Ok(Err(Unanswered::Ended(status))),
        }
        if is_open {
            write(kept, &mut rest);
            match read(kept, &mut answer) {
                Ok(has_more) => is_open = has_more,
                Err(why) => return Ok(Err(why)),
            }
        }
        let wanted = if rest.is_empty() {
            PollFlags::POLLIN
        } else {
            PollFlags::POLLIN | PollFlags::POLLOUT
        };
        let mut others = vec![(kept.leash.as_fd(), PollFlags::POLLIN)];
        if is_open {
            others.push((kept.stream.as_fd(), wanted));
        }
        held.wait(&others, left)?;
    }
}

/// Writes as much of the request as is taken now. A command that does not want it cannot name it.
fn write(kept: &Kept, rest: &mut &[u8]) {
    while !rest.is_empty() {
        match (&kept.stream).write(rest) {
            Ok(count) => *rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => *rest = &[],
        }
        if rest.is_empty() {
            let _ = kept.stream.shutdown(Shutdown::Write);
        }
    }
}

/// Reads what is there of the answer; whether more can come.
fn read(kept: &Kept, answer: &mut Vec<u8>) -> Result<bool, Unanswered> {
    let mut buffer = [0; 4096];
    loop {
        match (&kept.stream).read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => answer.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It has left a part of the request unread.
            Err(_) => return Ok(false),
        }
        if answer.len() > MOST_ANSWER {
            return Err(Unanswered::TooLong);
        }
    }
}

fn start(command: &[String]) -> io::Result<Kept> {
    let words: Result<Vec<CString>, _> = command.iter().cloned().map(CString::new).collect();
    let environment = ENVIRONMENT.map(CStr::to_owned);
    Kept::start(&words?, &environment)
}

/// A name that nobody can guess.
fn id() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Whether a file is one that only root and the user can change or exchange: it, and each folder and link on the
/// way to it.
fn check(path: &Path) -> Result<(), Unsound> {
    if !path.is_absolute() {
        return Err(Unsound::NotAbsolute);
    }
    let steps = way(path).map_err(|_| Unsound::Missing)?;
    let found = steps.last().map(|step| &step.found);
    if !found.is_some_and(|found| found.is_file() && found.mode() & 0o111 != 0) {
        return Err(Unsound::NoProgram);
    }
    for step in &steps {
        if ![0, geteuid().as_raw()].contains(&step.found.uid()) {
            return Err(Unsound::Owner);
        }
        if step.is_open() {
            return Err(Unsound::Writable);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn an_answer_is_one_object_that_names_the_request_and_who_gave_it() {
        let answer = |answer, why: Option<&str>| Answer {
            id: "7f".to_owned(),
            answer,
            by: "ann".to_owned(),
            why: why.map(str::to_owned),
        };
        for (text, expected) in [
            (
                r#"{"id": "7f", "answer": "yes", "by": "ann"}"#,
                Ok(answer(Word::Yes, None)),
            ),
            (
                "{\"why\": \"not today\", \"by\": \"ann\", \"answer\": \"no\", \"id\": \"7f\"}\n",
                Ok(answer(Word::No, Some("not today"))),
            ),
            (
                r#"{"id": "7e", "answer": "yes", "by": "ann"}"#,
                Err(Unanswered::AnotherRequest),
            ),
            ("", Err(Unanswered::Garbage)),
            ("yes", Err(Unanswered::Garbage)),
            (r#"{"id": "7f", "answer": "yes"}"#, Err(Unanswered::Garbage)),
            (
                r#"{"id": "7f", "answer": "yes", "by": " "}"#,
                Err(Unanswered::Garbage),
            ),
            (
                r#"{"id": "7f", "answer": true, "by": "ann"}"#,
                Err(Unanswered::Garbage),
            ),
            (
                r#"{"id": "7f", "answer": "yes", "by": "ann", "for": "ever"}"#,
                Err(Unanswered::Garbage),
            ),
            (
                r#"{"id": "7f", "answer": "no", "answer": "yes", "by": "ann"}"#,
                Err(Unanswered::Garbage),
            ),
            (
                r#"{"id": "7f", "answer": "yes", "by": "ann"} {"id": "7f", "answer": "no", "by": "ann"}"#,
                Err(Unanswered::Garbage),
            ),
        ] {
            assert_eq!(understand(text.as_bytes(), "7f"), expected, "{text}");
        }
        let long = format!(
            r#"{{"id": "7f", "answer": "yes", "by": "{}"}}"#,
            "a".repeat(201)
        );
        assert_eq!(understand(long.as_bytes(), "7f"), Err(Unanswered::Garbage));
    }

    #[test]
    fn a_command_that_others_could_exchange_is_none() {
        let above = std::env::temp_dir().join(format!("kibosh-command-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        let folder = above.join("bin");
        fs::create_dir_all(&folder).unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for path in [&above, &folder] {
            mode(path, 0o755);
        }
        let file = folder.join("ask");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        for (what, given, expected) in [
            (&file, 0o644, Err(Unsound::NoProgram)),
            (&file, 0o755, Ok(())),
            (&file, 0o775, Err(Unsound::Writable)),
            (&file, 0o757, Err(Unsound::Writable)),
            (&file, 0o700, Ok(())),
            (&folder, 0o775, Err(Unsound::Writable)),
            (&folder, 0o1777, Ok(())),
            (&folder, 0o755, Ok(())),
            (&above, 0o777, Err(Unsound::Writable)),
            (&above, 0o755, Ok(())),
        ] {
            mode(what, given);
            assert_eq!(check(&file), expected, "{} {given:o}", what.display());
        }
        // A link is as good as each folder that it and its end are in.
        let open = above.join("open");
        fs::create_dir(&open).unwrap();
        symlink(&file, open.join("ask")).unwrap();
        mode(&open, 0o755);
        assert_eq!(check(&open.join("ask")), Ok(()));
        mode(&open, 0o777);
        assert_eq!(check(&open.join("ask")), Err(Unsound::Writable));
        // And as each that a link in between is in.
        let first = above.join("first");
        symlink(open.join("ask"), &first).unwrap();
        assert_eq!(check(&first), Err(Unsound::Writable));
        mode(&open, 0o755);
        assert_eq!(check(&first), Ok(()));
        assert_eq!(check(&above.join("none")), Err(Unsound::Missing));
        assert_eq!(check(&folder), Err(Unsound::NoProgram));
        assert_eq!(check(Path::new("ask")), Err(Unsound::NotAbsolute));
        if geteuid().is_root() {
            std::os::unix::fs::lchown(&first, Some(12001), None).unwrap();
            assert_eq!(check(&first), Err(Unsound::Owner));
            std::os::unix::fs::chown(&file, Some(12001), None).unwrap();
            assert_eq!(check(&file), Err(Unsound::Owner));
        }
        fs::remove_dir_all(&above).unwrap();
    }
}
