//! Rows of a SQLite database: statements that take all of a table are asked about where it has some.

use crate::support::tree::Tree;

const MADE: &str = "sqlite3 app.db 'CREATE TABLE orders(x); CREATE TABLE none(x); CREATE VIEW seen AS SELECT * FROM orders'";
const ROWS: &str = "sqlite3 app.db 'INSERT INTO orders VALUES (1), (2), (3)'";

fn tree(state: &str) -> Tree {
    let tree = Tree::new();
    tree.make(&format!("{MADE}; {state}"));
    tree
}

#[test]
fn statements_that_take_all_rows_lose_the_rows_that_there_are() {
    for (line, words) in [
        (
            "sqlite3 app.db 'DROP TABLE orders'",
            "it drops 1 table with 3 rows",
        ),
        (
            "sqlite3 app.db 'DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS other'",
            "it drops 1 table with 3 rows",
        ),
        ("sqlite3 app.db 'delete from Orders'", "it deletes 3 rows"),
        (
            "sqlite3 app.db 'BEGIN; DELETE FROM \"orders\"; COMMIT'",
            "it deletes 3 rows",
        ),
        (
            "sqlite3 -cmd 'DELETE FROM orders' app.db 'DELETE FROM none'",
            "it deletes 3 rows",
        ),
        (
            "sqlite3 app.db <<< 'DELETE FROM orders;'",
            "it deletes 3 rows",
        ),
        (
            "echo 'DELETE FROM orders;' | sqlite3 app.db",
            "it deletes 3 rows",
        ),
        (
            "sqlite3 app.db 'UPDATE orders SET x = 0'",
            "it changes 3 rows",
        ),
        (
            "cd src && sqlite3 ../app.db 'DELETE FROM orders'",
            "it deletes 3 rows",
        ),
    ] {
        if !line.starts_with("echo") {
            tree("true").runs(line, "an empty table");
        }
        tree(ROWS).is_stopped(line, "three rows", words);
    }
}

#[test]
fn a_table_or_a_database_that_is_not_there_loses_nothing() {
    let tree = tree(ROWS);
    for line in [
        "sqlite3 app.db 'DROP TABLE IF EXISTS other'",
        "sqlite3 other.db 'DROP TABLE IF EXISTS orders'",
        "sqlite3 :memory: 'CREATE TABLE a(x); DELETE FROM a'",
    ] {
        tree.runs(line, "no such table");
    }
}

/// What a client reads by its own commands is code like any other, and what it writes by them is written over.
#[test]
fn files_that_the_clients_own_commands_name_are_followed() {
    let all = "printf 'DELETE FROM orders;\\n' >all.sql; printf '.read all.sql\\n' >more.sql; printf '.read self.sql\\n' >self.sql; \
               printf 'SELECT count(*) FROM orders;\\n' >look.sql; sqlite3 other.db 'CREATE TABLE a(x)'";
    let tree = tree(&format!("{ROWS}; {all}"));
    for (line, words) in [
        ("sqlite3 app.db '.read all.sql'", "databases.all-rows"),
        (
            "sqlite3 app.db '.read all.sql' 'SELECT 1'",
            "databases.all-rows",
        ),
        ("sqlite3 app.db '.rea \"all.sql\"'", "databases.all-rows"),
        ("sqlite3 app.db <more.sql", "databases.all-rows"),
        ("sqlite3 -init more.sql app.db .quit", "databases.all-rows"),
        (
            "f=all.sql; sqlite3 app.db \".read $f\"",
            "databases.all-rows",
        ),
        ("sqlite3 app.db '.read self.sql'", "not known"),
        ("sqlite3 other.db '.save app.db'", "overwrites 1 file"),
        ("sqlite3 other.db '.backup app.db'", "overwrites 1 file"),
        (
            "sqlite3 other.db '.backup main app.db'",
            "overwrites 1 file",
        ),
        (
            "sqlite3 other.db '.output app.db' 'SELECT 1'",
            "overwrites 1 file",
        ),
        (
            "sqlite3 other.db '.once app.db' 'SELECT 1'",
            "overwrites 1 file",
        ),
        (
            "sqlite3 other.db '.log app.db' 'SELECT 1'",
            "overwrites 1 file",
        ),
        (
            "sqlite3 other.db 'SELECT writefile(\"app.db\", 1)'",
            "overwrites 1 file",
        ),
    ] {
        tree.is_stopped(line, "three rows", words);
        tree.runs(
            "test \"$(sqlite3 app.db 'SELECT count(*) FROM orders')\" = 3",
            line,
        );
    }
    for line in [
        "sqlite3 app.db '.read look.sql'",
        "sqlite3 app.db '.backup copy.db'",
        "sqlite3 app.db '.once out.csv' 'SELECT * FROM orders'",
        "sqlite3 app.db '.once out.csv' 'SELECT * FROM orders'",
        "sqlite3 app.db '.output stdout' 'SELECT 1'",
    ] {
        tree.runs(line, "three rows");
    }
    assert!(tree.work().join("copy.db").exists() && tree.work().join("out.csv").exists());
}

#[test]
fn rows_that_come_before_are_seen() {
    for line in [
        "sqlite3 app.db 'INSERT INTO orders VALUES (1)'; sqlite3 app.db 'DELETE FROM orders'",
        "sqlite3 app.db 'INSERT INTO orders VALUES (1)'; sqlite3 app.db <<< 'DELETE FROM orders'",
        "sqlite3 app.db 'INSERT INTO orders VALUES (1); DELETE FROM orders'",
    ] {
        tree("true").is_stopped(line, "an empty table", "held back");
    }
    let tree = tree("true");
    // What is read from standard input is not seen again when the program starts.
    tree.is_stopped(
        "true && sqlite3 app.db <<< 'DELETE FROM orders'",
        "an empty table",
        "held back",
    );
}

#[test]
fn each_operand_is_a_statement_of_its_own() {
    for line in [
        "sqlite3 app.db 'UPDATE none SET x = 1' 'DELETE FROM orders'",
        "sqlite3 app.db 'DELETE FROM none' 'DELETE FROM orders'",
        "sqlite3 app.db 'DROP TABLE none' 'DROP TABLE orders'",
    ] {
        tree(ROWS).is_stopped(line, "three rows", "held back");
    }
}

#[test]
fn what_is_not_sure_of_a_database_stays_asked() {
    for (line, state) in [
        ("sqlite3 app.db 'DELETE FROM seen'", "true"),
        ("sqlite3 app.db 'DELETE FROM main.orders'", "true"),
        ("sqlite3 app.db 'DELETE FROM none WHERE 1=1'", "true"),
        ("sqlite3 app.db 'SELECT 1; DELETE FROM none'", "true"),
        ("sqlite3 app.db '.open b.db' 'DELETE FROM none'", "true"),
        (
            "sqlite3 -cmd '.open b.db' app.db 'DELETE FROM none'",
            "true",
        ),
        ("sqlite3 -init x app.db 'DELETE FROM none'", "true"),
        ("sqlite3 'file:app.db?vfs=x' 'DELETE FROM none'", "true"),
        (
            "sqlite3 app.db 'PRAGMA foreign_keys=1; DELETE FROM none'",
            "true",
        ),
        ("sqlite3 app.db 'DROP VIEW seen'", "true"),
        ("sqlite3 *.db 'DELETE FROM none'", "true"),
        (
            "sqlite3 app.db 'DELETE FROM none'",
            "echo x >app.db-journal",
        ),
        ("sqlite3 app.db 'DELETE FROM none'", "echo x >app.db-wal"),
        (
            "sqlite3 app.db 'DELETE FROM none'",
            "echo not a database at all, not even nearly so >app.db",
        ),
        (
            "sqlite3 app.db 'DELETE FROM none'",
            "rm app.db; mkfifo app.db",
        ),
        (
            "sqlite3 app.db 'DELETE FROM none'",
            "rm app.db; ln -s nowhere app.db",
        ),
        (
            "sqlite3 app.db 'DELETE FROM none'",
            "touch ../home/.sqliterc",
        ),
        ("HOME=/x sqlite3 app.db 'DELETE FROM none'", "true"),
        (
            "sqlite3 app.db 'DELETE FROM found'",
            "sqlite3 app.db 'CREATE VIRTUAL TABLE found USING fts5(x)'",
        ),
        ("sqlcipher app.db 'DELETE FROM none'", "true"),
        ("psql -c 'DELETE FROM none'", "true"),
    ] {
        tree(state).is_stopped(line, state, "held back");
    }
}

#[test]
fn a_look_at_a_database_runs_nothing_and_writes_nothing() {
    let tree = tree(&format!(
        "{ROWS}; sqlite3 app.db 'PRAGMA journal_mode=WAL' >/dev/null"
    ));
    tree.make("printf '.shell touch %s/ran\\n' \"$PWD\" >../home/.sqliterc");
    tree.is_stopped(
        "sqlite3 app.db 'DELETE FROM orders'",
        "settings",
        "held back",
    );
    tree.make("rm ../home/.sqliterc; ls -A >../before; sha256sum app.db >>../before");
    tree.is_stopped(
        "sqlite3 app.db 'DELETE FROM orders'",
        "WAL",
        "it deletes 3 rows",
    );
    tree.make(
        "ls -A >../after; sha256sum app.db >>../after; cmp ../before ../after; test ! -e ran",
    );
    // Asked plainly, it runs what such settings say, and a database that is only read has files beside it.
    tree.make(
        "printf '.shell touch %s/ran\\n' \"$PWD\" >../x; sqlite3 -init ../x app.db 'SELECT 1'; test -e ran; \
         sqlite3 -init /dev/null 'file:app.db?mode=ro' 'SELECT * FROM orders'; test -e app.db-shm",
    );
}
