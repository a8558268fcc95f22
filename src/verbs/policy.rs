//! `kibosh policy`: what is in force, whether it is sound, and whether a project may loosen it.

use super::check::print;
use crate::approve::{self, Request, USUAL_SECONDS};
use crate::cli::definition::{PolicyVerb, Trust};
use crate::decide::{Decision, Finding};
use crate::exit;
use crate::judge;
use crate::policy::discover::{self, Folders};
use crate::policy::examples;
use crate::policy::schema::{Acknowledge, Effect};
use crate::policy::{Policy, lint, load, trust};
use crate::report;
use crate::syntax::Span;

/// Runs one of the verbs below `policy`; gives the exit status.
#[must_use]
pub fn policy(verb: &PolicyVerb, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    if let PolicyVerb::Trust(options) = verb {
        return trust_project(options, &folders, say);
    }
    let policy = match judge::policy_in_force(&folders) {
        Ok(policy) => policy,
        Err(errors) => {
            say(&report::policy::unreadable(&errors));
            return exit::FAILED;
        }
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

/// Records, or takes back, that the project's file may loosen the policy. A person is asked first,
/// whoever calls.
fn trust_project(options: &Trust, folders: &Folders, say: &dyn Fn(&str)) -> u8 {
    let texts = match discover::files(folders) {
        Ok(texts) => texts,
        Err(errors) => {
            say(&report::policy::unreadable(
                &crate::policy::error::PolicyErrors(errors),
            ));
            return exit::FAILED;
        }
    };
    let Some(text) = texts
        .into_iter()
        .find(|t| t.layer == crate::policy::Layer::Project)
    else {
        say(report::policy::NO_PROJECT);
        return exit::FAILED;
    };
    if options.forget {
        return done(trust::forget(folders, &text.file), say);
    }
    if let Err(errors) = load::files(std::slice::from_ref(&text), load::Depth::Whole) {
        say(&report::policy::unreadable(&errors));
        return exit::FAILED;
    }
    let decision = Decision {
        effect: Effect::Confirm,
        findings: vec![Finding {
            rule: "policy.trust".to_owned(),
            layer: crate::policy::Layer::Project.name().to_owned(),
            effect: Effect::Confirm,
            reason: report::policy::TRUST_REASON.to_owned(),
            instead: None,
            acknowledge: Acknowledge::Key,
            subject: text.file.clone(),
            resource: None,
            origin: Span {
                start: 0,
                end: text.text.len(),
            },
        }],
    };
    let request = Request {
        text: text.text.clone(),
        source: text.file.clone(),
        cwd: folders
            .cwd
            .as_ref()
            .map(|p| p.display().to_string())
            .unwrap_or_default(),
        seconds: USUAL_SECONDS,
    };
    match approve::review(&decision, &request) {
        Ok(_cleared) => done(trust::record(folders, &text.file, &text.text), say),
        Err(why) => {
            say(&report::refusal::message(&decision, &why));
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
