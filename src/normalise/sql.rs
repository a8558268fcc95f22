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

/// The files that a client is told to go on reading in: `.read` of sqlite, `\\i` and `\\ir` of psql, `source` and `\\.` of mysql.
pub(super) fn files_read(text: &str) -> Vec<String> {
    named(
        text,
        &["read"],
        &["\\i", "\\ir", "\\include", "\\include_relative", "\\."],
        &["source"],
    )
}

/// The files that a client is told to write anew: `.output`, `.once`, `.save`, `.backup`, `.clone` and `.log` of sqlite, `\\o` and
/// `\\w` of psql, `tee` of mysql, and what a function of sqlite's shell writes.
pub(super) fn files_written(text: &str) -> Vec<String> {
    const WRITES: &str = "writefile(";
    let sqlite = ["output", "once", "save", "backup", "clone", "log"];
    let psql = ["\\o", "\\out", "\\w", "\\write", "\\g"];
    let mut found = named(text, &sqlite, &psql, &["tee"]);
    found.retain(|file| !matches!(file.as_str(), "stdout" | "stderr" | "off" | "on"));
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices(WRITES) {
        let after = text
            .get(at + WRITES.len()..)
            .unwrap_or_default()
            .trim_start();
        let end = after
            .char_indices()
            .skip(1)
            .find(|(_, one)| after.starts_with(*one));
        if after.starts_with(['\'', '"'])
            && let Some((end, _)) = end
        {
            found.extend(after.get(1..end).map(str::to_owned));
        }
    }
    found
}

/// The words behind each of these commands: of sqlite, which takes them shortened, at the beginning of a line, where the
/// name of a database may come first; of psql, anywhere, with one word; others at the beginning. What is piped elsewhere is no file.
fn named(text: &str, sqlite: &[&str], psql: &[&str], others: &[&str]) -> Vec<String> {
    const SHORTEST: usize = 2;
    // What stands behind them may be the next operand, too.
    const MOST_WORDS: usize = 2;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let is_sqlite = first.strip_prefix('.').is_some_and(|short| {
            let mut names = sqlite.iter();
            short.len() >= SHORTEST && names.any(|name| name.starts_with(short))
        });
        if is_sqlite || others.contains(&first) {
            let mut named = words(rest);
            named.retain(|word| !word.starts_with('-'));
            named.truncate(MOST_WORDS);
            found.extend(named);
        }
        for mark in psql {
            for (at, _) in line.match_indices(mark) {
                let after = line.get(at + mark.len()..).unwrap_or_default();
                if after.starts_with(char::is_whitespace) {
                    found.extend(first_word(after));
                }
            }
        }
    }
    found.retain(|file| !file.is_empty() && !file.starts_with(['|', '-']));
    found
}

/// The first word behind a client's own command, of which a line may have as many as it has letters: no more is read for
/// each than a path can be long.
fn first_word(text: &str) -> Option<String> {
    const LONGEST: usize = libc::PATH_MAX as usize;
    let text = text.trim_start();
    let text = text.get(..text.floor_char_boundary(LONGEST))?;
    let word = shlex::Shlex::new(text).next();
    let word = word.or_else(|| text.split_whitespace().next().map(str::to_owned))?;
    Some(word.trim_end_matches(';').to_owned())
}

/// The words of a client's own command.
fn words(text: &str) -> Vec<String> {
    let text = text.trim_end().trim_end_matches(';');
    let plain = || text.split_whitespace().map(str::to_owned).collect();
    shlex::split(text).unwrap_or_else(plain)
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
    fn files_of_clients_are_found() {
        for (text, read, written) in [
            (".read f.sql", vec!["f.sql"], vec![]),
            ("SELECT 1;\n  .rea 'a b.sql'", vec!["a b.sql"], vec![]),
            ("select 1 \\i f.sql", vec!["f.sql"], vec![]),
            (
                "\\ir f.sql\n\\include g.sql",
                vec!["f.sql", "g.sql"],
                vec![],
            ),
            ("source f.sql;", vec!["f.sql"], vec![]),
            (".read |generate", vec![], vec![]),
            (".backup main app.db", vec![], vec!["main", "app.db"]),
            (".read f.sql SELECT 1", vec!["f.sql", "SELECT"], vec![]),
            (
                ".once -x app.db\n.out app.csv",
                vec![],
                vec!["app.db", "app.csv"],
            ),
            (".output stdout\n.output\n.log off", vec![], vec![]),
            ("\\o app.db", vec![], vec!["app.db"]),
            ("select writefile('app.db', '')", vec![], vec!["app.db"]),
            ("SELECT Writefile( \"a\",x)", vec![], vec!["a"]),
            ("SELECT writefile(name, x), 'i f'", vec![], vec![]),
        ] {
            assert_eq!(files_read(text), read, "{text}");
            assert_eq!(files_written(text), written, "{text}");
        }
    }

    #[test]
    fn files_are_found_in_time_in_whatever_text() {
        for part in [
            "\\i ",
            "\\i x ",
            "\\i '",
            "\\i #",
            "\\i\"x ",
            "\\o x\n",
            ".read x\n",
            ".read ",
            "writefile('",
        ] {
            let text = part.repeat(100_000 / part.len());
            let start = std::time::Instant::now();
            files_read(&text);
            files_written(&text);
            assert!(start.elapsed().as_secs() < 2, "{part:?} repeated");
        }
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
