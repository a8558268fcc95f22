//! What would be lost, in one sentence: "deletes 1,204 files (38 MB): 12 untracked, 3 modified since the last
//! commit, the rest is in git".

use super::escape::{cut, escape};
use crate::decide::Finding;
use crate::decide::past::Before;
use crate::probe::{Fate, Loss, Resource};

/// How much of an address is shown, in characters.
const MOST_OF_ADDRESS: usize = 80;

/// How many tables are named.
const MOST_TABLES: usize = 5;

/// The sentence for a finding, without a full stop; none where it is not known what would be lost.
#[must_use]
pub fn of(finding: &Finding) -> Option<String> {
    let lost = finding.around.loss.as_ref().map(sentence);
    with_past(lost, finding.around.before.as_ref())
}

/// The sentence for several findings of one rule together.
#[must_use]
pub fn of_all(findings: &[&Finding]) -> Option<String> {
    let mut known = findings.iter().filter_map(|one| one.around.loss.as_ref());
    let all = known.next().map(|first| {
        let mut all = first.clone();
        known.for_each(|more| all.add(more));
        sentence(&all)
    });
    let mut before = findings.iter().filter_map(|one| one.around.before.as_ref());
    with_past(all, before.next())
}

/// With what the session has done before.
fn with_past(lost: Option<String>, before: Option<&Before>) -> Option<String> {
    let Some(before) = before else { return lost };
    let unasked = |what: String| format!("after {what} in this session with nobody asked");
    let past = match before {
        Before::Deleted { files: 0, .. } | Before::Overwritten(0) | Before::Destroyed(0) => {
            "more than a session may with nobody asked".to_owned()
        }
        Before::Deleted { files, bytes } => {
            let files = counted(*files, "file was", "files were");
            unasked(format!("{files} deleted ({})", size(*bytes)))
        }
        Before::Overwritten(files) => {
            let files = counted(*files, "file was", "files were");
            unasked(format!("{files} written over"))
        }
        Before::Destroyed(number) => {
            let resources = counted(*number, "resource was", "resources were");
            unasked(format!("{resources} destroyed"))
        }
        Before::Again {
            kind,
            name,
            seconds,
        } => format!(
            "creates {} again, which this session destroyed {}: the name comes back, and what was in it \
             does not",
            named(kind, name),
            ago(*seconds)
        ),
    };
    Some(match (lost, before) {
        (Some(lost), _) => format!("{lost}, {past}"),
        (None, Before::Again { .. }) => past,
        (None, _) => format!("destroys a resource, {past}"),
    })
}

/// A resource, by its kind and its name where it has one.
fn named(kind: &str, name: &str) -> String {
    let kind = escape(kind);
    match name {
        "" => format!("the {kind}"),
        _ => format!("the {kind} `{}`", cut(name, MOST_OF_ADDRESS)),
    }
}

/// How long ago something was.
fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{} ago", counted(seconds, "second", "seconds")),
        60..7200 => format!("{} ago", counted(seconds / 60, "minute", "minutes")),
        _ => format!("{} ago", counted(seconds / 3600, "hour", "hours")),
    }
}

fn sentence(loss: &Loss) -> String {
    let mut parts = Vec::new();
    if loss.repositories > 0 {
        parts.push(format!(
            "deletes {} with all history",
            counted(loss.repositories, "repository", "repositories")
        ));
    }
    let of_files = loss.modified + loss.untracked + loss.ignored + loss.outside;
    let is_of_files = loss.repositories + loss.stashes + loss.commits == 0 && loss.files > 0;
    if of_files > 0 || is_of_files {
        parts.push(files(loss));
    }
    if loss.stashes > 0 {
        parts.push(format!(
            "drops {}",
            counted(loss.stashes, "stash", "stashes")
        ));
    }
    if loss.commits > 0 {
        parts.push(format!(
            "leaves {} that no other branch, tag or remote has",
            counted(loss.commits, "commit", "commits")
        ));
    }
    parts.extend(resources(loss));
    parts.extend(rows(loss));
    if loss.databases > 0 {
        parts.push(format!(
            "drops {} with {}",
            counted(loss.databases, "database", "databases"),
            counted(loss.database_tables, "table", "tables")
        ));
    }
    if parts.is_empty() {
        parts.push("deletes more than could be looked at".to_owned());
    }
    parts.join("; ")
}

/// What happens to rows; of which tables, where all of them fare alike.
fn rows(loss: &Loss) -> Vec<String> {
    let least = if loss.at_least { "at least " } else { "" };
    let named = tables(&loss.of_tables);
    let fates = [loss.dropped_rows, loss.deleted_rows, loss.changed_rows];
    let is_one = fates.iter().filter(|&&number| number > 0).count() == 1;
    let of = |sign: &str| match &named {
        Some(named) if is_one => format!("{sign}{named}"),
        _ => String::new(),
    };
    let mut said = Vec::new();
    if loss.tables > 0 {
        said.push(format!(
            "drops {} with {least}{}{}",
            counted(loss.tables, "table", "tables"),
            counted(loss.dropped_rows, "row", "rows"),
            of(": ")
        ));
    }
    for (number, verb) in [
        (loss.deleted_rows, "deletes"),
        (loss.changed_rows, "changes"),
    ] {
        if number > 0 {
            let rows = counted(number, "row", "rows");
            said.push(format!("{verb} {least}{rows}{}", of(" of ")));
        }
    }
    said
}

/// The names of tables, of which not all may be told.
fn tables(tables: &[String]) -> Option<String> {
    let mut named: Vec<String> = tables
        .iter()
        .take(MOST_TABLES)
        .map(|table| cut(table, MOST_OF_ADDRESS).into_owned())
        .collect();
    let left = tables.len().saturating_sub(named.len());
    if left > 0 {
        named.push(format!("{left} more"));
    }
    listed(&named)
}

/// What happens to resources of terraform's, and to which.
fn resources(loss: &Loss) -> Option<String> {
    let mut said = Vec::new();
    for (number, verb) in [
        (loss.destroyed, "destroys"),
        (loss.replaced, "replaces"),
        (loss.forgotten, "forgets"),
    ] {
        match (number, said.is_empty()) {
            (0, _) => {}
            (_, true) => said.push(format!(
                "{verb} {}",
                counted(number, "resource", "resources")
            )),
            (_, false) => said.push(format!("{verb} {}", grouped(number))),
        }
    }
    let mut named: Vec<String> = loss.resources.iter().map(resource).collect();
    let named_number = u64::try_from(named.len()).unwrap_or_default();
    let left = (loss.destroyed + loss.replaced + loss.forgotten).saturating_sub(named_number);
    if left > 0 && !named.is_empty() {
        named.push(format!("{} more", grouped(left)));
    }
    let said = listed(&said)?;
    Some(match listed(&named) {
        Some(named) => format!("{said}: {named}"),
        None => said,
    })
}

/// The address of a resource, with what happens to it where that is not the first thing one thinks of.
fn resource(of: &Resource) -> String {
    let address = cut(&of.address, MOST_OF_ADDRESS);
    match of.fate {
        Fate::Destroyed | Fate::Forgotten => address.into_owned(),
        Fate::Replaced => format!("{address} (replace)"),
    }
}

/// Words one after the other, with "and" before the last.
fn listed(words: &[String]) -> Option<String> {
    let (last, others) = words.split_last()?;
    Some(match others {
        [] => last.clone(),
        _ => format!("{} and {last}", others.join(", ")),
    })
}

/// What happens to files.
fn files(loss: &Loss) -> String {
    let least = if loss.at_least { "at least " } else { "" };
    let size = if loss.bytes > 0 {
        format!(" ({})", size(loss.bytes))
    } else {
        String::new()
    };
    if !loss.deletes && !loss.overwrites {
        let mut said = Vec::new();
        if loss.modified > 0 {
            said.push(format!(
                "throws away the changes to {least}{}{size}",
                counted(loss.modified, "file", "files")
            ));
        }
        if loss.untracked > 0 {
            said.push(format!(
                "overwrites {least}{}",
                counted(loss.untracked, "untracked file", "untracked files")
            ));
        }
        return said.join(" and ");
    }
    let mut of = Vec::new();
    for (number, what) in [
        (loss.untracked, "untracked"),
        (loss.modified, "modified since the last commit"),
        (loss.ignored, "ignored by git"),
        (loss.outside, "in no repository"),
    ] {
        if number > 0 {
            of.push((number, what));
        }
    }
    let files = loss.files.max(of.iter().map(|(number, _)| number).sum());
    let verb = if loss.deletes {
        "deletes"
    } else {
        "overwrites"
    };
    let total = format!("{verb} {least}{}{size}", counted(files, "file", "files"));
    match of.as_slice() {
        [] => total,
        [(number, what)] if *number == files => match files {
            1 => format!("{total}, {what}"),
            _ => format!("{total}, all {what}"),
        },
        _ => {
            let sum: u64 = of.iter().map(|(number, _)| number).sum();
            let mut told: Vec<String> = of
                .iter()
                .map(|(number, what)| format!("{} {what}", grouped(*number)))
                .collect();
            if sum < files && !loss.at_least {
                told.push("the rest is in git".to_owned());
            }
            format!("{total}: {}", told.join(", "))
        }
    }
}

/// A number of things.
fn counted(number: u64, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", grouped(number)),
    }
}

/// A number with a comma at each thousand.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in the unit that leaves few digits.
fn size(bytes: u64) -> String {
    const UNITS: &[&str] = &["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return counted(bytes, "byte", "bytes");
    }
    let mut value = bytes;
    let mut unit = "";
    for name in UNITS {
        unit = name;
        value /= 1000;
        if value < 1000 {
            break;
        }
    }
    format!("{} {unit}", grouped(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_what_goes_and_what_can_be_had_back() {
        let none = Loss::default;
        let resource = |address: &str, fate| Resource {
            address: address.to_owned(),
            fate,
        };
        for (loss, said) in [
            (
                Loss {
                    deletes: true,
                    files: 1204,
                    bytes: 38_400_000,
                    untracked: 12,
                    modified: 3,
                    ..none()
                },
                "deletes 1,204 files (38 MB): 12 untracked, 3 modified since the last commit, the rest is in git",
            ),
            (
                Loss {
                    deletes: true,
                    files: 2,
                    bytes: 1,
                    untracked: 2,
                    ..none()
                },
                "deletes 2 files (1 byte), all untracked",
            ),
            (
                Loss {
                    deletes: true,
                    files: 1,
                    bytes: 1500,
                    outside: 1,
                    ..none()
                },
                "deletes 1 file (1 kB), in no repository",
            ),
            (
                Loss {
                    deletes: true,
                    files: 100_000,
                    bytes: 999_999_999,
                    outside: 7,
                    at_least: true,
                    ..none()
                },
                "deletes at least 100,000 files (999 MB): 7 in no repository",
            ),
            (
                Loss {
                    deletes: true,
                    at_least: true,
                    ..none()
                },
                "deletes more than could be looked at",
            ),
            (
                Loss {
                    deletes: true,
                    files: 3,
                    repositories: 1,
                    ..none()
                },
                "deletes 1 repository with all history",
            ),
            (
                Loss {
                    files: 1,
                    bytes: 5,
                    modified: 1,
                    ..none()
                },
                "throws away the changes to 1 file (5 bytes)",
            ),
            (
                Loss {
                    modified: 2,
                    untracked: 1,
                    commits: 3,
                    ..none()
                },
                "throws away the changes to 2 files and overwrites 1 untracked file; \
                 leaves 3 commits that no other branch, tag or remote has",
            ),
            (
                Loss {
                    stashes: 2,
                    ..none()
                },
                "drops 2 stashes",
            ),
            (
                Loss {
                    destroyed: 2,
                    replaced: 1,
                    resources: vec![
                        resource("aws_db_instance.main", Fate::Replaced),
                        resource("a.b[\"\u{1b}[2K\"]", Fate::Destroyed),
                    ],
                    ..none()
                },
                "destroys 2 resources and replaces 1: \
                 aws_db_instance.main (replace), a.b[\"\\x1b[2K\"] and 1 more",
            ),
            (
                Loss {
                    tables: 1,
                    dropped_rows: 2,
                    deleted_rows: 1,
                    changed_rows: 4321,
                    ..none()
                },
                "drops 1 table with 2 rows; deletes 1 row; changes 4,321 rows",
            ),
            (
                Loss {
                    deleted_rows: 1204,
                    of_tables: vec!["orders".to_owned()],
                    ..none()
                },
                "deletes 1,204 rows of orders",
            ),
            (
                Loss {
                    tables: 7,
                    dropped_rows: 100_000,
                    of_tables: ["a", "b", "c", "d", "e", "f", "g"]
                        .map(str::to_owned)
                        .to_vec(),
                    at_least: true,
                    ..none()
                },
                "drops 7 tables with at least 100,000 rows: a, b, c, d, e and 2 more",
            ),
            (
                Loss {
                    tables: 1,
                    dropped_rows: 1,
                    deleted_rows: 2,
                    of_tables: vec!["a".to_owned(), "b".to_owned()],
                    ..none()
                },
                "drops 1 table with 1 row; deletes 2 rows",
            ),
            (
                Loss {
                    databases: 1,
                    database_tables: 12,
                    ..none()
                },
                "drops 1 database with 12 tables",
            ),
            (
                Loss {
                    forgotten: 1200,
                    ..none()
                },
                "forgets 1,200 resources",
            ),
            (
                Loss {
                    commits: 1,
                    ..none()
                },
                "leaves 1 commit that no other branch, tag or remote has",
            ),
        ] {
            assert_eq!(sentence(&loss), said);
        }
    }

    #[test]
    fn what_the_session_did_before_is_told_with_what_would_be_lost() {
        let again = |name: &str, seconds| Before::Again {
            kind: "database".to_owned(),
            name: name.to_owned(),
            seconds,
        };
        for (files, before, said) in [
            (
                1,
                Before::Deleted {
                    files: 1200,
                    bytes: 5000,
                },
                "deletes 1 file, after 1,200 files were deleted (5 kB) in this session with nobody asked",
            ),
            (
                3,
                Before::Deleted { files: 0, bytes: 0 },
                "deletes 3 files, more than a session may with nobody asked",
            ),
            (
                1,
                Before::Overwritten(1),
                "deletes 1 file, after 1 file was written over in this session with nobody asked",
            ),
            (
                0,
                Before::Destroyed(25),
                "destroys a resource, after 25 resources were destroyed in this session with nobody asked",
            ),
            (
                0,
                again("shop", 1),
                "creates the database `shop` again, which this session destroyed 1 second ago: the name comes back, and \
                 what was in it does not",
            ),
            (
                0,
                again("\u{1b}[2K", 7300),
                "creates the database `\\x1b[2K` again, which this session destroyed 2 hours ago: the name comes back, \
                 and what was in it does not",
            ),
            (
                0,
                again("", 180),
                "creates the database again, which this session destroyed 3 minutes ago: the name comes back, and what \
                 was in it does not",
            ),
        ] {
            let lost = (files > 0).then(|| {
                sentence(&Loss {
                    deletes: true,
                    files,
                    ..Loss::default()
                })
            });
            assert_eq!(with_past(lost, Some(&before)).as_deref(), Some(said));
        }
        assert_eq!(with_past(None, None), None);
    }
}
