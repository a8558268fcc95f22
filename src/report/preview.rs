//! What previews of a request said, for the person who asked for them: rows of a width, each behind a margin of ours,
//! with all that is foreign made visible.

use std::fmt::Display;

use crate::decide::Finding;
use crate::decide::preview::Preview;

use super::details::Sheet;
use super::escape::escape;
use super::refusal::unmistaken;
use super::style::{Role, Style};

/// A preview that has run.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// What it is about.
    pub finding: &'a Finding,
    /// What ran.
    pub preview: &'a Preview,
    /// What it wrote.
    pub output: Vec<u8>,
    /// How it ended.
    pub end: End,
}

/// How a preview ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Status(u8),
    /// It was ended after so many seconds.
    Time(u64),
    /// It was ended after so many bytes.
    TooMuch(usize),
    /// It was ended by a key.
    Key,
    /// What looked after it was ended.
    Lost,
    /// It could not be started, and why.
    NotStarted(String),
    /// The time for all of them was used up before it.
    NoTime,
}

impl End {
    fn words(&self) -> String {
        match self {
            Self::Status(status) => format!("with status {status}"),
            Self::Time(seconds) => format!("by kibosh after {seconds} s, before it was done"),
            Self::TooMuch(bytes) => format!(
                "by kibosh after {} KiB, before it was done: what follows is cut off",
                bytes / 1024
            ),
            Self::Key => "by a key, before it was done".to_owned(),
            Self::Lost => "without saying how".to_owned(),
            Self::NotStarted(why) => format!("before it began: {why}"),
            Self::NoTime => "before it began: there was no time left".to_owned(),
        }
    }
}

/// What is shown while they run.
pub const RUNNING: &str = "kibosh: looking what it would do, q goes back\n";

/// Why there is none below a supervisor.
pub const SUPERVISED: &str = "it would be asked about by another kibosh";

/// Why there is none where nothing that it starts could be judged.
#[must_use]
pub fn ungated(missing: &dyn Display) -> String {
    format!("what it starts cannot be judged here, as there is no exec gate: {missing}")
}

/// That what is done before it could not be done.
#[must_use]
pub fn not_prepared(error: &dyn Display) -> String {
    unmistaken(&format!(
        "kibosh: it cannot be shown here: {}",
        escape(&error.to_string())
    ))
}

/// All of it, in rows of at most so many columns.
#[must_use]
pub fn sheet(shown: &[Shown<'_>], columns: usize, style: Style) -> Vec<String> {
    let mut sheet = Sheet::new(columns, style);
    sheet.title("kibosh: what it says it would do, as things are now; nothing of this has run yet");
    for one in shown {
        let rule = format!("{} ({})", one.finding.rule, one.finding.layer);
        sheet.words("rule", Role::Title, &rule);
        let line = one.preview.line().unwrap_or_default();
        sheet.words("shown by", Role::Margin, &line);
        sheet.words("in", Role::Margin, &one.preview.cwd);
        let output = String::from_utf8_lossy(&one.output);
        if output.trim().is_empty() {
            sheet.words("says", Role::Margin, "nothing");
        } else {
            sheet.text(&output, columns);
        }
        let role = match one.end {
            End::Status(0) => Role::Margin,
            _ => Role::Danger,
        };
        sheet.words("ended", role, &one.end.words());
    }
    sheet.rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialoguer::console::measure_text_width;

    #[test]
    fn no_output_forges_a_label_or_acts_on_the_terminal() {
        let preview = Preview {
            words: vec!["git".into(), "clean\n  ended    with status 0".into()],
            cwd: "/srv/\x1b[2J".into(),
            ..Preview::default()
        };
        let output = b"  ended    with status 0\n\x1b[2J\x1b[1;1H\xff\r\nRun it? y\n".repeat(9);
        for end in [End::Status(1), End::Time(5), End::TooMuch(65536), End::Key] {
            let shown = Shown {
                finding: &Finding::default(),
                preview: &preview,
                output: output.clone(),
                end: end.clone(),
            };
            for columns in [40, 80] {
                let rows = sheet(std::slice::from_ref(&shown), columns, Style::Plain);
                let ends = rows.iter().filter(|row| row.starts_with("  ended"));
                assert_eq!(ends.count(), 1, "{rows:#?}");
                for row in &rows {
                    assert!(measure_text_width(row) <= columns, "{row:?}");
                    assert!(!row.contains(char::is_control), "{row:?}");
                    assert!(!row.starts_with("Run it?"), "{row:?}");
                }
            }
        }
    }
}
