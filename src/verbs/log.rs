//! `kibosh log`: what was decided.

use super::check::print;
use crate::audit;
use crate::cli::definition::Log;
use crate::exit;
use crate::pipeline;
use crate::policy::discover::Folders;
use crate::report;

/// Shows the end of the record, or counts by rule; gives the exit status.
#[must_use]
pub fn log(options: &Log, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    let policy = match pipeline::policy_in_force(&folders, say) {
        Ok(policy) => policy,
        Err(status) => return status,
    };
    let home = folders.home.as_ref().map(|home| home.path.as_path());
    let Some(file) = audit::place(policy.settings().record.as_deref(), home) else {
        say(&report::log::off());
        return exit::FAILED;
    };
    match audit::read(&file, options.last) {
        Ok(history) if options.noise => print(&report::log::noise(&history), exit::LOG),
        Ok(history) => print(&report::log::last(&history), exit::LOG),
        Err(error) => {
            say(&report::failure(&file.display().to_string(), &error));
            exit::FAILED
        }
    }
}
