//! A shell that an agent starts for one command, and that is refused: the agent gets the words and a status, as from any
//! command, and not an error of its own.

use std::fs;

use crate::support::place::Place;
use crate::support::probe::{processes_in, said, told};

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

const PYTHON: &str = r#"
import os, subprocess, sys
words = ' '.join(['demolish', sys.argv[1]])
def show(how, **call):
    done = subprocess.run(capture_output=True, text=True, **call)
    print(how, done.returncode, 'held back by rule test.ask' in done.stderr, done.stdout.strip())
show('shell', args=words, shell=True)
show('bash', args=['/bin/bash', '-lc', words])
show('inherits', args=['sh', '-c', words], close_fds=False)
show('later', args=['bash', '-c', 'echo hi; ' + words])
show('options', args=['bash', '--norc', '-e', '-c', words, 'name'])
print('system', os.waitstatus_to_exitcode(os.system(words)))
sys.stdout.flush()
os.execv('/bin/sh', ['sh', '-c', words])
"#;

#[test]
fn the_caller_gets_the_words_and_a_status() {
    let place = Place::new("refused-command");
    fs::write(place.path().join("agent.py"), PYTHON).unwrap();
    fs::write(
        place.path().join("agent.js"),
        "require('child_process').exec(['demolish', process.argv[2]].join(' '), (error, out, told) => \
         console.log(error ? error.code : 0, told.includes('held back by rule test.ask')));\n",
    )
    .unwrap();
    for way in [vec!["-c"], vec!["run", "--", "bash", "-c"]] {
        let run = |line: &str| place.command(KIBOSH).args(&way).arg(line).output().unwrap();
        let output = run("python3 agent.py all; echo \"end $?\"; node agent.js all");
        assert_eq!(
            said(&output).replace('\r', ""),
            "shell 126 True \nbash 126 True \ninherits 126 True \nlater 126 True \noptions 126 True \nsystem 126\n\
             end 126\n126 true\n",
            "{output:?}"
        );
        assert_eq!(place.ran(), None);
        // The same runs what is allowed.
        let output = run("python3 agent.py none | tail -n 1; node agent.js none");
        assert!(
            said(&output)
                .replace('\r', "")
                .ends_with("system 0\n0 false\n"),
            "{output:?}"
        );
        let ran = place.ran().unwrap();
        assert_eq!(ran, "none\n".repeat(7));
        fs::remove_file(place.path().join("ran")).unwrap();
    }
}

/// Nothing of a refused shell is ever executed, and nothing stays behind, whoever calls it and whatever happens meanwhile.
#[test]
fn many_at_once_and_callers_that_kill_leave_nothing() {
    let place = Place::new("refused-many");
    fs::write(
        place.path().join("storm.py"),
        "import random, subprocess, sys, threading, time\n\
         bad = []\n\
         words = ' '.join(['echo ran >>shells; demolish', sys.argv[1]])\n\
         def work(number):\n\
         \x20   for turn in range(12):\n\
         \x20       child = subprocess.Popen(['sh', '-c', words], stdout=-1, stderr=-1)\n\
         \x20       if number % 2:\n\
         \x20           time.sleep(random.random() / 200)\n\
         \x20           child.send_signal(random.choice([15, 9, 19, 2]))\n\
         \x20           child.send_signal(18)\n\
         \x20       out, told = child.communicate()\n\
         \x20       if child.returncode not in (126, -15, -9, -2): bad.append((child.returncode, told))\n\
         threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]\n\
         [thread.start() for thread in threads]; [thread.join() for thread in threads]\n\
         print(bad)\n",
    )
    .unwrap();
    let child = place
        .command(KIBOSH)
        .args(["-c", "python3 storm.py never; echo \"end $?\""])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let session = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output), "[]\nend 0\n", "{}", told(&output));
    assert!(!place.path().join("shells").exists());
    assert_eq!(place.ran(), None);
    let left = processes_in(session);
    let left: Vec<_> = left
        .iter()
        .filter(|(_, name, ..)| name != "kibosh")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
