//! What a server says of its tables, asked by psql in transactions that only read.
//!
//! Every name of ours is one of `pg_catalog`'s, operators too: what whoever owns a schema has put under such a name on the
//! session's path does not run. Only the table is found by that path, as the statement itself will find it.

use std::path::{Path, PathBuf};

use super::super::contain::Allowed;
use super::super::program;
use super::connection::Connection;
use super::statements::Table;

/// Where the system has versions of PostgreSQL: the folder, how the names in it begin, and what is below each.
const VERSIONS: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin/psql"),
    ("/usr", "pgsql-", "bin/psql"),
    ("/usr/libexec", "postgresql", "psql"),
];
/// Where it has only one.
const PLACES: &[&str] = &["/usr/bin/psql", "/bin/psql", "/usr/local/bin/psql"];

/// What its words begin with: no file of settings, no password that is asked for, nothing but the values, nothing after an
/// error.
const OPTIONS: &[&str] = &["psql", "-XwqAt", "-F|", "-vON_ERROR_STOP=1"];

/// What every question begins with. A server goes on where psql was killed.
const BEGINNING: &[&str] = &[
    "BEGIN TRANSACTION READ ONLY",
    "SET LOCAL statement_timeout = 500",
    "SET LOCAL lock_timeout = 100",
];

/// What its environment is besides what names the server.
const ENVIRONMENT: &[&str] = &[
    "LC_ALL=C",
    "PGAPPNAME=kibosh",
    "PGCONNECT_TIMEOUT=2",
    "PGGSSENCMODE=disable",
];

/// How many rows are counted.
const MOST_ROWS: u64 = 100_000;

/// A database that is asked.
pub(super) struct Server {
    program: PathBuf,
    connection: Connection,
}

/// Rows that were counted.
pub(super) struct Counted {
    /// How many.
    pub number: u64,
    /// Whether there are more.
    pub is_cut: bool,
}

/// What is in a database.
pub(super) struct Content {
    /// Tables.
    pub tables: u64,
    /// Tables and everything else of somebody's.
    pub others: u64,
}

impl Server {
    /// That of a connection; none where the system has no psql.
    pub fn of(connection: &Connection) -> Option<Self> {
        Some(Self {
            program: psql()?,
            connection: connection.clone(),
        })
    }

    /// The same server, another database.
    pub fn in_database(&self, name: &str) -> Option<Self> {
        Some(Self {
            program: self.program.clone(),
            connection: self.connection.in_database(name)?,
        })
    }

    /// How many rows a table has; `Some(None)` where there is none of this name. Not known is a table with something around
    /// it that may make more of a statement than its rows, or less of a count; and rows that take others with them where that is
    /// `asked`.
    pub fn rows(&self, table: &Table, asked: bool) -> Option<Option<Counted>> {
        let table = table.quoted();
        let more = MOST_ROWS + 1;
        let (said, status) = self.says(&[
            &kind_of(&table),
            &format!(
                "SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY {table} LIMIT {more}) AS found"
            ),
        ])?;
        let mut lines = said.lines();
        match (lines.next(), lines.next(), lines.next(), status) {
            (Some("0"), None, None, _) => Some(None),
            (Some(kind @ ("1" | "2")), Some(number), None, 0) => {
                let number: u64 = number.parse().ok()?;
                if kind == "2" && number > 0 && asked {
                    return None;
                }
                Some(Some(Counted {
                    number: number.min(MOST_ROWS),
                    is_cut: number > MOST_ROWS,
                }))
            }
            _ => None,
        }
    }

    /// Whether there is a database of this name, which has plain letters only.
    pub fn has_database(&self, name: &str) -> Option<bool> {
        let from = match self.connection.database {
            Some(_) => self,
            None => &self.in_database("postgres")?,
        };
        from.in_database(name)?;
        let (said, status) = from.says(&[&format!(
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_database AS d \
             WHERE d.datname OPERATOR(pg_catalog.=) '{name}' OR pg_catalog.pg_is_in_recovery()"
        )])?;
        (status == 0).then_some(said.trim_end() != "0")
    }

    /// What is in the database.
    pub fn tables(&self) -> Option<Content> {
        let (said, status) = self.says(&[CONTENT])?;
        let (tables, others) = said.trim_end().split_once('|')?;
        (status == 0).then_some(Content {
            tables: tables.parse().ok()?,
            others: others.parse().ok()?,
        })
    }

    /// What psql says, and its status.
    fn says(&self, statements: &[&str]) -> Option<(String, i32)> {
        let mut words: Vec<String> = OPTIONS.iter().map(|word| (*word).to_owned()).collect();
        words.extend(self.connection.options.iter().cloned());
        if let Some(database) = &self.connection.database {
            words.push(format!("-d{database}"));
        }
        for statement in BEGINNING.iter().chain(statements).chain(&["ROLLBACK"]) {
            words.push(format!("-c{statement}"));
        }
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        let variables = self.connection.variables.iter().map(String::as_str);
        let environment: Vec<&str> = ENVIRONMENT.iter().copied().chain(variables).collect();
        let (said, status) = program::run(&self.program, &words, &environment, Allowed::Sockets)?;
        Some((String::from_utf8(said).ok()?, status))
    }
}

/// A statement that says 0 where there is no such table, 1 where it is an ordinary one with nothing around it, 2 where other
/// rows may go with its rows, and fails for every other.
fn kind_of(table: &str) -> String {
    // Heap is number 2; before there were others, it was 0.
    format!(
        "SELECT (CASE WHEN named.id IS NULL THEN '0' \
         WHEN c.relkind OPERATOR(pg_catalog.<>) 'r' \
         OR c.relrowsecurity OR c.relforcerowsecurity OR c.relhasrules OR c.relhassubclass OR c.relispartition \
         OR (c.relam OPERATOR(pg_catalog.<>) '2' AND c.relam OPERATOR(pg_catalog.<>) '0') \
         OR pg_catalog.pg_is_in_recovery() \
         OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS t \
         WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid AND NOT t.tgisinternal) \
         OR EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.relation OPERATOR(pg_catalog.=) c.oid \
         AND pg_catalog.strpos(l.mode, 'Exclusive') OPERATOR(pg_catalog.>) 0 \
         AND l.mode OPERATOR(pg_catalog.<>) 'ShareUpdateExclusiveLock') \
         OR EXISTS (SELECT FROM pg_catalog.pg_publication AS p WHERE p.pubtruncate) \
         OR EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D') \
         OR EXISTS (SELECT FROM pg_catalog.pg_extension AS x \
         WHERE x.extname OPERATOR(pg_catalog.=) 'citus' OR x.extname OPERATOR(pg_catalog.=) 'timescaledb') \
         THEN 'other' \
         WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint AS k \
         WHERE k.confrelid OPERATOR(pg_catalog.=) c.oid AND k.contype OPERATOR(pg_catalog.=) 'f' \
         AND (pg_catalog.strpos('cnd', k.confdeltype::pg_catalog.text) OPERATOR(pg_catalog.>) 0 \
         OR pg_catalog.strpos('cnd', k.confupdtype::pg_catalog.text) OPERATOR(pg_catalog.>) 0)) \
         THEN '2' WHEN c.oid IS NOT NULL THEN '1' ELSE 'other' END)::pg_catalog.int4 \
         FROM (SELECT pg_catalog.to_regclass('{table}')::pg_catalog.oid AS id) AS named \
         LEFT JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) named.id"
    )
}

/// A statement that counts tables, and all that is somebody's.
const CONTENT: &str = "WITH own AS (SELECT n.oid AS id FROM pg_catalog.pg_namespace AS n \
    WHERE n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' AND n.nspname OPERATOR(pg_catalog.<>) 'pg_toast' \
    AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'), \
    relations AS (SELECT c.relkind AS kind FROM pg_catalog.pg_class AS c, own \
    WHERE c.relnamespace OPERATOR(pg_catalog.=) own.id), \
    tables AS (SELECT FROM relations AS r WHERE r.kind OPERATOR(pg_catalog.=) 'r' \
    OR r.kind OPERATOR(pg_catalog.=) 'p' OR r.kind OPERATOR(pg_catalog.=) 'm' OR r.kind OPERATOR(pg_catalog.=) 'f'), \
    others AS (SELECT FROM relations \
    UNION ALL SELECT FROM pg_catalog.pg_proc AS p, own WHERE p.pronamespace OPERATOR(pg_catalog.=) own.id \
    UNION ALL SELECT FROM pg_catalog.pg_type AS y, own WHERE y.typnamespace OPERATOR(pg_catalog.=) own.id \
    UNION ALL SELECT FROM pg_catalog.pg_foreign_server UNION ALL SELECT FROM pg_catalog.pg_event_trigger \
    UNION ALL SELECT FROM pg_catalog.pg_publication UNION ALL SELECT FROM pg_catalog.pg_largeobject_metadata) \
    SELECT (SELECT pg_catalog.count(*) FROM tables), (SELECT pg_catalog.count(*) FROM others)";

/// The psql of the newest version that the system has.
fn psql() -> Option<PathBuf> {
    let mut found = Vec::new();
    for (folder, beginning, below) in VERSIONS {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.strip_prefix(beginning));
            if let Some(version) = name.and_then(|name| name.parse::<u32>().ok()) {
                found.push((version, entry.path().join(below)));
            }
        }
    }
    found.sort();
    let newest = found.into_iter().rev().map(|(_, place)| place);
    let mut places = newest.chain(PLACES.iter().map(PathBuf::from));
    places.find(|place| program::is_of_the_system(Path::new(place)))
}
