//! Man pages and completions, made from the definition of the verbs.

use std::io::{self, Write, stdout};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::definition::{Definition, Generate};
use crate::exit;
use crate::report;

/// Writes what is asked for; gives the exit status.
pub fn generate(what: &Generate, say: &dyn Fn(&str)) -> u8 {
    let mut definition = Definition::command();
    definition.build();
    let written = match what {
        Generate::Man { folder } => man(&definition, folder),
        Generate::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut definition, "kibosh", &mut text);
            stdout().lock().write_all(&text)
        }
    };
    match written {
        Ok(()) => 0,
        Err(error) => {
            say(&report::failure("cannot write", &error));
            exit::FAILED
        }
    }
}

/// Writes the page of a command, and of each below it that is not hidden.
fn man(command: &Command, folder: &Path) -> io::Result<()> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    std::fs::write(folder.join(page.get_filename()), text)?;
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        man(below, folder)?;
    }
    Ok(())
}
