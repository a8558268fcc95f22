//! `kibosh doctor`: what protects here, and what does not.

use std::io;
use std::path::Path;

use super::check::print;
use crate::audit;
use crate::cli::definition::Doctor;
use crate::doctor::reach::is_writable;
use crate::doctor::shells::Identity;
use crate::doctor::{self, Facts, Gates, Mark, Record, Standing};
use crate::exit;
use crate::pipeline::gate;
use crate::policy::discover::Folders;
use crate::policy::schema::{ExecGate, Settings};
use crate::policy::{Policy, compiled};
use crate::report;
use crate::supervise::standing::{self, Supervisor};

/// Looks at everything and says it; gives the exit status.
#[must_use]
pub fn doctor(options: &Doctor, say: &dyn Fn(&str)) -> u8 {
    let facts = match facts() {
        Ok(facts) => facts,
        Err(error) => {
            say(&report::failure(
                "nothing can be told of this machine",
                &error,
            ));
            return exit::FAILED;
        }
    };
    let lines = report::doctor::lines(&facts);
    let is_well = lines.iter().all(|line| line.mark < Mark::Weak);
    let answer = if options.json {
        report::doctor::json(&facts, &lines)
    } else {
        report::doctor::text(&lines)
    };
    print(
        &answer,
        if is_well {
            exit::DOCTOR_WELL
        } else {
            exit::DOCTOR_WEAK
        },
    )
}

/// Everything there is to tell.
fn facts() -> io::Result<Facts> {
    let folders = Folders::here();
    let own = Identity::own()?;
    let user = doctor::user::look(&folders);
    let (found, policy) = doctor::policy::look(own, &folders);
    // Where the policy cannot be read, nothing runs; the gates are told as they would be without it.
    let shipped = compiled::settings();
    let settings = policy.as_ref().map_or(&shipped, Policy::settings);
    let gates = gates(settings);
    Ok(Facts {
        kernel: doctor::kernel::look()?,
        program: doctor::shells::program(own)?,
        shells: doctor::shells::shells(own, &user),
        agents: doctor::agents::look(own, user.shell.as_deref(), gates.beside == Standing::Active),
        record: record(settings, &folders),
        policy: found,
        gates,
        user,
    })
}

/// Where this process stands. Whether the kernel takes a filter is tried in a child that ends at once.
fn gates(settings: &Settings) -> Gates {
    let standing = |supervisor| {
        told(&gate::proven(
            gate::standing(settings, supervisor),
            settings,
        ))
    };
    Gates {
        wanted: settings.exec_gate.unwrap_or(ExecGate::On),
        beside: standing(Supervisor::Beside),
        above: standing(Supervisor::Above),
    }
}

fn told(standing: &standing::Standing) -> Standing {
    match standing {
        standing::Standing::Supervised => Standing::Active,
        standing::Standing::Free => Standing::Available,
        standing::Standing::Without(standing::Missing::Off) => Standing::Off,
        standing::Standing::Without(missing) => Standing::Missing(missing.to_string()),
    }
}

/// Where decisions would be written down.
fn record(settings: &Settings, folders: &Folders) -> Record {
    let home = folders.home.as_ref().map(|home| home.path.as_path());
    let path = audit::place(settings.record.as_deref(), home);
    let state = folders.sound();
    let state = state.as_deref().and_then(Path::parent);
    let shown = |path: &Path| path.display().to_string();
    Record {
        writable: path.as_deref().is_some_and(is_writable),
        path: path.as_deref().map(shown),
        state_writable: state.is_some_and(is_writable),
        state: state.map(shown),
    }
}
