//! Code in files that are there before the line: what it plainly does itself is judged before it runs.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::support::probe::{Held, told};
use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// A file of the tree.
fn write(tree: &Tree, name: &str, text: &str) {
    let file = tree.work().join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

const PYTHON: &str = "#!/usr/bin/env python3\nimport shutil\nshutil.rmtree(\"data\")\n";

#[test]
fn the_same_script_runs_where_it_loses_nothing_and_is_stopped_where_it_does() {
    let tree = Tree::new();
    write(&tree, "clean.py", PYTHON);
    write(
        &tree,
        "clean.js",
        "const fs = require('fs');\nfs.rmSync('data', { recursive: true });\n",
    );
    write(
        &tree,
        "clean.pl",
        "use File::Path 'remove_tree';\nremove_tree('data');\n",
    );
    write(&tree, "tool", PYTHON);
    write(&tree, "all.sh", "#!/bin/sh\n./tool\n");
    write(&tree, "Makefile", "clean:\n\t@python3 clean.py\n");
    write(
        &tree,
        "moves.py",
        "import os, shutil\nos.chdir('sub')\nshutil.rmtree('data')\n",
    );
    tree.make("mkdir sub; git add .; git commit -qm tools");
    let lost = "mkdir -p data; echo mine >data/notes";
    let kept = "mkdir -p data; echo ours >data/notes; git add -f data; git commit -qm data";
    let undo = "git reset -q --hard; git rm -qr --cached data 2>/dev/null || true; rm -rf data; git commit -qm none || true";
    for line in [
        "python3 clean.py",
        "node clean.js",
        "perl clean.pl",
        "./tool",
        "./all.sh",
        "sh all.sh",
        "make clean",
        "bash -c 'python3 clean.py'",
        "cd src && python3 ../clean.py; cd .. && python3 clean.py",
        "f=clean.py; python3 $f",
        "echo clean.py | xargs python3",
        "env python3 clean.py",
        "python3 <clean.py",
        "python3 -u -X dev clean.py",
        "node --no-warnings clean.js",
    ] {
        tree.make(lost);
        let output = tree.run(line);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{line}: {told}");
        assert!(told.contains("`rm -r data (by "), "{line}: {told}");
        assert!(
            told.contains("deletes 1 file (5 bytes), untracked"),
            "{line}: {told}"
        );
        assert!(tree.work().join("data/notes").exists(), "{line}");
        tree.make(undo);
        tree.make(kept);
        if !line.starts_with("cd") {
            tree.runs(line, kept);
            assert!(!tree.work().join("data").exists(), "{line}");
        }
        tree.make(undo);
    }
    // In which directory it then is, is not known.
    tree.is_stopped("python3 moves.py", "nothing", "`rm -r data (by ");
}

/// Whichever way an interpreter is called, installed here or not: nothing is run.
#[test]
fn every_spelling_of_running_a_file_is_read() {
    let tree = Tree::new();
    write(&tree, "clean.py", PYTHON);
    write(
        &tree,
        "clean.js",
        "require('fs').rmSync('data', { recursive: true })\n",
    );
    write(
        &tree,
        "clean.ts",
        "Deno.removeSync('data', { recursive: true })\n",
    );
    write(&tree, "clean.pl", "use File::Path; rmtree('data');\n");
    write(
        &tree,
        "clean.rb",
        "require 'fileutils'; FileUtils.rm_rf('data')\n",
    );
    tree.make("mkdir data; echo mine >data/notes; ln -s clean.py link.py");
    for line in [
        "python3 link.py",
        "python3 - <clean.py",
        "python3 -u - one two <clean.py",
        "python3 /dev/stdin <clean.py",
        "node - <clean.js",
        "perl - <clean.pl",
        "python3 -I -S -B clean.py",
        "python3 -X dev -W ignore clean.py",
        "python3.11 clean.py",
        "ipython clean.py",
        "node --no-warnings clean.js",
        "bun clean.js",
        "bun run clean.js",
        "deno run -A clean.ts",
        "tsx clean.js",
        "npx tsx clean.js",
        "perl -w clean.pl",
        "ruby clean.rb",
        "uv run python clean.py",
        "poetry run python clean.py",
        "pipenv run python3 clean.py",
        "conda run -n x python clean.py",
        "nohup python3 clean.py &",
        "timeout 5 python3 clean.py",
        "xvfb-run python3 clean.py",
        "sudo python3 clean.py",
    ] {
        let check = format!("{KIBOSH} check {}", shlex::try_quote(line).unwrap());
        let output = tree.command("/bin/bash", &check).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(10), "{line}: {said}");
        assert!(said.contains("filesystem.remove-tree"), "{line}: {said}");
    }
}

#[test]
fn what_ran_a_moment_ago_is_read_again() {
    let tree = Tree::new();
    write(&tree, "job.py", "print('fine')\n");
    write(&tree, "clean.py", PYTHON);
    write(
        &tree,
        "twice.sh",
        "run() { python3 job.py; }; run; cp clean.py job.py; run; echo \"came $?\"\n",
    );
    tree.make("mkdir data; echo mine >data/notes");
    let output = tree.run("sh twice.sh");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "fine\ncame 126\n", "{output:?}");
    assert!(tree.work().join("data/notes").exists());
}

#[test]
fn statements_in_a_file_are_statements() {
    let tree = Tree::new();
    write(&tree, "drop.sql", "-- all of it\nDROP TABLE orders;\n");
    write(&tree, "look.sql", "SELECT count(*) FROM orders;\n");
    write(
        &tree,
        "schema.sql",
        "DROP TABLE IF EXISTS orders;\nCREATE TABLE orders (id integer);\nINSERT INTO orders VALUES (1);\n",
    );
    let bin = tree.work().join("../bin");
    fs::create_dir(&bin).unwrap();
    let bin = bin.canonicalize().unwrap();
    for name in ["psql", "mysql"] {
        let file = bin.join(name);
        fs::write(&file, "#!/bin/sh\necho came >>../came\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let came = tree.work().join("../came");
    let run = |line: &str| {
        let mut command = tree.command(KIBOSH, line);
        command.env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()),
        );
        command.output().unwrap()
    };
    for line in [
        "psql -f drop.sql",
        "psql shop --file=drop.sql",
        "psql shop <drop.sql",
        "mysql shop <drop.sql",
        "for f in drop.sql; do psql -f $f; done",
    ] {
        let output = run(line);
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("databases."),
            "{line}: {output:?}"
        );
        assert!(!came.exists(), "{line}");
    }
    for line in ["psql -f look.sql", "mysql shop <look.sql"] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        fs::remove_file(&came).unwrap();
    }
    // A database that is not there yet loses nothing by any statement.
    tree.runs("sqlite3 new.db <schema.sql", "no database");
    tree.is_stopped(
        "sqlite3 new.db <schema.sql",
        "a table with a row",
        "databases.",
    );
    tree.is_stopped(
        "sqlite3 new.db <drop.sql",
        "a table with a row",
        "drops 1 table with 1 row",
    );
    write(
        &tree,
        "other.sql",
        "ATTACH 'new.db' AS other;\nDROP TABLE other.orders;\n",
    );
    tree.is_stopped(
        "sqlite3 fresh.db <other.sql",
        "another database",
        "databases.",
    );
}

#[test]
fn what_is_not_plain_or_cannot_be_read_asks_nobody_and_holds_nothing_up() {
    let tree = Tree::new();
    write(
        &tree,
        "tests.py",
        "import os, shutil, sys, tempfile\n\
         folder = tempfile.mkdtemp()\n\
         open(os.path.join(folder, 'x'), 'w').close()\n\
         for name in os.listdir(folder):\n    os.remove(os.path.join(folder, name))\n\
         shutil.rmtree(folder)\n\
         open('report.txt', 'w').write('ok')\n\
         if len(sys.argv) > 1:\n    os.remove(sys.argv[1])\n",
    );
    write(
        &tree,
        "build.js",
        "const fs = require('fs');\nfs.rmSync('dist', { recursive: true, force: true });\nfs.mkdirSync('dist');\n",
    );
    let long = format!("{}\nimport shutil\n", "# filler\n".repeat(40_000));
    write(&tree, "long.py", &long);
    fs::write(tree.work().join("bytes.py"), b"# \xff\n").unwrap();
    for line in [
        "python3 tests.py",
        "python3 tests.py && python3 tests.py",
        "node build.js && node build.js",
        "python3 long.py",
        "python3 - <tests.py && python3 - <long.py",
        "python3 </dev/null; python3 - </dev/null",
        "python3 -m unittest -q </dev/null; true",
        "python3 bytes.py; true",
        "mkfifo pipe; (echo 'print(1)' >pipe &) ; python3 pipe",
        "python3 . ; true",
        "python3 nowhere.py; true",
    ] {
        tree.runs(line, "nothing");
    }
}

/// What code does by a file that is not named, or by words that only it works out, is not seen. Each of these belongs to
/// a test above once it is.
#[test]
fn what_is_done_out_of_sight_is_known() {
    let tree = Tree::new();
    write(&tree, "clean.py", PYTHON);
    write(&tree, "imports.py", "import clean\n");
    write(
        &tree,
        "works.py",
        "import os, shutil\nshutil.rmtree(os.environ['WHICH'])\n",
    );
    for line in [
        "python3 -m clean",
        "python3 imports.py",
        "WHICH=data python3 works.py",
    ] {
        tree.make("mkdir -p data; echo mine >data/notes");
        tree.runs(line, "data");
        assert!(!tree.work().join("data").exists(), "{line}");
    }
}

#[test]
fn a_file_that_does_not_come_in_time_is_asked_about() {
    let tree = Tree::new();
    write(&tree, "clean.py", PYTHON);
    write(&tree, "look.py", "print(1)\n");
    // Which file it is, nothing shows before python starts.
    write(
        &tree,
        "start.py",
        "import os\nos.execvp('python3', ['python3', open('name').read()])\n",
    );
    tree.make("mkdir data; echo mine >data/notes");
    for name in ["clean.py", "look.py"] {
        fs::write(tree.work().join("name"), name).unwrap();
        let held = Held::new(&tree.work().join(name));
        tree.is_stopped(
            &format!("python3 {name}"),
            "somebody holds it",
            "opaque.code",
        );
        let said = told(&tree.run("python3 start.py"));
        assert!(said.contains("kibosh: not started: "), "{said}");
        assert!(said.contains("opaque.code"), "{said}");
        drop(held);
        let said = told(&tree.run("python3 start.py"));
        assert_eq!(
            said.contains("kibosh: not started: "),
            name == "clean.py",
            "{said}"
        );
        assert_eq!(
            said.contains("it deletes 1 file"),
            name == "clean.py",
            "{said}"
        );
    }
}

/// Puts programs into a folder that note how they were called, and gives what runs a line with them: how often
/// one of them ran, and how it ended.
fn noting<'t>(tree: &'t Tree, names: &str) -> impl Fn(&str) -> (usize, Output) + 't {
    tree.make(&format!(
        "mkdir ../bin; for name in {names}; do\n\
         printf '#!/bin/sh\\ncat >/dev/null; echo \"$0 $*\" >>../ran\\n' >../bin/$name; chmod +x ../bin/$name; done",
    ));
    let bin = tree.work().join("../bin").canonicalize().unwrap();
    let ran = tree.work().join("../ran");
    move |line| {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        let output = tree
            .command(KIBOSH, line)
            .env("PATH", path)
            .output()
            .unwrap();
        let text = fs::read_to_string(&ran).unwrap_or_default();
        let _ = fs::remove_file(&ran);
        (text.lines().count(), output)
    }
}

/// What goes to another host or container is read before it goes: no start here shows it.
#[test]
fn a_file_that_is_sent_elsewhere_is_read_first() {
    let tree = Tree::new();
    write(
        &tree,
        "harm.sh",
        "echo begin\nrm -rf /var/lib/postgresql/15/main\n",
    );
    write(&tree, "mild.sh", "uptime\ndf -h\n");
    write(&tree, "mild.py", "print(1)\n");
    write(&tree, "harm.sql", "drop table users;\n");
    write(&tree, "mild.sql", "select count(*) from users;\n");
    fs::write(tree.work().join("long.sh"), "true\n".repeat(100_000)).unwrap();
    fs::write(tree.work().join("odd.sh"), b"echo \xff\n").unwrap();
    write(&tree, "job.sh", "ssh host <harm.sh\n");
    let noted = noting(&tree, "ssh docker kubectl");
    let run = |line: &str| {
        let (times, output) = noted(line);
        assert_eq!(times > 0, output.status.success(), "{line}: {output:?}");
        (times, told(&output))
    };
    for (line, rule) in [
        ("ssh host <harm.sh", "filesystem.remove-critical"),
        ("ssh host -p 22 <harm.sh", "filesystem.remove-critical"),
        ("ssh host bash <harm.sh", "filesystem.remove-critical"),
        (
            "ssh -T host 'sudo bash -s' <harm.sh",
            "filesystem.remove-critical",
        ),
        (
            "cd src && ssh host <../harm.sh",
            "filesystem.remove-critical",
        ),
        (
            "docker exec -i c bash <harm.sh",
            "filesystem.remove-critical",
        ),
        ("docker exec -i db psql -U app <harm.sql", "databases.drop"),
        (
            "kubectl exec -i p -- sh <harm.sh",
            "filesystem.remove-critical",
        ),
        ("bash job.sh", "filesystem.remove-critical"),
        ("source job.sh", "filesystem.remove-critical"),
        // What cannot be read is not known.
        ("ssh host <long.sh", "opaque.code"),
        ("ssh host <odd.sh", "opaque.code"),
        ("ssh host <absent.sh", "opaque.code"),
        ("docker exec -i c sh <long.sh", "opaque.code"),
    ] {
        let (times, told) = run(line);
        assert!(times == 0 && told.contains(rule), "{line}: {told}");
    }
    for line in [
        "ssh host <mild.sh",
        "ssh host </dev/null",
        "ssh host python3 - <mild.py",
        "docker exec -i c bash <mild.sh",
        "kubectl exec -i p -- sh <mild.sh",
        "docker exec -i db psql <mild.sql",
        // There it is no code.
        "ssh host 'cat >copy.sh' <harm.sh",
        "ssh -p 22 host 'cat >copy' <long.sh",
        "docker exec -i c sh -c 'cat >copy' <harm.sh",
        "tar c src | ssh host 'tar x'",
    ] {
        let (times, told) = run(line);
        assert!(times > 0, "{line}: {told}");
    }
    // The same words are judged again where the file is another one.
    write(&tree, "turn.sh", "ssh host <now.sh\n");
    write(&tree, "now.sh", "uptime\n");
    let both = "bash turn.sh; cp harm.sh now.sh; bash turn.sh; echo ended";
    let (times, told) = run(both);
    assert!(
        times == 1 && told.contains("filesystem.remove-critical"),
        "{told}"
    );
}

/// The same where no text tells of the file: a program opens it for the one that it starts.
#[test]
fn a_file_that_a_program_opens_for_another_is_read_as_that_starts() {
    let tree = Tree::new();
    write(&tree, "harm.sh", "rm -rf /var/lib/postgresql/15/main\n");
    write(&tree, "mild.sh", "uptime\n");
    write(&tree, "harm.sql", "drop table users;\n");
    write(&tree, "mild.sql", "select 1;\n");
    write(&tree, "empty", "");
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff.sql");
    fs::copy(tree.work().join("harm.sql"), tree.work().join(odd)).unwrap();
    fs::write(tree.work().join("long"), "true\n".repeat(100_000)).unwrap();
    write(&tree, "hosts", "one\ntwo\n");
    // It opens a file, or one that has no name any more, and becomes the program with that on standard input.
    write(
        &tree,
        "with",
        "#!/usr/bin/env python3\n\
         import os, sys\n\
         name = sys.argv[1]\n\
         if name.startswith('gone:'):\n\
         \x20   open('copy', 'wb').write(open(name[5:], 'rb').read())\n\
         \x20   place = os.open('copy', os.O_RDONLY)\n\
         \x20   os.unlink('copy')\n\
         else:\n\
         \x20   place = os.open(name, os.O_RDONLY)\n\
         os.dup2(place, 0)\n\
         os.execvp(sys.argv[2], sys.argv[2:])\n",
    );
    let noted = noting(&tree, "ssh docker kubectl psql");
    let run = |line: &str| {
        let (times, output) = noted(line);
        (times, told(&output))
    };
    for (line, rule) in [
        ("./with harm.sh ssh host", "filesystem.remove-critical"),
        ("./with gone:harm.sh ssh host", "filesystem.remove-critical"),
        (
            "./with harm.sh ssh host sudo bash -s",
            "filesystem.remove-critical",
        ),
        (
            "./with harm.sh docker exec -i c bash",
            "filesystem.remove-critical",
        ),
        (
            "./with harm.sh env LC_ALL=C kubectl exec -i p -- sh",
            "filesystem.remove-critical",
        ),
        ("./with harm.sql psql app", "databases.drop"),
        ("./with odd*.sql psql app", "databases.drop"),
        ("./with gone:harm.sql psql app", "databases.drop"),
        ("./with harm.sql docker exec -i db psql", "databases.drop"),
        ("./with long ssh host", "opaque.code"),
        ("./with gone:long ssh host", "opaque.code"),
    ] {
        let (times, told) = run(line);
        assert!(times == 0 && told.contains(rule), "{line}: {told}");
    }
    for line in [
        "./with mild.sh ssh host",
        "./with gone:mild.sh ssh host",
        "./with empty ssh host",
        "./with mild.sh docker exec -i c bash",
        "./with mild.sql psql app",
        // It is no code there, or nobody reads it.
        "./with harm.sh ssh host 'cat >copy'",
        "./with long ssh host tar x",
        "./with harm.sql psql -c 'select 1' app",
        "./with harm.sh kubectl get pods",
        "while read -r host; do ssh $host uptime; done <hosts",
        "while read -r host; do psql -h $host -c 'select 1'; done <hosts",
    ] {
        let (times, told) = run(line);
        assert!(times > 0, "{line}: {told}");
    }
    // A long here document is a file without a name.
    let text = "uptime\n".repeat(2000);
    let (times, told) = run(&format!("ssh host bash <<'END'\n{text}END"));
    assert_eq!(times, 1, "{told}");
    // What was allowed with another file, or without one, is read again.
    let line = "./with mild.sh ssh host; ssh host </dev/null; ./with harm.sh ssh host";
    let (times, told) = run(line);
    assert_eq!(times, 2, "{told}");
    assert!(told.contains("filesystem.remove-critical"), "{told}");
}

/// What a shell does by itself in a file that it carries out is judged before; the rest of the line stays as it is.
#[test]
fn a_file_that_the_shell_itself_carries_out_is_read_first() {
    let tree = Tree::new();
    write(&tree, "empty.sh", "name=data/app.sqlite\n: >\"$name\"\n");
    write(&tree, "outer.sh", ". ./empty.sh\n");
    write(&tree, "round.sh", "source round.sh\n");
    write(&tree, "python.sh", "python3 clean.py\n");
    write(&tree, "clean.py", "import shutil\nshutil.rmtree('data')\n");
    write(
        &tree,
        "activate",
        "deactivate () { rm -rf /etc; }\nexport VIRTUAL_ENV=/x\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\nhash -r\n\
         echo \"$(date)\" >log.txt\n$EXTRA\n",
    );
    fs::write(tree.work().join("long.sh"), "true\n".repeat(100_000)).unwrap();
    tree.make("mkdir data; echo rows >data/app.sqlite");
    for line in [
        "source ./empty.sh",
        ". ./empty.sh",
        "source outer.sh",
        "cd data && . ../empty.sh; cd .. && . ./empty.sh",
        "bash -c '. ./empty.sh'",
        "bash outer.sh",
        "[ -f empty.sh ] && source empty.sh",
        "f() { . ./empty.sh; }; f",
    ] {
        let output = tree.run(line);
        assert!(!output.status.success(), "{line}: {output:?}");
        assert!(
            told(&output).contains("filesystem.overwrite-critical"),
            "{line}: {output:?}"
        );
        let left = fs::read_to_string(tree.work().join("data/app.sqlite")).unwrap();
        assert_eq!(left, "rows\n", "{line}");
    }
    tree.is_stopped("source python.sh", "data", "`rm -r data (by ");
    for line in [
        "source activate",
        "source activate && echo \"$VIRTUAL_ENV\"",
        "source long.sh",
        "source absent.sh 2>/dev/null || true",
        "source activate; rm -f log.txt",
    ] {
        tree.runs(line, "a file that does nothing by itself");
    }
    assert!(!tree.work().join("log.txt").exists());
    // Files that make much work are no way to have it made again and again.
    let lines = "x=$x$x$x; y={1..9}{1..9}{1..9}; echo $y $y $y $y\n";
    write(&tree, "work.sh", &lines.repeat(140));
    fs::write(tree.work().join("sent.sh"), "true; ".repeat(40_000)).unwrap();
    for one in ["source work.sh; ", "ssh host <sent.sh; "] {
        let began = std::time::Instant::now();
        let line = format!("{}true; rm -rf /etc", one.repeat(300));
        let check = format!("{KIBOSH} check {}", shlex::try_quote(&line).unwrap());
        let output = tree.command("/bin/bash", &check).output().unwrap();
        assert_ne!(output.status.code(), Some(0), "{output:?}");
        assert!(
            began.elapsed().as_secs() < 20,
            "{one}: {:?}",
            began.elapsed()
        );
    }
    // One that reads itself is read to an end.
    let check = format!("{KIBOSH} check 'source round.sh'");
    let output = tree.command("/bin/bash", &check).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// Open, as docs/bypasses.md says: a test that fails when one is closed.
#[test]
fn known_gaps() {
    let tree = Tree::new();
    write(&tree, "empty.sh", ": >data/app.sqlite\n");
    for line in [
        "eval \"$(cat empty.sh)\"",
        "cat empty.sh | bash",
        "for file in emp*.sh; do . ./$file; done",
        "bash -c '. \"$0\"' ./empty.sh",
    ] {
        tree.make("mkdir -p data; echo rows >data/app.sqlite");
        tree.runs(line, "a database");
        let left = fs::read_to_string(tree.work().join("data/app.sqlite")).unwrap();
        assert_eq!(left, "", "{line}");
    }
    write(&tree, "harm.sh", "rm -rf /var/lib/postgresql/15/main\n");
    // What a program writes into a pipe for a shell elsewhere stands nowhere; in a line it is stopped.
    tree.make("mkdir ../bin; printf '#!/bin/sh\\ncat\\n' >../bin/ssh; chmod +x ../bin/ssh");
    let by_program = "python3 -c 'import subprocess; subprocess.run([\"../bin/ssh\", \"host\"], input=open(\"harm.sh\", \"rb\").read())'";
    assert_eq!(tree.stopped(by_program), None);
    assert!(tree.stopped("../bin/ssh host <harm.sh").is_some());
    // Shells elsewhere of which no pack tells.
    for line in [
        "adb shell <harm.sh",
        "doctl compute ssh x <harm.sh",
        "eb ssh -c 'rm -rf /etc'",
    ] {
        let check = format!("{KIBOSH} check {}", shlex::try_quote(line).unwrap());
        let output = tree.command("/bin/bash", &check).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    }
}
