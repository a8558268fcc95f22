//! SQL taken apart: the statements of a text without comments and without what stands in quotes, and
//! the shell commands that clients run from it.
//!
//! Dialects differ in what a backslash, `#` or `--` means. Where that decides what is executed, each
//! reading gives its statements, so that none is missed.

/// How deep SQL in quotes within SQL is followed.
const DEEPEST: usize = 3;

/// Words that execute a text which stands in quotes.
const EXECUTING: &[&str] = &[
    "do",
    "exec",
    "execute",
    "immediate",
    "prepare",
    "gexec",
    "dblink_exec",
    "sp_executesql",
    "query_to_xml",
    "format",
];

/// The statements of a text: comments are gone, blanks are single, quoted texts are empty (`''`), and
/// what `EXECUTE '…'` or `DO $$…$$` would run is among them.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    split(text, true, 0, &mut found);
    if text.contains("\\'") || text.contains("\\\"") {
        split(text, false, 0, &mut found);
    }
    // Of a line's end that is none for all: PostgreSQL's comments end there.
    if text.replace("\r\n", "\n").contains('\r') {
        found.extend(statements(&text.replace('\r', "\n")));
    }
    found
}

/// The shell commands that a client would run: `\!` of psql and mysql, `.shell` of sqlite, `COPY … TO
/// PROGRAM`, `xp_cmdshell`.
pub(super) fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        for mark in ["\\!", ".shell ", ".system ", "system ", "!!"] {
            if let Some(command) = line.strip_prefix(mark) {
                found.push(command.trim().to_owned());
            }
        }
    }
    let lower = text.to_ascii_lowercase();
    for mark in ["program '", "xp_cmdshell '", "program $$", "pipe '|"] {
        for (at, _) in lower.match_indices(mark) {
            let after = text.get(at + mark.len()..).unwrap_or_default();
            let end = after.find(['\'', '$']).unwrap_or(after.len());
            found.extend(after.get(..end).map(str::to_owned));
        }
    }
    found
}

/// The statement that is being read.
#[derive(Default)]
struct Open {
    text: String,
    quoted: Vec<String>,
}

impl Open {
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    fn close(&mut self, depth: usize, found: &mut Vec<String>) {
        let open = std::mem::take(self);
        let text = open.text.trim();
        if text.len() < 4 {
            return;
        }
        let executes = text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| EXECUTING.iter().any(|e| word.eq_ignore_ascii_case(e)));
        if executes && depth < DEEPEST {
            for quoted in open.quoted {
                split(&quoted, true, depth + 1, found);
            }
        }
        let text = text.to_owned();
        if found.last() != Some(&text) {
            found.push(text);
        }
    }
}

fn split(text: &str, backslash_escapes: bool, depth: usize, found: &mut Vec<String>) {
    let mut open = Open::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let line_start = open.text.is_empty();
        match c {
            ';' => {
                open.close(depth, found);
                rest = after;
            }
            '\n' if line_start || ends_line(&open.text, after) => {
                open.close(depth, found);
                rest = after;
            }
            _ if c.is_whitespace() => {
                open.blank();
                rest = after;
            }
            '-' if after.starts_with('-') => {
                let line = line_of(after);
                if line.strip_prefix('-').is_some_and(starts_word) && depth < DEEPEST {
                    split(
                        line.trim_start_matches('-'),
                        backslash_escapes,
                        DEEPEST,
                        found,
                    );
                }
                open.blank();
                rest = after.get(line.len()..).unwrap_or_default();
            }
            '#' if line_start || open.text.ends_with(' ') => {
                let line = line_of(after);
                if depth < DEEPEST {
                    split(line, backslash_escapes, DEEPEST, found);
                }
                open.blank();
                rest = after.get(line.len()..).unwrap_or_default();
            }
            '/' if after.starts_with("*!") => {
                let code = after.get(2..).unwrap_or_default();
                open.blank();
                rest = code.trim_start_matches(|c: char| c.is_ascii_digit());
            }
            '/' if after.starts_with('*') => {
                open.blank();
                rest = match after.get(1..).and_then(|t| t.split_once("*/")) {
                    Some((_, rest)) => rest,
                    None => "",
                };
            }
            '*' if after.starts_with('/') => {
                open.blank();
                rest = after.get(1..).unwrap_or_default();
            }
            '\'' | '"' | '`' => {
                let (quoted, end) = quoted(after, c, backslash_escapes && c != '`');
                if c == '\'' {
                    open.text.push_str("''");
                } else {
                    open.text.push(c);
                    open.text.push_str(&quoted);
                    open.text.push(c);
                }
                if c != '`' {
                    open.quoted.push(quoted);
                }
                rest = end;
            }
            '$' => match dollar_quoted(rest) {
                Some((quoted, end)) => {
                    open.text.push_str("''");
                    open.quoted.push(quoted.to_owned());
                    rest = end;
                }
                None => {
                    open.text.push('$');
                    rest = after;
                }
            },
            '\\' if after.starts_with('\\') || ends_statement(after) => {
                open.close(depth, found);
                rest = after.get(1..).unwrap_or_default();
            }
            c => {
                open.text.push(c);
                rest = after;
            }
        }
    }
    open.close(depth, found);
}

/// Whether a line break ends what was read: a client's own command (`\d`, `.tables`), or the line that
/// says so (`GO`, `/`).
fn ends_line(open: &str, after: &str) -> bool {
    let line = line_of(after).trim();
    open.starts_with(['\\', '.']) || line.eq_ignore_ascii_case("go") || line == "/"
}

/// `\g` and `\G` end a statement; `\gexec` and others belong to it.
fn ends_statement(after: &str) -> bool {
    let mut chars = after.chars();
    matches!(chars.next(), Some('g' | 'G')) && !chars.next().is_some_and(char::is_alphanumeric)
}

fn starts_word(text: &str) -> bool {
    text.chars().next().is_some_and(|c| !c.is_whitespace())
}

fn line_of(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// The text up to the closing quote, and what follows it. A doubled quote stands for one.
fn quoted(text: &str, quote: char, backslash_escapes: bool) -> (String, &str) {
    let mut content = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && backslash_escapes {
            content.extend(chars.next().map(|(_, escaped)| escaped));
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                content.push(quote);
            } else {
                return (content, text.get(at + c.len_utf8()..).unwrap_or_default());
            }
        } else {
            content.push(c);
        }
    }
    (content, "")
}

/// `$tag$…$tag$` at the start of a text, and what follows it.
fn dollar_quoted(text: &str) -> Option<(&str, &str)> {
    let tag_end = text.get(1..)?.find('$')? + 2;
    let (mark, rest) = text.split_at_checked(tag_end)?;
    let tag = mark.trim_matches('$');
    if !tag.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    rest.split_once(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_whatever_stands_around_them() {
        for (text, expected) in [
            ("SELECT 1", vec!["SELECT 1"]),
            (
                "select 1;\n drop\ttable  x ;",
                vec!["select 1", "drop table x"],
            ),
            ("DROP /* now */ TABLE x -- gone", vec!["DROP TABLE x"]),
            (
                "SELECT 1 -- x\r; drop\rtable y",
                vec!["SELECT 1", "SELECT 1", "drop table y"],
            ),
            ("SELECT 1 -- x\r\n", vec!["SELECT 1"]),
            ("/*!50000 DROP TABLE x */;", vec!["DROP TABLE x"]),
            ("SELECT ';drop table x'", vec!["SELECT ''"]),
            ("SELECT 'it''s; drop table x' AS a", vec!["SELECT '' AS a"]),
            ("DELETE FROM \"my users\"", vec!["DELETE FROM \"my users\""]),
            ("DELETE FROM `u;v`", vec!["DELETE FROM `u;v`"]),
            (
                "DO $x$ BEGIN EXECUTE 'DROP TABLE ' || n; END $x$",
                vec!["DROP TABLE", "BEGIN EXECUTE '' || n", "DO ''"],
            ),
            (
                "SELECT 'drop table ' || n FROM t \\gexec",
                vec!["drop table", "SELECT '' || n FROM t \\gexec"],
            ),
            ("\\dt u\nDROP TABLE x", vec!["\\dt u", "DROP TABLE x"]),
            (
                "\\c shop \\\\ drop table x",
                vec!["\\c shop", "drop table x"],
            ),
            (
                "SELECT 1\\G DROP TABLE x\\G",
                vec!["SELECT 1", "DROP TABLE x"],
            ),
            (
                "SELECT 1\nGO\nDROP TABLE x\nGO",
                vec!["SELECT 1", "GO DROP TABLE x"],
            ),
            ("--DROP TABLE x", vec!["DROP TABLE x"]),
            ("-- it's a note\nDROP TABLE x", vec!["DROP TABLE x"]),
            ("SELECT a #> b FROM t", vec!["> b FROM t", "SELECT a"]),
            ("x", vec![]),
        ] {
            assert_eq!(statements(text), expected, "{text}");
        }
    }

    #[test]
    fn a_backslash_before_a_quote_is_read_both_ways() {
        let found = statements("SELECT '\\'; DROP TABLE x; --'");
        assert!(found.iter().any(|s| s == "DROP TABLE x"), "{found:?}");
        let found = statements("SELECT 'it\\'s'; DROP TABLE x; --'");
        assert!(found.iter().any(|s| s == "DROP TABLE x"), "{found:?}");
    }

    #[test]
    fn commands_of_clients_are_found() {
        for (text, expected) in [
            ("\\! rm -rf x", vec!["rm -rf x"]),
            ("SELECT 1;\n  .shell rm -rf x", vec!["rm -rf x"]),
            ("COPY t TO PROGRAM 'rm -rf x'", vec!["rm -rf x"]),
            ("EXEC xp_cmdshell 'del x'", vec!["del x"]),
            ("SELECT 1", vec![]),
        ] {
            assert_eq!(commands(text), expected, "{text}");
        }
    }
}
