//! What a person has said yes to below one supervisor, and for which processes it counts: for what was
//! approved and all that comes from it, and no longer than it lives.

use crate::decide::Decision;
use crate::decide::approved::Approved;
use crate::sys::stat::Process;

/// How far up a process is looked for.
const MOST_ANCESTORS: usize = 512;
/// How many approvals are kept; the oldest goes.
const MOST: usize = 256;

/// Approvals, each with the process from which it counts.
#[derive(Debug, Default)]
pub struct Grants(Vec<Grant>);

#[derive(Debug)]
struct Grant {
    approved: Approved,
    from: Process,
    /// Whether it ends with the next one from the same process.
    is_of_a_command: bool,
}

impl Grants {
    /// Adds what was approved for a process and all that come from it.
    pub fn add(&mut self, approved: Approved, process: i32) {
        self.keep(approved, process, false);
    }

    /// Sets what was approved in the command that a shell runs next: what was approved in the one before
    /// does not count any more.
    pub fn set(&mut self, approved: Approved, shell: i32) {
        self.0
            .retain(|grant| !(grant.is_of_a_command && grant.from.id == shell));
        self.keep(approved, shell, true);
    }

    fn keep(&mut self, approved: Approved, process: i32, is_of_a_command: bool) {
        if approved.is_empty() {
            return;
        }
        let Some(from) = Process::of(process) else {
            return;
        };
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(Grant {
            approved,
            from,
            is_of_a_command,
        });
    }

    /// Whether all that a process does by steps of which each counts was approved for it.
    pub fn cover_steps(&self, decision: &Decision, process: i32) -> bool {
        if self.0.is_empty() || decision.steps.is_empty() {
            return false;
        }
        let above = ancestors(process);
        decision.steps.iter().all(|step| {
            let mut grants = self.0.iter();
            grants.any(|grant| above.contains(&grant.from) && grant.approved.covers(step))
        })
    }

    /// The decision about what a process does, without what was approved for it.
    pub fn left(&self, mut decision: Decision, process: i32) -> Decision {
        if self.0.is_empty() || decision.findings.is_empty() {
            return decision;
        }
        let above = ancestors(process);
        for grant in self.0.iter().filter(|grant| above.contains(&grant.from)) {
            decision = decision.without(&grant.approved);
        }
        decision
    }
}

/// A process and those above it.
fn ancestors(process: i32) -> Vec<Process> {
    let mut found = Vec::new();
    let mut next = process;
    while let Some((one, parent)) = Process::with_parent(next)
        && found.len() < MOST_ANCESTORS
    {
        found.push(one);
        next = parent;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::judge;
    use crate::normalise::Context;
    use crate::policy::Policy;
    use std::process::Command;

    #[test]
    fn an_approval_counts_for_what_comes_from_a_process() {
        let policy = Policy::shipped();
        let decision = judge(
            &policy,
            "git push --force origin main",
            &Context::text_only(),
        )
        .decision;
        assert!(!decision.findings.is_empty());
        let mut approved = Approved::default();
        approved.add(&decision);
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut other = Command::new("sleep").arg("60").spawn().unwrap();
        let (own, below, beside) = (
            std::process::id().cast_signed(),
            child.id().cast_signed(),
            other.id().cast_signed(),
        );
        let is_left =
            |grants: &Grants, process| !grants.left(decision.clone(), process).findings.is_empty();

        let mut grants = Grants::default();
        assert!(is_left(&grants, below));
        grants.add(approved.clone(), below);
        assert!(!is_left(&grants, below));
        assert!(is_left(&grants, beside) && is_left(&grants, own));
        grants.add(approved.clone(), own);
        assert!(!is_left(&grants, beside));

        let mut grants = Grants::default();
        grants.set(approved, own);
        assert!(!is_left(&grants, below));
        grants.set(Approved::default(), own);
        assert!(is_left(&grants, below));
        for child in [&mut child, &mut other] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
