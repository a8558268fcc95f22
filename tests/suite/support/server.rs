//! A PostgreSQL server of its own, that nobody reaches but by a socket in its folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::probe::{wait_for, without_rights};

/// A server that runs until it is dropped. Its folder is its host.
pub struct Server {
    folder: PathBuf,
    running: Child,
}

impl Server {
    /// A new one, with the database `shop`.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kibosh-postgres-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let made = as_server(&binary("initdb"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"])
            .args(["--locale=C", "-D"])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let running = as_server(&binary("postgres"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { folder, running };
        wait_for("PostgreSQL server", || {
            let done = server.asked("postgres", "SELECT 1").output().unwrap();
            done.status.success().then_some(())
        });
        server.does("postgres", "CREATE DATABASE shop");
        server
    }

    /// Where it listens.
    pub fn host(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    /// What it has written about what it did.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Has a database do something.
    pub fn does(&self, database: &str, statements: &str) -> String {
        let done = self.asked(database, statements).output().unwrap();
        assert!(done.status.success(), "{statements}: {done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// What has a database do something.
    pub fn asked(&self, database: &str, statements: &str) -> Command {
        let mut command = Command::new(binary("psql"));
        command
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
            .args([self.host(), "-d", database, "-c", statements])
            .stdin(Stdio::null());
        command
    }

    /// Brings the database `shop` into a state.
    pub fn set(&self, statements: &str) {
        self.does(
            "shop",
            "SET client_min_messages = error; DROP SCHEMA IF EXISTS public, other CASCADE; CREATE SCHEMA public; DROP PUBLICATION IF EXISTS all_of_it; \
             ALTER DATABASE shop RESET ALL; ALTER ROLE postgres RESET ALL",
        );
        self.does("shop", statements);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once, but with what it shares with its processes given back, which it does not do where it is killed.
        let _ = kill(
            Pid::from_raw(self.running.id().cast_signed()),
            Signal::SIGINT,
        );
        let _ = self.running.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A program of the server's, as somebody without rights, that ends with the test.
fn as_server(program: &Path) -> Command {
    let mut words = without_rights();
    if words.is_empty() {
        words.extend(["setpriv", "--"]);
    }
    let mut command = Command::new(words[0]);
    command
        .args(["--pdeathsig", "KILL"])
        .args(&words[1..])
        .arg(program)
        .current_dir("/");
    command
}

/// Where a program of PostgreSQL's is: not the script that chooses among several.
pub fn binary(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.unwrap().path().join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    let in_path = || {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders)
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    };
    found.pop().or_else(in_path).unwrap_or_else(|| {
        panic!("no `{name}`: the tests need a PostgreSQL server (packages postgresql and postgresql-client)")
    })
}
