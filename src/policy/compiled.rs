//! The shipped packs, as `build.rs` compiled them: static tables that find records by name, and
//! records that are decoded when they are first asked for.
//!
//! Starting does nothing here. Nothing of this reads a file.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use super::glob;
use super::schema::{
    Budget, Environment, Exception, Match, PathClass, PolicyFile, Program, Rule, Settings, Variable,
};
use super::sieve::Class;
use super::words::Found;
use crate::action::Action;

include!(concat!(env!("OUT_DIR"), "/packs.rs"));

static RECORDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/packs.bin"));

/// Where a record is in [`RECORDS`].
struct Record {
    at: usize,
    length: usize,
}

/// What is known of one match of a rule without its record.
struct Conditions {
    /// The rule's number.
    rule: u16,
    /// The traits that an action must have.
    needs: u32,
    /// The numbers of words in [`LITERALS`], sorted: an argument must be one of them or match one of `globs`, where
    /// there are any.
    literals: &'static [u16],
    /// The numbers of patterns in [`GLOBS`]. As all patterns here they have no alternatives.
    globs: &'static [u16],
    /// Patterns of the programs, where they are not found by name; empty is every program.
    programs: &'static [&'static str],
    /// Patterns of other programs.
    not: &'static [&'static str],
    /// The match itself.
    record: Record,
}

impl Conditions {
    /// Whether one of the arguments is a word that must stand there.
    fn finds_word(&self, found: &Found<'_>) -> bool {
        self.literals.is_empty() && self.globs.is_empty()
            || found.has_one_of(self.literals)
            || found.matches_one_of(self.globs)
    }
}

/// The texts of a pack, for the verbs that list, lint and test.
pub struct PackText {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its `policy.toml`, from the root of the repository.
    pub path: &'static str,
    /// The text of that.
    pub text: &'static str,
    /// The path and the text of its `cases.toml`.
    pub cases: Option<(&'static str, &'static str)>,
}

/// All shipped packs, by name; `default` is `policies/default.toml`.
#[must_use]
pub fn packs() -> &'static [PackText] {
    PACKS
}

/// All shipped rules as their packs write them, by id. The texts of the packs are read for it, once.
#[must_use]
pub fn rules() -> &'static [Rule] {
    static WRITTEN: OnceLock<Vec<Rule>> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let files = PACKS
            .iter()
            .map(|pack| match toml::from_str::<PolicyFile>(pack.text) {
                Ok(file) => file,
                // `build.rs` has read the same text with the same schema.
                Err(_) => std::process::abort(),
            });
        let mut rules: Vec<Rule> = files.flat_map(|file| file.rules).collect();
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        rules
    })
}

/// The ids of all shipped rules, sorted.
pub fn rule_ids() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(id, _)| *id)
}

/// Whether a shipped rule has this id.
#[must_use]
pub fn has_rule(id: &str) -> bool {
    find(RULES, id).is_some()
}

/// The names of all shipped classes, sorted.
pub fn class_names() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|(name, _)| *name)
}

/// Whether the shipped packs have a class of this name.
#[must_use]
pub fn has_class(name: &str) -> bool {
    find(CLASSES, name).is_some()
}

/// The names of all shipped environments, sorted.
pub fn environment_names() -> impl Iterator<Item = &'static str> {
    ENVIRONMENTS.iter().map(|(name, _)| *name)
}

/// Whether the shipped packs have an environment of this name.
#[must_use]
pub fn has_environment(name: &str) -> bool {
    find(ENVIRONMENTS, name).is_some()
}

/// The shipped environments.
pub fn environments() -> impl Iterator<Item = Environment> {
    ENVIRONMENTS.iter().map(|(_, record)| decode(record))
}

/// The settings of `default.toml`.
#[must_use]
pub fn settings() -> Settings {
    decode(&SETTINGS)
}

/// The budget of `default.toml`.
#[must_use]
pub fn budget() -> Budget {
    decode(&BUDGET)
}

/// The shipped class of this name.
#[must_use]
pub fn class(name: &str) -> Option<PathClass> {
    find(CLASSES, name).map(decode)
}

/// The shipped exceptions from a rule.
#[must_use]
pub fn exceptions(rule: &str) -> Vec<Exception> {
    let first = EXCEPTIONS.partition_point(|(name, _)| *name < rule);
    EXCEPTIONS
        .iter()
        .skip(first)
        .take_while(|(name, _)| *name == rule)
        .map(|(_, record)| decode(record))
        .collect()
}

/// The decoded records.
#[derive(Default)]
pub struct Shipped {
    rules: Cells<Rule>,
    matches: Cells<Match>,
    programs: Cells<Program>,
    variables: Cells<Variable>,
    classes: Cells<Class>,
    of_programs: RefCell<BTreeMap<String, Vec<OfProgram>>>,
    /// The numbers of programs by names that were looked for; none of what no record is about.
    found: RefCell<HashMap<String, Option<usize>>>,
}

/// Which matches can be about a program whose actions have these traits, sorted.
type OfProgram = (u32, Rc<[u16]>);

/// Of how many names of programs that is remembered.
const MOST_PROGRAMS: usize = 512;

impl Shipped {
    /// The description of a program: by its name, else by the longest pattern that matches it.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<Rc<Program>> {
        let known = self.found.borrow().get(name).copied();
        let number = known.unwrap_or_else(|| {
            let number = by_name(PROGRAMS_BY_NAME, PROGRAMS_BY_PATTERN, name);
            let mut found = self.found.borrow_mut();
            if found.len() >= MOST_PROGRAMS {
                found.clear();
            }
            found.insert(name.to_owned(), number);
            number
        })?;
        self.programs.get(PROGRAMS, number).cloned()
    }

    /// The class of this name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Class> {
        let number = CLASSES
            .binary_search_by(|(other, _)| (*other).cmp(name))
            .ok()?;
        self.classes.get(CLASSES, number).map(Rc::as_ref)
    }

    /// What is known about a variable: by its name, else by the longest pattern that matches it.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Rc<Variable>> {
        let number = by_name(VARIABLES_BY_NAME, VARIABLES_BY_PATTERN, name)?;
        self.variables.get(VARIABLES, number).cloned()
    }

    /// All that is known about variables.
    pub fn variables(&self) -> impl Iterator<Item = Rc<Variable>> {
        (0..VARIABLES.len()).filter_map(|number| self.variables.get(VARIABLES, number).cloned())
    }

    /// A rule by its number. Its matches are there only where it has `followed-by`.
    #[must_use]
    pub fn rule(&self, number: u16) -> &Rule {
        let rule = self.rules.get(RULES, usize::from(number));
        // Numbers come from the same tables: anything else is a damaged binary, as in `decode`.
        rule.map_or_else(|| std::process::abort(), Rc::as_ref)
    }

    /// The matches that can hold for an action with these traits, each with the number of its rule, in
    /// the order of the rules. `synonyms_known` says that no layer has other names for subcommands
    /// than the packs.
    pub fn candidates(
        &self,
        action: &Action,
        traits: u32,
        synonyms_known: bool,
    ) -> impl Iterator<Item = (u16, &Match)> {
        let found = Found::among(&action.arguments, LITERALS, GLOBS);
        let numbers = self.of_program(&action.program, traits);
        (0..numbers.len()).filter_map(move |place| {
            let number = usize::from(*numbers.get(place)?);
            let one = MATCHES.get(number)?;
            let may_be = !synonyms_known || one.finds_word(&found);
            may_be.then_some((one.rule, self.matches.get(MATCHES, number)?.as_ref()))
        })
    }

    /// The matches that can be about a program whose action has these traits, in the order of the rules.
    fn of_program(&self, program: &str, traits: u32) -> Rc<[u16]> {
        let mut known = self.of_programs.borrow_mut();
        let found = known.get(program).into_iter().flatten();
        if let Some((_, numbers)) = found.into_iter().find(|(of, _)| *of == traits) {
            return Rc::clone(numbers);
        }
        let may_be = |number: &&u16, is_named: bool| {
            MATCHES.get(usize::from(**number)).is_some_and(|one| {
                one.needs & !traits == 0
                    && (is_named || one.programs.is_empty() || any(one.programs, program))
                    && !any(one.not, program)
            })
        };
        let general = GENERAL.iter().filter(|number| may_be(number, false));
        let named = find(MATCHES_BY_PROGRAM, program)
            .copied()
            .unwrap_or_default();
        let named = named.iter().filter(|number| may_be(number, true));
        let mut numbers: Vec<u16> = general.chain(named).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Rc<[u16]> = numbers.into();
        if known.len() >= MOST_PROGRAMS {
            known.clear();
        }
        let of_it = known.entry(program.to_owned()).or_default();
        of_it.push((traits, Rc::clone(&numbers)));
        numbers
    }
}

/// Records of one table, each decoded once.
struct Cells<T>(OnceCell<Box<[OnceCell<Rc<T>>]>>);

impl<T> Default for Cells<T> {
    fn default() -> Self {
        Self(OnceCell::new())
    }
}

impl<T: DeserializeOwned> Cells<T> {
    fn get<R: Recorded>(&self, table: &[R], number: usize) -> Option<&Rc<T>> {
        let cells = self
            .0
            .get_or_init(|| table.iter().map(|_| OnceCell::new()).collect());
        let record = table.get(number)?.record();
        Some(cells.get(number)?.get_or_init(|| Rc::new(decode(record))))
    }
}

/// An entry of a table that tells where its record is.
trait Recorded {
    fn record(&self) -> &Record;
}

impl Recorded for (&str, Record) {
    fn record(&self) -> &Record {
        &self.1
    }
}

impl Recorded for Conditions {
    fn record(&self) -> &Record {
        &self.record
    }
}

fn any(patterns: &[&str], text: &str) -> bool {
    patterns.iter().any(|pattern| glob::is_one(pattern, text))
}

fn find<'t, T>(table: &'t [(&str, T)], name: &str) -> Option<&'t T> {
    let place = table
        .binary_search_by(|(other, _)| (*other).cmp(name))
        .ok()?;
    table.get(place).map(|(_, value)| value)
}

fn by_name(names: &[(&str, &[u16])], patterns: &[(&str, u16)], name: &str) -> Option<usize> {
    let exact = find(names, name).and_then(|numbers| numbers.first());
    let number = exact.or_else(|| {
        patterns
            .iter()
            .find(|(pattern, _)| glob::matches(pattern, name))
            .map(|(_, number)| number)
    });
    number.map(|&number| usize::from(number))
}

/// Decodes a record that `build.rs` wrote with the same schema.
///
/// A record that does not decode means a damaged binary, which must judge nothing: it aborts.
fn decode<T: DeserializeOwned>(record: &Record) -> T {
    let bytes = record
        .at
        .checked_add(record.length)
        .and_then(|end| RECORDS.get(record.at..end));
    match bytes.map(postcard::from_bytes) {
        Some(Ok(value)) => value,
        Some(Err(_)) | None => std::process::abort(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_decodes() {
        let shipped = Shipped::default();
        for number in 0..RULES.len() {
            let rule = shipped.rule(u16::try_from(number).unwrap());
            assert!(!rule.reason.is_empty());
        }
        for number in 0..MATCHES.len() {
            assert!(shipped.matches.get(MATCHES, number).is_some());
        }
        assert_eq!(rules().len(), RULES.len());
        assert_eq!(shipped.variables().count(), VARIABLES.len());
        for number in 0..PROGRAMS.len() {
            assert!(shipped.programs.get(PROGRAMS, number).is_some());
        }
        for (name, _) in CLASSES {
            assert_eq!(class(name).unwrap().name, *name);
        }
        for (rule, _) in EXCEPTIONS {
            assert!(!exceptions(rule).is_empty());
        }
        for one in environments() {
            assert!(has_environment(&one.name));
        }
        assert_eq!(settings().bash.as_deref(), Some("/bin/bash"));
        assert!(budget().deleted_files.is_some());
    }
}
