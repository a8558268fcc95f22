//! `kibosh run`: an agent on a terminal of its own, under the exec gate.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::agents;
use crate::audit;
use crate::cli::definition::Run;
use crate::exit;
use crate::launcher::Outcome;
use crate::launcher::program::Program;
use crate::pipeline;
use crate::pipeline::agent::{self, Guarding};
use crate::pipeline::gate;
use crate::policy::discover::Folders;
use crate::policy::schema::ExecGate;
use crate::report;
use crate::supervise::REFUSED;
use crate::supervise::standing::{Missing, Standing, Supervisor};
use crate::sys::signals;

/// Runs the program to its end; gives its exit status, or ends by the signal that ended it.
#[must_use]
pub fn run(options: &Run, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    let policy = match pipeline::policy_in_force(&folders, say) {
        Ok(policy) => policy,
        Err(status) => return status,
    };
    let mut words = options.command.iter();
    let name = words.next().map(OsString::as_os_str).unwrap_or_default();
    let given: Vec<&str> = words.clone().filter_map(|word| word.to_str()).collect();
    let base = Path::new(name).file_name().and_then(OsStr::to_str);
    let more = agents::run_with(base.unwrap_or_default(), &given);
    let arguments: Vec<CString> = [name]
        .into_iter()
        .chain(more.iter().map(OsStr::new))
        .chain(words.map(OsString::as_os_str))
        .filter_map(|word| CString::new(word.as_bytes()).ok())
        .collect();
    let program = Program::with_kibosh_as_shell(arguments);
    let settings = policy.settings();
    let standing = gate::standing(settings, Supervisor::Above);
    if let Standing::Without(missing) = &standing {
        let why = missing.to_string();
        if settings.exec_gate == Some(ExecGate::Required) {
            say(&report::exec::required(&why));
            return exit::FAILED;
        }
        if *missing != Missing::Off {
            say(&report::exec::unguarded(&why));
        }
    }
    let home = folders.home.as_ref().map(|home| home.path.as_path());
    let guarding = Guarding {
        policy: &policy,
        record: audit::place(settings.record.as_deref(), home),
        has_gate: standing == Standing::Free,
    };
    match agent::run(program, &guarding) {
        Ok(Outcome::Exited(status)) => status,
        Ok(Outcome::Killed(signal)) => {
            signals::die_of(signal);
            u8::try_from(128 + signal).unwrap_or(exit::FAILED)
        }
        Ok(Outcome::NotStarted(failure)) if failure.error().raw_os_error() == Some(REFUSED) => {
            // The supervisor has said why.
            exit::STOPPED
        }
        Ok(Outcome::NotStarted(failure)) => {
            say(&report::launch::not_started(
                &name.to_string_lossy(),
                &failure.error(),
            ));
            failure.status()
        }
        Err(error) => {
            say(&report::launch::failed(&name.to_string_lossy(), &error));
            exit::FAILED
        }
    }
}
