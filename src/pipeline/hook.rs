//! The run of an agent's hook: what it asks is judged as the shell would judge it, and answered.
//!
//! Nothing is run here. What the agent cannot be relied on to ask is put to a person as the shell does it.

use std::path::{Path, PathBuf};

use super::session::{self, elsewhere_of_this_process, request};
use crate::agents::hook::{Answer, Asked, Hook};
use crate::audit::{self, Entry, Outcome};
use crate::decide::Decision;
use crate::judge;
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::schema::{Acknowledge, Effect};
use crate::report;
use crate::report::refusal::message;
use crate::surroundings::Surroundings;
use crate::syntax::Dialect;

/// Where the text came from, for a person and the record.
const SOURCE: &str = "an agent's hook";

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
    let cwd = surroundings.cwd().unwrap_or(Path::new(""));
    let home = folders.home.as_ref().map(|home| home.path.as_path());
    let judged = Judged {
        policy: &policy,
        decision: &decision,
        text: &text,
        cwd,
        record: audit::place(policy.settings().record.as_deref(), home),
    };
    if policy.settings().dry_run == Some(true) {
        judged.record(Outcome::DryRun);
        return Answer::Deny(report::hook::dry_run(&report::check::text(&decision)));
    }
    match decision.effect {
        Effect::Allow => Answer::Neutral,
        Effect::Confirm if gate_asks => Answer::Neutral,
        Effect::Confirm if hook.asks() && is_plain(&decision) => {
            judged.record(Outcome::LeftToAsk);
            Answer::Ask(report::hook::question(&decision))
        }
        Effect::Confirm | Effect::Deny => judged.review(),
    }
}

/// Whether a click of one person is all that a question wants: no second person, no name to be typed.
fn is_plain(decision: &Decision) -> bool {
    let mut findings = decision.findings.iter();
    decision.reviewers() <= 1 && findings.all(|one| one.acknowledge == Acknowledge::Key)
}

/// A command, judged.
struct Judged<'a> {
    policy: &'a Policy,
    decision: &'a Decision,
    text: &'a str,
    cwd: &'a Path,
    record: Option<PathBuf>,
}

impl Judged<'_> {
    /// Asks a person, where the policy lets one be asked, and writes down what came of it.
    fn review(&self) -> Answer {
        let elsewhere = elsewhere_of_this_process(self.policy, self.decision, &[], self.cwd);
        let request = request(
            self.policy,
            self.text.to_owned(),
            SOURCE.to_owned(),
            &self.cwd.to_string_lossy(),
            elsewhere,
        );
        match session::review(self.decision, &request, None, |outcome| {
            self.record(outcome)
        }) {
            Ok(_cleared) => Answer::Neutral,
            Err(refusal) => Answer::Deny(message(self.decision, &refusal)),
        }
    }

    fn record(&self, outcome: Outcome<'_>) {
        let entry = Entry {
            text: self.text,
            source: SOURCE,
            cwd: &self.cwd.to_string_lossy(),
            decision: self.decision,
            outcome,
        };
        audit::note(self.record.as_deref(), &entry);
    }
}
