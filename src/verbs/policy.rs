//! `kibosh policy`: what is in force, whether it is sound, and whether a project may loosen it.

use super::check::print;
use super::question::Question;
use crate::cli::definition::{PolicyVerb, Trust};
use crate::exit;
use crate::judge;
use crate::pipeline;
use crate::policy::discover::Folders;
use crate::policy::examples;
use crate::policy::{Layer, Policy, lint, trust};
use crate::report;

/// Runs one of the verbs below `policy`; gives the exit status.
#[must_use]
pub fn policy(verb: &PolicyVerb, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    if let PolicyVerb::Trust(options) = verb {
        return trust_project(options, &folders, say);
    }
    let policy = match pipeline::policy_in_force(&folders, say) {
        Ok(policy) => policy,
        Err(status) => return status,
    };
    let shipped = Policy::shipped();
    match verb {
        PolicyVerb::List => print(&report::policy::list(&policy), 0),
        PolicyVerb::Lint => {
            let mut doubts = lint::packs(&mut |line| judge::example(&shipped, line));
            doubts.extend(lint::layers(&policy, &mut |line| {
                judge::example(&policy, line)
            }));
            let status = if doubts.is_empty() { 0 } else { exit::FAILED };
            print(&report::policy::doubts(&doubts), status)
        }
        PolicyVerb::Test => {
            let mut outcome = examples::packs(&mut |line| judge::example(&shipped, line));
            let layers = examples::layers(&policy, &mut |line| judge::example(&policy, line));
            outcome.passed += layers.passed;
            outcome.failed.extend(layers.failed);
            let status = if outcome.failed.is_empty() {
                0
            } else {
                exit::FAILED
            };
            print(&report::policy::outcome(&outcome), status)
        }
        PolicyVerb::Trust(_) => exit::FAILED,
    }
}

/// Records, or takes back, that the nearest project's file may loosen the policy. A person is asked
/// before it may, and shown what it would loosen; what is recorded is what was loaded and shown.
fn trust_project(options: &Trust, folders: &Folders, say: &dyn Fn(&str)) -> u8 {
    let policy = match Policy::load(folders) {
        Ok(policy) => policy,
        Err(errors) => {
            say(&report::policy::unreadable(&errors));
            return exit::FAILED;
        }
    };
    let Some(file) = policy
        .files()
        .iter()
        .find(|file| file.layer == Layer::Project)
    else {
        say(report::policy::NO_PROJECT);
        return exit::FAILED;
    };
    if options.forget {
        return done(trust::forget(folders, &file.path), say);
    }
    if file.ignored.is_empty() {
        return print(&report::policy::in_force(&file.path), 0);
    }
    let question = Question {
        verb: "kibosh policy trust",
        file: &file.path,
        rule: "policy.trust",
        layer: file.layer.name(),
        reason: report::policy::trust_reason(&file.ignored),
        cwd: folders
            .cwd
            .as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
    };
    match question.ask() {
        Ok(()) => done(trust::record(folders, &file.path, &file.text), say),
        Err(refusal) => {
            say(&refusal);
            exit::STOPPED
        }
    }
}

fn done(result: std::io::Result<()>, say: &dyn Fn(&str)) -> u8 {
    match result {
        Ok(()) => 0,
        Err(error) => {
            say(&report::policy::not_recorded(&error));
            exit::FAILED
        }
    }
}
