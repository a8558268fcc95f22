//! Which server and which database a client reaches, from its words and the variables of its process; nothing where
//! the client, libpq or Debian's `pg_wrapper` would choose.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::super::files;
use super::words::Words;
use crate::action::Action;
use crate::invocation::View;

/// Variables that say whom to reach and by which password, which are given on.
const GIVEN: &[&str] = &[
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
];

/// Variables that change neither whom one reaches nor what one finds there. `PGCLUSTER` is `pg_wrapper`'s, which makes
/// nothing of it where a host is named.
const HARMLESS: &[&str] = &[
    "PGAPPNAME",
    "PGCLUSTER",
    "PGCONNECT_TIMEOUT",
    "PGDATA",
    "PGDATESTYLE",
    "PGTZ",
    "PG_COLOR",
    "PG_COLORS",
    "PSQL_EDITOR",
    "PSQL_EDITOR_LINENUMBER_ARG",
    "PSQL_HISTORY",
    "PSQL_PAGER",
    "PSQL_WATCH_PAGER",
];

/// How the names of variables begin that the clients take for their own.
const OWN: &[&str] = &["PG", "PSQL"];

/// What Debian's `pg_wrapper` sets: where the system has its services, of which none is known.
const OF_WRAPPER: (&str, &str) = ("PGSYSCONFDIR", "/etc/postgresql-common");

/// Variables by which words are read, or names found, otherwise.
const OTHERS: &[&str] = &[
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "POSIXLY_CORRECT",
];

/// What a string of settings or a URI may hold besides the host, the port, the user and the database.
const SETTINGS: &[&str] = &["password", "sslmode", "connect_timeout", "application_name"];

/// How psql's own file of settings is called: also with its version behind it.
const PSQLRC: &str = ".psqlrc";

/// Where the system has one.
const OF_SYSTEM: &[&str] = &[
    "/etc/postgresql-common/psqlrc",
    "/etc/postgresql/psqlrc",
    "/etc/psqlrc",
    "/etc/sysconfig/pgsql/psqlrc",
    "/usr/local/etc/psqlrc",
    "/usr/local/etc/postgresql/psqlrc",
];

/// How a server is reached.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Connection {
    /// The options of psql.
    pub options: Vec<String>,
    /// The database, or what is said in its place.
    pub database: Option<String>,
    /// Whether that is only a name.
    pub is_name: bool,
    /// The variables.
    pub variables: Vec<String>,
    /// The folders in which a server may listen.
    pub folders: Vec<PathBuf>,
}

impl std::fmt::Debug for Connection {
    /// Without the password.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Connection")
    }
}

/// What names a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    host: bool,
    folder: Option<PathBuf>,
    port: bool,
    database: bool,
}

impl Connection {
    /// That of psql.
    pub fn of_psql(words: &Words, view: &View, action: &Action) -> Option<Self> {
        let mut connection = Self::of_tool(words, view, action);
        let named = match words.database.as_deref() {
            None => Named::default(),
            Some(text) if is_settings(text) => {
                let named = uri(text).or_else(|| settings(text))?;
                // `pg_wrapper` does not see a host that stands there, and chooses another server's port.
                let is_whole = named.host && named.port && named.database;
                if connection.is_none() && is_whole {
                    connection = Self::with(words, variables(view, action)?);
                }
                named
            }
            Some(text) if is_name(text) => Named::default(),
            Some(_) => return None,
        };
        let mut connection = connection?;
        connection.database.clone_from(&words.database);
        connection.is_name = named == Named::default();
        connection.folders.extend(named.folder);
        Some(connection)
    }

    /// That of a tool: its database is no part of it.
    pub fn of_tool(words: &Words, view: &View, action: &Action) -> Option<Self> {
        let variables = variables(view, action)?;
        let has_host = variables.iter().any(|entry| entry.starts_with("PGHOST="));
        if !words.names_host && !has_host {
            return None;
        }
        Self::with(words, variables)
    }

    fn with(words: &Words, variables: Vec<String>) -> Option<Self> {
        let (mut options, mut folders) = (Vec::new(), Vec::new());
        for (letter, value) in &words.connection {
            let is_plain = match letter {
                'h' => is_host(value),
                'p' => is_port(value),
                _ => is_name(value),
            };
            if !is_plain {
                return None;
            }
            options.push(format!("-{letter}{value}"));
            if *letter == 'h' {
                folders.extend(folder(value));
            }
        }
        let hosts = variables
            .iter()
            .filter_map(|entry| entry.strip_prefix("PGHOST="));
        folders.extend(hosts.filter_map(folder));
        Some(Self {
            options,
            database: None,
            is_name: true,
            variables,
            folders,
        })
    }

    /// The same server, another database.
    pub fn in_database(&self, name: &str) -> Option<Self> {
        (self.is_name && is_name(name)).then(|| Self {
            database: Some(name.to_owned()),
            ..self.clone()
        })
    }
}

/// Whether the variables are ones that are known, with plain values.
pub(super) fn are_harmless(view: &View, action: &Action) -> bool {
    let is_known = |name: &str| {
        let mut own = OWN.iter();
        !OTHERS.contains(&name)
            && (!own.any(|beginning| name.starts_with(beginning))
                || GIVEN.contains(&name)
                || HARMLESS.contains(&name))
    };
    let is_of_wrapper = |name: &str, value: &str| (name, value) == OF_WRAPPER;
    let mut given = view.entries().map(|entry| {
        let mut parts = entry.splitn(2, |&byte| byte == b'=');
        let mut part = || String::from_utf8_lossy(parts.next().unwrap_or_default());
        (part(), part())
    });
    let mut set = action.environment.iter();
    given.all(|(name, value)| is_known(&name) || is_of_wrapper(&name, &value))
        && set.all(|(name, value)| {
            name != "HOME" && (is_known(name) || is_of_wrapper(name, &value.text))
        })
        && variables(view, action).is_some()
}

/// The variables that are given on; none where one is not known or not plain.
fn variables(view: &View, action: &Action) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    for name in GIVEN {
        let value = match action.environment.get(*name) {
            Some(value) if value.is_known() && !value.glob => value.text.clone(),
            Some(_) => return None,
            None => match only(view.values(name))? {
                Some(value) => value,
                None => continue,
            },
        };
        let is_plain = match *name {
            "PGHOST" => is_host(&value),
            "PGPORT" => is_port(&value),
            "PGUSER" | "PGDATABASE" => is_name(&value),
            "PGSSLMODE" => value
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "PGPASSFILE" | "PGSSLROOTCERT" => value.starts_with('/'),
            _ => true,
        };
        if !is_plain {
            return None;
        }
        variables.push(format!("{name}={value}"));
    }
    if let Some(home) = only(view.values("HOME"))? {
        if !home.starts_with('/') {
            return None;
        }
        variables.push(format!("HOME={home}"));
    }
    Some(variables)
}

/// The only one of at most one.
fn only<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Option<Option<String>> {
    let first = values.next();
    if values.next().is_some() {
        return None;
    }
    match first {
        None => Some(None),
        Some(value) => Some(Some(std::str::from_utf8(value).ok()?.to_owned())),
    }
}

/// Whether psql may read a file of settings before anything else.
pub(super) fn may_have_settings(view: &View) -> bool {
    let is_there = |file: &Path| !matches!(files::at(file), Ok(None));
    OF_SYSTEM.iter().any(|file| is_there(Path::new(file)))
        || files::homes(view).is_none_or(|homes| homes.iter().any(|home| has_settings(home)))
}

/// Whether a home has such a file, of whatever version.
fn has_settings(home: &Path) -> bool {
    let entries = match std::fs::read_dir(home) {
        Ok(entries) => entries,
        Err(error) => return error.kind() != std::io::ErrorKind::NotFound,
    };
    let begins = |name: &OsStr| name.as_bytes().starts_with(PSQLRC.as_bytes());
    entries.into_iter().any(|entry| match entry {
        Ok(entry) => begins(&entry.file_name()),
        Err(_) => true,
    })
}

/// Whether libpq takes the name of a database for more than a name.
fn is_settings(text: &str) -> bool {
    text.contains('=') || text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// Whether text is one plain word, as the names of databases and users mostly are.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && are_plain(text, b"_.-")
}

/// Whether text names one server: a directory or a host.
fn is_host(text: &str) -> bool {
    match text.strip_prefix('/') {
        Some(_) => are_plain(text, b"/_.-"),
        None => !text.is_empty() && !text.starts_with('-') && are_plain(text, b"_.:-"),
    }
}

/// The folder that a host is, where it is one.
fn folder(host: &str) -> Option<PathBuf> {
    host.starts_with('/').then(|| PathBuf::from(host))
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn are_plain(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    bytes.all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

impl Named {
    /// Takes one setting; none where more is said by it than whom to reach.
    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        let is_plain = match name {
            "host" => {
                self.host = true;
                self.folder = folder(value);
                is_host(value)
            }
            "port" => {
                self.port = true;
                is_port(value)
            }
            "dbname" => {
                self.database = true;
                is_name(value)
            }
            "user" => is_name(value),
            "password" => !value.is_empty() && are_plain(value, b"_.~!@#%^*+:/?-"),
            _ => SETTINGS.contains(&name) && are_plain(value, b"_.-"),
        };
        is_plain.then_some(())
    }
}

/// What a string of settings names (`host=x dbname=y`).
fn settings(text: &str) -> Option<Named> {
    let mut named = Named::default();
    for word in text.split([' ', '\t']).filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=')?;
        named.take(name, value)?;
    }
    Some(named)
}

/// What a URI names (`postgresql://user:password@host:port/database?sslmode=require`).
fn uri(text: &str) -> Option<Named> {
    let rest = text.strip_prefix("postgresql://");
    let rest = rest.or_else(|| text.strip_prefix("postgres://"))?;
    let (rest, asked) = rest.split_once('?').unwrap_or((rest, ""));
    let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, place) = match place.split_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, place),
    };
    let is_plain = |text: &str| are_plain(text, b"_.~!*+%-");
    let mut of_user = user.into_iter().flat_map(|user| user.split(':'));
    if !of_user.all(is_plain) || user.is_some_and(|user| user.matches(':').count() > 1) {
        return None;
    }
    let mut named = Named::default();
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    if !host.is_empty() {
        let host = host.replace("%2F", "/").replace("%2f", "/");
        if host.contains(':') {
            return None;
        }
        named.take("host", &host)?;
    }
    if let Some(port) = port {
        named.take("port", port)?;
    }
    if !database.is_empty() {
        named.take("dbname", database)?;
    }
    for one in asked.split('&').filter(|one| !one.is_empty()) {
        let (name, value) = one.split_once('=')?;
        if value.contains('%') {
            return None;
        }
        named.take(name, value)?;
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Option<(bool, bool, bool)> {
        let named = uri(text).or_else(|| settings(text))?;
        Some((named.host, named.port, named.database))
    }

    #[test]
    fn what_names_more_than_one_server_or_more_than_a_server_is_not_known() {
        for (text, expected) in [
            ("postgresql://u:p@db:5432/shop", Some((true, true, true))),
            (
                "postgres://u@db/shop?sslmode=require",
                Some((true, false, true)),
            ),
            (
                "postgres://u:p%40x@db.example:1/shop-1",
                Some((true, true, true)),
            ),
            (
                "postgresql://u@%2Fvar%2Frun:5432/shop",
                Some((true, true, true)),
            ),
            (
                "postgresql:///shop?host=/tmp&port=1",
                Some((true, true, true)),
            ),
            (
                "postgresql://u@:5432/shop?host=/tmp",
                Some((true, true, true)),
            ),
            (
                "host=/tmp  port=5432 dbname=shop user=u",
                Some((true, true, true)),
            ),
            (
                "dbname=shop sslmode=verify-full",
                Some((false, false, true)),
            ),
            ("postgresql://a,b/shop", None),
            ("postgresql://a:1,b:2/shop", None),
            ("postgresql://a%2Cb/shop", None),
            ("postgresql://[::1]/shop", None),
            ("postgresql://u@v@h/shop", None),
            ("postgresql://h/shop?options=-cx", None),
            ("postgresql://h/shop?%6fptions=x", None),
            ("postgresql://h/shop?host=a%2Cb", None),
            ("postgresql://h/shop?service=x", None),
            ("postgresql://h/shop?sslkey=x", None),
            ("postgresql://h/shop?ssl=true", None),
            ("postgresql://h/shop/x", None),
            ("host=a,b", None),
            ("host='a' dbname=x", None),
            ("host = a", None),
            ("host=@abstract", None),
            ("host=a\\,b", None),
            ("host=-x", None),
            ("hostaddr=127.0.0.1", None),
            ("service=x", None),
            ("options=-csearch_path=x", None),
            ("passfile=x", None),
            ("host= port=1 dbname=x", None),
            ("port=0", None),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }
}
