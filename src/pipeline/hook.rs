//! The run of an agent's hook: what it asks is judged as the shell would judge it, and answered.
//!
//! Nothing is run here. What the agent cannot be relied on to ask is put to a person as the shell does it.

use std::path::Path;

use super::session::elsewhere_of_this_process;
use crate::agents::hook::{Answer, Asked, Hook};
use crate::approve::{self, Approver, Request, USUAL_SECONDS};
use crate::audit::{self, Entry, Outcome};
use crate::decide::Decision;
use crate::judge;
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::schema::Effect;
use crate::report;
use crate::report::refusal::{Refusal, message};
use crate::surroundings::Surroundings;
use crate::syntax::Dialect;

/// Answers what an agent asks. `gate_asks` says whether the shell that will get the command judges it, too,
/// and asks about it: then nobody is asked here.
#[must_use]
pub fn answer(hook: &Hook, input: &[u8], gate_asks: bool) -> Answer {
    let (text, folder) = match hook.read(input) {
        Ok(Asked::Command { text, folder }) => (text, folder),
        Ok(Asked::Other) => return Answer::Neutral,
        Err(fault) => return Answer::Deny(report::hook::trouble(&fault)),
    };
    // The project's policy and every relative path are those of the place where the command would run.
    if folder != Path::new("")
        && let Err(error) = std::env::set_current_dir(&folder)
    {
        let why = format!("the directory `{}`: {error}", folder.display());
        return Answer::Deny(report::hook::trouble(&why));
    }
    let folders = Folders::here();
    let policy = match judge::policy_in_force(&folders) {
        Ok(policy) => policy,
        Err(errors) => return Answer::Deny(report::policy::unreadable(&errors)),
    };
    let surroundings = Surroundings::here();
    let decision =
        judge::judge(&policy, &text, &surroundings.context(Dialect::Bash, None)).decision;
    if policy.settings().dry_run == Some(true) {
        return Answer::Deny(report::hook::dry_run(&report::check::text(&decision)));
    }
    match decision.effect {
        Effect::Allow => Answer::Neutral,
        Effect::Confirm if gate_asks => Answer::Neutral,
        Effect::Confirm if hook.asks() => Answer::Ask(report::hook::question(&decision)),
        Effect::Confirm | Effect::Deny => {
            let cwd = surroundings.cwd().unwrap_or(Path::new(""));
            let home = folders.home.as_ref().map(|home| home.path.as_path());
            review(&policy, &decision, text, cwd, home)
        }
    }
}

/// Asks a person, where the policy lets one be asked, and writes down what came of it.
fn review(
    policy: &Policy,
    decision: &Decision,
    text: String,
    cwd: &Path,
    home: Option<&Path>,
) -> Answer {
    let settings = policy.settings();
    let request = Request {
        text,
        source: "an agent's hook".to_owned(),
        cwd: cwd.to_string_lossy().into_owned(),
        seconds: settings.prompt_seconds.unwrap_or(USUAL_SECONDS),
        times: 1,
        elsewhere: elsewhere_of_this_process(policy, decision),
    };
    let reviewed = approve::review(decision, &request);
    let note = |outcome: Outcome<'_>| {
        if let Some(file) = audit::place(settings.record.as_deref(), home) {
            // A record that cannot be written changes nothing.
            let _ = audit::record(
                &file,
                &Entry {
                    text: &request.text,
                    source: &request.source,
                    cwd: &request.cwd,
                    decision,
                    outcome,
                },
            );
        }
    };
    match &reviewed {
        Ok(cleared) => {
            if *cleared.approver() != Approver::Policy {
                note(Outcome::Approved(cleared.approver()));
            }
            Answer::Neutral
        }
        Err(refusal) => {
            note(Outcome::Refused(refusal));
            refused(decision, refusal)
        }
    }
}

fn refused(decision: &Decision, refusal: &Refusal) -> Answer {
    Answer::Deny(message(decision, refusal))
}
