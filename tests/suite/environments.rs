//! Where an action happens decides with: a context, a profile, a workspace, a directory; and which credentials
//! everything that is started gets.

use std::fs;
use std::process::{Command, Output};

use crate::support::place::Place;
use crate::support::probe::{Held, hide, said, told};

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// A place with clients that only leave a mark, and a home directory.
fn place(test: &str) -> Place {
    let place = Place::new(&format!("environments-{test}"));
    for name in ["kubectl", "terraform", "aws", "helm", "psql"] {
        place.program(name, "#!/bin/sh\necho \"$(basename \"$0\") $*\" >>ran\n");
    }
    fs::create_dir_all(place.path().join("home/.kube")).unwrap();
    place
}

fn run(place: &Place, line: &str) -> Output {
    kibosh(place).args(["-c", line]).output().unwrap()
}

fn kibosh(place: &Place) -> Command {
    let mut command = place.command(KIBOSH);
    command.env("HOME", place.path().join("home"));
    command
}

fn context(place: &Place, file: &str, name: &str) {
    let text = format!("apiVersion: v1\ncurrent-context: {name}\nkind: Config\n");
    fs::write(place.path().join(file), text).unwrap();
}

#[test]
fn the_same_words_run_here_and_are_asked_about_in_production() {
    let place = place("words");
    fs::create_dir_all(place.path().join(".terraform")).unwrap();
    fs::create_dir_all(place.path().join("stacks/prod")).unwrap();
    let kube = |name: &'static str| move |place: &Place| context(place, "home/.kube/config", name);
    let workspace = |name: &'static str| {
        move |place: &Place| fs::write(place.path().join(".terraform/environment"), name).unwrap()
    };
    let nothing = || |_: &Place| {};
    type State = Box<dyn Fn(&Place)>;
    let pairs: [(State, &str, State, &str, &str); 7] = [
        (
            Box::new(kube("kind-dev")),
            "kubectl apply -f web.yaml",
            Box::new(kube("\"acme-prod-1\"")),
            "kubectl apply -f web.yaml",
            "in production (kube context `acme-prod-1`)",
        ),
        (
            Box::new(kube("dev")),
            "helm upgrade web chart",
            Box::new(kube("prod")),
            "helm upgrade web chart",
            "in production (kube context `prod`)",
        ),
        (
            Box::new(workspace("dev\n")),
            "terraform import a.b c",
            Box::new(workspace("production\n")),
            "terraform import a.b c",
            "in production (terraform workspace `production`)",
        ),
        (
            Box::new(workspace("dev\n")),
            "true",
            Box::new(nothing()),
            "cd stacks/prod; terraform import a.b c",
            "in production (directory `",
        ),
        (
            Box::new(nothing()),
            "AWS_PROFILE=dev aws lambda update-function-code",
            Box::new(nothing()),
            "AWS_PROFILE=acme-prod aws lambda update-function-code",
            "in production (AWS profile `acme-prod`)",
        ),
        (
            Box::new(kube("prod")),
            "kubectl --context dev scale deploy web --replicas=2",
            Box::new(kube("dev")),
            "kubectl --context prod scale deploy web --replicas=2",
            "in production (kube context `prod`)",
        ),
        (
            Box::new(nothing()),
            "psql -h db.dev.example -c \"insert into t values (1)\"",
            Box::new(nothing()),
            "psql -h db.prod.example -c \"insert into t values (1)\"",
            "in production (database `db.prod.example`)",
        ),
    ];
    for (here, harmless, there, line, words) in pairs {
        here(&place);
        let output = run(&place, harmless);
        assert_eq!(output.status.code(), Some(0), "{harmless}: {output:?}");
        assert_eq!(told(&output), "", "{harmless}");
        let _ = fs::remove_file(place.path().join("ran"));
        there(&place);
        let output = run(&place, line);
        assert!(told(&output).contains(words), "{line}: {output:?}");
        assert_eq!(place.ran(), None, "{line}");
    }
}

#[test]
fn a_file_that_does_not_come_in_time_may_tell_of_production() {
    let place = place("late");
    context(&place, "home/.kube/config", "dev");
    let words = ["kubectl", "apply", "-f", "web.yaml"];
    hide(&place, &words);
    let hidden = "mapfile -d '' -t words <words; exec \"${words[@]}\"";
    let held = Held::new(&place.path().join("home/.kube/config"));
    for line in [&words.join(" "), hidden] {
        let output = run(&place, line);
        assert!(
            told(&output).contains("in production"),
            "{line}: {output:?}"
        );
        assert_eq!(place.ran(), None, "{line}");
    }
    drop(held);
    for line in [&words.join(" "), hidden] {
        let output = run(&place, line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        assert_eq!(told(&output), "", "{line}");
        fs::remove_file(place.path().join("ran")).unwrap();
    }
}

/// What only shows at the start of the program is seen there: a file that the line itself writes, a variable that
/// a script exports, a value that the shell fills in.
#[test]
fn what_a_line_changes_first_counts() {
    let place = place("first");
    for line in [
        "printf 'current-context: prod\\n' >home/.kube/config; kubectl apply -f web.yaml",
        "X=prod; kubectl --context \"$X\" apply -f web.yaml",
        "printf 'current-context: prod\\n' >other; export KUBECONFIG=other; kubectl apply -f web.yaml",
        "KUBECONFIG=none:other kubectl apply -f web.yaml",
        "echo prod | xargs -I{} kubectl --context {} apply -f web.yaml",
        "bash -c 'export AWS_PROFILE=prod; aws ecs update-service'",
    ] {
        let output = run(&place, line);
        assert!(
            told(&output).contains("in production ("),
            "{line}: {output:?}"
        );
        assert_eq!(place.ran(), None, "{line}");
        let _ = fs::remove_file(place.path().join("home/.kube/config"));
    }
    // What ran a moment ago in another place is not remembered for this one.
    context(&place, "home/.kube/config", "dev");
    let line = "apply() { kubectl apply -f web.yaml; }; apply; apply; \
                printf 'current-context: prod\\n' >home/.kube/config; apply";
    let output = run(&place, line);
    assert!(told(&output).contains("in production ("), "{output:?}");
    assert_eq!(
        place.ran().unwrap(),
        "kubectl apply -f web.yaml\n".repeat(2)
    );
    fs::remove_file(place.path().join("home/.kube/config")).unwrap();
    // Nobody is asked before it is known.
    for line in [
        "X=dev; kubectl --context \"$X\" apply -f web.yaml",
        "kubectl apply -f web.yaml",
    ] {
        let output = run(&place, line);
        assert_eq!(told(&output), "", "{line}");
    }
    // A pipe in its place holds nothing up.
    let line = "mkfifo pipe; KUBECONFIG=pipe kubectl apply -f web.yaml";
    assert_eq!(run(&place, line).status.code(), Some(0));
}

#[test]
fn an_environment_of_ones_own_has_rules_and_wants_people() {
    let place = place("own");
    let policy = place.path().join("policy.toml");
    fs::write(
        &policy,
        "[[environment]]\nname = \"plant\"\nreviewers = 2\n\
         [[environment.signal]]\nkind = \"site\"\nvariables = [\"SITE\"]\nvalue = [\"^plant-\"]\n\
         [[rule]]\nid = \"team.plant\"\neffect = \"confirm\"\nreason = \"the line stands still\"\n\
         match = [{ in = [\"plant\"], program = [\"renovate\"] }]\n\
         examples = { matches = [\"SITE=plant-1 renovate\"], passes = [\"SITE=office renovate\"] }\n",
    )
    .unwrap();
    let check = |line: &str, more: &[&str]| {
        let mut command = with_system(&place, &policy);
        command.args([KIBOSH, "check"]).args(more).arg(line);
        command.output().unwrap()
    };
    let output = check("SITE=plant-1 renovate", &[]);
    assert_eq!(output.status.code(), Some(10), "{output:?}");
    assert!(
        said(&output).contains("in plant (site `plant-1`)"),
        "{output:?}"
    );
    assert_eq!(check("SITE=office renovate", &[]).status.code(), Some(0));
    // What is asked about by any rule wants two there.
    let mut command = with_system(&place, &policy);
    let output = command
        .args([
            KIBOSH,
            "-c",
            "export SITE=plant-2; git push --force origin main",
        ])
        .output()
        .unwrap();
    assert!(told(&output).contains("2 people"), "{output:?}");
}

/// A project cannot say where it is, nor what credentials there are.
#[test]
fn a_project_has_no_say_in_it() {
    let place = place("project");
    fs::write(
        place.path().join(".kibosh.toml"),
        "[credentials]\nset = { LD_PRELOAD = \"x\" }\n",
    )
    .unwrap();
    let output = run(&place, "true");
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(
        told(&output).contains("only an administrator or a user sets credentials"),
        "{output:?}"
    );
    fs::write(
        place.path().join(".kibosh.toml"),
        "[[environment]]\nname = \"production\"\nreviewers = 2\n\
         [[environment.signal]]\nkind = \"any\"\nvalue = [\".\"]\nvariables = [\"HOME\"]\n",
    )
    .unwrap();
    let output = run(&place, "kubectl apply -f web.yaml");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn everything_gets_the_credentials_that_the_administrator_leaves() {
    let place = place("credentials");
    let policy = place.path().join("policy.toml");
    fs::write(
        &policy,
        "[credentials]\nunset = [\"*_TOKEN\"]\nset = { AWS_PROFILE = \"agent-readonly\" }\n",
    )
    .unwrap();
    let shown = "echo \"${AWS_PROFILE-none} ${GH_TOKEN-none} ${KEPT-none}\"";
    let plain = kibosh(&place)
        .args(["-c", shown])
        .envs([
            ("AWS_PROFILE", "admin"),
            ("GH_TOKEN", "secret"),
            ("KEPT", "1"),
        ])
        .output()
        .unwrap();
    assert_eq!(said(&plain), "admin secret 1\n");
    for words in [
        vec![KIBOSH, "-c", shown],
        vec![
            KIBOSH,
            "-c",
            "bash -c 'sh -c \"env\"' | sed -n 's/^AWS_PROFILE=//p; s/^GH_TOKEN=//p' | tr '\\n' ' '; echo \"none $KEPT\"",
        ],
        vec![KIBOSH, "run", "--", "bash", "-c", shown],
    ] {
        let mut command = with_system(&place, &policy);
        command.envs([
            ("AWS_PROFILE", "admin"),
            ("GH_TOKEN", "secret"),
            ("KEPT", "1"),
        ]);
        let output = command.args(&words).output().unwrap();
        assert_eq!(
            said(&output).trim_end(),
            "agent-readonly none 1",
            "{words:?}: {output:?}"
        );
    }
}

/// Begins a command line in which an administrator has set a policy.
fn with_system(place: &Place, policy: &std::path::Path) -> Command {
    let folder = place.path().join("etc-kibosh");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(policy, folder.join("policy.toml")).unwrap();
    let script = format!(
        "mount -t tmpfs x /etc/opt && mkdir -p /etc/opt/up /etc/opt/work && \
         mount -t overlay x -o lowerdir=/etc,upperdir=/etc/opt/up,workdir=/etc/opt/work /etc && \
         mkdir -p /etc/kibosh && cp {}/policy.toml /etc/kibosh/ && exec \"$@\"",
        folder.display()
    );
    let mut command = place.command("unshare");
    command.arg("-m");
    if !nix::unistd::geteuid().is_root() {
        command.args(["--map-root-user"]);
    }
    command.args(["bash", "-c", &script, "x"]);
    command.env("HOME", place.path().join("home"));
    command
}
