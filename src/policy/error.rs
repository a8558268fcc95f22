//! What is wrong with a policy, and where.

use std::fmt;
use std::ops::Range;

/// One mistake in a policy file.
///
/// The message is lower case, has no full stop and names things in backticks. All texts may hold
/// what stands in the file; whoever shows them escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyError {
    /// The file as a person knows it.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant.
    pub length: usize,
    /// The line of the file, without its end.
    pub source_line: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl PolicyError {
    /// A mistake in the bytes `span` of `text`, which is the content of `file`.
    #[must_use]
    pub fn at(file: &str, text: &str, span: Range<usize>, message: String) -> Self {
        let before = prefix(text, span.start);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let on_line = before.get(start..).unwrap_or_default();
        let source_line = text.get(start..).and_then(|rest| rest.lines().next());
        let source_line = source_line.unwrap_or_default().to_owned();
        let meant = prefix(text, span.end)
            .get(before.len()..)
            .unwrap_or_default();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: on_line.chars().count() + 1,
            length: meant.lines().next().map_or(0, |line| line.chars().count()),
            source_line,
            message,
            hint: None,
        }
    }

    /// A mistake of a file or folder as a whole.
    #[must_use]
    pub fn whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The same with a way to mend it.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The longest prefix that ends at or before byte `end`.
fn prefix(text: &str, end: usize) -> &str {
    text.get(..text.floor_char_boundary(end)).unwrap_or(text)
}

impl fmt::Display for PolicyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(out, "{}: {}", self.file, self.message)
        } else {
            write!(
                out,
                "{}:{}:{}: {}",
                self.file, self.line, self.column, self.message
            )
        }
    }
}

/// Everything that is wrong with the policy; nothing may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl fmt::Display for PolicyErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            write!(out, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

#[cfg(test)]
mod tests {
    use super::PolicyError;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "a = 1\nréason = \"ü\"\n";
        let start = text.find("\"ü\"").unwrap();
        let error = PolicyError::at("x.toml", text, start..start + 4, "m".to_owned());
        assert_eq!((error.line, error.column, error.length), (2, 10, 3));
        assert_eq!(error.source_line, "réason = \"ü\"");
        assert_eq!(error.to_string(), "x.toml:2:10: m");
    }

    #[test]
    fn a_place_past_the_end_or_within_a_character_is_the_nearest_before() {
        assert_eq!(PolicyError::at("x", "ü", 1..9, String::new()).column, 1);
        assert_eq!(PolicyError::at("x", "a\n", 9..9, String::new()).line, 2);
        assert_eq!(
            PolicyError::at("x", "", 0..0, String::new()).source_line,
            ""
        );
    }
}
