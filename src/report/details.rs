//! All that is known of a request, for a person who wants to see it before they answer: rows of a width, and pages
//! of them. Nothing is left out, and every row stands behind a margin of ours, so that no text can pass for a label.

use dialoguer::console::measure_text_width;

use crate::action::{FileUse, Value};
use crate::broker::Root;
use crate::decide::preview::Preview;
use crate::decide::{Decision, Finding};
use crate::policy::schema::{Acknowledge, Effect};

use super::check::word;
use super::escape::{escape, push_escaped};
use super::prompt::by_rule;
use super::style::{Role, Style};
use super::{loss, whereabouts};

/// Where the words after a label start.
const LABEL: usize = 11;
/// The narrowest column of words.
const NARROWEST: usize = 16;

/// A request, as far as it is known.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// What the policy says.
    pub decision: &'a Decision,
    /// The text; the origins of findings are byte ranges in it.
    pub text: &'a str,
    /// Where it came from.
    pub source: &'a str,
    /// Its working directory.
    pub cwd: &'a str,
    /// The process that its session is, and the name of that where it still runs.
    pub session: Option<(Root, Option<String>)>,
    /// The user, where it is another one's.
    pub user: Option<u32>,
}

/// All of it, in rows of at most so many columns.
#[must_use]
pub fn details(known: &Known<'_>, columns: usize, style: Style) -> Vec<String> {
    let mut sheet = Sheet::new(columns, style);
    sheet.title("kibosh: all that is known; nothing of this has run yet");
    sheet.text(known.text, columns);
    sheet.words("in", Role::Margin, known.cwd);
    sheet.words("from", Role::Margin, known.source);
    if let Some((session, name)) = &known.session {
        let name = name.as_ref().map(|name| format!(" ({name})"));
        let words = format!("process {}{}", session.id, name.unwrap_or_default());
        sheet.words("session", Role::Margin, &words);
    }
    if let Some(user) = known.user {
        sheet.words("user", Role::Margin, &user.to_string());
    }
    let asked: Vec<&Finding> = known
        .decision
        .findings
        .iter()
        .filter(|finding| finding.effect != Effect::Allow)
        .collect();
    for findings in by_rule(&asked) {
        sheet.rule(&findings, known.text);
    }
    sheet.rows
}

/// Rows that are being written.
pub(super) struct Sheet {
    /// Those that are written.
    pub(super) rows: Vec<String>,
    width: usize,
    style: Style,
}

impl Sheet {
    /// An empty one, of so many columns.
    pub(super) fn new(columns: usize, style: Style) -> Self {
        Self {
            rows: Vec::new(),
            width: columns.saturating_sub(LABEL).max(NARROWEST),
            style,
        }
    }

    /// A title.
    pub(super) fn title(&mut self, words: &str) {
        for row in folded(words, self.width + LABEL) {
            self.rows.push(self.style.paint(Role::Title, &row));
        }
    }

    /// The whole text, line by line; what goes on in the next row has another margin.
    pub(super) fn text(&mut self, text: &str, columns: usize) {
        let width = columns.saturating_sub(4).max(NARROWEST);
        for line in text.trim_end_matches('\n').split('\n') {
            let mut margin = "  | ";
            for row in folded(line, width) {
                let margin = self
                    .style
                    .paint(Role::Margin, std::mem::replace(&mut margin, "  : "));
                self.rows.push(format!("{margin}{row}"));
            }
        }
    }

    /// A label and words, which may be foreign.
    pub(super) fn words(&mut self, label: &str, role: Role, words: &str) {
        if words.is_empty() {
            return;
        }
        let mut label = label;
        for row in folded(words, self.width) {
            let margin = format!("  {label:<width$}", width = LABEL - 2);
            let margin = self.style.paint(Role::Margin, &margin);
            let row = match role {
                Role::Margin => row,
                role => self.style.paint(role, &row),
            };
            self.rows.push(format!("{margin}{row}"));
            label = "";
        }
    }

    /// What is found by one rule.
    fn rule(&mut self, findings: &[&Finding], text: &str) {
        let Some(first) = findings.first() else {
            return;
        };
        self.rows.push(String::new());
        let rule = format!(
            "{} ({}, {})",
            first.rule,
            word(first.effect),
            escape(&first.layer)
        );
        self.words("rule", Role::Title, &rule);
        self.words("why", Role::Danger, &first.reason);
        if let Some(instead) = &first.instead {
            self.words("instead", Role::Advice, instead);
        }
        if first.reviewers > 1 {
            let people = format!("the yes of {} people", first.reviewers);
            self.words("needs", Role::Danger, &people);
        }
        if first.acknowledge == Acknowledge::Name {
            self.words("needs", Role::Danger, "the name of the thing typed");
        }
        for finding in findings {
            self.finding(finding, text);
        }
    }

    /// One action, and what surrounds it.
    fn finding(&mut self, finding: &Finding, text: &str) {
        let around = &finding.around;
        self.words("does", Role::Margin, &finding.subject);
        if let Some((line, column)) = place(text, finding.origin.start) {
            let words = format!("line {line}, column {column}");
            self.words("at", Role::Margin, &words);
        }
        if let Some(resource) = &finding.resource {
            self.words("thing", Role::Margin, resource);
        }
        let environment = whereabouts::of(finding);
        self.words("where", Role::Danger, &environment.unwrap_or_default());
        let lost = loss::of(finding).map(|lost| format!("it {lost}"));
        self.words("loses", Role::Danger, &lost.unwrap_or_default());
        self.words("run in", Role::Margin, around.cwd.as_deref().unwrap_or(""));
        if around.elsewhere {
            self.words("run on", Role::Margin, "another host or in a container");
        }
        self.words("through", Role::Margin, &around.via.join(", "));
        for beside in &around.beside {
            self.words("with", Role::Margin, &line_of(beside));
        }
        for redirection in &around.redirections {
            let label = match redirection.usage {
                FileUse::Read => "reads",
                FileUse::Write => "writes",
                FileUse::Append => "appends",
            };
            self.words(label, Role::Margin, &redirection.file.text);
        }
        for (name, value) in &around.environment {
            let words = format!("{name}={}", value.text);
            self.words("variable", Role::Margin, &words);
        }
        for text in &around.texts {
            self.words("is given", Role::Margin, text);
        }
        let preview = finding.preview.as_ref().and_then(Preview::line);
        self.words("preview", Role::Margin, &preview.unwrap_or_default());
    }
}

/// Words as one line.
fn line_of(words: &[Value]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(" ")
}

/// Line and column of a byte, from 1; none where the text has only one line.
fn place(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text.get(..at)?;
    if !text.trim_end_matches('\n').contains('\n') {
        return None;
    }
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(start..)?.chars().count() + 1;
    Some((before.matches('\n').count() + 1, column))
}

/// Text in rows of at most `width` columns, made visible; broken at the last blank of a row where there is one in
/// its second half, else anywhere.
#[must_use]
pub fn folded(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    for character in text.chars() {
        let mut shown = String::new();
        push_escaped(&mut shown, character);
        // What is made visible is of plain characters, each of which may begin a row.
        for character in shown.chars() {
            let columns = measure_text_width(character.encode_utf8(&mut [0; 4]));
            if used + columns > width {
                let rest = match row.rfind(' ') {
                    Some(blank) if blank * 2 > row.len() => row.split_off(blank + 1),
                    _ => String::new(),
                };
                used = measure_text_width(&rest);
                rows.push(std::mem::replace(&mut row, rest));
            }
            row.push(character);
            used += columns;
        }
    }
    rows.push(row);
    rows
}

/// A page of a sheet: which rows stand on it, and which page of how many it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 0.
    pub number: usize,
    /// How many there are, at least 1.
    pub of: usize,
    /// How many rows a page has.
    pub height: usize,
}

impl Page {
    /// A page of so many rows, the last one where there are not so many pages.
    #[must_use]
    pub fn new(number: usize, rows: usize, height: usize) -> Self {
        let height = height.max(1);
        let of = rows.div_ceil(height).max(1);
        Self {
            number: number.min(of - 1),
            of,
            height,
        }
    }

    /// Its rows.
    #[must_use]
    pub fn rows<'r>(&self, rows: &'r [String]) -> &'r [String] {
        let start = (self.number * self.height).min(rows.len());
        let end = (start + self.height).min(rows.len());
        rows.get(start..end).unwrap_or_default()
    }

    /// What stands below it, no longer than 39 columns.
    #[must_use]
    pub fn words(&self, seconds: u64) -> String {
        let Self { number, of, .. } = self;
        format!("{}/{of} space on, b up, q done ({seconds} s)", number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_by_its_columns_and_nothing_is_left_out() {
        for (text, width, rows) in [
            ("", 8, &[""][..]),
            ("abcdefgh", 8, &["abcdefgh"]),
            ("abcdefghi", 8, &["abcdefgh", "i"]),
            ("abcde fghi", 8, &["abcde ", "fghi"]),
            ("a bcdefghi", 8, &["a bcdefg", "hi"]),
            ("大大大大大", 8, &["大大大大", "大"]),
            ("a\x1b[2J", 8, &["a\\x1b[2J"]),
            ("a\x1b[2Jb", 8, &["a\\x1b[2J", "b"]),
        ] {
            assert_eq!(folded(text, width), rows, "{text:?}");
        }
    }

    #[test]
    fn pages_hold_each_row_once() {
        let rows: Vec<String> = (0..10).map(|row| row.to_string()).collect();
        for height in 1..12 {
            let of = Page::new(0, rows.len(), height).of;
            let all: Vec<String> = (0..of)
                .flat_map(|number| Page::new(number, rows.len(), height).rows(&rows).to_vec())
                .collect();
            assert_eq!(all, rows, "{height}");
        }
        assert_eq!(Page::new(9, 10, 4).number, 2);
        assert_eq!(Page::new(9, 0, 0).rows(&[]), &[] as &[String]);
        assert!(Page::new(998, 999, 1).words(120).len() <= 39);
    }

    #[test]
    fn no_row_is_wider_than_the_terminal_or_acts_on_it() {
        let text = "x 大大 \x1b[2J\u{202e}\r\n  rule     forged\n".repeat(40);
        let known = Known {
            decision: &Decision::default(),
            text: &text,
            source: &"by 大 \x1b]0;x\x07".repeat(40),
            cwd: "/srv\nrule     forged",
            session: Some((Root { id: 7, began: 1 }, Some("a\nb".into()))),
            user: Some(7),
        };
        for columns in [40, 80, 200] {
            let rows = details(&known, columns, Style::Plain);
            for row in &rows {
                assert!(measure_text_width(row) <= columns, "{row:?}");
                assert!(!row.contains(char::is_control), "{row:?}");
                assert!(!row.starts_with("  rule"), "{row:?}");
            }
        }
    }
}
