//! Rows of a PostgreSQL database: statements that take all of a table are asked about where it has some.

use std::os::unix::net::UnixListener;
use std::process::Stdio;

use crate::support::probe::{told, wait_for, without_rights};
use crate::support::server::Server;
use crate::support::tree::Tree;

const MADE: &str =
    "CREATE TABLE orders(x int); CREATE TABLE none(x int); CREATE TABLE \"Mixed\"(x int)";
const ROWS: &str = "INSERT INTO orders VALUES (1), (2), (3)";

/// A server and a place where lines run that ask it.
struct Shop {
    server: Server,
    tree: Tree,
}

impl Shop {
    fn new() -> Self {
        Self {
            server: Server::new(),
            tree: Tree::new(),
        }
    }

    /// A line in which `psql` and `dropdb` are told where the server is.
    fn line(&self, line: &str) -> String {
        let host = self.server.host();
        line.replace("PSQL ", &format!("psql -h {host} -U postgres "))
            .replace("DROPDB ", &format!("dropdb -h {host} -U postgres "))
            .replace("HOST/", &format!("{host}/"))
            .replace("HOST,", &format!("{host},"))
            .replace("HOST ", &format!("{host} "))
            .replace("HOST'", &format!("{host}'"))
            .replace("=HOST", &format!("={host}"))
    }

    fn runs(&self, line: &str, state: &str) {
        self.server.set(&format!("{MADE}; {state}"));
        self.tree.runs(&self.line(line), state);
    }

    fn is_stopped(&self, line: &str, state: &str, words: &str) {
        self.server.set(&format!("{MADE}; {state}"));
        self.tree.is_stopped(&self.line(line), state, words);
    }

    /// It is not known what would be lost.
    fn is_doubt(&self, line: &str, state: &str) {
        self.server.set(&format!("{MADE}; {state}"));
        let line = self.line(line);
        let said = self.tree.stopped(&line);
        let said = said.unwrap_or_else(|| panic!("`{line}` runs after `{state}`"));
        assert!(
            said.contains("held back by rule ") && !said.contains("; it "),
            "`{line}` after `{state}`: {said}"
        );
    }

    fn rows(&self) -> String {
        self.server.does("shop", "SELECT count(*) FROM orders")
    }
}

#[test]
fn statements_that_take_all_rows_lose_the_rows_that_there_are() {
    let shop = Shop::new();
    shop.tree
        .make("printf -- '-- all of it\\nBEGIN;\\nDELETE FROM orders;\\nCOMMIT;\\n' >tidy.sql");
    for (line, words) in [
        (
            "PSQL shop -c 'DROP TABLE orders'",
            "it drops 1 table with 3 rows: orders",
        ),
        (
            "PSQL shop -c 'DROP TABLE IF EXISTS orders, other'",
            "it drops 1 table with 3 rows: orders",
        ),
        (
            "PSQL shop -c 'TRUNCATE orders'",
            "it deletes 3 rows of orders",
        ),
        (
            "PSQL shop -c 'truncate table only Orders, none'",
            "it deletes 3 rows of orders",
        ),
        (
            "PSQL shop -c 'DELETE FROM orders'",
            "it deletes 3 rows of orders",
        ),
        (
            "PSQL shop -c 'delete from only public.Orders;'",
            "it deletes 3 rows of public.orders",
        ),
        (
            "PSQL -d shop -Xqc 'UPDATE orders SET x = 0'",
            "it changes 3 rows of orders",
        ),
        (
            "PSQL --dbname=shop --command='BEGIN; DELETE FROM orders; COMMIT'",
            "it deletes 3 rows",
        ),
        (
            "PSQL shop -1 -v ON_ERROR_STOP=1 -c 'DELETE FROM none' -c 'DELETE FROM orders'",
            "it deletes 3 rows",
        ),
        ("PSQL shop <tidy.sql", "it deletes 3 rows of orders"),
        ("PSQL shop -f tidy.sql", "it deletes 3 rows of orders"),
        ("PSQL shop <<< 'DELETE FROM orders;'", "it deletes 3 rows"),
        (
            "PSQL shop <<E\nDELETE FROM\n  orders\nE",
            "it deletes 3 rows",
        ),
        (
            "psql 'host=HOST user=postgres port=5432 dbname=shop' -c 'DELETE FROM orders'",
            "it deletes 3 rows",
        ),
        (
            "psql 'postgresql://postgres@:5432/shop?host=HOST' -c 'DELETE FROM orders'",
            "it deletes 3 rows",
        ),
        (
            "PGHOST=HOST PGUSER=postgres PGDATABASE=shop psql -c 'DELETE FROM orders'",
            "it deletes 3 rows",
        ),
        (
            "true && PSQL shop -c 'DELETE FROM orders'",
            "it deletes 3 rows",
        ),
    ] {
        shop.runs(line, "SELECT 1");
        shop.is_stopped(line, ROWS, words);
        assert_eq!(shop.rows(), "3", "{line}");
    }
    let line = "PSQL shop -c 'DELETE FROM \"Mixed\"'";
    shop.runs(line, ROWS);
    shop.is_stopped(
        line,
        "INSERT INTO \"Mixed\" VALUES (1)",
        "it deletes 1 row of Mixed",
    );
    shop.is_stopped(
        "PSQL shop -c 'DELETE FROM orders'",
        "INSERT INTO orders SELECT generate_series(1, 100002)",
        "it deletes at least 100,000 rows of orders",
    );
    shop.is_stopped(
        "PSQL shop -c 'DELETE FROM orders' -c 'TRUNCATE none'",
        "INSERT INTO orders SELECT generate_series(1, 1204); INSERT INTO none VALUES (1)",
        "it deletes 1,205 rows of none and orders",
    );
}

#[test]
fn a_table_that_is_not_there_loses_nothing() {
    let shop = Shop::new();
    for line in [
        "PSQL shop -c 'DROP TABLE IF EXISTS other'",
        "PSQL shop -c 'DELETE FROM other'",
        "PSQL shop -c 'DROP TABLE IF EXISTS other.orders'",
    ] {
        shop.server.set(&format!("{MADE}; {ROWS}"));
        let line = shop.line(line);
        assert_eq!(shop.tree.stopped(&line), None, "{line}");
        assert_eq!(shop.rows(), "3", "{line}");
    }
}

#[test]
fn rows_that_come_before_are_seen() {
    let shop = Shop::new();
    for line in [
        "PSQL shop -qc 'INSERT INTO none VALUES (1)'; PSQL shop -c 'DELETE FROM none'",
        "PSQL shop -qc 'INSERT INTO none VALUES (1)'; PSQL shop <<< 'DELETE FROM none'",
        "PSQL shop -qc 'INSERT INTO none VALUES (1)' -c 'DELETE FROM none'",
    ] {
        shop.is_stopped(line, "SELECT 1", "held back");
    }
    // Nobody has committed these, and who drops the table waits until somebody has.
    shop.server.set(MADE);
    let mut writing = shop
        .server
        .asked(
            "shop",
            "BEGIN; INSERT INTO none VALUES (1); SELECT pg_sleep(600)",
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("row", || {
        let held = "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 'none'::regclass";
        (shop.server.does("shop", held) == "1").then_some(())
    });
    let said = shop
        .tree
        .stopped(&shop.line("PSQL shop -c 'DROP TABLE none'"));
    assert!(said.is_some_and(|said| !said.contains("; it ")));
    shop.server.does(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
    );
    writing.wait().unwrap();
    // What is read from standard input is not seen again when the program starts.
    shop.is_stopped(
        "true && PSQL shop <<< 'DELETE FROM none'",
        "SELECT 1",
        "held back",
    );
}

#[test]
fn a_host_is_the_folder_that_the_client_finds() {
    let (shop, other) = (Shop::new(), Server::new());
    shop.server.set(&format!("{MADE}; {ROWS}"));
    other.set(MADE);
    let make = format!(
        "ln -s {} here; ln -s {} src/here; ln -s /proc/self/cwd link",
        other.host(),
        shop.server.host()
    );
    shop.tree.make(&make);
    shop.tree
        .make("echo 'DELETE FROM none' >file.sql; echo 'DELETE FROM orders' >src/file.sql");
    let work = shop.tree.work();
    let work = work.display();
    let host = shop.server.host();
    for line in [
        format!("cd src && psql -h {work}/link/here -U postgres shop -c 'DELETE FROM orders'"),
        format!("cd src && PGHOST={work}/link/here psql -U postgres shop -c 'DELETE FROM orders'"),
        format!(
            "cd src && psql 'host={work}/link/here port=5432 dbname=shop user=postgres' -c 'DELETE FROM orders'"
        ),
        format!(
            "cd src && psql -h {host} -U postgres shop -c 'DELETE FROM none' -f {work}/link/file.sql"
        ),
    ] {
        let said = shop
            .tree
            .stopped(&line)
            .unwrap_or_else(|| panic!("`{line}` runs"));
        assert!(!said.contains("; it "), "{line}: {said}");
        assert_eq!(shop.rows(), "3", "{line}");
    }
    let line = format!("psql -h {work}/src/here -U postgres shop -c 'DELETE FROM orders'");
    shop.tree
        .is_stopped(&line, "a plain link", "it deletes 3 rows of orders");
}

#[test]
fn what_is_not_sure_of_a_statement_stays_asked() {
    let shop = Shop::new();
    shop.tree.make(
        "printf 'DELETE FROM none;\\n\\\\! touch ran\\n' >shell.sql; printf 'DELETE FROM :name;\\n' >name.sql; \
         printf 'DELETE FROM none;\\n' >file.sql; printf 'DELETE FROM orders;\\n' >all.sql; head -c 300000 /dev/zero | tr '\\0' '\\n' >long.sql; \
         printf 'DELETE FROM none;\\n' >>long.sql; mkfifo fifo.sql",
    );
    for line in [
        "PSQL shop -c 'DELETE FROM none; SELECT 1'",
        "PSQL shop -c 'INSERT INTO none VALUES (1); DELETE FROM none'",
        "PSQL shop -c 'DELETE FROM none WHERE true'",
        "PSQL shop -c 'DROP TABLE none CASCADE'",
        "PSQL shop -c 'TRUNCATE none CASCADE'",
        "PSQL shop -c 'TRUNCATE none RESTART IDENTITY'",
        "PSQL shop -c 'DELETE FROM none RETURNING x'",
        "PSQL shop -c 'DELETE FROM none USING orders'",
        "PSQL shop -c 'UPDATE none SET x = f()'",
        "PSQL shop -c 'UPDATE none SET x = (SELECT 1)'",
        "PSQL shop -c 'DELETE FROM none /* x */'",
        "PSQL shop -c 'DROP VIEW none'",
        "PSQL shop -c 'DROP SCHEMA public'",
        "PSQL shop -c 'DELETE FROM \"a b\"'",
        "PSQL shop -c 'DELETE FROM shop.public.none'",
        "PSQL shop -c 'DO $$ BEGIN EXECUTE $x$DROP TABLE none$x$; END $$'",
        "PSQL shop -c 'DELETE FROM none' -c '\\! touch ran'",
        "PSQL shop -c 'DELETE FROM none' -c '\\copy orders from /dev/null'",
        "PSQL shop -c '\\i file.sql' -c 'DELETE FROM none'",
        "PSQL shop -v name=none <<< 'DELETE FROM :name; DELETE FROM none'",
        "PSQL shop -c 'DELETE FROM none' -f shell.sql",
        "PSQL shop -c 'DELETE FROM none' -f name.sql",
        "PSQL shop -c 'DELETE FROM none' -f gone.sql -f long.sql",
        "PSQL shop -c 'DELETE FROM none' -f fifo.sql",
        "PSQL shop <file.sql <<< 'DELETE FROM orders; SELECT 1'",
        "PSQL shop <file.sql <<< 'DELETE FROM none'",
        "PSQL shop <file.sql <all.sql",
        "PSQL shop <<< 'DELETE FROM none; \\connect other'",
        "PSQL shop -S <<< 'DELETE FROM none'",
        "PSQL shop -o x -c 'DELETE FROM none'",
        "PSQL shop -v AUTOCOMMIT=off -c 'DELETE FROM none'",
        "PSQL shop postgres -W -c 'DELETE FROM none'",
        "PSQL shop --comm='DELETE FROM none'",
        "PSQL shop -c 'DELETE FROM none' -- extra words",
        "PSQL shop -c 'PREPARE TRANSACTION x; DELETE FROM none'",
        "PSQL shop -c \"UPDATE none SET x = E'\\\\'; DROP TABLE orders; --'\"",
        "PSQL shop -c 'SET search_path = other; DELETE FROM none'",
        "PSQL shop -c 'DELETE FROM \u{00a0}none'",
    ] {
        shop.is_doubt(line, ROWS);
    }
    shop.tree.make("test ! -e ran");
}

#[test]
fn what_is_not_sure_of_a_table_stays_asked() {
    let shop = Shop::new();
    let delete = "PSQL shop -c 'DELETE FROM t'";
    let drop = "PSQL shop -c 'DROP TABLE t'";
    for (line, state) in [
        (delete, "CREATE VIEW t AS SELECT * FROM orders"),
        (delete, "CREATE TABLE t(x int) PARTITION BY LIST (x)"),
        (
            delete,
            "CREATE TABLE p(x int) PARTITION BY LIST (x); CREATE TABLE t PARTITION OF p FOR VALUES IN (1)",
        ),
        (
            delete,
            "CREATE TABLE t(x int); CREATE TABLE child() INHERITS (t)",
        ),
        (
            delete,
            "CREATE TABLE t(x int); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        ),
        (
            delete,
            "CREATE TABLE t(x int); CREATE RULE r AS ON DELETE TO t DO ALSO DELETE FROM orders",
        ),
        (
            delete,
            "CREATE TABLE t(x int); CREATE PUBLICATION all_of_it FOR ALL TABLES",
        ),
        (delete, "CREATE MATERIALIZED VIEW t AS SELECT 1"),
        (
            delete,
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; RETURN NULL; END'; \
                  CREATE TABLE t(x int); CREATE TRIGGER g BEFORE DELETE ON t EXECUTE FUNCTION f()",
        ),
        (
            drop,
            "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; END'; \
                CREATE TABLE t(x int); CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()",
        ),
        (
            delete,
            "CREATE TABLE t(x int PRIMARY KEY); CREATE TABLE of(x int REFERENCES t ON DELETE CASCADE); \
                  INSERT INTO t VALUES (1); INSERT INTO of VALUES (1)",
        ),
    ] {
        shop.is_doubt(line, &format!("{ROWS}; {state}"));
        assert_eq!(shop.rows(), "3", "{state}");
    }
    // Nobody goes with no row.
    shop.runs(
        delete,
        "CREATE TABLE t(x int PRIMARY KEY); CREATE TABLE of(x int REFERENCES t ON DELETE CASCADE)",
    );
}

#[test]
fn the_table_is_the_one_that_the_session_finds() {
    let shop = Shop::new();
    let delete = "PSQL shop -c 'DELETE FROM none'";
    let other = "CREATE SCHEMA other; CREATE TABLE other.none(x int); INSERT INTO other.none VALUES (1), (2)";
    shop.runs(delete, other);
    shop.is_stopped(
        delete,
        &format!("{other}; ALTER ROLE postgres SET search_path = other, public"),
        "it deletes 2 rows of none",
    );
    shop.is_stopped(
        delete,
        &format!("{other}; ALTER DATABASE shop SET search_path = other, public"),
        "it deletes 2 rows of none",
    );
    // What stands on the path before the server's own is not called by the look.
    let trick = "CREATE SCHEMA other; CREATE TABLE other.none(x int); INSERT INTO other.none VALUES (1), (2); \
        CREATE TABLE other.called(x int); \
        CREATE FUNCTION other.says(oid, oid) RETURNS bool LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify($$a$$, $$b$$); RAISE LOG $$called$$; RETURN false; END'; \
        CREATE OPERATOR other.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = other.says); \
        CREATE FUNCTION other.says(\"char\", \"char\") RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE LOG $$called$$; RETURN false; END'; \
        CREATE OPERATOR other.= (LEFTARG = \"char\", RIGHTARG = \"char\", FUNCTION = other.says); \
        CREATE FUNCTION other.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS 'BEGIN RAISE LOG $$called$$; RETURN NULL; END'; \
        CREATE FUNCTION other.pg_is_in_recovery() RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE LOG $$called$$; RETURN false; END'; \
        CREATE AGGREGATE other.count(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '-2'); \
        CREATE VIEW other.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE false; \
        ALTER ROLE postgres SET search_path = other, pg_catalog, public";
    shop.is_stopped(delete, trick, "it deletes 2 rows of none");
    assert!(
        !shop.server.log().contains("called"),
        "{}",
        shop.server.log()
    );
}

#[test]
fn what_is_not_sure_of_a_connection_stays_asked() {
    let shop = Shop::new();
    for line in [
        "psql shop -U postgres -c 'DELETE FROM none'",
        "psql -hHOST -U postgres shop -c 'DELETE FROM none'",
        "psql -h HOST,/nowhere -U postgres shop -c 'DELETE FROM none'",
        "psql 'host=HOST user=postgres dbname=shop' -c 'DELETE FROM none'",
        "psql 'host=HOST user=postgres port=5432' -c 'DELETE FROM none'",
        "PSQL 'dbname=shop options=-csearch_path=other' -c 'DELETE FROM none'",
        "PSQL 'dbname=shop service=x' -c 'DELETE FROM none'",
        "PSQL 'dbname=shop sslkey=engine:key' -c 'DELETE FROM none'",
        "PSQL 'postgresql:///shop?options=-csearch_path%3Dother' -c 'DELETE FROM none'",
        "psql 'postgresql://postgres@%2Ftmp%2Ca:5432/shop' -c 'DELETE FROM none'",
        "PGOPTIONS=-csearch_path=other PSQL shop -c 'DELETE FROM none'",
        "PGSERVICE=x PSQL shop -c 'DELETE FROM none'",
        "PGHOSTADDR=127.0.0.1 PSQL shop -c 'DELETE FROM none'",
        "PGSSLKEY=a:b PSQL shop -c 'DELETE FROM none'",
        "PSQLRC=x PSQL shop -c 'DELETE FROM none'",
        "HOME=/x PSQL shop -c 'DELETE FROM none'",
        "HOSTALIASES=x PSQL shop -c 'DELETE FROM none'",
        "POSIXLY_CORRECT=1 PSQL shop -c 'DELETE FROM none'",
        "PGPASSFILE=pass PSQL shop -c 'DELETE FROM none'",
        "PSQL shop --cluster 15/main -c 'DELETE FROM none'",
        "PSQL -F --cluster=15/main shop -c 'DELETE FROM none'",
        "psql -c -- -h HOST -U postgres shop -c 'DELETE FROM none'",
        "psql -h HOST -U nobody_there shop -c 'DELETE FROM none'",
        "psql -h HOST -p 5433 -U postgres shop -c 'DELETE FROM none'",
        "psql -h HOST/nowhere -U postgres shop -c 'DELETE FROM none'",
        "PSQL gone -c 'DELETE FROM none'",
        "psql -h HOST shop -U ann -c 'DELETE FROM orders'",
    ] {
        shop.is_doubt(line, "SELECT 1");
    }
    // What changes neither whom one reaches nor what one finds there is known.
    for line in [
        "PGAPPNAME=x PGTZ=UTC PSQL_PAGER=less PGPASSWORD=x PGCONNECT_TIMEOUT=3 PSQL shop -c 'DELETE FROM none'",
        "PGCLUSTER=15/main PGSSLMODE=prefer PSQL shop -c 'DELETE FROM none'",
    ] {
        shop.runs(line, "SELECT 1");
    }
}

#[test]
fn a_role_sees_what_it_may() {
    let shop = Shop::new();
    shop.server
        .does("postgres", "CREATE ROLE ann LOGIN; CREATE ROLE bob");
    let may = "GRANT USAGE ON SCHEMA public TO ann; GRANT DELETE ON orders, none TO ann";
    shop.is_doubt("psql -h HOST shop -U ann -c 'DELETE FROM none'", may);
    let line = "psql -h HOST shop -U ann -c 'DELETE FROM orders'";
    let may = format!("{may}; GRANT SELECT ON orders TO ann");
    shop.runs(line, &may);
    shop.is_stopped(
        line,
        &format!("{may}; {ROWS}"),
        "it deletes 3 rows of orders",
    );
    shop.is_doubt("psql -h HOST shop -U bob -c 'DELETE FROM none'", &may);
}

#[test]
fn settings_of_a_person_are_no_part_of_a_look() {
    let shop = Shop::new();
    let line = "PSQL shop -c 'DELETE FROM none'";
    for name in [".psqlrc", ".psqlrc-15", ".psqlrc-15.13"] {
        shop.tree.make(&format!(
            "printf '\\\\! touch %s/ran\\n' \"$PWD\" >../home/{name}"
        ));
        shop.is_doubt(line, "SELECT 1");
        shop.runs("PSQL shop -X -c 'DELETE FROM none'", "SELECT 1");
        shop.is_stopped(
            "PSQL shop -X -c 'DELETE FROM orders'",
            ROWS,
            "it deletes 3 rows",
        );
        shop.tree.make(&format!("test ! -e ran; rm ../home/{name}"));
    }
    // It would run.
    shop.tree
        .make("printf '\\\\! touch %s/ran\\n' \"$PWD\" >../home/.psqlrc");
    shop.tree
        .make(&shop.line("PSQL shop -c 'SELECT 1'; test -e ran"));
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let shop = Shop::new();
    let silent = shop.tree.work().join("silent");
    std::fs::create_dir(&silent).unwrap();
    let _listening = UnixListener::bind(silent.join(".s.PGSQL.5432")).unwrap();
    let began = std::time::Instant::now();
    let line = format!(
        "psql -h {} -U postgres shop -c 'DELETE FROM none'",
        silent.display()
    );
    shop.is_doubt(&line, "SELECT 1");
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    // Nor is a table that somebody holds.
    let mut holding = shop
        .server
        .asked("shop", "BEGIN; LOCK TABLE none; SELECT pg_sleep(60)")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("lock", || {
        let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'none'::regclass";
        (shop.server.does("shop", held) == "1").then_some(())
    });
    let line = shop.line("PSQL shop -c 'DELETE FROM none'");
    let said = shop.tree.stopped(&line).expect("stopped");
    assert!(!said.contains("; it "), "{said}");
    holding.kill().unwrap();
    holding.wait().unwrap();
}

/// Becomes somebody else, then psql, by words that nothing shows before psql starts.
const BECOME: &str = "import ctypes, os, sys\n\
    words = open('words').read().split(chr(0))\n\
    kind = int(sys.argv[1])\n\
    if kind == 0: os.setresuid(65534, 65534, 65534)\n\
    elif kind > 0 and ctypes.CDLL(None).unshare(kind) != 0: sys.exit('not apart')\n\
    os.execvp(words[0], words)\n";

#[test]
fn whoever_else_asks_is_another_caller() {
    let shop = Shop::new();
    let host = shop.server.host();
    let words = ["-U", "postgres", "-d", "shop", "-c", "DELETE FROM none"];
    let words = [&["psql", "-h", host][..], &words].concat().join("\0");
    std::fs::write(shop.tree.work().join("words"), words).unwrap();
    std::fs::write(shop.tree.work().join("become.py"), BECOME).unwrap();
    // Itself; another user, another network, another space of users, which only root may make everywhere.
    let mut kinds = vec![(-1, true)];
    if without_rights().is_empty() {
        let must = std::env::var("KIBOSH_TEST_KERNEL").is_ok_and(|value| value == "full");
        assert!(
            !must,
            "only root can be other callers: run these tests as root"
        );
        eprintln!("other callers are not tested: only root can be them");
    } else {
        kinds.extend([(0, false), (0x4000_0000, false), (0x1000_0000, false)]);
    }
    for (kind, is_same) in kinds {
        shop.server.set(MADE);
        let output = shop.tree.run(&format!("python3 become.py {kind}"));
        let said = told(&output);
        let is_held =
            said.contains("kibosh: not started: `/usr/bin/psql ") && !said.contains("; it ");
        assert_eq!(is_held, !is_same, "{kind}: {said}");
        assert_eq!(said.contains("kibosh:"), !is_same, "{kind}: {said}");
    }
}

#[test]
fn a_database_is_lost_with_its_tables() {
    let shop = Shop::new();
    for line in [
        "DROPDB other",
        "DROPDB --if-exists --echo other",
        "PSQL postgres -c 'DROP DATABASE other'",
        "PSQL -d postgres -c 'DROP DATABASE IF EXISTS Other'",
    ] {
        shop.server
            .does("postgres", "DROP DATABASE IF EXISTS other");
        shop.server.does("postgres", "CREATE DATABASE other");
        shop.server
            .does("other", "CREATE TABLE a(x int); CREATE TABLE b(x int)");
        shop.is_stopped(line, "SELECT 1", "it drops 1 database with 2 tables");
        shop.server.does(
            "other",
            "DROP TABLE a, b; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        );
        shop.is_doubt(line, "SELECT 1");
        shop.server
            .does("other", "DROP FUNCTION f(); SELECT lo_create(0)");
        shop.is_doubt(line, "SELECT 1");
        shop.server.does(
            "other",
            "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
        );
        shop.runs(line, "SELECT 1");
        let there = "SELECT count(*) FROM pg_database WHERE datname = 'other'";
        assert_eq!(shop.server.does("postgres", there), "0", "{line}");
    }
    shop.runs(
        "PSQL postgres -c 'DROP DATABASE IF EXISTS gone'",
        "SELECT 1",
    );
    for line in [
        "dropdb -U postgres gone",
        "DROPDB --maintenance-db=shop gone",
        "PSQL 'dbname=postgres' -c 'DROP DATABASE gone'",
        "dropuser -h HOST -U postgres gone",
    ] {
        shop.is_doubt(line, "SELECT 1");
    }
}
