//! What a session destroys and creates again under the same name, whichever lines and gates the two halves go through.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use kibosh::decide::past::{Before, Deed};
use kibosh::invocation::View;
use kibosh::judge::{self, Base, Exec, ExecJudgement, Nobody};
use kibosh::policy::discover::Folders;
use kibosh::policy::load::Text;
use kibosh::policy::{Layer, Policy, compiled};

use crate::support::pty::Terminal;
use crate::support::tree::Tree;

const RULE: &str = "recreate.in-session";

/// A session in which programs start, one after the other.
struct Session {
    policy: Policy,
    base: Base,
}

impl Session {
    fn new() -> Self {
        Self::of(Policy::shipped())
    }

    fn of(policy: Policy) -> Self {
        let begin = View::of(PathBuf::new(), Vec::new(), None);
        let base = Base::of(&begin, policy.limits());
        Self { policy, base }
    }

    /// A program starts, called by words, with variables before them.
    fn starts(&self, line: &str) -> ExecJudgement {
        let words = shlex::split(line).unwrap();
        let is_variable = |word: &&String| word.contains('=') && !word.starts_with('-');
        let set: Vec<Vec<u8>> = words
            .iter()
            .take_while(is_variable)
            .map(|word| word.clone().into_bytes())
            .collect();
        let argv = words.iter().skip(set.len());
        let argv: Vec<CString> = argv
            .map(|word| CString::new(word.as_str()).unwrap())
            .collect();
        let folder = PathBuf::from(format!("/proc/{}", std::process::id()));
        let exec = Exec {
            path: [b"/usr/bin/", argv[0].as_bytes()].concat(),
            names: Vec::new(),
            argv,
            view: View::of(folder, set, Some(PathBuf::from("/home/ann/shop"))),
            interpreters: Vec::new(),
            is_kibosh: false,
        };
        judge::exec(&self.policy, &self.base, &exec, &Nobody)
    }

    /// A program starts, whether somebody was asked or not.
    fn does(&self, line: &str) {
        let judged = self.starts(line);
        self.base.past().note(&judged.decision.deeds, true);
    }

    /// What of it was destroyed before, where that is found.
    fn again(&self, line: &str) -> Option<(String, String)> {
        let judged = self.starts(line);
        let mut found = judged.decision.findings.into_iter();
        let found = found.find(|one| one.rule == RULE)?;
        match found.around.before {
            Some(Before::Again { kind, name, .. }) => Some((kind, name)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_created_again_under_the_same_name_is_told() {
    for (destroys, creates, kind, name) in [
        ("dropdb shop", "createdb shop", "database", "shop"),
        (
            "dropdb --if-exists -h db1 shop",
            "createdb -h db1 -O me shop",
            "database",
            "shop",
        ),
        (
            "psql -c 'DROP DATABASE shop'",
            "createdb shop",
            "database",
            "shop",
        ),
        (
            "dropdb shop",
            "psql -c 'create database \"shop\"'",
            "database",
            "shop",
        ),
        (
            "psql -d app -c 'DROP TABLE IF EXISTS orders'",
            "psql -d app -c 'CREATE TABLE orders (id int)'",
            "table",
            "orders",
        ),
        (
            "mysql -e 'DROP TABLE shop.Orders; SELECT 1'",
            "mysql -e 'create table if not exists shop.orders (id int)'",
            "table",
            "shop.orders",
        ),
        (
            "psql app -c 'drop schema audit cascade'",
            "psql app -c 'create schema audit'",
            "schema",
            "audit",
        ),
        (
            "sqlite3 app.db 'DROP TABLE t'",
            "sqlite3 ./app.db 'CREATE TABLE t (id)'",
            "table",
            "t",
        ),
        (
            "rm -rf /var/lib/postgresql/15/main",
            "initdb -D /var/lib/postgresql/15/main",
            "database directory",
            "/var/lib/postgresql/15/main",
        ),
        (
            "mv pgdata pgdata.old",
            "initdb --pgdata=/home/ann/shop/pgdata",
            "database directory",
            "/home/ann/shop/pgdata",
        ),
        (
            "rm -rf /var/lib/mysql",
            "mysqld --initialize --datadir=/var/lib/mysql",
            "database directory",
            "/var/lib/mysql",
        ),
        (
            "docker volume rm pg other",
            "docker volume create pg",
            "volume",
            "pg",
        ),
        (
            "docker volume rm pg",
            "docker run -d --name db -v pg:/var/lib/postgresql/data postgres",
            "volume",
            "pg",
        ),
        (
            "docker compose down -v",
            "docker compose up -d",
            "volumes of the project",
            "/home/ann/shop",
        ),
        (
            "docker-compose -p x down --volumes",
            "docker-compose -p x up",
            "volumes of the project",
            "x",
        ),
        (
            "terraform destroy -auto-approve",
            "terraform apply -auto-approve",
            "infrastructure of the directory",
            "/home/ann/shop",
        ),
        (
            "terraform apply -destroy",
            "terraform apply",
            "infrastructure of the directory",
            "/home/ann/shop",
        ),
        (
            "pulumi destroy -s prod --yes",
            "pulumi up -s prod --yes",
            "Pulumi stack",
            "prod",
        ),
        (
            "kubectl delete deployment web",
            "kubectl create deployment web --image=x",
            "Kubernetes object",
            "deployment/web",
        ),
        (
            "kubectl delete -n a statefulset/db",
            "kubectl -n a create statefulset db",
            "Kubernetes object",
            "statefulset/db",
        ),
        (
            "kubectl delete -f db.yaml",
            "kubectl apply -f db.yaml",
            "Kubernetes object",
            "db.yaml",
        ),
        (
            "helm uninstall shop",
            "helm install shop ./chart",
            "Helm release",
            "shop",
        ),
        (
            "helm uninstall a shop -n b",
            "helm upgrade --install -n b shop ./chart",
            "Helm release",
            "shop",
        ),
        (
            "kind delete cluster --name dev",
            "kind create cluster --name dev",
            "cluster",
            "dev",
        ),
        (
            "minikube delete",
            "minikube start",
            "cluster of this machine",
            "",
        ),
        (
            "aws rds delete-db-instance --db-instance-identifier shop --skip-final-snapshot",
            "aws rds create-db-instance --db-instance-identifier shop --engine postgres",
            "AWS resource rds db-instance",
            "shop",
        ),
        (
            "aws elasticbeanstalk terminate-environment --environment-name prod",
            "aws elasticbeanstalk create-environment --environment-name prod",
            "AWS resource elasticbeanstalk environment",
            "prod",
        ),
        (
            "aws s3 rb s3://shop --force",
            "aws s3 mb s3://shop",
            "bucket",
            "s3://shop",
        ),
        (
            "gcloud sql instances delete shop --quiet",
            "gcloud sql instances create shop --tier=x",
            "Google Cloud resource sql instances",
            "shop",
        ),
        (
            "az group delete -n shop --yes",
            "az group create -n shop -l westeurope",
            "Azure resource group",
            "shop",
        ),
        (
            "hcloud server delete web",
            "hcloud server create --name web --type cx22",
            "resource server",
            "web",
        ),
        (
            "gh repo delete ann/shop --yes",
            "gh repo create ann/shop --private",
            "repository",
            "ann/shop",
        ),
        (
            "AWS_PROFILE=a aws s3 rb s3://shop",
            "AWS_PROFILE=a aws s3 mb s3://shop",
            "bucket",
            "s3://shop",
        ),
    ] {
        let session = Session::new();
        assert_eq!(session.again(creates), None, "{creates}");
        session.does(destroys);
        let found = session.again(creates);
        assert_eq!(
            found,
            Some((kind.to_owned(), name.to_owned())),
            "{destroys} / {creates}"
        );
        // Once a person has said yes, it is not asked about again.
        let judged = session.starts(creates);
        let finding = judged.decision.findings.iter().find(|one| one.rule == RULE);
        let before = finding.unwrap().around.before.clone().unwrap();
        session.base.past().renew(&before, &judged.decision.deeds);
        assert_eq!(session.again(creates), None, "{creates}");
        session.does(destroys);
        assert_eq!(session.again(creates), None, "{creates}");
    }
}

#[test]
fn another_thing_or_one_that_is_made_again_is_not() {
    for (destroys, creates) in [
        ("dropdb shop", "createdb shop_test"),
        ("dropdb -h db1 shop", "createdb -h db2 shop"),
        ("dropdb -h db1 shop", "PGHOST=db2 createdb shop"),
        ("dropdb shop", "docker volume create shop"),
        ("dropdb --help", "createdb shop"),
        (
            "psql -d a -c 'DROP TABLE t'",
            "psql -d b -c 'CREATE TABLE t (id int)'",
        ),
        (
            "psql -c 'DROP TABLE t'",
            "psql -c 'CREATE TEMP TABLE t (id int)'",
        ),
        (
            "psql -c 'DROP INDEX t'",
            "psql -c 'CREATE TABLE t (id int)'",
        ),
        (
            "sqlite3 a.db 'DROP TABLE t'",
            "sqlite3 b.db 'CREATE TABLE t (id)'",
        ),
        (
            "kubectl delete deployment web",
            "kubectl create service web",
        ),
        (
            "kubectl delete deployment web -n a",
            "kubectl create deployment web -n b",
        ),
        (
            "kubectl delete --context a -f x.yaml",
            "kubectl apply --context b -f x.yaml",
        ),
        (
            "kubectl delete -f x.yaml --dry-run=client",
            "kubectl apply -f x.yaml",
        ),
        ("aws s3 rb s3://shop", "AWS_PROFILE=b aws s3 mb s3://shop"),
        (
            "aws rds delete-db-instance --db-instance-identifier a",
            "aws rds create-db-snapshot --db-snapshot-identifier a",
        ),
        (
            "aws rds delete-db-instance --region a --db-instance-identifier x",
            "aws rds create-db-instance --region b --db-instance-identifier x",
        ),
        ("rm -rf venv", "python3 -m venv venv"),
        ("rm -rf node_modules", "npm install"),
        ("rm -rf build", "mkdir build"),
        ("docker rm -f web", "docker run -d --name web nginx"),
        ("docker compose down", "docker compose up -d"),
        ("docker compose down -v", "docker compose build"),
        ("docker volume rm pg", "docker run -v /srv/pg:/data x"),
        ("docker volume ls", "docker volume create pg"),
        ("terraform plan -destroy", "terraform apply"),
        ("terraform destroy", "terraform plan"),
        ("git branch -D x", "git branch x"),
        (
            "kind delete cluster --name a",
            "kind create cluster --name b",
        ),
        ("helm uninstall a", "helm upgrade a ./chart"),
        // What an action elsewhere destroys is not what one here creates.
        ("ssh db1 dropdb shop", "createdb shop"),
        ("ssh db1 dropdb shop", "ssh db2 createdb shop"),
    ] {
        let session = Session::new();
        session.does(destroys);
        assert_eq!(session.again(creates), None, "{destroys} / {creates}");
    }
    let session = Session::new();
    session.does("ssh db1 dropdb shop");
    assert!(session.again("ssh db1 createdb shop").is_some());
}

#[test]
fn no_line_that_runs_silently_is_taken_for_destroying() {
    let mut lines: Vec<String> = Vec::new();
    for pack in compiled::packs() {
        let Some((_, cases)) = pack.cases else {
            continue;
        };
        let cases: toml::Table = cases.parse().unwrap();
        let allowed = cases.get("allow").and_then(toml::Value::as_array);
        lines.extend(
            allowed
                .into_iter()
                .flatten()
                .map(|line| line.as_str().unwrap().to_owned()),
        );
    }
    for rule in compiled::rules() {
        lines.extend(rule.examples.passes.iter().cloned());
    }
    assert!(lines.len() > 2000);
    let session = Session::new();
    let mut wrong = Vec::new();
    for line in lines {
        let is_plain = !line.contains(['|', ';', '&', '$', '>', '<', '`', '(', '*', '~', '\n']);
        let is_variable = |word: &String| word.contains('=') && !word.starts_with('-');
        let words = shlex::split(&line).filter(|_| is_plain).unwrap_or_default();
        if words.iter().all(is_variable) {
            continue;
        }
        let decision = session.starts(&line).decision;
        let destroys = |deed: &Deed| matches!(deed, Deed::Destroys(_));
        if decision.findings.is_empty() && decision.deeds.iter().any(destroys) {
            wrong.push(format!("{line}: {:?}", decision.deeds));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A tree with programs that do nothing.
fn tree(names: &[&str]) -> Tree {
    let tree = Tree::new();
    let bin = tree.work().join("../bin");
    fs::create_dir(&bin).unwrap();
    for name in names {
        let file = bin.join(name);
        fs::write(&file, format!("#!/bin/sh\necho {name} \"$@\" >>ran\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    tree
}

/// A person is asked about a database that is dropped, and types this.
fn drop(person: &mut Terminal, answer: &str) {
    person.wait_for("databases.drop-by-tool");
    person.wait_for("Name (");
    person.keys(&format!("{answer}\r"));
}

fn ran(tree: &Tree) -> String {
    fs::read_to_string(tree.work().join("ran")).unwrap_or_default()
}

#[test]
fn an_agent_is_asked_once_where_it_destroys_in_one_line_and_creates_in_another() {
    let tree = tree(&["dropdb", "createdb"]);
    let mut person = tree.agent(
        "createdb other\ncreatedb shop\n\"$SHELL\" -c 'dropdb shop'\nsh -c 'createdb shop; true'\n\
         dropdb shop\n\"$SHELL\" -c 'createdb shop && echo made'\n",
    );
    drop(&mut person, "shop");
    person.wait_for(RULE);
    person.wait_for("database `shop`");
    person.wait_for("which this session");
    person.wait_for("Run it?");
    person.keys("y\r");
    drop(&mut person, "shop");
    person.wait_for("made");
    let screen = person.finish();
    assert_eq!(screen.matches("Run it?").count(), 1, "{screen}");
    assert_eq!(screen.matches("Name (").count(), 2, "{screen}");
    assert_eq!(
        ran(&tree),
        "createdb other\ncreatedb shop\ndropdb shop\ncreatedb shop\ndropdb shop\ncreatedb shop\n"
    );
}

#[test]
fn a_no_leaves_it_destroyed_and_what_is_refused_is_not_remembered() {
    let tree = tree(&["dropdb", "createdb"]);
    let mut person = tree
        .agent("dropdb kept\ncreatedb kept\ndropdb shop\ncreatedb shop || echo \"stayed $?\"\n");
    drop(&mut person, "no");
    drop(&mut person, "shop");
    person.wait_for(RULE);
    person.wait_for("Run it?");
    person.keys("n\r");
    person.wait_for("stayed 126");
    person.finish();
    assert_eq!(ran(&tree), "createdb kept\ndropdb shop\n");
}

#[test]
fn both_halves_in_one_line_are_one_question() {
    let tree = tree(&["docker"]);
    let mut person =
        tree.person("-c 'docker volume rm pg && docker volume create pg && echo made'");
    person.wait_for("recreate.same-thing");
    person.wait_for("Name (");
    person.keys("pg\r");
    person.wait_for("made");
    let screen = person.finish();
    assert!(screen.contains("ended 0"), "{screen}");
    assert!(!screen.contains(RULE), "{screen}");
    assert_eq!(
        ran(&tree),
        "volume rm pg\nvolume create pg\n".replace("volume", "docker volume")
    );
}

#[test]
fn many_resources_that_nobody_was_asked_about_are_asked_about_together() {
    const LIFTED: &str = r#"
[budget]
destroyed-resources = 3

[[exception]]
rule = "platforms.delete"
reason = "a project of throwaway servers"

[[exception]]
rule = "misc.destructive-subcommand"
reason = "a project of throwaway servers"
"#;
    let system = Text {
        layer: Layer::System,
        file: "/etc/kibosh/lifted.toml".to_owned(),
        text: LIFTED.to_owned(),
    };
    let policy = Policy::of(&[system], &Folders::default()).unwrap();
    let session = Session::of(policy);
    let asked = |line: &str| {
        let judged = session.starts(line);
        let rules = judged.decision.findings.iter().map(|one| one.rule.clone());
        let rules: Vec<String> = rules.collect();
        if rules.is_empty() {
            session.base.past().note(&judged.decision.deeds, false);
        }
        rules
    };
    for number in 1..=3 {
        let line = format!("hcloud server delete web-{number}");
        assert_eq!(asked(&line), Vec::<String>::new());
    }
    assert_eq!(asked("hcloud server list"), Vec::<String>::new());
    assert_eq!(asked("hcloud server delete web-4"), ["budget.destroyed"]);
}
