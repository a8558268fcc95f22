//! The policy: its files, who could change them, what is wrong with them, and the settings in force.
//!
//! Examples are run as for every policy, but what was found sound is not written down.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::facts::{
    Budget, Folder, Mistake, Policy as Found, PolicyFile, RegisteredTerminal, ReviewersDirectory,
    Settings,
};
use super::reach::reach;
use super::shells::{Identity, real};
use super::user;
use crate::broker::{self, registering};
use crate::judge;
use crate::policy::discover::{self, Folders};
use crate::policy::error::PolicyError;
use crate::policy::load::Text;
use crate::policy::schema::ExecGate;
use crate::policy::{BudgetInForce, Layer, Policy, examples, trust};

/// What is looked at, and the policy itself where it can be read.
#[must_use]
pub fn look(own: Identity, folders: &Folders) -> (Found, Option<Policy>) {
    let mut found = Found {
        files: Vec::new(),
        folders: folders_of(folders),
        mistakes: Vec::new(),
        settings: None,
    };
    let texts = match discover::files(folders) {
        Ok(texts) => texts,
        Err(errors) => {
            found.mistakes = errors.iter().map(mistake).collect();
            return (found, None);
        }
    };
    let policy = match sound(&texts, folders) {
        Ok(policy) => Some(policy),
        Err(errors) => {
            found.mistakes = errors.iter().map(mistake).collect();
            None
        }
    };
    found.files = texts
        .iter()
        .map(|text| file(text, policy.as_ref()))
        .collect();
    found.settings = policy.as_ref().map(|policy| settings(own, policy));
    (found, policy)
}

/// The policy of these files, its examples run where that was not done before.
fn sound(texts: &[Text], folders: &Folders) -> Result<Policy, Vec<PolicyError>> {
    let policy = Policy::of(texts, folders).map_err(|errors| errors.0)?;
    if policy.unproven().is_some() {
        let outcome = examples::layers(&policy, &mut |line| judge::example(&policy, line));
        if !outcome.failed.is_empty() {
            return Err(outcome.failed);
        }
    }
    Ok(policy)
}

/// The folders in which more files would be found.
fn folders_of(folders: &Folders) -> Vec<Folder> {
    let folder = |layer: Layer, path: PathBuf| Folder {
        layer: layer.name(),
        reach: reach(&path),
        path: path.display().to_string(),
    };
    let system = folders.system.clone();
    system
        .map(|path| folder(Layer::System, path))
        .into_iter()
        .chain(folders.user().map(|path| folder(Layer::User, path)))
        .collect()
}

fn file(text: &Text, policy: Option<&Policy>) -> PolicyFile {
    let path = Path::new(&text.file);
    let metadata = fs::metadata(path).ok();
    let in_force = policy.and_then(|policy| {
        let mut files = policy.files().iter();
        files.find(|file| file.path == text.file)
    });
    PolicyFile {
        layer: text.layer.name(),
        path: text.file.clone(),
        sha256: trust::hash_of_content(&text.text)
            .chars()
            .take(16)
            .collect(),
        owner: metadata
            .as_ref()
            .map_or_else(String::new, |one| user::name_of(one.uid())),
        mode: metadata.map_or_else(String::new, |one| format!("{:03o}", one.mode() & 0o7777)),
        reach: reach(path),
        ignored: in_force.map_or(0, |file| file.ignored.len()),
    }
}

fn mistake(error: &PolicyError) -> Mistake {
    Mistake {
        file: error.file.clone(),
        line: error.line,
        column: error.column,
        message: error.message.clone(),
        hint: error.hint.clone(),
    }
}

fn credentials(policy: &Policy) -> (Vec<String>, Vec<String>) {
    let all = policy.credentials();
    let unset = all.iter().flat_map(|one| one.unset.iter().cloned());
    let set = all.iter().flat_map(|one| one.set.keys().cloned());
    (unset.collect(), set.collect())
}

fn budget(budget: &BudgetInForce<'_>) -> Budget {
    Budget {
        key: budget.key,
        most: budget.most,
        layer: budget.layer.name(),
        file: budget.file.map(str::to_owned),
    }
}

/// The terminals that are registered; why where the broker that runs does not tell it.
fn registered() -> Result<Vec<RegisteredTerminal>, String> {
    let known = registering::known().map_err(|error| error.to_string())?;
    let session = nix::unistd::getsid(None).map_or(0, nix::unistd::Pid::as_raw);
    let described = known.terminals.into_iter().map(|one| {
        let id = one.leader.id;
        let program = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        RegisteredTerminal {
            name: broker::standing::device(one.terminal)
                .map_or_else(String::new, |path| path.display().to_string()),
            leader: id,
            program: program.trim_end().to_owned(),
            is_here: id == session,
        }
    });
    Ok(described.collect())
}

fn settings(own: Identity, policy: &Policy) -> Settings {
    let settings = policy.settings();
    let shell = |set: &Option<String>, usual: &str| real(own, set.as_deref().unwrap_or(usual));
    Settings {
        exec_gate: settings.exec_gate.unwrap_or(ExecGate::On),
        new_privileges: settings.new_privileges == Some(true),
        prompt_seconds: settings.prompt_seconds.unwrap_or_default(),
        broker: settings.broker != Some(false),
        no_broker: broker::check_this().err().map(|why| why.to_string()),
        terminals: settings.terminals.unwrap_or_default(),
        registered: registered(),
        reviewer_command: settings
            .reviewer_command
            .as_ref()
            .and_then(|command| command.first().cloned()),
        unwatched_seconds: settings.unwatched_seconds.unwrap_or_default(),
        operator_counts: settings.operator_counts != Some(false),
        reviewers_directory: settings
            .reviewers_directory
            .as_ref()
            .map(|path| ReviewersDirectory {
                path: path.clone(),
                wrong: broker::check_directory(settings)
                    .err()
                    .map(|why| why.to_string()),
            }),
        credentials: credentials(policy),
        budgets: policy.budgets().iter().map(budget).collect(),
        dry_run: settings.dry_run == Some(true),
        record: settings.record.clone(),
        bash: shell(&settings.bash, "/bin/bash"),
        sh: shell(&settings.sh, "/bin/sh"),
    }
}
