//! Other names that a line gives to things: links, copies of programs, files that it writes.

use super::call::{Call, base_name};
use super::output;
use super::scope::Process;
use super::walk::Walker;
use crate::action::Value;
use crate::policy::arguments::Arguments;
use crate::policy::paths;

impl Walker<'_> {
    /// The base name of the program at a path, looked up behind the links and copies that the line made.
    pub(super) fn program_behind(&self, path: &str) -> String {
        if path.contains('/') && !self.scope.copies.is_empty() {
            let place = paths::normal(&Value::known(path), self.scope.cwd.as_deref());
            if let Some(original) = self.scope.copies.get(&place.text) {
                return base_name(original).to_owned();
            }
        }
        base_name(path).to_owned()
    }

    /// Puts the target for a link that the line made, where an argument goes through it.
    pub(super) fn follow_links(&self, argument: &mut Value) {
        if self.scope.links.is_empty() || argument.text.starts_with('-') {
            return;
        }
        let path = paths::normal(argument, self.scope.cwd.as_deref());
        for (link, target) in self.scope.links.iter() {
            let Some(rest) = path.text.strip_prefix(link.as_str()) else {
                continue;
            };
            let through = rest.starts_with('/')
                || rest.is_empty() && (path.contents || argument.text.ends_with('/'));
            if through {
                let all = if path.contents { "/*" } else { "" };
                argument.text = format!("{}{rest}{all}", target.trim_end_matches('/'));
                if argument.text.is_empty() {
                    argument.text.push('/');
                }
                return;
            }
        }
    }

    /// Remembers other names that the line gives to files: `ln -s TARGET NAME`, `cp PROGRAM NAME`.
    pub(super) fn remember_names(&mut self, name: &str, read: &Arguments) {
        if !matches!(name, "ln" | "cp" | "install" | "mv") {
            return;
        }
        let [from, to] = read.positionals.as_slice() else {
            return;
        };
        if !from.value.is_known() || !to.value.is_known() || from.value.glob {
            return;
        }
        let target = paths::normal(&from.value, self.scope.cwd.as_deref()).text;
        let place = paths::normal(&to.value, self.scope.cwd.as_deref()).text;
        if name == "ln" {
            self.scope.links.insert(place.clone(), target.clone());
        }
        self.scope.copies.insert(place, target);
    }

    /// Notes where the text came from that an action executes.
    pub(super) fn fed_by_also(&mut self, index: usize, programs: Vec<String>) {
        if let Some(action) = self.actions.get_mut(index) {
            for program in programs {
                if !action.fed_by.contains(&program) {
                    action.fed_by.push(program);
                }
            }
        }
    }

    /// Remembers the files that a program writes (`curl -o FILE`, `tee FILE`).
    pub(super) fn remember_written(&mut self, name: &str, targets: &[Value], call: &Call) {
        let output = match &call.input {
            Some(text) if output::copies_input(name) => text.clone(),
            _ => Value::unknown(),
        };
        let mut programs = call.fed_by.clone();
        programs.push(name.to_owned());
        for file in targets {
            self.write_file(
                file,
                false,
                Process {
                    output: output.clone(),
                    programs: programs.clone(),
                },
            );
        }
    }
}
