//! terraform and its kin: a saved plan and a state on this machine say what would be destroyed.
//!
//! Plans and states in `data/terraform` were made by terraform 1.11.4 with its built-in provider: `update.plan`
//! changes one resource, `destroys.plan` replaces `terraform_data.database` and destroys two of three `terraform_data.node`, and
//! `five.tfstate` holds the five resources that both begin with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::tree::Tree;

const KIBOSH: &str = env!("CARGO_BIN_EXE_kibosh");

/// Where the recorded files are.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/data/terraform");

/// A repository with recorded plans, and a terraform that only says that it was started.
struct Recorded(Tree);

impl Recorded {
    fn new() -> Self {
        let tree = Tree::new();
        for name in ["update.plan", "destroys.plan", "five.tfstate"] {
            fs::copy(Path::new(DATA).join(name), tree.work().join(name)).unwrap();
        }
        let programs = tree.work().join("../home/bin");
        fs::create_dir(&programs).unwrap();
        for name in ["terraform", "tofu"] {
            let program = programs.join(name);
            fs::write(&program, "#!/bin/sh\necho started\n").unwrap();
            fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Self(tree)
    }

    /// What is said on standard output and standard error.
    fn run(&self, line: &str, variables: &[(&str, &str)]) -> (String, String) {
        let programs = self.0.work().join("../home/bin");
        let output = self
            .0
            .command(KIBOSH, line)
            .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }

    fn runs(&self, line: &str, state: &str) {
        self.0.make(state);
        let (out, said) = self.run(line, &[]);
        assert_eq!(
            (out.as_str(), said.as_str()),
            ("started\n", ""),
            "`{line}` after `{state}`"
        );
    }

    fn is_stopped(&self, line: &str, state: &str, words: &str) {
        self.0.make(state);
        let (out, said) = self.run(line, &[]);
        assert_eq!(out, "", "`{line}` after `{state}`");
        assert!(said.contains(words), "`{line}` after `{state}`: {said}");
    }
}

const DESTROYS: &str = "it destroys 2 resources and replaces 1: terraform_data.database (replace), \
                        terraform_data.node[1] and terraform_data.node[2]";
const LOCAL: &str = "cp five.tfstate terraform.tfstate";

#[test]
fn a_saved_plan_is_applied_unasked_where_it_destroys_nothing() {
    for line in [
        "terraform apply plan.out",
        "tofu apply plan.out",
        "terraform apply -input=false -auto-approve -lock-timeout 5s -no-color plan.out",
        "terraform apply ./plan.out",
        "terraform -chdir=infra apply ../plan.out",
        "cd infra && terraform apply ../plan.out",
        "terraform apply plan.out && terraform apply plan.out || false",
    ] {
        let recorded = Recorded::new();
        recorded.0.make("mkdir infra");
        if !line.contains("&& terraform apply plan") {
            recorded.runs(line, "cp update.plan plan.out");
        }
        recorded.is_stopped(line, "cp destroys.plan plan.out", DESTROYS);
    }
}

#[test]
fn a_plan_that_changes_after_the_line_was_read_is_seen_when_it_is_applied() {
    let recorded = Recorded::new();
    recorded.0.make("cp update.plan plan.out");
    let line = "cp destroys.plan plan.out; terraform apply plan.out";
    recorded.is_stopped(line, "true", DESTROYS);
    // One that is not there yet, too.
    let line = "cp destroys.plan new.out; terraform apply new.out";
    recorded.is_stopped(line, "rm -f new.out", DESTROYS);
    recorded.runs(
        "cp update.plan new.out; terraform apply new.out",
        "rm -f new.out",
    );
}

#[test]
fn an_apply_without_a_plan_is_asked_and_told_how_not_to_be() {
    let recorded = Recorded::new();
    for line in [
        "terraform apply",
        "terraform apply -auto-approve",
        "yes | terraform apply",
    ] {
        recorded.is_stopped(
            line,
            "true",
            "`terraform plan -out=plan.out` and apply that file",
        );
    }
}

#[test]
fn what_is_not_sure_of_a_plan_stays_asked() {
    let recorded = Recorded::new();
    let cut = "head -c 1000 update.plan >plan.out";
    let behind = "cat update.plan destroys.plan >plan.out";
    let text = "echo '{}' >plan.out";
    for (line, state) in [
        ("terraform apply plan.out", cut),
        ("terraform apply plan.out", behind),
        ("terraform apply plan.out", text),
        ("terraform apply plan.out", "rm plan.out; mkdir plan.out"),
        (
            "terraform apply plan.out",
            "rmdir plan.out; mkfifo plan.out",
        ),
        (
            "terraform apply plan.out",
            "rm plan.out; ln -s nowhere plan.out",
        ),
        (
            "terraform apply plan.out",
            "rm plan.out; cp update.plan plan.out; chmod 600 plan.out; : >plan.out",
        ),
        ("terraform apply update.plan other", "true"),
        ("terraform apply *.plan", "true"),
        (
            "terraform apply -state-out=five.tfstate update.plan",
            "true",
        ),
        ("terraform apply -var a=b update.plan", "true"),
        ("terraform -chdir=. -chdir=.. apply update.plan", "true"),
        ("terragrunt apply update.plan", "true"),
        (
            "TF_CLI_ARGS_apply=-destroy terraform apply update.plan",
            "true",
        ),
        ("TF_DATA_DIR=x terraform apply update.plan", "true"),
        ("ssh host terraform apply update.plan", "true"),
    ] {
        recorded.is_stopped(line, state, "held back");
    }
    let (out, said) = recorded.run(
        "terraform apply update.plan",
        &[("TF_CLI_ARGS", "-destroy")],
    );
    assert!(out.is_empty() && said.contains("held back"), "{out}{said}");
    let (out, said) = recorded.run(
        "terraform apply update.plan",
        &[("TF_VAR_a", "b"), ("TF_CLI_CONFIG_FILE", "rc")],
    );
    assert_eq!((out.as_str(), said.as_str()), ("started\n", ""));
}

#[test]
fn a_destroy_says_how_many_resources_the_state_holds() {
    let five = "it destroys 5 resources: terraform_data.database, terraform_data.node[0], \
                terraform_data.node[1], terraform_data.node[2] and terraform_data.tag";
    for line in [
        "terraform destroy",
        "terraform destroy -auto-approve -refresh=false",
        "tofu destroy -var-file=prod.tfvars",
        "terraform apply -destroy -auto-approve",
        "terraform -chdir=. destroy",
    ] {
        let recorded = Recorded::new();
        recorded.runs(line, "true");
        recorded.is_stopped(line, LOCAL, five);
    }
    let recorded = Recorded::new();
    let other = "mkdir -p .terraform terraform.tfstate.d/prod; printf prod >.terraform/environment";
    recorded.runs("terraform destroy", &format!("{LOCAL}; {other}"));
    recorded.is_stopped(
        "terraform destroy",
        "cp five.tfstate terraform.tfstate.d/prod/terraform.tfstate",
        five,
    );
}

#[test]
fn what_the_state_forgets_is_what_the_addresses_name() {
    let recorded = Recorded::new();
    recorded.runs("terraform state rm terraform_data.node", "true");
    for (line, words) in [
        (
            "terraform state rm terraform_data.node",
            "it forgets 3 resources: terraform_data.node[0], terraform_data.node[1] and terraform_data.node[2]",
        ),
        (
            "terraform state rm 'terraform_data.node[1]' terraform_data.tag",
            "it forgets 2 resources: terraform_data.node[1] and terraform_data.tag",
        ),
    ] {
        recorded.is_stopped(line, LOCAL, words);
    }
    // One that is found in no state as it is written may be another one to terraform.
    for line in [
        "terraform state rm terraform_data.nod",
        "terraform state rm terraform_data.tag terraform_data.nod",
        "terraform state rm terraform_data.tag 'terraform_data.node[ 1 ]'",
    ] {
        let (out, said) = recorded.run(line, &[]);
        assert_eq!(out, "", "{line}");
        assert!(
            said.contains("held back") && !said.contains("; it "),
            "{line}: {said}"
        );
    }
}

#[test]
fn a_state_that_may_be_elsewhere_stays_asked() {
    for (line, state) in [
        (
            "terraform destroy",
            "mkdir .terraform; echo '{\"version\":3,\"backend\":{\"type\":\"s3\"}}' >.terraform/terraform.tfstate",
        ),
        (
            "terraform destroy",
            "mkdir .terraform; printf ../x >.terraform/environment",
        ),
        (
            "terraform destroy",
            "echo '{\"version\":4}' >terraform.tfstate",
        ),
        ("terraform destroy", "mkdir terraform.tfstate"),
        ("terraform destroy -target=terraform_data.tag", LOCAL),
        ("terraform destroy -state=other.tfstate", "true"),
        ("TF_WORKSPACE=prod terraform destroy", "true"),
        ("terraform apply -destroy plan.out", "true"),
        ("terragrunt destroy", "true"),
        ("terraform state push old.tfstate", "true"),
        ("terraform workspace delete prod", "true"),
        ("terraform state rm", LOCAL),
    ] {
        Recorded::new().is_stopped(line, state, "held back");
    }
}

/// Needs terraform, which packages of distributions do not have: where KIBOSH_TEST_TERRAFORM says that it is there,
/// it must be.
#[test]
fn terraform_itself_does_what_was_said() {
    const CONFIGURATION: &str = r#"
        printf '%s\n' 'resource "terraform_data" "tag" { input = "old" }' \
          'resource "terraform_data" "database" { triggers_replace = "old" }' >main.tf"#;
    let tree = Tree::new();
    let mut places = ["/usr/local/bin", "/usr/bin", "/bin"].iter();
    let is_there = places.any(|place| Path::new(place).join("terraform").exists());
    if !is_there && std::env::var_os("KIBOSH_TEST_TERRAFORM").is_none() {
        eprintln!("not tested: there is no terraform here");
        return;
    }
    tree.make(CONFIGURATION);
    let plan = "terraform plan -out=plan.out";
    tree.runs("terraform init", "a configuration");
    tree.runs(
        &format!("{plan} && terraform apply plan.out"),
        "a configuration",
    );
    tree.is_stopped(
        "terraform destroy -auto-approve",
        "an apply",
        "it destroys 2 resources: terraform_data.database and terraform_data.tag",
    );
    tree.make("sed -i '/tag/s/old/new/' main.tf");
    tree.runs(plan, "a change");
    tree.runs("terraform apply plan.out", "a change in place");
    tree.make("sed -i '/database/s/old/new/' main.tf");
    tree.runs(plan, "a replacement");
    let words = "it replaces 1 resource: terraform_data.database (replace)";
    tree.is_stopped("terraform apply plan.out", "a replacement", words);
    tree.is_stopped(
        &format!("{plan} && terraform apply plan.out"),
        "a replacement",
        words,
    );
    tree.make("terraform apply -auto-approve; terraform destroy -auto-approve");
    tree.runs("terraform destroy -auto-approve", "a destroy");
}
