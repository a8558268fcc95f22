//! `kibosh init`: the settings of agents, so that their shell is kibosh and their hook asks it.

use std::path::PathBuf;

use super::check::print;
use super::question::Question;
use crate::agents::{self, Agent, Setup};
use crate::cli::definition::Init;
use crate::doctor::shells::{self, Identity};
use crate::exit;
use crate::report;
use crate::setup::{Folders, Installed, Plan, file, plan};

/// Sets up the agents; gives the exit status, the worst of all.
#[must_use]
pub fn init(options: &Init, say: &dyn Fn(&str)) -> u8 {
    // The agents look for their settings there, too.
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let Some(home) = home.filter(|home| home.is_absolute() && home.is_dir()) else {
        say(report::init::NO_HOME);
        return exit::FAILED;
    };
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.filter(|config| config.is_absolute());
    let folders = Folders {
        config: config.unwrap_or_else(|| home.join(".config")),
        home,
    };
    let installed = match installed() {
        Ok(installed) => installed,
        Err(error) => {
            say(&report::failure("where kibosh is cannot be told", &error));
            return exit::FAILED;
        }
    };
    let agents = match chosen(options.agent.as_deref()) {
        Ok(agents) => agents,
        Err(known) => {
            let name = options.agent.as_deref().unwrap_or_default();
            say(&report::init::unknown(name, &known));
            return exit::FAILED;
        }
    };
    if agents.is_empty() {
        return print(report::init::NONE, 0);
    }
    let one = |(agent, program): &(Agent, String)| match &agent.setup {
        Some(setup) => set_up(agent, setup, &folders, &installed, options, say),
        None if options.undo => print(&report::init::nothing(agent, true), 0),
        None => {
            let shell = installed.shell.as_deref();
            print(&report::init::only_run(agent, program, shell), 0)
        }
    };
    agents.iter().map(one).max().unwrap_or_default()
}

/// The agent of a name, or all that PATH finds, each with its program.
fn chosen(name: Option<&str>) -> Result<Vec<(Agent, String)>, Vec<String>> {
    let program = |agent: &Agent, is_there: &dyn Fn(&str) -> bool| {
        let found = agent.programs.iter().find(|program| is_there(program));
        found.cloned()
    };
    let Some(name) = name else {
        let all = agents::known().into_iter().filter_map(|agent| {
            let program = program(&agent, &|name| shells::in_path(name).is_some())?;
            Some((agent, program))
        });
        return Ok(all.collect());
    };
    let Some(agent) = agents::named(name) else {
        return Err(agents::known()
            .into_iter()
            .flat_map(|one| one.programs)
            .collect());
    };
    let program = program(&agent, &|_| true).unwrap_or_default();
    Ok(vec![(agent, program)])
}

fn installed() -> std::io::Result<Installed> {
    let program = shells::program(Identity::own()?)?;
    let unnamed = |_| std::io::Error::other("its path cannot be written in a shell");
    Ok(Installed {
        program: shlex::try_quote(&program.path)
            .map_err(unnamed)?
            .into_owned(),
        shell: program.names.map(|folder| format!("{folder}/bash")),
    })
}

/// Shows the change to one agent, asks, and writes it.
fn set_up(
    agent: &Agent,
    setup: &Setup,
    folders: &Folders,
    installed: &Installed,
    options: &Init,
    say: &dyn Fn(&str),
) -> u8 {
    let plans = match plan(agent, setup, folders, installed, options.undo) {
        Ok(plans) => plans,
        Err(error) => {
            say(&report::init::failed(agent, &error));
            return exit::NOT_DONE;
        }
    };
    if plans.is_empty() {
        return print(&report::init::nothing(agent, options.undo), 0);
    }
    for plan in &plans {
        let shown = print(&report::init::change(agent, plan), 0);
        if shown != 0 {
            return shown;
        }
        if !options.yes
            && let Err(refusal) = asked(plan, options.undo)
        {
            say(&refusal);
            return exit::STOPPED;
        }
        if let Err(error) = file::replace(&plan.path, plan.before.as_deref(), plan.after.as_deref())
        {
            say(&report::init::not_written(agent, plan, &error));
            return exit::NOT_DONE;
        }
    }
    print(&report::init::done(agent, options.undo), 0)
}

/// Asks a person whether it is to be written; gives what is said where it is not.
fn asked(plan: &Plan, undo: bool) -> Result<(), String> {
    let question = Question {
        verb: "kibosh init",
        file: &plan.path.display().to_string(),
        rule: "self.setup",
        layer: "kibosh",
        reason: report::init::reason(undo),
        cwd: String::new(),
    };
    question.ask()
}
