//! One action against one match of a rule. Pure; what it reads of the action it reads once.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::Path;
use std::rc::Rc;

use super::arguments::{self, Arguments, Positional};
use super::glob;
use super::looks::Looks;
use super::needles;
use super::paths::{self, Classes, Names, PathText, Place};
use super::schema::{Language, Match, Opaque, Program, Style, Targets};
use super::sieve::Seen;
use super::walk;
use crate::action::{Action, FileUse, HOLE, Opacity, Value};

/// Compiles and keeps regular expressions.
pub trait Patterns {
    /// Whether the pattern matches the text. A pattern that does not compile matches, so that a
    /// broken rule stops rather than passes.
    fn is_match(&self, pattern: &str, text: &str) -> bool;
}

/// An action with what the matching needs of it.
pub struct Facts<'a> {
    /// The action.
    pub action: &'a Action,
    /// The grammar of its program, none where no pack describes it.
    pub program: Option<&'a Program>,
    /// Its arguments, read.
    pub arguments: Arguments,
    /// Its arguments joined by blanks.
    pub joined: String,
    /// Whether the program would only explain itself or tell what it would do.
    inert: bool,
    /// Whether the last operand names a directory that is there, so that something is put into it.
    puts_into: bool,
    place: &'a Place,
    classes: &'a dyn Classes,
    /// What the variables look like that are set for it.
    variables: Looks,
    /// The paths whose classes were asked about: many rules ask the same.
    known: RefCell<Vec<Known>>,
    /// Whether what a pattern in a path may find counts.
    names: Cell<Names>,
    /// The targets that were asked for: many rules ask for the same.
    targets: RefCell<Vec<(Asked, Rc<[Value]>)>>,
}

/// By what targets are asked for.
#[derive(PartialEq, Eq)]
enum Asked {
    /// By how many positional words belong to the subcommand.
    Behind(usize),
    /// By options of these names.
    GivenTo(Vec<String>),
}

/// What is known of one path of an action.
struct Known {
    text: String,
    is_glob: bool,
    path: PathText,
    seen: OnceCell<Seen>,
    /// The classes that were asked about, by which names, and whether it is in each.
    classes: Vec<(String, Names, bool)>,
}

/// Of how many paths of one action that is kept.
const MOST_KNOWN: usize = 64;

impl<'a> Facts<'a> {
    /// Reads the arguments of an action by the grammar of its program.
    #[must_use]
    pub fn new(
        action: &'a Action,
        program: Option<&'a Program>,
        classes: &'a dyn Classes,
        place: &'a Place,
    ) -> Self {
        let joined = action
            .arguments
            .iter()
            .map(|v| v.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let arguments = arguments::read(program, &action.arguments);
        let inert = !arguments.flags.is_empty()
            && program.is_some_and(|p| p.inert.iter().any(|flag| arguments.says_yes(flag)));
        Self {
            action,
            program,
            arguments,
            joined,
            inert,
            puts_into: false,
            place,
            classes,
            variables: Looks::of(action.environment.keys().map(String::as_str)),
            known: RefCell::default(),
            names: Cell::new(Names::Found),
            targets: RefCell::default(),
        }
    }

    /// The same, where it can be found out what is a directory.
    #[must_use]
    pub fn on_machine(mut self, is_folder: &dyn Fn(&Path) -> bool) -> Self {
        let is_last = self
            .program
            .is_some_and(|program| program.targets == Targets::Last);
        if let (true, [.., _, last], Some(cwd), false) = (
            is_last,
            self.arguments.positionals.as_slice(),
            self.action.cwd.as_deref(),
            self.action.elsewhere,
        ) {
            let text = last.value.text.as_str();
            let is_clear = last.value.is_known() && !last.value.glob && cwd.starts_with('/');
            let is_open = is_clear && !text.is_empty() && !text.ends_with('/');
            self.puts_into = is_open && is_folder(&Path::new(cwd).join(text));
        }
        self
    }

    /// Those of another form of the action, of the same program.
    #[must_use]
    pub fn of_form<'b>(&'b self, action: &'b Action) -> Facts<'b> {
        Facts {
            puts_into: self.puts_into,
            ..Facts::new(action, self.program, self.classes, self.place)
        }
    }

    /// The operands after `skip` positional words.
    pub fn operands(&self, skip: usize) -> impl Iterator<Item = &Value> {
        self.arguments.operands(skip).iter().map(|p| &p.value)
    }

    /// The paths that the program writes to, deletes or replaces.
    #[must_use]
    pub fn targets(&self, skip: usize) -> Vec<Value> {
        let mut out: Vec<Value> = Vec::new();
        let kind = self.program.map_or(Targets::All, |p| p.targets);
        let operands = self.arguments.operands(skip);
        let mut by_option = false;
        if let Some(program) = self.program {
            for option in &program.target_options {
                if let Some(prefix) = option.strip_suffix('=')
                    && !option.starts_with('-')
                {
                    for operand in operands {
                        if let Some(rest) = operand.value.text.strip_prefix(prefix)
                            && let Some(rest) = rest.strip_prefix('=')
                        {
                            by_option = true;
                            out.push(Value {
                                text: rest.to_owned(),
                                ..operand.value.clone()
                            });
                        }
                    }
                } else {
                    for flag in self.arguments.flags_named(option) {
                        if let Some(value) = &flag.value {
                            by_option = true;
                            out.push(value.clone());
                        }
                    }
                }
            }
        }
        match kind {
            Targets::None => {}
            Targets::All if self.program.is_some_and(|p| !p.walk.is_empty()) => {
                if let Some(program) = self.program {
                    out.extend(walk::walked(program, &self.arguments));
                }
            }
            Targets::All => out.extend(operands.iter().map(|p| p.value.clone())),
            Targets::Last if by_option => out = put_into(&out, operands),
            Targets::Last => {
                if let Some((last, sources)) = operands.split_last() {
                    let directory = last.value.text.ends_with('/') || sources.len() > 1;
                    let last = std::slice::from_ref(&last.value);
                    if !directory {
                        out.extend_from_slice(last);
                    }
                    if directory || self.puts_into && !sources.is_empty() {
                        out.extend(put_into(last, sources));
                    }
                }
            }
            Targets::Rest => out.extend(operands.iter().skip(1).map(|p| p.value.clone())),
            Targets::First => out.extend(operands.first().map(|p| p.value.clone())),
        }
        out
    }

    /// The targets that a match is about, which are looked for once.
    fn targets_of(&self, wanted: &Match, skip: usize) -> Rc<[Value]> {
        let options = &wanted.target_options;
        let is_it = |asked: &Asked| match asked {
            Asked::Behind(count) => options.is_empty() && *count == skip,
            Asked::GivenTo(names) => !options.is_empty() && names == options,
        };
        let mut known = self.targets.borrow_mut();
        if let Some((_, targets)) = known.iter().find(|(asked, _)| is_it(asked)) {
            return Rc::clone(targets);
        }
        let (asked, targets) = if options.is_empty() {
            (Asked::Behind(skip), self.targets(skip))
        } else {
            let given = arguments::given_to(options, self.own_words());
            (Asked::GivenTo(options.clone()), with_contents(given))
        };
        let targets: Rc<[Value]> = targets.into();
        known.push((asked, Rc::clone(&targets)));
        targets
    }

    /// Its arguments up to the program that it starts, where it is one that starts another: what stands behind are that one's.
    fn own_words(&self) -> &[Value] {
        let starts = |program: &&Program| {
            let mut runs = program.runs.iter();
            program.style == Style::Posix && runs.any(|one| one.operands == Some(Language::Argv))
        };
        let all = self.action.arguments.as_slice();
        let first = self.program.filter(starts).and_then(|program| {
            let operands = self.arguments.operands(usize::from(program.subcommands));
            operands.first()
        });
        first.and_then(|word| all.get(..word.at)).unwrap_or(all)
    }

    /// The paths that it reads or moves away.
    #[must_use]
    pub fn sources(&self, skip: usize) -> Vec<Value> {
        let kind = self.program.map_or(Targets::All, |p| p.targets);
        let operands = self.arguments.operands(skip);
        let by_option = self
            .program
            .is_some_and(|p| p.target_options.iter().any(|o| self.arguments.has_flag(o)));
        let keep = match kind {
            Targets::Last if !by_option => operands.len().saturating_sub(1),
            _ => operands.len(),
        };
        operands
            .iter()
            .take(keep)
            .map(|p| p.value.clone())
            .collect()
    }

    fn path(&self, value: &Value) -> PathText {
        paths::normal(value, self.action.cwd.as_deref())
    }

    /// Whether a path in normal form is in a class.
    #[must_use]
    pub fn is_in(&self, path: &PathText, class: &str) -> bool {
        paths::is_in(path, class, self.classes, self.place)
    }

    /// Whether it is for somebody who works on another directory.
    #[must_use]
    pub fn is_in_for(&self, workspace: &str, path: &PathText, class: &str) -> bool {
        let place = Place {
            workspace: workspace.to_owned(),
            ..self.place.clone()
        };
        paths::is_in(path, class, self.classes, &place)
    }

    /// The names that a class lists.
    #[must_use]
    pub fn names_of(&self, class: &str) -> &[String] {
        let class = self.classes.class(class);
        class.map_or(&[], |class| &class.paths().name_is)
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> &str {
        &self.place.home
    }

    /// Whether a path may be in one of the classes.
    #[must_use]
    pub fn in_classes(&self, value: &Value, classes: &[String]) -> bool {
        self.is_in_one(value, classes, self.names.get())
    }

    fn is_in_one(&self, value: &Value, classes: &[String], names: Names) -> bool {
        let mut known = self.known.borrow_mut();
        let is_it = |one: &Known| one.is_glob == value.glob && one.text == value.text;
        let place = known.iter().position(is_it).unwrap_or_else(|| {
            // What is not kept is the last one, for this question.
            known.truncate(MOST_KNOWN);
            known.push(Known {
                text: value.text.clone(),
                is_glob: value.glob,
                path: self.path(value),
                seen: OnceCell::new(),
                classes: Vec::new(),
            });
            known.len() - 1
        });
        let Some(one) = known.get_mut(place) else {
            return false;
        };
        classes.iter().any(|class| {
            let mut answers = one.classes.iter();
            let answer = answers
                .find_map(|(of, by, answer)| (of == class && *by == names).then_some(*answer));
            answer.unwrap_or_else(|| {
                let path = (&one.path, &one.seen);
                let answer = paths::may_be_in(path, class, names, self.classes, self.place);
                one.classes.push((class.clone(), names, answer));
                answer
            })
        })
    }
}

/// Paths, and something in each of them, as it may be a directory that something is written into.
fn with_contents(mut paths: Vec<Value>) -> Vec<Value> {
    let within = |value: &Value| Value {
        text: format!("{}/{HOLE}", value.text.trim_end_matches('/')),
        ..value.clone()
    };
    let below: Vec<Value> = paths.iter().map(within).collect();
    paths.extend(below);
    paths
}

/// Where sources arrive that are put into directories: below them under their own names.
fn put_into(directories: &[Value], sources: &[Positional]) -> Vec<Value> {
    let mut out = Vec::new();
    for directory in directories {
        let base = directory.text.trim_end_matches('/');
        for source in sources {
            // `a/` of rsync(1) is what is in it, and arrives as the directory itself.
            let name = source.value.text.rsplit('/').next().unwrap_or_default();
            out.push(match name {
                "" | "." | ".." => directory.clone(),
                name => Value {
                    text: format!("{base}/{name}"),
                    glob: directory.glob || source.value.glob,
                    splits: directory.splits,
                    found: directory.found || source.value.found,
                },
            });
        }
        if sources.is_empty() {
            out.push(directory.clone());
        }
    }
    out
}

/// Whether the action is what the match describes.
#[must_use]
pub fn is_match(wanted: &Match, facts: &Facts<'_>, patterns: &dyn Patterns) -> bool {
    if facts.inert && is_about_doing(wanted) || !may_be_set(wanted, facts) {
        return false;
    }
    head_matches(wanted, facts).is_some_and(|skip| {
        body_matches(wanted, facts, skip) && text_matches(wanted, facts, patterns)
    })
}

/// Whether the action is surely what the match describes, whatever the patterns in its paths find.
#[must_use]
pub fn is_surely_match(wanted: &Match, facts: &Facts<'_>, patterns: &dyn Patterns) -> bool {
    facts.names.set(Names::Own);
    let is_match = is_match(wanted, facts, patterns);
    facts.names.set(Names::Found);
    is_match
}

/// Whether one of the variables may be set that a match asks for. Every program that has others is asked about them.
fn may_be_set(wanted: &Match, facts: &Facts<'_>) -> bool {
    let mut names = wanted.environment.iter();
    wanted.environment.is_empty()
        || names.any(|one| {
            facts
                .variables
                .may_match(one.split('=').next().unwrap_or(one))
        })
}

/// Whether the match is about what the program itself does, not about what the shell does around it.
fn is_about_doing(wanted: &Match) -> bool {
    wanted.writes.is_empty()
        && wanted.appends.is_empty()
        && wanted.environment.is_empty()
        && wanted.opaque.is_empty()
}

/// Whether a variable that was found by a pattern has a variable beside it by which it does not count.
fn is_excused(excuses: &[String], action: &Action, pattern: &str, key: &str) -> bool {
    let star = match pattern.split_once('*') {
        None => "",
        Some((before, after)) => {
            let rest = key.strip_prefix(before);
            match rest.and_then(|rest| rest.strip_suffix(after)) {
                Some(star) => star,
                None => return false,
            }
        }
    };
    excuses.iter().any(|excuse| {
        let (name, values) = excuse.split_once('=').unwrap_or((excuse, "*"));
        let beside = action.environment.get(&name.replacen('*', star, 1));
        beside.is_some_and(|value| {
            let mut harmless = values.split('|');
            value.is_known() && harmless.any(|one| glob::matches(one, &value.text))
        })
    })
}

/// How many positional words belong to the subcommand that one of `wanted` describes; the most that
/// the program's grammar has where none of them describes it.
#[must_use]
pub fn subcommand_length(wanted: &[&Match], facts: &Facts<'_>) -> usize {
    let found = wanted
        .iter()
        .filter_map(|one| head_matches(one, facts))
        .max();
    found.unwrap_or_else(|| match facts.program {
        Some(_) => facts
            .arguments
            .subcommands
            .min(facts.arguments.positionals.len()),
        None => 0,
    })
}

/// Program and subcommand; gives the number of positional words that belong to the subcommand.
fn head_matches(wanted: &Match, facts: &Facts<'_>) -> Option<usize> {
    let name = facts.action.program.as_str();
    let any = |list: &[String], text: &str| list.iter().any(|one| glob::matches(one, text));
    if !wanted.program.is_empty() && !any(&wanted.program, name) {
        return None;
    }
    if any(&wanted.not_program, name) {
        return None;
    }
    if !wanted.named.is_empty() && !any(&wanted.named, &facts.action.path.text) {
        return None;
    }
    if wanted
        .undescribed
        .is_some_and(|undescribed| undescribed != facts.program.is_none())
    {
        return None;
    }
    let subcommand = |pattern: &str| -> Option<usize> {
        let mut positionals = facts.arguments.positionals.iter();
        let mut length = 0;
        for word in pattern.split(' ').filter(|w| !w.is_empty()) {
            let found = positionals.next()?;
            if !glob::matches(word, &found.value.text) {
                return None;
            }
            length += 1;
        }
        Some(length)
    };
    let mut skip = match facts.program {
        Some(program) => usize::from(program.subcommands).min(facts.arguments.positionals.len()),
        None => 0,
    };
    if !wanted.subcommand.is_empty() {
        skip = wanted
            .subcommand
            .iter()
            .filter_map(|one| subcommand(one))
            .max()?;
    }
    if wanted
        .not_subcommand
        .iter()
        .any(|one| subcommand(one).is_some())
    {
        return None;
    }
    if !wanted.verb.is_empty() {
        let position = facts
            .arguments
            .subcommand_words()
            .position(|word| any(&wanted.verb, word))?;
        if wanted.subcommand.is_empty() {
            skip = position + 1;
        }
    }
    if facts
        .arguments
        .subcommand_words()
        .any(|word| any(&wanted.not_verb, word))
    {
        return None;
    }
    Some(skip)
}

fn body_matches(wanted: &Match, facts: &Facts<'_>, skip: usize) -> bool {
    let arguments = &facts.arguments;
    if !wanted.flags.iter().all(|spec| arguments.has_flag(spec)) {
        return false;
    }
    if wanted
        .no_flags
        .iter()
        .any(|spec| arguments.surely_has_flag(spec))
    {
        return false;
    }
    let operand_is = |list: &[String]| {
        facts
            .operands(skip)
            .any(|value| list.iter().any(|one| glob::matches(one, &value.text)))
    };
    if !wanted.operands.is_empty() && !operand_is(&wanted.operands) {
        return false;
    }
    if !wanted.no_operands.is_empty() && operand_is(&wanted.no_operands) {
        return false;
    }
    let count = arguments.operands(skip).len();
    let splits = facts.operands(skip).any(|v| v.splits);
    if wanted
        .min_operands
        .is_some_and(|least| count < usize::from(least) && !splits)
    {
        return false;
    }
    if wanted
        .max_operands
        .is_some_and(|most| count > usize::from(most))
    {
        return false;
    }
    if !wanted.paths.is_empty()
        && !facts
            .operands(skip)
            .any(|v| facts.in_classes(v, &wanted.paths))
    {
        return false;
    }
    if !(wanted.targets.is_empty() && wanted.unless_targets.is_empty()) {
        let targets = facts.targets_of(wanted, skip);
        if !wanted.targets.is_empty()
            && !targets.iter().any(|v| facts.in_classes(v, &wanted.targets))
        {
            return false;
        }
        if !wanted.unless_targets.is_empty()
            && targets
                .iter()
                .all(|v| facts.is_in_one(v, &wanted.unless_targets, Names::Own))
        {
            return false;
        }
    }
    if !wanted.sources.is_empty()
        && !facts
            .sources(skip)
            .iter()
            .any(|v| facts.in_classes(v, &wanted.sources))
    {
        return false;
    }
    context_matches(wanted, facts)
}

fn context_matches(wanted: &Match, facts: &Facts<'_>) -> bool {
    let action = facts.action;
    let redirected = |usage: FileUse, classes: &[String]| {
        classes.is_empty()
            || action
                .redirections
                .iter()
                .any(|r| r.usage == usage && facts.in_classes(&r.file, classes))
    };
    if !redirected(FileUse::Write, &wanted.writes)
        || !redirected(FileUse::Append, &wanted.appends)
        || !redirected(FileUse::Read, &wanted.reads)
    {
        return false;
    }
    if !wanted.environment.is_empty() {
        let set = wanted.environment.iter().any(|one| {
            let (name, pattern) = one.split_once('=').unwrap_or((one, "*"));
            facts.variables.may_match(name)
                && action.environment.iter().any(|(key, value)| {
                    glob::matches(name, key)
                        && (value.text.trim_matches(HOLE).is_empty() && !value.text.is_empty()
                            || glob::matches(pattern, &value.text))
                        && !is_excused(&wanted.unless_environment, action, name, key)
                })
        });
        if !set {
            return false;
        }
    }
    let one_of = |list: &[String], names: &[String]| {
        names
            .iter()
            .any(|name| list.iter().any(|one| glob::matches(one, name)))
    };
    if !wanted.via.is_empty() && !one_of(&wanted.via, &action.via) {
        return false;
    }
    if one_of(&wanted.not_via, &action.via) {
        return false;
    }
    if !wanted.fed_by.is_empty() && !one_of(&wanted.fed_by, &action.fed_by) {
        return false;
    }
    if !wanted.unless_fed_by.is_empty()
        && !action.fed_by.is_empty()
        && action.fed_by.iter().all(|name| {
            wanted
                .unless_fed_by
                .iter()
                .any(|one| glob::matches(one, name))
        })
    {
        return false;
    }
    if wanted
        .elsewhere
        .is_some_and(|elsewhere| elsewhere != action.elsewhere)
    {
        return false;
    }
    wanted.opaque.is_empty()
        || wanted.opaque.iter().any(|one| {
            action.opacity
                == match one {
                    Opaque::Operand => Opacity::Operand,
                    Opaque::Code => Opacity::Code,
                    Opaque::Program => Opacity::Program,
                    Opaque::Text => Opacity::Text,
                }
        })
}

fn text_matches(wanted: &Match, facts: &Facts<'_>, patterns: &dyn Patterns) -> bool {
    let joined = facts.joined.as_str();
    let payloads = || {
        facts
            .action
            .payloads
            .iter()
            .filter(|p| wanted.language.is_empty() || wanted.language.contains(&p.language))
    };
    let holds = |text: &String| {
        let stands_in = |whole: &str| needles::stands_in(whole.as_bytes(), text.as_bytes());
        wanted.code.is_empty() && stands_in(joined) || payloads().any(|p| stands_in(&p.text))
    };
    if !wanted.contains.is_empty() && !wanted.contains.iter().any(holds) {
        return false;
    }
    if !wanted.regex.is_empty() && !wanted.regex.iter().any(|p| patterns.is_match(p, joined)) {
        return false;
    }
    if !wanted
        .all_regex
        .iter()
        .all(|p| patterns.is_match(p, joined))
    {
        return false;
    }
    if wanted.no_regex.iter().any(|p| patterns.is_match(p, joined)) {
        return false;
    }
    let is_any = |list: &[String], text: &str| list.iter().any(|p| patterns.is_match(p, text));
    let code_holds = match (wanted.code.is_empty(), wanted.no_code.is_empty()) {
        (false, _) => {
            payloads().any(|p| is_any(&wanted.code, &p.text) && !is_any(&wanted.no_code, &p.text))
        }
        (true, false) => !payloads().any(|p| is_any(&wanted.no_code, &p.text)),
        (true, true) => true,
    };
    if !code_holds {
        return false;
    }
    if wanted.code.is_empty() && !wanted.language.is_empty() && payloads().next().is_none() {
        return false;
    }
    wanted.input.is_empty()
        || facts.action.input.as_ref().is_some_and(|text| {
            wanted
                .input
                .iter()
                .any(|one| patterns.is_match(one, &text.text))
        })
}
