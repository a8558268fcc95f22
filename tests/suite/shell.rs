//! The drop-in shell: every form in which programs start one.

use std::os::unix::process::CommandExt;
use std::process::Command;

fn kibosh() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kibosh"))
}

fn output(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_command_runs_with_its_name_its_parameters_and_its_status() {
    assert_eq!(
        output(kibosh().args([
            "-c",
            "echo \"$0\" \"$@\"; exit 7",
            "name",
            "one",
            "two words"
        ])),
        (7, "name one two words\n".into(), String::new())
    );
}

#[test]
fn called_as_sh_it_is_sh() {
    assert_eq!(
        output(
            kibosh()
                .arg0("sh")
                .args(["-c", "echo \"$0${BASH_VERSION-}\""])
        ),
        output(
            Command::new("/bin/sh")
                .arg0("sh")
                .args(["-c", "echo \"$0${BASH_VERSION-}\""])
        ),
    );
}
