//! Layers: which files are in force, who may have written them, and what a project may loosen.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use kibosh::judge;
use kibosh::policy::discover::{Folders, Home, project_file};
use kibosh::policy::examples::{self, Judged};
use kibosh::policy::paths::Classes as _;
use kibosh::policy::schema::Effect;
use kibosh::policy::schema::Terminals;
use kibosh::policy::trust::{self, Ignored};
use kibosh::policy::{Layer, Policy};

const RULE: &str = r#"
[[rule]]
id = "team.no-prod"
effect = "deny"
reason = "the production stack is changed by the pipeline only"
match = [{ program = ["terraform"], operands = ["prod*"] }]
examples = { matches = ["terraform apply prod"], passes = ["terraform plan"] }
"#;

const LOOSER: &str = r#"
[settings]
dry-run = false

[[class]]
name = "ours"
at = ["/srv/ours"]

[[program]]
names = ["ourtool"]
values = ["-x"]

[[variable]]
names = ["OURS"]
assume = "/tmp"

[[exception]]
rule = "team.no-prod"
reason = "this checkout is a copy"
"#;

/// A machine of its own: `etc`, `home` and `home/project`.
struct Machine(PathBuf);

impl Machine {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root =
            std::env::temp_dir().join(format!("kibosh-layers-{}-{number}", std::process::id()));
        for folder in ["etc", "home/.config/kibosh", "home/project/src"] {
            fs::create_dir_all(root.join(folder)).unwrap();
            fs::set_permissions(root.join(folder), fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(root.canonicalize().unwrap())
    }

    fn folders(&self) -> Folders {
        Folders {
            cwd: Some(self.0.join("home/project/src")),
            system: Some(self.0.join("etc")),
            home: Some(Home {
                path: self.0.join("home"),
                proven: true,
            }),
            uid: nix::unistd::getuid().as_raw(),
        }
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.0.join(file);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        path
    }

    fn load(&self) -> Policy {
        Policy::load(&self.folders()).unwrap()
    }

    fn errors(&self) -> Vec<String> {
        match Policy::load(&self.folders()) {
            Ok(_) => Vec::new(),
            Err(errors) => errors
                .0
                .iter()
                .map(|error| error.to_string().replace(self.0.to_str().unwrap(), ""))
                .collect(),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn layers_of(policy: &Policy, id: &str) -> Vec<Layer> {
    policy
        .rules()
        .filter(|found| found.rule.id == id)
        .map(|found| found.layer)
        .collect()
}

fn lifted(policy: &Policy, id: &str) -> usize {
    let rule = policy.rules().find(|found| found.rule.id == id).unwrap();
    policy.exceptions(rule.layer, id).len()
}

#[test]
fn without_files_the_packs_are_in_force() {
    let machine = Machine::new();
    assert_eq!(machine.load().files().len(), 0);
}

#[test]
fn a_budget_is_the_smallest_and_a_project_only_lowers_it() {
    let budget = |files: &str| format!("[budget]\ndeleted-files = {files}\n");
    let usual = Policy::shipped().limits().deleted_files;
    assert!(usual > 50);
    for (system, user, project, expected) in [
        ("", "", "", usual),
        ("5000", "", "", 5000),
        ("", "5000", "", 5000),
        ("5000", "70", "", 70),
        ("50", "5000", "", 50),
        ("", "", "5000", usual),
        ("", "", "5", 5),
        ("5000", "", "9000", 5000),
        ("5000", "", "700", 700),
        ("", "0", "5", 0),
    ] {
        let machine = Machine::new();
        for (file, files) in [
            ("etc/a.toml", system),
            ("home/.config/kibosh/b.toml", user),
            ("home/project/.kibosh.toml", project),
        ] {
            if !files.is_empty() {
                machine.write(file, &budget(files));
            }
        }
        let limits = machine.load().limits();
        assert_eq!(limits.deleted_files, expected, "{system}/{user}/{project}");
        // Which layer says so is told with it.
        let policy = machine.load();
        let [told, bytes, ..] = policy.budgets();
        let layer = [
            (system, Layer::System),
            (user, Layer::User),
            (project, Layer::Project),
        ];
        let layer = layer.iter().find(|(said, _)| *said == expected.to_string());
        let layer = layer.map_or(Layer::Pack, |(_, layer)| *layer);
        assert_eq!((told.most, told.layer), (expected, layer), "{told:?}");
        assert_eq!(told.file.is_some(), layer != Layer::Pack, "{told:?}");
        assert_eq!((bytes.layer, bytes.file), (Layer::Pack, None));
        assert_eq!(limits.deleted_bytes, 1_000_000_000);
        // One that a person trusts does no more.
        let text = budget(project);
        let file = machine.0.join("home/project/.kibosh.toml");
        if !project.is_empty() {
            trust::record(&machine.folders(), file.to_str().unwrap(), &text).unwrap();
            assert_eq!(machine.load().limits().deleted_files, expected, "trusted");
        }
    }
    // Nor does a user's that nobody can tell to be theirs.
    for (user, expected) in [("5000", usual), ("7", 7)] {
        let machine = Machine::new();
        machine.write("home/.config/kibosh/b.toml", &budget(user));
        let mut folders = machine.folders();
        folders.home = folders.home.map(|home| Home {
            proven: false,
            ..home
        });
        let limits = Policy::load(&folders).unwrap().limits();
        assert_eq!(limits.deleted_files, expected, "{user}");
    }
}

#[test]
fn each_layer_is_found_and_only_its_toml() {
    let machine = Machine::new();
    for (file, id) in [
        ("etc/a.toml", "a.x"),
        ("etc/notes.txt", "not.read"),
        ("home/.config/kibosh/b.toml", "b.x"),
        ("home/project/.kibosh.toml", "c.x"),
        ("home/project/src/.kibosh.toml", "d.x"),
        ("home/.kibosh.toml", "e.x"),
    ] {
        machine.write(file, &RULE.replace("team.no-prod", id));
    }
    let policy = machine.load();
    for (id, layers) in [
        ("a.x", vec![Layer::System]),
        ("not.read", vec![]),
        ("b.x", vec![Layer::User]),
        ("c.x", vec![Layer::Project]),
        ("d.x", vec![Layer::Project]),
        ("e.x", vec![Layer::Project]),
    ] {
        assert_eq!(layers_of(&policy, id), layers, "{id}");
    }
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let machine = Machine::new();
    for file in ["etc/a.toml", "home/.config/kibosh/b.toml"] {
        let path = machine.write(file, RULE);
        for mode in [0o664, 0o646, 0o622] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                machine.errors(),
                [format!("/{file}: can be written by others")]
            );
        }
        fs::remove_file(path).unwrap();
    }
    assert_eq!(machine.errors(), Vec::<String>::new());
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let machine = Machine::new();
    for folder in ["etc", "home/.config/kibosh"] {
        let path = machine.0.join(folder);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(
            machine.errors(),
            [format!("/{folder}: can be written by others")]
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn what_a_link_to_a_policy_leads_through_is_looked_at() {
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let machine = Machine::new();
    let dotfiles = machine.0.join("home/dotfiles");
    let between = machine.0.join("home/between");
    for folder in [&dotfiles, &between] {
        fs::create_dir(folder).unwrap();
    }
    let file = machine.write("home/dotfiles/b.toml", RULE);
    symlink(&file, between.join("b.toml")).unwrap();
    let link = machine.0.join("home/.config/kibosh/b.toml");
    symlink(between.join("b.toml"), &link).unwrap();
    let above = ["", "home", "home/.config"].map(|folder| machine.0.join(folder));
    for folder in above.iter().chain([&dotfiles, &between]) {
        mode(folder, 0o755);
    }
    assert_eq!(machine.errors(), Vec::<String>::new());
    for folder in [&dotfiles, &between] {
        mode(folder, 0o775);
        let name = folder.strip_prefix(&machine.0).unwrap().display();
        let expected = format!("/{name}: can be written by others");
        assert_eq!(machine.errors(), [expected.as_str()]);
        mode(folder, 0o1777);
        assert_eq!(machine.errors(), Vec::<String>::new());
        mode(folder, 0o755);
    }
    // The folder itself, or one above it, may be one.
    fs::remove_file(&link).unwrap();
    for place in ["home/.config/kibosh", "home/.config"] {
        let place = machine.0.join(place);
        let moved = between.join(place.file_name().unwrap());
        fs::rename(&place, &moved).unwrap();
        symlink(&moved, &place).unwrap();
        assert_eq!(machine.errors(), Vec::<String>::new());
        mode(&between, 0o775);
        assert_eq!(
            machine.errors(),
            ["/home/between: can be written by others"]
        );
        mode(&between, 0o755);
        fs::remove_file(&place).unwrap();
        fs::rename(&moved, &place).unwrap();
    }
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    let machine = Machine::new();
    let path = machine.write("home/.config/kibosh/b.toml", RULE);
    let mut folders = machine.folders();
    if nix::unistd::getuid().is_root() {
        std::os::unix::fs::chown(&path, Some(1234), None).unwrap();
        std::os::unix::fs::chown(path.parent().unwrap(), Some(1234), None).unwrap();
        folders.uid = 1234;
    }
    assert!(Policy::load(&folders).is_ok());
    folders.uid += 1;
    folders.system = None;
    let errors = Policy::load(&folders).err().unwrap();
    assert_eq!(errors.0[0].message, "belongs to somebody else");
}

#[test]
fn what_is_no_file_is_an_error_and_not_waited_for() {
    let machine = Machine::new();
    let path = machine.0.join("home/project/.kibosh.toml");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(
        machine.errors(),
        ["/home/project/.kibosh.toml: is not a file"]
    );
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(
        machine.errors(),
        ["/home/project/.kibosh.toml: is not a file"]
    );
    fs::remove_dir(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert_eq!(
        machine.errors(),
        ["/home/project/.kibosh.toml: is not a file"]
    );
    fs::remove_file(&path).unwrap();
    machine.write("home/project/.kibosh.toml", &"#".repeat((1 << 20) + 1));
    assert_eq!(
        machine.errors(),
        ["/home/project/.kibosh.toml: is larger than 1 MiB"]
    );
    fs::write(&path, b"a = \"\xff\"").unwrap();
    assert_eq!(
        machine.errors(),
        ["/home/project/.kibosh.toml:1:6: is not UTF-8"]
    );
}

#[test]
fn one_bad_file_leaves_no_policy_and_all_mistakes_are_told() {
    let machine = Machine::new();
    machine.write("etc/a.toml", &RULE.replace("deny", "dney"));
    machine.write("home/.config/kibosh/b.toml", RULE);
    machine.write(
        "home/project/.kibosh.toml",
        &RULE.replace("reason", "resaon"),
    );
    let errors = machine.errors();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        errors[0].starts_with("/etc/a.toml:4:10: unknown variant `dney`"),
        "{errors:?}"
    );
    assert!(errors[2].starts_with("/home/project/.kibosh.toml:5:1: unknown key `resaon`"));
}

#[test]
fn an_id_is_unique_over_all_layers() {
    let machine = Machine::new();
    machine.write("etc/a.toml", RULE);
    machine.write("home/project/.kibosh.toml", RULE);
    let errors = machine.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("`team.no-prod` is already the id of a rule in `"),
        "{errors:?}"
    );
}

#[test]
fn a_project_tightens_at_once_and_loosens_only_when_trusted_as_it_is() {
    let machine = Machine::new();
    let both = format!("{LOOSER}{RULE}");
    let path = machine.write("home/project/.kibosh.toml", &both);

    let policy = machine.load();
    assert_eq!(layers_of(&policy, "team.no-prod"), [Layer::Project]);
    assert_eq!(lifted(&policy, "team.no-prod"), 0);
    assert!(policy.program("ourtool").is_none());
    assert!(policy.variable("OURS").is_none());
    assert!(
        policy.class("ours").is_none(),
        "a class of its own is known to its own rules only"
    );
    assert_eq!(
        policy.files()[0].ignored,
        [
            Ignored::Exception("team.no-prod".to_owned()),
            Ignored::Program("ourtool".to_owned()),
            Ignored::Variable("OURS".to_owned()),
        ]
    );

    let file = project_file(&path).unwrap();
    trust::record(&machine.folders(), &file.file, &file.text).unwrap();
    let policy = machine.load();
    assert_eq!(lifted(&policy, "team.no-prod"), 1);
    assert!(policy.program("ourtool").is_some());
    assert!(policy.files()[0].ignored.is_empty());

    machine.write("home/project/.kibosh.toml", &format!("{both}\n# changed"));
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 0);

    machine.write("home/project/.kibosh.toml", &both);
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 1);
    trust::forget(&machine.folders(), &file.file).unwrap();
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 0);
}

#[test]
fn a_nearer_file_cannot_change_a_class_of_another_project() {
    let machine = Machine::new();
    let deny = |id: &str, key: &str| {
        RULE.replace("team.no-prod", id)
            .replace("[\"terraform\"]", "[\"unlink\"]")
            .replace("operands = [\"prod*\"]", &format!("{key} = [\"ours\"]"))
    };
    let ours = "[[class]]\nname = \"ours\"\nunder = [\"/srv/ours\"]\n";
    let rules = deny("team.in", "targets") + &deny("team.out", "unless-targets") + ours;
    machine.write("home/project/.kibosh.toml", &rules);
    let wider = "[[class]]\nname = \"ours\"\nunder = [\"/\"]\n";
    let nearer = machine.write("home/project/src/.kibosh.toml", wider);
    let rules = |policy: &Policy| -> Vec<String> {
        ["unlink /srv/ours/x", "unlink /etc/x"]
            .iter()
            .flat_map(|line| judge::example(policy, &examples::Line::example(line)).rules)
            .filter(|rule| rule.starts_with("team."))
            .collect()
    };
    assert_eq!(rules(&machine.load()), ["team.in", "team.out"]);
    fs::remove_file(nearer).unwrap();
    assert_eq!(rules(&machine.load()), ["team.in", "team.out"]);
}

#[test]
fn trust_is_in_the_path_too() {
    let machine = Machine::new();
    let both = format!("{LOOSER}{RULE}");
    let path = machine.write("home/project/.kibosh.toml", &both);
    let file = project_file(path.parent().unwrap()).unwrap();
    trust::record(&machine.folders(), &file.file, &file.text).unwrap();
    fs::rename(&path, machine.0.join("home/project/src/.kibosh.toml")).unwrap();
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 0);
}

#[test]
fn a_path_cannot_bring_a_line_of_its_own_into_the_trusted_files() {
    let machine = Machine::new();
    machine.write("home/project/.kibosh.toml", &format!("{LOOSER}{RULE}"));
    let file = project_file(&machine.0.join("home/project")).unwrap();
    let forged = format!("/tmp/x\n{}  /y", trust::hash(&file.file, &file.text));
    assert!(trust::record(&machine.folders(), &forged, "").is_err());
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 0);
}

#[test]
fn trust_that_others_could_have_written_is_none() {
    let machine = Machine::new();
    let path = machine.write("home/project/.kibosh.toml", &format!("{LOOSER}{RULE}"));
    let file = project_file(&path).unwrap();
    trust::record(&machine.folders(), &file.file, &file.text).unwrap();
    let store = machine.0.join("home/.config/kibosh/trusted");
    assert_eq!(
        fs::metadata(&store).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&store, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 0);
}

#[test]
fn a_home_that_only_the_environment_tells_of_cannot_loosen() {
    let machine = Machine::new();
    machine.write("home/.config/kibosh/b.toml", &format!("{LOOSER}{RULE}"));
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 1);
    let mut folders = machine.folders();
    folders.home.as_mut().unwrap().proven = false;
    let policy = Policy::load(&folders).unwrap();
    assert_eq!(lifted(&policy, "team.no-prod"), 0);
    assert_eq!(layers_of(&policy, "team.no-prod"), [Layer::User]);
    assert!(trust::record(&folders, "/x/.kibosh.toml", "").is_err());
}

#[test]
fn a_user_cannot_lift_what_an_administrator_says() {
    let machine = Machine::new();
    machine.write("etc/a.toml", RULE);
    machine.write("home/.config/kibosh/b.toml", LOOSER);
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 0);
    machine.write("etc/b.toml", LOOSER.split("[[exception]]").next().unwrap());
    machine.write(
        "etc/c.toml",
        &format!(
            "[[exception]]{}",
            LOOSER.split("[[exception]]").nth(1).unwrap()
        ),
    );
    assert_eq!(lifted(&machine.load(), "team.no-prod"), 1);
}

#[test]
fn where_two_layers_set_the_same_the_stricter_wins() {
    let machine = Machine::new();
    machine.write(
        "etc/a.toml",
        "[settings]\nbash = \"/usr/bin/bash\"\nprompt-seconds = 15\nbroker = false\nterminals = \"registered\"\nunwatched-seconds = 4\nreviewers-directory = \"/run/kibosh\"\noperator-counts = true\nreviewer-command = [\"/opt/ask\", \"--ops\"]\nrecord = \"/var/log/k\"\n",
    );
    machine.write(
        "home/.config/kibosh/b.toml",
        "[settings]\nbash = \"/home/u/bash\"\nsh = \"/bin/dash\"\nprompt-seconds = 10\nbroker = true\nterminals = \"any\"\nunwatched-seconds = 9\nreviewers-directory = \"/home/u\"\noperator-counts = false\nreviewer-command = [\"/bin/true\"]\nrecord = \"off\"\n",
    );
    machine.write("home/project/.kibosh.toml", "[settings]\ndry-run = true\n");
    machine.write(
        "home/project/src/.kibosh.toml",
        "[settings]\ndry-run = false\n",
    );
    let policy = machine.load();
    let settings = policy.settings();
    assert_eq!(settings.bash.as_deref(), Some("/usr/bin/bash"));
    assert_eq!(settings.sh.as_deref(), Some("/bin/dash"));
    assert_eq!(settings.prompt_seconds, Some(10));
    assert_eq!(settings.broker, Some(false));
    assert_eq!(settings.terminals, Some(Terminals::Registered));
    assert_eq!(settings.unwatched_seconds, Some(4));
    let command = ["/opt/ask".to_owned(), "--ops".to_owned()];
    assert_eq!(settings.reviewer_command.as_deref(), Some(&command[..]));
    assert_eq!(settings.reviewers_directory.as_deref(), Some("/run/kibosh"));
    assert_eq!(settings.operator_counts, Some(false));
    assert_eq!(settings.record.as_deref(), Some("/var/log/k"));
    assert_eq!(settings.dry_run, Some(true));
}

#[test]
fn a_layer_adds_to_a_program_and_takes_nothing_away() {
    let machine = Machine::new();
    machine.write(
        "etc/a.toml",
        "[[program]]\nnames = [\"wrapit\"]\nstyle = \"posix\"\nvalues = [\"-a\"]\nruns = [{ operands = \"argv\" }]\n",
    );
    machine.write(
        "home/.config/kibosh/b.toml",
        "[[program]]\nnames = [\"wrap*\"]\nvalues = [\"-b\"]\n",
    );
    let program = machine.load().program("wrapit").unwrap();
    assert_eq!(program.values, ["-a", "-b"]);
    assert_eq!(program.runs.len(), 1);
    assert_eq!(program.style, kibosh::policy::schema::Style::Posix);
}

#[test]
fn examples_are_run_once_for_the_same_files() {
    let machine = Machine::new();
    machine.write("home/.config/kibosh/b.toml", RULE);
    let mut asked = Vec::new();
    for round in 0..2 {
        let policy = machine.load();
        assert_eq!(policy.unproven().is_some(), round == 0);
        let mut judge = |line: &examples::Line| {
            asked.push(line.text.clone());
            judged(line)
        };
        examples::prove(&policy, &machine.folders(), &mut judge).unwrap();
    }
    assert_eq!(asked, ["terraform apply prod", "terraform plan"]);
    machine.write("home/.config/kibosh/b.toml", &format!("{RULE}#"));
    assert!(machine.load().unproven().is_some());
}

#[test]
fn an_example_that_does_not_hold_is_an_error_at_its_place() {
    let machine = Machine::new();
    machine.write(
        "home/.config/kibosh/b.toml",
        &RULE.replace("terraform plan", "terraform apply prod"),
    );
    let policy = machine.load();
    let errors = examples::prove(&policy, &machine.folders(), &mut judged).unwrap_err();
    let told: Vec<String> = errors.0.iter().map(|error| error.message.clone()).collect();
    assert_eq!(told, ["`team.no-prod` matches what it should let pass"]);
    assert_eq!((errors.0[0].line, errors.0[0].column), (7, 60));
    assert!(
        machine.load().unproven().is_some(),
        "a failure is not remembered"
    );
}

fn judged(line: &examples::Line) -> Judged {
    if line.text.contains("apply prod") {
        Judged {
            effect: Effect::Deny,
            rules: vec!["team.no-prod".to_owned()],
            ..Judged::default()
        }
    } else {
        Judged::default()
    }
}

#[test]
fn the_project_file_of_a_directory_is_named_by_its_real_path() {
    let machine = Machine::new();
    machine.write("home/project/.kibosh.toml", RULE);
    symlink(machine.0.join("home/project"), machine.0.join("link")).unwrap();
    let file = project_file(Path::new(&machine.0.join("link"))).unwrap();
    assert_eq!(
        file.file,
        machine
            .0
            .join("home/project/.kibosh.toml")
            .to_str()
            .unwrap()
    );
    assert!(project_file(&machine.0.join("home/project/none.toml")).is_err());
}

#[test]
fn a_preview_must_be_allowed_and_shown_by_an_example() {
    const PREVIEW: &str = "[[rule]]\nid = \"team.raze\"\neffect = \"confirm\"\nreason = \"it is gone\"\n\
        match = [{ program = [\"raze\"], no-flags = [\"--pretend\"], preview = [\"{command}\", \"--pretend\", \"{arguments}\"] }]\n\
        examples = { matches = [\"raze all\"], passes = [\"raze --pretend all\"] }\n";
    for (changed, to, expected) in [
        ("id", "id", &[][..]),
        // It asks about its own preview.
        (
            "no-flags = [\"--pretend\"], ",
            "",
            &[
                "the preview `raze --pretend all` of `team.raze` is not allowed itself",
                "`team.raze` matches what it should let pass",
                "the preview `raze --pretend --pretend all` of `team.raze` is not allowed itself",
            ],
        ),
        // Another rule does.
        (
            "{command}\", \"--pretend\"",
            "{program}\", \"--pretend\", \"apply\", \"production\"",
            &[
                "the preview `raze --pretend apply production all` of `team.raze` is not allowed itself",
            ],
        ),
        (
            "[\"raze all\"]",
            "[\"echo all | xargs raze\"]",
            &["no example of `team.raze` has a preview"],
        ),
    ] {
        let machine = Machine::new();
        let rule = PREVIEW.replacen(changed, to, 1);
        let other = "[[rule]]\nid = \"team.production\"\neffect = \"deny\"\nreason = \"it is the pipeline's\"\n\
            match = [{ program = [\"raze\"], operands = [\"production\"] }]\n\
            examples = { matches = [\"raze production\"], passes = [\"raze all\"] }\n";
        let other = if expected.is_empty() { "" } else { other };
        let other = other.replace("passes = [\"raze all\"]", "passes = [\"look all\"]");
        machine.write("home/.config/kibosh/b.toml", &format!("{rule}{other}"));
        let policy = machine.load();
        let mut judge = |line: &examples::Line| judge::example(&policy, line);
        let told: Vec<String> = match examples::prove(&policy, &machine.folders(), &mut judge) {
            Ok(()) => Vec::new(),
            Err(errors) => errors.0.into_iter().map(|error| error.message).collect(),
        };
        assert_eq!(told, expected, "{rule}");
    }
}
