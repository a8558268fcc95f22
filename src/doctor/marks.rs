//! What each fact means for the protection. Nothing that was asked for may be weak and called well.

use serde::Serialize;

use super::facts::{
    Agent, Cover, Facts, Folder, Gates, Kernel, Namespaces, PolicyFile, Program, Reach, RealShell,
    Record, Standing, User,
};
use crate::policy::schema::ExecGate;

/// How well something protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It does.
    Ok,
    /// It is so by choice, or nothing depends on it.
    Note,
    /// It does in part.
    Weak,
    /// It does not.
    Missing,
}

impl Mark {
    /// Well where it holds, else this.
    #[must_use]
    pub fn ok_or(self, holds: bool) -> Self {
        if holds { Self::Ok } else { self }
    }
}

impl Kernel {
    /// That other processes can be looked at.
    #[must_use]
    pub fn ptrace_scope_mark(&self) -> Mark {
        match self.ptrace_scope {
            None | Some(0) => Mark::Ok,
            Some(1 | 2) if self.may_trace_all => Mark::Ok,
            Some(1) => Mark::Weak,
            Some(_) => Mark::Missing,
        }
    }

    /// That of Landlock: without it an agent can make processes act that no gate watches.
    #[must_use]
    pub fn landlock_mark(&self) -> Mark {
        Mark::Weak.ok_or(self.scopes_signals)
    }
}

impl Namespaces {
    /// Whether a user may make them.
    #[must_use]
    pub fn are_allowed(self) -> bool {
        self.most != Some(0)
            && self.unprivileged != Some(0)
            && self.restricted.is_none_or(|one| one == 0)
    }
}

impl Gates {
    /// That of the exec gate.
    #[must_use]
    pub fn exec_mark(&self) -> Mark {
        match (&self.beside, &self.above) {
            (Standing::Active | Standing::Available, _) => Mark::Ok,
            (Standing::Off, _) => Mark::Note,
            (Standing::Missing(_), _) if self.wanted == ExecGate::Required => Mark::Missing,
            (Standing::Missing(_), Standing::Active | Standing::Available) => Mark::Weak,
            (Standing::Missing(_), Standing::Off | Standing::Missing(_)) => Mark::Missing,
        }
    }

    /// That programs can be traced as they start: by the supervisor that there is, which forbids the try, or
    /// by one that this process would make.
    #[must_use]
    pub fn tracing_mark(&self, kernel: &Kernel) -> Mark {
        Mark::Missing.ok_or(kernel.tracing || self.beside == Standing::Active)
    }

    /// Whether what is guarded is kept by the exec gate from pushing keys.
    #[must_use]
    pub fn has_exec(&self) -> bool {
        matches!(self.beside, Standing::Active | Standing::Available)
    }
}

impl User {
    /// Whether everything is the user's to change.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// That an agent would be this user.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::Weak.ok_or(!self.is_root())
    }

    /// That the user can change something. What root can change is told once.
    #[must_use]
    pub fn mark_of(&self, reach: &Reach) -> Mark {
        match reach {
            Reach::No => Mark::Ok,
            Reach::Itself | Reach::Folder(_) if self.is_root() => Mark::Note,
            Reach::Itself | Reach::Folder(_) => Mark::Weak,
        }
    }
}

impl Program {
    /// That it is installed under the names that agents know.
    #[must_use]
    pub fn names_mark(&self) -> Mark {
        Mark::Weak.ok_or(self.names.is_some())
    }
}

impl PolicyFile {
    /// That of a file. A project's is the agent's to write, and what it may do is bounded by that.
    #[must_use]
    pub fn mark(&self, facts: &Facts) -> Mark {
        if self.ignored > 0 {
            return Mark::Note;
        }
        if self.layer == "project" {
            return Mark::Ok;
        }
        facts.mark_of_layer(self.layer, &self.reach)
    }
}

impl Folder {
    /// That of a folder.
    #[must_use]
    pub fn mark(&self, facts: &Facts) -> Mark {
        facts.mark_of_layer(self.layer, &self.reach)
    }
}

impl Facts {
    /// That the user can change what is in a layer. What a user's layer may loosen is bounded where an
    /// administrator has rules that the user cannot change.
    fn mark_of_layer(&self, layer: &str, reach: &Reach) -> Mark {
        let mark = self.user.mark_of(reach);
        if layer == "user" && mark == Mark::Weak && self.has_fixed_rules() {
            return Mark::Note;
        }
        mark
    }

    /// Whether there is a policy that the user cannot change.
    #[must_use]
    pub fn has_fixed_rules(&self) -> bool {
        let is_fixed = |file: &PolicyFile| file.layer == "system" && file.reach == Reach::No;
        self.policy.files.iter().any(is_fixed)
    }

    /// Whether any way to a shell leads here, or a supervisor watches over all of them.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.gates.beside == Standing::Active || self.shells.iter().any(|shell| shell.is_kibosh)
    }
}

impl RealShell {
    /// That it can be started.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::Missing.ok_or(self.is_program && !self.is_kibosh)
    }
}

impl Record {
    /// That of the record. Who writes it can change it: it cannot be otherwise without another user.
    #[must_use]
    pub fn mark(&self) -> Mark {
        match &self.path {
            Some(_) if !self.writable => Mark::Weak,
            Some(_) | None => Mark::Note,
        }
    }
}

impl Agent {
    /// That its commands are judged.
    #[must_use]
    pub fn mark(&self, gates: &Gates) -> Mark {
        let run = matches!(gates.above, Standing::Active | Standing::Available);
        match self.cover {
            Cover::Supervised | Cover::Covered(_) => Mark::Ok,
            Cover::ByVariable(_) | Cover::ByPath | Cover::ByLogin | Cover::BySetting(..) => {
                Mark::Weak
            }
            Cover::OnlyRun(_) | Cover::NoShell | Cover::Unknown if run => Mark::Weak,
            Cover::OnlyRun(_) | Cover::NoShell | Cover::Unknown => Mark::Missing,
        }
    }
}
