//! An error in a policy file, shown where it stands.

use std::fmt;

use super::escape::escape;
use crate::policy::error::PolicyError;

/// One mistake in a file: where, what, and what to do about it.
///
/// The message is lower case, has no full stop and names things in backticks. Everything may hold
/// foreign text; it is escaped when shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file as a person names it.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant; at least one is marked.
    pub length: usize,
    /// The line itself, without its end.
    pub source_line: String,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Finds line, column and source line for the bytes `start..end` of `source`. Offsets past the
    /// end, or inside a character, mean the nearest place before them.
    #[must_use]
    pub fn at(file: &str, source: &str, start: usize, end: usize, message: String) -> Self {
        let before = prefix(source, start);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let source_line = source
            .get(line_start..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or("");
        let column = before
            .get(line_start..)
            .map_or(0, |text| text.chars().count());
        let meant = prefix(source, end).get(before.len()..).unwrap_or("");
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            length: meant.lines().next().map_or(0, |text| text.chars().count()),
            source_line: source_line.to_owned(),
            message,
            hint: None,
        }
    }

    /// The same with a next step.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<&PolicyError> for Diagnostic {
    fn from(error: &PolicyError) -> Self {
        Self {
            file: error.file.clone(),
            line: error.line,
            column: error.column,
            length: error.length,
            source_line: error.source_line.clone(),
            message: error.message.clone(),
            hint: error.hint.clone(),
        }
    }
}

/// The longest prefix that ends at or before byte `end`.
fn prefix(text: &str, end: usize) -> &str {
    (0..=end.min(text.len()))
        .rev()
        .find_map(|at| text.get(..at))
        .unwrap_or("")
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            length,
            source_line,
            message,
            hint,
        } = self;
        match line {
            0 => write!(out, "{}: error: {}", escape(file), escape(message))?,
            _ => write!(
                out,
                "{}:{line}:{column}: error: {}",
                escape(file),
                escape(message)
            )?,
        }
        if !source_line.is_empty() {
            let skipped: String = source_line.chars().take(column.saturating_sub(1)).collect();
            let meant: String = source_line
                .chars()
                .skip(column.saturating_sub(1))
                .take(*length)
                .collect();
            let indent = escape(&skipped).chars().count();
            let tail = escape(&meant).chars().count().saturating_sub(1);
            write!(out, "\n  {}", escape(source_line))?;
            write!(out, "\n  {:indent$}^{:~<tail$}", "", "")?;
        }
        match hint {
            Some(hint) => write!(out, "\nhint: {}", escape(hint)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked_and_the_hint_follows() {
        let source = "[[rule]]\nid = \"a.b\"\nefect = \"deny\"\n";
        let diagnostic = Diagnostic::at("p.toml", source, 20, 25, "unknown key `efect`".into())
            .hinted("did you mean `effect`?");
        assert_eq!(
            diagnostic.to_string(),
            "p.toml:3:1: error: unknown key `efect`\n  efect = \"deny\"\n  ^~~~~\nhint: did you mean `effect`?"
        );
    }

    #[test]
    fn the_marks_stand_under_escaped_text() {
        let source = "a = \"\u{1b}\u{202e}\" # größe\nb = 1";
        let at = source.find('#').unwrap();
        let shown = Diagnostic::at("p.toml", source, at, at + 9, "odd".into()).to_string();
        assert_eq!(
            shown,
            "p.toml:1:10: error: odd\n  a = \"\\x1b\\u{202e}\" # größe\n                     ^~~~~~~"
        );
    }

    #[test]
    fn a_file_as_a_whole_has_no_line() {
        let error = PolicyError::whole("p.toml", "is not a file").hinted("remove it");
        assert_eq!(
            Diagnostic::from(&error).to_string(),
            "p.toml: error: is not a file\nhint: remove it"
        );
    }

    #[test]
    fn offsets_past_the_end_or_inside_a_character_are_taken_back() {
        let past = Diagnostic::at("p", "a\nb", 99, 120, "m".into());
        assert_eq!((past.line, past.column, past.length), (2, 2, 0));
        let inside = Diagnostic::at("p", "ä", 1, 1, "m".into());
        assert_eq!((inside.line, inside.column), (1, 1));
        assert_eq!(
            Diagnostic::at("p", "", 0, 0, "m".into()).to_string(),
            "p:1:1: error: m"
        );
    }
}
