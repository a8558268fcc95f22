//! Rows of a PostgreSQL database that statements delete or change all of, and databases that are dropped: asked
//! by the system's own psql, in transactions that only read.
//!
//! Takes the words, the input and the variables of an action, gives a question; takes the question, gives what would be lost.

mod connection;
mod server;
mod statements;
mod words;

use std::path::{Path, PathBuf};

use super::rows::{self, Done};
use super::{Loss, files};
use crate::action::{Action, FileUse, HOLE};
use crate::invocation::View;
use crate::policy::matcher::Facts;
use crate::policy::schema::Language;
use connection::Connection;
use server::Server;
use statements::Statement;
use words::{Source, Words};

/// The clients that are known.
const PSQL: &str = "psql";
const DROPDB: &str = "dropdb";

/// The longest file of statements that is read, in bytes.
const LONGEST: u64 = 256 << 10;

/// In what Debian's clients are written that start the ones of a version.
const OF_WRAPPER: &str = "perl";

/// How many tables are asked about.
const MOST_TABLES: usize = 16;

/// What is to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    connection: Connection,
    work: Work,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Work {
    /// These texts are executed.
    Texts(Vec<Text>),
    /// A database is dropped.
    Drop(String),
}

/// Where statements stand.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    Known(String),
    In(PathBuf),
}

impl Ask {
    /// The files that are read, and the folders where servers listen.
    pub fn places(&self) -> Vec<&Path> {
        let texts = match &self.work {
            Work::Texts(texts) => texts.as_slice(),
            Work::Drop(_) => &[],
        };
        let files = texts.iter().filter_map(|text| match text {
            Text::In(file) => Some(file.as_path()),
            Text::Known(_) => None,
        });
        files
            .chain(self.connection.folders.iter().map(PathBuf::as_path))
            .collect()
    }
}

/// Whether this is about a client of PostgreSQL.
pub(super) fn is_client(action: &Action) -> bool {
    matches!(action.program.as_str(), PSQL | DROPDB)
}

/// Whether nothing around an action tells the client or the server otherwise than its words: it is the same user in
/// the same network as this process, and there are no variables of which more is not known.
pub(super) fn is_plain(view: &View, action: &Action) -> bool {
    action.via.iter().all(|program| program == OF_WRAPPER)
        && view.shares_network()
        && view.has_this_user()
        && connection::are_harmless(view, action)
}

/// The question for an action; none where it is not known which rows of which database it is about.
pub(super) fn of(facts: &Facts<'_>, view: &View) -> Option<Ask> {
    let action = facts.action;
    if action.arguments.iter().any(|word| word.glob) {
        return None;
    }
    if action.program == DROPDB {
        let words = words::of_dropdb(&action.arguments)?;
        let name = words.operand.clone()?;
        let ask = Ask {
            connection: Connection::of_tool(&words, view, action)?,
            work: Work::Drop(name),
        };
        return Some(ask);
    }
    let words = words::of_psql(&action.arguments)?;
    if !words.is_bare && connection::may_have_settings(view) {
        return None;
    }
    let is_sql = action
        .payloads
        .iter()
        .all(|one| one.language == Language::Sql && !one.text.contains(HOLE));
    if !is_sql {
        return None;
    }
    let connection = Connection::of_psql(&words, view, action)?;
    let texts = texts(&words, action)?;
    Some(Ask {
        connection,
        work: Work::Texts(texts),
    })
}

/// The texts that psql would execute, in their order.
fn texts(words: &Words, action: &Action) -> Option<Vec<Text>> {
    if words.sources.is_empty() {
        return Some(vec![input(action)?]);
    }
    let cwd = Path::new(action.cwd.as_deref()?);
    let text = |source: &Source| match source {
        Source::Command(text) => Some(Text::Known(text.clone())),
        Source::File(name) if name == "-" => input(action),
        Source::File(name) => Some(Text::In(cwd.join(name))),
    };
    words.sources.iter().map(text).collect()
}

/// What stands on standard input.
fn input(action: &Action) -> Option<Text> {
    let mut read = action
        .redirections
        .iter()
        .filter(|one| one.usage == FileUse::Read);
    let (first, more) = (read.next(), read.next());
    match (&action.input, first, more) {
        (Some(text), None, None) if text.is_known() => Some(Text::Known(text.text.clone())),
        // Of a text and a file, the later one is read.
        (Some(text), Some(one), None)
            if text.text == HOLE.to_string() && one.file.is_known() && !one.file.glob =>
        {
            let cwd = Path::new(action.cwd.as_deref()?);
            Some(Text::In(cwd.join(&one.file.text)))
        }
        _ => None,
    }
}

/// What would be lost.
pub(super) fn look(ask: &Ask) -> Option<Loss> {
    let server = Server::of(&ask.connection)?;
    let texts = match &ask.work {
        Work::Drop(name) => return database(&server, name),
        Work::Texts(texts) => texts,
    };
    let mut statements = Vec::new();
    for text in texts {
        match text {
            Text::Known(text) => statements.extend(statements::read(text)?),
            Text::In(file) => statements.extend(statements::read(&content(file)?)?),
        }
    }
    if statements.is_empty() || statements.len() > MOST_TABLES {
        return None;
    }
    let mut loss = Loss::default();
    for statement in &statements {
        match statement {
            Statement::Rows(table, done) => {
                let takes_others = matches!(done, Done::Deleted | Done::Changed);
                if let Some(found) = server.rows(table, takes_others)? {
                    loss.add(&rows::loss(&table.shown(), *done, found.number));
                    loss.at_least |= found.is_cut;
                }
            }
            Statement::Database(name) => loss.add(&database(&server, name)?),
        }
    }
    Some(loss)
}

/// What is lost with a database.
fn database(server: &Server, name: &str) -> Option<Loss> {
    let mut loss = Loss::default();
    if !server.has_database(name)? {
        return Some(loss);
    }
    let found = server.in_database(name)?.tables()?;
    if found.tables == 0 && found.others > 0 {
        return None;
    }
    loss.databases = u64::from(found.tables > 0);
    loss.database_tables = found.tables;
    Some(loss)
}

/// What is in a file of statements.
fn content(file: &Path) -> Option<String> {
    // Whoever opens a pipe takes part in it.
    if !files::is_file(file) {
        return None;
    }
    let content = files::content(file, LONGEST).ok()??;
    String::from_utf8(content).ok()
}
