//! Rows of a SQLite database that statements delete or change all of, counted by the system's own sqlite3, read-only.
//!
//! Takes the words and the statements of an action, gives a question; takes the question, gives what would be
//! lost.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::contain::Allowed;
use super::rows::{self, Done};
use super::{Loss, files, program};
use crate::action::{Action, HOLE};
use crate::invocation::View;
use crate::policy::matcher::Facts;
use crate::policy::schema::Language;

/// Where the system has it.
const PLACES: &[&str] = &["/usr/bin/sqlite3", "/bin/sqlite3", "/usr/local/bin/sqlite3"];

/// What its command has to begin with: no file of settings, no functions that write or load, nothing after an
/// error.
const OPTIONS: &[&str] = &["sqlite3", "-init", "/dev/null", "-batch", "-safe", "-bail"];

/// Options that change nothing of which database and which statements it is about.
const HARMLESS: &[&str] = &["-batch", "-bail", "-cmd", "-header", "-noheader"];

/// Where its settings are, below a home directory.
const SETTINGS: &[&str] = &[".sqliterc", ".config/sqlite3/sqliterc"];

/// What is to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// The database.
    file: PathBuf,
    /// What is done to which tables; none where only a database that is not there yet loses nothing.
    tables: Option<Vec<(String, Done)>>,
}

impl Ask {
    /// Where the database is.
    pub fn place(&self) -> &Path {
        &self.file
    }
}

/// Whether sqlite3 would take the database for what it seems: no settings of a person's or of a
/// variable's are read before.
pub(super) fn is_plain(view: &View, action: &Action) -> bool {
    let is_set = |name: &str| action.environment.contains_key(name);
    if !action.via.is_empty() || is_set("HOME") || is_set("XDG_CONFIG_HOME") {
        return false;
    }
    let Some(homes) = files::homes(view) else {
        return false;
    };
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    let others = view.values("XDG_CONFIG_HOME");
    let mut settings = homes
        .iter()
        .flat_map(|home| SETTINGS.iter().map(move |name| home.join(name)))
        .chain(others.map(|folder| path(folder).join("sqlite3/sqliterc")));
    settings.all(|file| matches!(files::at(&file), Ok(None)))
}

/// The question for an action; none where it is not known which rows of which database it is about.
pub(super) fn of(facts: &Facts<'_>) -> Option<Ask> {
    let action = facts.action;
    let file = facts.operands(0).next()?.text.as_str();
    let flags = &facts.arguments.flags;
    let is_plain = action.program == "sqlite3"
        && flags
            .iter()
            .all(|flag| HARMLESS.contains(&flag.name.as_str()))
        && !action.arguments.iter().any(|word| word.glob)
        && !file.is_empty()
        && !file.starts_with([':', '-'])
        && !file.starts_with("file:");
    if !is_plain {
        return None;
    }
    let mut tables: Option<Vec<(String, Done)>> = Some(Vec::new());
    for payload in &action.payloads {
        if payload.language != Language::Sql || payload.text.contains(HOLE) {
            return None;
        }
        match (statement(&payload.text), &mut tables) {
            (Some(done), Some(tables)) => {
                let is_new = |done: &(String, Done)| !tables.contains(done);
                let done = done.filter(is_new);
                tables.extend(done);
            }
            (None, _) if may_leave(&payload.text) => return None,
            (None, _) => tables = None,
            (Some(_), None) => {}
        }
    }
    let file = Path::new(action.cwd.as_deref()?).join(file);
    let is_something =
        !action.payloads.is_empty() && tables.as_ref().is_none_or(|all| !all.is_empty());
    is_something.then_some(Ask { file, tables })
}

/// Whether statements may be about another database or a file, or do more than SQL.
fn may_leave(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut lines = text.lines();
    lines.any(|line| line.trim_start().starts_with('.'))
        || [
            "attach",
            "vacuum",
            "load_extension",
            "writefile",
            "edit(",
            "readfile",
            "virtual",
            "pragma",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// The table that a statement takes all rows of; `Some(None)` where it only begins or ends a
/// transaction, none for every other statement.
fn statement(text: &str) -> Option<Option<(String, Done)>> {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (name, done) = match words.as_slice() {
        ["begin" | "commit" | "end"] | ["begin" | "commit" | "end", "transaction"] => {
            return Some(None);
        }
        ["drop", "table", name] | ["drop", "table", "if", "exists", name] => (name, Done::Dropped),
        ["delete", "from", name] => (name, Done::Deleted),
        ["update", name, "set", changes @ ..] => {
            if !changes.join(" ").split(',').all(is_change) {
                return None;
            }
            (name, Done::Changed)
        }
        _ => return None,
    };
    let bare = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let name = bare.unwrap_or(name);
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.is_empty()
        && !name.starts_with("sqlite_");
    is_name.then(|| Some((name.to_owned(), done)))
}

/// Whether text sets one column to one plain value, with nothing behind it: words of another operand may
/// stand there, which are a statement of their own.
fn is_change(text: &str) -> bool {
    let is_word = |text: &str, others: &[u8]| {
        let mut bytes = text.bytes();
        !text.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
    };
    text.split_once('=').is_some_and(|(column, value)| {
        is_word(column.trim(), b"_") && is_word(value.trim(), b"_.'-+")
    })
}

/// What would be lost.
pub(super) fn look(ask: &Ask) -> Option<Loss> {
    let Some(data) = files::at(&ask.file).ok()? else {
        // It would be made.
        return Some(Loss::default());
    };
    let tables = ask.tables.as_ref()?;
    let file = ask.file.canonicalize().ok()?;
    if data.is_symlink() && !file.is_file() || !files::is_file(&file) {
        return None;
    }
    // What is in these is not in the database yet, or is to be taken back.
    for behind in ["-wal", "-journal"] {
        let mut beside = file.clone().into_os_string();
        beside.push(behind);
        if files::at(Path::new(&beside))
            .ok()?
            .is_some_and(|data| data.len() > 0)
        {
            return None;
        }
    }
    let database = Database {
        program: program::at(PLACES)?,
        name: name_of(&file),
    };
    let mut loss = Loss::default();
    for (table, done) in tables {
        if let Some(number) = database.rows(table)? {
            loss.add(&rows::loss(table, *done, number));
        }
    }
    Some(loss)
}

struct Database {
    program: &'static Path,
    name: String,
}

impl Database {
    /// How many rows a table has; `Some(None)` where there is none of this name.
    fn rows(&self, table: &str) -> Option<Option<u64>> {
        // A table that is none on disk does what its module wants.
        let kind = self.says(&format!(
            "SELECT type, coalesce(sql LIKE 'create virtual%', 1) FROM main.sqlite_master \
             WHERE name = '{table}' COLLATE NOCASE AND type IN ('table', 'view')"
        ))?;
        match kind.as_str() {
            "" => Some(None),
            "table|0" => {
                let rows = self.says(&format!("SELECT count(*) FROM main.\"{table}\""))?;
                rows.parse().ok().map(Some)
            }
            _ => None,
        }
    }

    /// What sqlite3 says, where it succeeds.
    fn says(&self, statement: &str) -> Option<String> {
        let mut words: Vec<&[u8]> = OPTIONS.iter().map(|word| word.as_bytes()).collect();
        words.extend([self.name.as_bytes(), statement.as_bytes()]);
        let (said, status) = program::run(
            self.program,
            &words,
            &["LC_ALL=C", "HOME=/dev/null"],
            Allowed::Nothing,
        )?;
        let said = String::from_utf8(said).ok()?;
        (status == 0).then(|| said.trim_end().to_owned())
    }
}

/// A database as its name is written where nothing is to be locked or written beside it.
fn name_of(file: &Path) -> String {
    let mut name = "file:".to_owned();
    for &byte in file.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                name.push(char::from(byte));
            }
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name + "?mode=ro&immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_only_where_it_is_of_all_rows_of_one_table() {
        let known = |name: &str, done| Some(Some((name.to_owned(), done)));
        for (text, expected) in [
            ("DROP TABLE a", known("a", Done::Dropped)),
            (
                "drop table if exists \"Orders\"",
                known("orders", Done::Dropped),
            ),
            ("DELETE FROM a_1", known("a_1", Done::Deleted)),
            ("update a set x = 1, y = ''", known("a", Done::Changed)),
            ("BEGIN", Some(None)),
            ("end transaction", Some(None)),
            ("DELETE FROM a WHERE x", None),
            ("DELETE FROM main.a", None),
            ("DELETE FROM \"a b\"", None),
            ("DELETE FROM sqlite_sequence", None),
            ("DELETE FROM a GO DROP TABLE b", None),
            ("update a set x = 1 go drop table b", None),
            ("update a set x = 1 .open b", None),
            ("update a set x = (select f())", None),
            ("update a set x = 1 delete from b", None),
            ("update a set x = 1, y = 2 drop table b", None),
            ("update a set x = y", known("a", Done::Changed)),
            ("delete from a delete from b", None),
            ("DROP VIEW a", None),
            ("SELECT 1", None),
            (".read x", None),
            ("begin .open x delete from a", None),
            ("", None),
        ] {
            assert_eq!(statement(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_means_one_file() {
        assert_eq!(
            name_of(Path::new("/a b?c=d#%")),
            "file:/a%20b%3fc%3dd%23%25?mode=ro&immutable=1"
        );
    }
}
