//! The policy in force: the shipped packs and the layers above them, found by program.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::check::Depth;
use super::compiled::{self, Shipped};
use super::discover::{self, Folders};
use super::error::PolicyErrors;
use super::expression::Expression;
use super::load::{self, Text};
use super::matcher::Patterns;
use super::paths::Classes;
use super::schema::{
    Budget, Credentials, Environment, Exception, Match, PathClass, PolicyFile, Program, Rule,
    Settings, Variable,
};
use super::sieve::Class;
use super::size::bytes;
use super::trust::{self, Ignored};
use super::{Layer, examples, glob, index};
use crate::action::{Action, FileUse, Opacity};

/// A rule and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct RuleRef<'p> {
    /// The rule.
    pub rule: &'p Rule,
    /// Its layer.
    pub layer: Layer,
}

/// A rule that an action may meet: the matches that can hold for it, and the rule itself, which is
/// decoded only when it is asked for.
pub struct Candidate<'p> {
    /// The rule's layer.
    pub layer: Layer,
    /// Those of its matches that can hold.
    pub matches: Vec<&'p Match>,
    source: Source<'p>,
}

/// Where a candidate's rule is.
enum Source<'p> {
    Shipped(&'p Shipped, u16),
    File(&'p Rule),
}

impl<'p> Candidate<'p> {
    /// The rule. Its own list of matches may be empty; those that count are the candidate's.
    #[must_use]
    pub fn rule(&self) -> &'p Rule {
        match self.source {
            Source::Shipped(shipped, number) => shipped.rule(number),
            Source::File(rule) => rule,
        }
    }
}

/// A policy file of a layer, as far as it is in force.
pub struct LayerFile {
    /// Which layer it belongs to.
    pub layer: Layer,
    /// The file.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its content; what the layer may not do, or is not trusted to do, is gone.
    pub content: PolicyFile,
    /// What is not in force of it, as nobody trusts it.
    pub ignored: Vec<Ignored>,
    /// Whether it may set a budget to more than it is without it.
    may_raise: bool,
}

/// What a session may do without anybody being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many files it deletes.
    pub deleted_files: u64,
    /// How many bytes it deletes.
    pub deleted_bytes: u64,
    /// How many files it writes over.
    pub overwritten_files: u64,
    /// How many resources it destroys.
    pub destroyed_resources: u64,
}

/// One budget in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetInForce<'a> {
    /// Its key in `[budget]`.
    pub key: &'static str,
    /// How much it is.
    pub most: u64,
    /// The layer that sets it.
    pub layer: Layer,
    /// The file that does; none of the packs.
    pub file: Option<&'a str>,
}

/// All rules in force.
#[derive(Default)]
pub struct Policy {
    shipped: Shipped,
    files: Vec<LayerFile>,
    unproven: Option<String>,
    settings: OnceCell<Settings>,
    programs: RefCell<HashMap<String, Option<Rc<Program>>>>,
    classes: OnceCell<Vec<Class>>,
    environments: OnceCell<Vec<Environment>>,
    regexes: RefCell<HashMap<String, Rc<Expression>>>,
}

impl Policy {
    /// The shipped packs alone.
    #[must_use]
    pub fn shipped() -> Self {
        Self::default()
    }

    /// The shipped packs and the layers that `folders` have.
    ///
    /// The examples of the layers' rules are still to be run: see [`Policy::unproven`].
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the files of the layers. There is no policy then, and nothing
    /// may run.
    pub fn load(folders: &Folders) -> Result<Self, PolicyErrors> {
        let texts = discover::files(folders).map_err(PolicyErrors)?;
        Self::of(&texts, folders)
    }

    /// The shipped packs and these files over them, each as far as its layer may; `folders` tell whom
    /// to trust.
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    pub fn of(texts: &[Text], folders: &Folders) -> Result<Self, PolicyErrors> {
        let mut policy = Self::shipped();
        if texts.is_empty() {
            return Ok(policy);
        }
        let hash = trust::hash_of_all(texts);
        let depth = if examples::is_proven(folders, &hash) {
            Depth::Seen
        } else {
            Depth::Whole
        };
        for (text, content) in texts.iter().zip(load::files(texts, depth)?) {
            policy.add(folders, text, content);
        }
        if depth == Depth::Whole {
            policy.unproven = Some(hash);
        }
        Ok(policy)
    }

    /// Puts the content of one more file in force, as far as the file may be.
    fn add(&mut self, folders: &Folders, text: &Text, mut content: PolicyFile) {
        let may_loosen = match text.layer {
            Layer::Pack | Layer::System => true,
            Layer::User => folders.home.as_ref().is_some_and(|home| home.proven),
            Layer::Project => false,
        };
        let mut ignored = Vec::new();
        if !may_loosen && !trust::is_only_stricter(&content) {
            let trusted =
                text.layer == Layer::Project && trust::is_trusted(folders, &text.file, &text.text);
            if !trusted {
                let elsewhere = |name: &str| self.class(name).is_some();
                ignored = trust::tighten(&mut content, &text.file, elsewhere);
            }
        }
        self.files.push(LayerFile {
            layer: text.layer,
            path: text.file.clone(),
            text: text.text.clone(),
            content,
            ignored,
            may_raise: may_loosen,
        });
        self.settings = OnceCell::new();
        self.programs.get_mut().clear();
        self.classes = OnceCell::new();
        self.environments = OnceCell::new();
    }

    /// The hash of the layers' files, where their examples have not been run yet: give it to
    /// [`examples::prove`](super::examples::prove), which then remembers it.
    #[must_use]
    pub fn unproven(&self) -> Option<&str> {
        self.unproven.as_deref()
    }

    /// What tells this policy from every other: a hash of the packs, of the files, and of what is in force
    /// of them.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let files = self.files.iter();
        trust::hash_of_policy(files.map(|file| {
            let left_out = file.ignored.len();
            (file.layer, file.path.as_str(), file.text.as_str(), left_out)
        }))
    }

    /// The files of the layers.
    #[must_use]
    pub fn files(&self) -> &[LayerFile] {
        &self.files
    }

    /// How a program reads its arguments: as the packs describe its name, else the longest pattern
    /// that matches it. Layers add to it, and describe programs that the packs do not.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<Rc<Program>> {
        if self
            .files
            .iter()
            .all(|file| file.content.programs.is_empty())
        {
            return self.shipped.program(name);
        }
        if let Some(known) = self.programs.borrow().get(name) {
            return known.clone();
        }
        let mut merged = self.shipped.program(name);
        for file in &self.files {
            for more in &file.content.programs {
                if any(&more.names, name) {
                    merged = Some(match merged {
                        None => Rc::new(more.clone()),
                        Some(first) => Rc::new(add_to_program(&first, more)),
                    });
                }
            }
        }
        self.programs
            .borrow_mut()
            .insert(name.to_owned(), merged.clone());
        merged
    }

    /// The rules that can match `action`, each once. `described` says whether [`Policy::program`] has
    /// its program.
    #[must_use]
    pub fn candidates(&self, action: &Action, described: bool) -> Vec<Candidate<'_>> {
        let traits = traits(action, described);
        let mut programs = self.files.iter().flat_map(|file| &file.content.programs);
        let synonyms_known = programs.all(|program| program.synonyms.is_empty());
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        let mut last = None;
        for (rule, conditions) in self.shipped.candidates(action, traits, synonyms_known) {
            match candidates.last_mut() {
                Some(candidate) if last == Some(rule) => candidate.matches.push(conditions),
                _ => candidates.push(Candidate {
                    layer: Layer::Pack,
                    matches: vec![conditions],
                    source: Source::Shipped(&self.shipped, rule),
                }),
            }
            last = Some(rule);
        }
        for file in &self.files {
            for rule in &file.content.rules {
                let may_match = |one: &&Match| may_match(one, &action.program, traits);
                let matches: Vec<&Match> = rule.matches.iter().filter(may_match).collect();
                if !matches.is_empty() {
                    let source = Source::File(rule);
                    candidates.push(Candidate {
                        layer: file.layer,
                        matches,
                        source,
                    });
                }
            }
        }
        candidates
    }

    /// All rules as they are written, those of the packs first. This reads the texts of the packs.
    pub fn rules(&self) -> impl Iterator<Item = RuleRef<'_>> {
        let shipped = compiled::rules().iter().map(|rule| RuleRef {
            rule,
            layer: Layer::Pack,
        });
        let layered = self.files.iter().flat_map(|file| {
            let rules = file.content.rules.iter();
            rules.map(|rule| RuleRef {
                rule,
                layer: file.layer,
            })
        });
        shipped.chain(layered)
    }

    /// The classes of paths, by name; what several layers say of one class is together.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        self.classes.get_or_init(|| {
            let mut classes: Vec<PathClass> = compiled::class_names()
                .filter_map(compiled::class)
                .collect();
            for more in self.files.iter().flat_map(|file| &file.content.classes) {
                match classes.iter_mut().find(|class| class.name == more.name) {
                    None => classes.push(more.clone()),
                    Some(class) => class.add(more),
                }
            }
            classes.sort_by(|one, other| one.name.cmp(&other.name));
            classes.into_iter().map(Class::from).collect()
        })
    }

    /// What is known about a variable, the layers' word before the packs'.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Rc<Variable>> {
        let layered = self
            .files
            .iter()
            .flat_map(|file| &file.content.variables)
            .find(|variable| any(&variable.names, name));
        match layered {
            None => self.shipped.variable(name),
            Some(known) => {
                let mut known = known.clone();
                if let Some(packs) = self.shipped.variable(name) {
                    known.assume = known.assume.or_else(|| packs.assume.clone());
                    known.runs = packs.runs.or(known.runs);
                }
                Some(Rc::new(known))
            }
        }
    }

    /// All that is known about variables, the layers' before the packs'.
    pub fn variables(&self) -> impl Iterator<Item = Rc<Variable>> {
        self.files
            .iter()
            .flat_map(|file| file.content.variables.iter().cloned().map(Rc::new))
            .chain(self.shipped.variables())
    }

    /// The environments that are told apart.
    #[must_use]
    pub fn environments(&self) -> &[Environment] {
        self.environments.get_or_init(|| {
            let layered = self
                .files
                .iter()
                .flat_map(|file| &file.content.environments);
            let mut all: Vec<Environment> = compiled::environments().collect();
            for more in layered {
                match all.iter_mut().find(|one| one.name == more.name) {
                    Some(known) => known.add(more),
                    None => all.push(more.clone()),
                }
            }
            all
        })
    }

    /// What everything that is started gets as its credentials: an administrator's word is the last.
    #[must_use]
    pub fn credentials(&self) -> Vec<&Credentials> {
        let of = |layer: Layer| {
            let files = self.files.iter().filter(move |file| file.layer == layer);
            files.filter_map(|file| file.content.credentials.as_ref())
        };
        of(Layer::User).chain(of(Layer::System)).collect()
    }

    /// The budgets in force: of what an administrator and the user say the least, else the usual; a project, and
    /// whatever nobody trusts, only lowers it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let [
            deleted_files,
            deleted_bytes,
            overwritten_files,
            destroyed_resources,
        ] = self.budgets().map(|budget| budget.most);
        Limits {
            deleted_files,
            deleted_bytes,
            overwritten_files,
            destroyed_resources,
        }
    }

    /// The same, each with where it is set, in the order of [`Limits`].
    #[must_use]
    pub fn budgets(&self) -> [BudgetInForce<'_>; 4] {
        [
            self.least("deleted-files", &|one| one.deleted_files),
            self.least("deleted-bytes", &|one| bytes(one.deleted_bytes.as_ref()?)),
            self.least("overwritten-files", &|one| one.overwritten_files),
            self.least("destroyed-resources", &|one| one.destroyed_resources),
        ]
    }

    /// One of the budgets in force.
    fn least(&self, key: &'static str, of: &dyn Fn(&Budget) -> Option<u64>) -> BudgetInForce<'_> {
        let said = |may_raise: bool| {
            let files = self.files.iter().filter(|one| one.may_raise == may_raise);
            let budgets = files.filter_map(|file| {
                Some(BudgetInForce {
                    key,
                    most: of(file.content.budget.as_ref()?)?,
                    layer: file.layer,
                    file: Some(&file.path),
                })
            });
            budgets.min_by_key(|budget| budget.most)
        };
        let usual = said(true).unwrap_or_else(|| BudgetInForce {
            key,
            // What the shipped packs do not limit is not limited.
            most: of(&compiled::budget()).unwrap_or(u64::MAX),
            layer: Layer::Pack,
            file: None,
        });
        match said(false) {
            Some(lower) if lower.most < usual.most => lower,
            _ => usual,
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.settings.get_or_init(|| {
            let mut settings = Settings::default();
            let layered = self
                .files
                .iter()
                .filter_map(|file| file.content.settings.as_ref());
            for more in layered {
                add_to_settings(&mut settings, more);
            }
            let shipped = compiled::settings();
            Settings {
                bash: settings.bash.or(shipped.bash),
                sh: settings.sh.or(shipped.sh),
                dry_run: settings.dry_run.or(shipped.dry_run),
                prompt_seconds: settings.prompt_seconds.or(shipped.prompt_seconds),
                broker: settings.broker.or(shipped.broker),
                unwatched_seconds: settings.unwatched_seconds.or(shipped.unwatched_seconds),
                terminals: settings.terminals.or(shipped.terminals),
                reviewer_command: settings.reviewer_command.or(shipped.reviewer_command),
                reviewers_directory: settings.reviewers_directory.or(shipped.reviewers_directory),
                operator_counts: settings.operator_counts.or(shipped.operator_counts),
                record: settings.record.or(shipped.record),
                exec_gate: settings.exec_gate.or(shipped.exec_gate),
                new_privileges: settings.new_privileges.or(shipped.new_privileges),
                known_copies: [shipped.known_copies, settings.known_copies].concat(),
                gains_privileges: [shipped.gains_privileges, settings.gains_privileges].concat(),
            }
        })
    }

    /// The exceptions that may lift the rule `id` of `layer`: those of its own layer, and, where a pack has it, of every
    /// layer. A layer that the agent could write never lifts what an administrator has said.
    #[must_use]
    pub fn exceptions(&self, layer: Layer, id: &str) -> Vec<Exception> {
        let mut exceptions = match layer {
            Layer::Pack => compiled::exceptions(id),
            Layer::System | Layer::User | Layer::Project => Vec::new(),
        };
        for file in &self.files {
            if layer == Layer::Pack || layer == file.layer {
                let here = file
                    .content
                    .exceptions
                    .iter()
                    .filter(|exception| exception.rule == id);
                exceptions.extend(here.cloned());
            }
        }
        exceptions
    }

    /// A regular expression of a rule, read once, and compiled once.
    ///
    /// # Errors
    ///
    /// That of the expression, which loading a layer has reported already.
    pub fn regex(&self, pattern: &str) -> Result<Rc<Expression>, regex::Error> {
        if let Some(known) = self.regexes.borrow().get(pattern) {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(Expression::read(pattern)?);
        self.regexes
            .borrow_mut()
            .insert(pattern.to_owned(), Rc::clone(&read));
        Ok(read)
    }
}

impl Classes for Policy {
    fn class(&self, name: &str) -> Option<&Class> {
        if self
            .files
            .iter()
            .all(|file| file.content.classes.is_empty())
        {
            return self.shipped.class(name);
        }
        let classes = self.classes();
        let place = classes
            .binary_search_by(|class| class.paths().name.as_str().cmp(name))
            .ok()?;
        classes.get(place)
    }
}

impl Patterns for Policy {
    fn is_match(&self, pattern: &str, text: &str) -> bool {
        self.regex(pattern)
            .map_or(true, |regex| regex.is_match(text))
    }
}

/// The traits of an action that [`index::needs`] asks for.
fn traits(action: &Action, described: bool) -> u32 {
    let has = |has: bool, trait_bit: u32| if has { trait_bit } else { 0 };
    let redirects = |usage: FileUse| {
        action
            .redirections
            .iter()
            .any(|redirection| redirection.usage == usage)
    };
    has(!action.arguments.is_empty(), index::ARGUMENTS)
        | has(redirects(FileUse::Write), index::WRITES)
        | has(redirects(FileUse::Append), index::APPENDS)
        | has(redirects(FileUse::Read), index::READS)
        | has(!action.environment.is_empty(), index::ENVIRONMENT)
        | has(!action.payloads.is_empty(), index::CODE)
        | has(action.input.is_some(), index::INPUT)
        | has(!action.via.is_empty(), index::VIA)
        | has(!action.fed_by.is_empty(), index::FED)
        | has(action.path.text.contains('/'), index::NAMED)
        | has(action.opacity != Opacity::Known, index::OPAQUE)
        | if action.elsewhere {
            index::ELSEWHERE
        } else {
            index::HERE
        }
        | if described {
            index::DESCRIBED
        } else {
            index::UNDESCRIBED
        }
}

/// Whether a match of a layer's rule can hold for an action, as [`Shipped::candidates`] tells for the
/// packs.
fn may_match(conditions: &Match, program: &str, traits: u32) -> bool {
    (conditions.program.is_empty() || any(&conditions.program, program))
        && index::needs(conditions) & !traits == 0
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| glob::matches(pattern, text))
}

/// What a layer says of a program that is described already: it adds, and takes nothing away.
fn add_to_program(first: &Program, more: &Program) -> Program {
    let Program {
        names: _,
        style: _,
        values,
        options,
        subcommands,
        after,
        synonyms,
        directory_options,
        by_name,
        sets,
        own,
        assignments,
        targets: _,
        target_options,
        walk,
        inert,
        runs,
        calls,
    } = more;
    let mut merged = first.clone();
    for (list, added) in [
        (&mut merged.values, values),
        (&mut merged.options, options),
        (&mut merged.directory_options, directory_options),
        (&mut merged.target_options, target_options),
        (&mut merged.walk, walk),
        (&mut merged.inert, inert),
        (&mut merged.sets, sets),
    ] {
        list.extend_from_slice(added);
    }
    for (subcommand, added) in after {
        let known = merged.after.entry(subcommand.clone()).or_default();
        known.values.extend_from_slice(&added.values);
        known.options.extend_from_slice(&added.options);
    }
    for (name, meaning) in synonyms {
        merged
            .synonyms
            .entry(name.clone())
            .or_insert_with(|| meaning.clone());
    }
    merged.runs.extend_from_slice(runs);
    merged.calls.extend_from_slice(calls);
    merged.subcommands = merged.subcommands.max(*subcommands);
    merged.own.extend_from_slice(own);
    merged.by_name |= by_name;
    merged.assignments |= assignments;
    merged
}

/// Where two layers set the same, the stricter wins: the earlier layer's shell and record, the dry
/// run, the shorter time, the exec gate.
fn add_to_settings(settings: &mut Settings, more: &Settings) {
    let keep = |first: &mut Option<String>, second: &Option<String>| {
        if first.is_none() {
            first.clone_from(second);
        }
    };
    keep(&mut settings.bash, &more.bash);
    keep(&mut settings.sh, &more.sh);
    keep(&mut settings.record, &more.record);
    keep(&mut settings.reviewers_directory, &more.reviewers_directory);
    settings.operator_counts = match (settings.operator_counts, more.operator_counts) {
        (Some(first), Some(second)) => Some(first && second),
        (first, second) => first.or(second),
    };
    if settings.reviewer_command.is_none() {
        settings.reviewer_command.clone_from(&more.reviewer_command);
    }
    settings.dry_run = match (settings.dry_run, more.dry_run) {
        (Some(first), Some(second)) => Some(first || second),
        (first, second) => first.or(second),
    };
    settings.prompt_seconds = match (settings.prompt_seconds, more.prompt_seconds) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (first, second) => first.or(second),
    };
    settings.broker = match (settings.broker, more.broker) {
        (Some(first), Some(second)) => Some(first && second),
        (first, second) => first.or(second),
    };
    settings.unwatched_seconds = match (settings.unwatched_seconds, more.unwatched_seconds) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (first, second) => first.or(second),
    };
    settings.terminals = match (settings.terminals, more.terminals) {
        (Some(first), Some(second)) => Some(first.max(second)),
        (first, second) => first.or(second),
    };
    settings.exec_gate = match (settings.exec_gate, more.exec_gate) {
        (Some(first), Some(second)) => Some(first.max(second)),
        (first, second) => first.or(second),
    };
    settings.new_privileges = match (settings.new_privileges, more.new_privileges) {
        (Some(first), Some(second)) => Some(first && second),
        (first, second) => first.or(second),
    };
    settings.known_copies.extend_from_slice(&more.known_copies);
    settings
        .gains_privileges
        .extend_from_slice(&more.gains_privileges);
}

#[cfg(test)]
mod tests {
    use super::super::schema::Targets;
    use super::*;

    #[test]
    fn a_regular_expression_that_does_not_compile_matches_everything() {
        let policy = Policy::shipped();
        assert!(policy.is_match("(", "anything"));
        assert!(policy.is_match("(a{1000}){1000}", "anything"));
        assert!(!policy.is_match("a", "b"));
    }

    #[test]
    fn what_is_added_to_a_program_takes_nothing_away() {
        let first = Program {
            names: vec!["x".to_owned()],
            values: vec!["-a".to_owned()],
            subcommands: 2,
            synonyms: [("rm".to_owned(), "delete".to_owned())].into(),
            ..Program::default()
        };
        let more = Program {
            values: vec!["-b".to_owned()],
            subcommands: 1,
            synonyms: [("rm".to_owned(), "list".to_owned())].into(),
            targets: Targets::None,
            ..Program::default()
        };
        let expected = Program {
            values: vec!["-a".to_owned(), "-b".to_owned()],
            ..first.clone()
        };
        assert_eq!(add_to_program(&first, &more), expected);
    }
}
