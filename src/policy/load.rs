//! From the text of policy files to their content, or to everything that is wrong with them.
//!
//! A file is read in three steps, each of which goes on after a mistake so that all are told at once:
//! the TOML, the keys and types of the schema, and what the content means (`check`). A file with a
//! mistake has no content: nothing is ever taken from a part of it.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::Layer;
pub use super::check::Depth;
use super::check::{self, Known};
use super::error::{PolicyError, PolicyErrors};
use super::schema::PolicyFile;
use super::shape::{Table, nearest};

/// How many mistakes in the TOML itself are told; what follows them is rarely one.
const SYNTAX_ERRORS: usize = 3;

/// The text of a policy file.
#[derive(Clone, Debug)]
pub struct Text {
    /// The layer that it belongs to.
    pub layer: Layer,
    /// The file as a person knows it.
    pub file: String,
    /// Its content.
    pub text: String,
}

/// A file that was read: what is well-formed in it, and the places of it all.
pub(super) struct Parsed<'t> {
    pub(super) source: &'t Text,
    pub(super) tree: Spanned<DeTable<'t>>,
    /// The values, each at its place in its list; what was not well-formed is its default.
    pub(super) content: PolicyFile,
    pub(super) errors: Vec<PolicyError>,
    /// The keys and places of what was not well-formed; nothing more is said about it.
    broken: Vec<(String, usize)>,
}

/// Reads files that are in force together, over the shipped packs.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn files(texts: &[Text], depth: Depth) -> Result<Vec<PolicyFile>, PolicyErrors> {
    together(texts, &Known::shipped(), depth)
}

/// Reads the shipped packs from their text; no other rule is known.
///
/// # Errors
///
/// Everything that is wrong with them.
pub fn packs(texts: &[Text]) -> Result<Vec<PolicyFile>, PolicyErrors> {
    together(texts, &Known::nothing(), Depth::Whole)
}

fn together(texts: &[Text], known: &Known, depth: Depth) -> Result<Vec<PolicyFile>, PolicyErrors> {
    let mut parsed: Vec<Parsed<'_>> = texts.iter().map(parse).collect();
    check::all(&mut parsed, known, depth);
    let mut errors = Vec::new();
    let mut contents = Vec::new();
    for mut file in parsed {
        file.errors.sort_by_key(|error| (error.line, error.column));
        errors.append(&mut file.errors);
        contents.push(file.content);
    }
    if errors.is_empty() {
        Ok(contents)
    } else {
        Err(PolicyErrors(errors))
    }
}

/// Reads the TOML and its shape.
fn parse(source: &Text) -> Parsed<'_> {
    let (tree, mistakes) = DeTable::parse_recoverable(&source.text);
    let mut parsed = Parsed {
        source,
        tree,
        content: PolicyFile::default(),
        errors: Vec::new(),
        broken: Vec::new(),
    };
    for mistake in mistakes.iter().take(SYNTAX_ERRORS) {
        let error = parsed.told(mistake, 0..0);
        parsed.errors.push(error);
    }
    if parsed.errors.is_empty() {
        parsed.shape();
    }
    parsed
}

impl<'t> Parsed<'t> {
    /// Notes a mistake at a place, with a way to mend it.
    pub(super) fn hinted(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let error = self.mistake(span, message).hinted(hint);
        self.errors.push(error);
    }

    fn mistake(&self, span: Range<usize>, message: impl Into<String>) -> PolicyError {
        PolicyError::at(&self.source.file, &self.source.text, span, message.into())
    }

    /// What the TOML library says; `near` is where to show it if it does not tell.
    fn told(&self, error: &toml::de::Error, near: Range<usize>) -> PolicyError {
        let told = error.message();
        let mut lines = told.lines();
        let message = lines.next().unwrap_or("not TOML").trim_end_matches('.');
        let message = message
            .replace("a sequence", "a list")
            .replace("u8", "0 to 255");
        let mistake = self.mistake(error.span().unwrap_or(near), message);
        let mut hint = lines.collect::<Vec<_>>().join(", ");
        // `unknown variant `dney`, expected one of `allow`, `confirm`, `deny``
        if let Some((unknown, expected)) = told
            .strip_prefix("unknown variant `")
            .and_then(|rest| rest.split_once('`'))
            && let Some(meant) = nearest(unknown, expected.split('`').skip(1).step_by(2))
        {
            hint = format!("did you mean `{meant}`?");
        } else if let Some(field) = told.strip_prefix("missing field ") {
            hint = format!("add {field}; docs/policy.md says what it is for");
        } else if let Some(single) = told.strip_prefix("invalid type: string ")
            && let Some(single) = single.strip_suffix(", expected a sequence")
        {
            hint = format!("put it into a list: `[{single}]`");
        }
        if hint.is_empty() {
            mistake
        } else {
            mistake.hinted(hint)
        }
    }

    /// The place of a value: see [`Places::place`].
    pub(super) fn place(&self, steps: &[Step<'_>]) -> Range<usize> {
        place(&self.tree, steps)
    }

    /// Reads the tables into the content; unknown keys and wrong types are noted.
    fn shape(&mut self) {
        let mut tree = self.tree.get_ref().clone();
        self.known_keys(&mut tree, Table::File);
        for (key, value) in tree {
            match key.get_ref().as_ref() {
                "pack" => self.content.pack = self.read(value),
                "settings" => self.content.settings = self.read(value),
                "budget" => self.content.budget = self.read(value),
                "credentials" => self.content.credentials = self.read(value),
                "environment" => self.content.environments = self.list(value, "environment"),
                "class" => self.content.classes = self.list(value, "class"),
                "variable" => self.content.variables = self.list(value, "variable"),
                "program" => self.content.programs = self.list(value, "program"),
                "rule" => self.content.rules = self.list(value, "rule"),
                "exception" => self.content.exceptions = self.list(value, "exception"),
                _ => {}
            }
        }
    }

    /// Notes the keys that a table does not have, and takes them out.
    fn known_keys(&mut self, tree: &mut DeTable<'t>, table: Table) {
        let keys = table.keys();
        let unknown: Vec<_> = tree
            .keys()
            .filter(|key| !keys.contains(&key.get_ref().as_ref()))
            .cloned()
            .collect();
        for key in unknown {
            let name = key.get_ref().as_ref();
            let hint = match nearest(name, keys.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", quoted(keys)),
            };
            self.hinted(key.span(), format!("unknown key `{name}`"), hint);
            tree.remove(name);
        }
        for (key, value) in tree.iter_mut() {
            let Some(below) = table.below(key.get_ref()) else {
                continue;
            };
            match value.get_mut() {
                DeValue::Table(inner) => self.known_keys(inner, below),
                DeValue::Array(list) => {
                    for value in list.iter_mut() {
                        if let DeValue::Table(inner) = value.get_mut() {
                            self.known_keys(inner, below);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn read<T: DeserializeOwned>(&mut self, value: Spanned<DeValue<'t>>) -> Option<T> {
        let place = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                let error = self.told(&error, place);
                self.errors.push(error);
                None
            }
        }
    }

    fn list<T: DeserializeOwned + Default>(
        &mut self,
        value: Spanned<DeValue<'t>>,
        key: &str,
    ) -> Vec<T> {
        let place = value.span();
        match value.into_inner() {
            DeValue::Array(list) => {
                let mut values = Vec::new();
                for (number, value) in list.into_iter().enumerate() {
                    values.push(self.read(value).unwrap_or_else(|| {
                        self.broken.push((key.to_owned(), number));
                        T::default()
                    }));
                }
                values
            }
            _ => {
                self.hinted(
                    place,
                    format!("`{key}` is a list of tables"),
                    format!("begin each with `[[{key}]]`"),
                );
                Vec::new()
            }
        }
    }

    /// Whether a table of a list was well-formed.
    pub(super) fn is_sound(&self, key: &str, number: usize) -> bool {
        !self
            .broken
            .iter()
            .any(|(broken, at)| broken == key && *at == number)
    }
}

/// The places of the values of a text.
pub(super) struct Places<'t>(Spanned<DeTable<'t>>);

impl<'t> Places<'t> {
    /// Those of a text.
    pub(super) fn of(text: &'t Text) -> Self {
        Self(DeTable::parse_recoverable(&text.text).0)
    }

    /// The place of a value, by the keys and the numbers that lead to it; that of the nearest thing
    /// around it where it is not written.
    pub(super) fn place(&self, steps: &[Step<'_>]) -> Range<usize> {
        place(&self.0, steps)
    }
}

fn place<'t>(tree: &Spanned<DeTable<'t>>, steps: &[Step<'_>]) -> Range<usize> {
    let mut place = tree.span();
    let mut table: Option<&DeTable<'t>> = Some(tree.get_ref());
    let mut list: Option<&DeArray<'t>> = None;
    for step in steps {
        let found = match step {
            Step::Key(key) => table.and_then(|table| table.get(*key)),
            Step::Number(number) => list.and_then(|list| list.get(*number)),
        };
        let Some(found) = found else { break };
        place = found.span();
        table = found.get_ref().as_table();
        list = found.get_ref().as_array();
    }
    place
}

/// A step from a table or list to what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'k> {
    /// The value of a key.
    Key(&'k str),
    /// The value at a place of a list, from 0.
    Number(usize),
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
