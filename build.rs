//! Compiles `policies/` into the binary: each program, rule, class and variable as a postcard record,
//! and sorted tables that find the records by name. Starting then parses nothing.
//!
//! Only the schema, the ids and the names are checked here; regular expressions, examples and cases
//! are checked by the tests and by `kibosh policy lint`.

#[path = "src/policy/glob.rs"]
mod glob;
#[path = "src/policy/index.rs"]
mod index;
#[path = "src/policy/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use schema::{
    Budget, Environment, Examples, Exception, Match, PathClass, PolicyFile, Program, Rule,
    Settings, Variable,
};

fn main() -> ExitCode {
    order_functions();
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistakes) => {
            for mistake in mistakes {
                println!("cargo::error={}", mistake.trim_end().replace('\n', "%0A  "));
            }
            ExitCode::FAILURE
        }
    }
}

/// Tells the linker which functions to put side by side, for the binary that is shipped
/// (docs/decisions/0002-static-musl.md).
fn order_functions() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let libc = env::var("CARGO_CFG_TARGET_ENV").unwrap_or_default();
    println!("cargo::rerun-if-changed=src/sys/hot.ld");
    if libc == "musl" {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/src/sys/hot.ld");
    }
}

/// One file below `policies/`.
struct Source {
    pack: String,
    path: PathBuf,
    text: String,
    cases: Option<PathBuf>,
    file: PolicyFile,
}

fn compile() -> Result<(), Vec<String>> {
    let sources = read(Path::new("policies"))?;
    check(&sources)?;
    let mut tables = Tables::default();
    tables.fill(&sources).map_err(|error| vec![error])?;
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|error| vec![error.to_string()])?);
    let written = fs::write(out.join("packs.bin"), &tables.records)
        .and_then(|()| fs::write(out.join("packs.rs"), &tables.code));
    written.map_err(|error| vec![format!("cannot write to `{}`: {error}", out.display())])
}

/// Reads `default.toml` and every pack, in the order of their names.
fn read(folder: &Path) -> Result<Vec<Source>, Vec<String>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = vec![("default".to_owned(), folder.join("default.toml"))];
    let listing =
        fs::read_dir(folder).map_err(|error| vec![format!("{}: {error}", folder.display())])?;
    for entry in listing {
        let path = entry.map_err(|error| vec![error.to_string()])?.path();
        let pack = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if path.is_dir() {
            files.push((pack, path.join("policy.toml")));
        }
    }
    files.sort();
    let mut sources = Vec::new();
    let mut mistakes = Vec::new();
    for (pack, path) in files {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                mistakes.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let cases = Some(path.with_file_name("cases.toml")).filter(|path| path.exists());
        match toml::from_str(&text) {
            Ok(file) => sources.push(Source {
                pack,
                path,
                text,
                cases,
                file,
            }),
            Err(error) => {
                let (line, column) = error.span().map_or((1, 1), |span| place(&text, span.start));
                mistakes.push(format!("{}:{line}:{column}: {error}", path.display()));
            }
        }
    }
    if mistakes.is_empty() {
        Ok(sources)
    } else {
        Err(mistakes)
    }
}

/// The line and column of a byte of a text, from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (line, column)
}

/// The place of a text in a file, for a mistake that has no span.
fn place_of(source: &Source, wanted: &str) -> String {
    let at = source
        .text
        .find(&format!("\"{wanted}\""))
        .unwrap_or_default();
    let (line, column) = place(&source.text, at);
    format!("{}:{line}:{column}", source.path.display())
}

/// Checks what a tool that knows all packs must check: names and ids.
fn check(sources: &[Source]) -> Result<(), Vec<String>> {
    let mut mistakes = Vec::new();
    let mut rules: BTreeMap<&str, &str> = BTreeMap::new();
    let mut programs: BTreeMap<&str, &str> = BTreeMap::new();
    for source in sources {
        let here = |wanted: &str| place_of(source, wanted);
        if source.pack != "default" {
            match &source.file.pack {
                Some(head) if head.name == source.pack => {}
                _ => mistakes.push(format!(
                    "{}: the file must hold `[pack]` with `name = \"{}\"`, as its folder is called",
                    here("name"),
                    source.pack
                )),
            }
            if source.file.credentials.is_some() {
                mistakes.push(format!(
                    "{}: a pack sets no credentials",
                    here("credentials")
                ));
            }
            if source.file.budget.is_some() {
                mistakes.push(format!(
                    "{}: only `default.toml` has a budget",
                    here("budget")
                ));
            }
            if source.file.settings.is_some() {
                mistakes.push(format!(
                    "{}: only `default.toml` has settings",
                    here("settings")
                ));
            }
        }
        for rule in &source.file.rules {
            let id = rule.id.as_str();
            if !id
                .strip_prefix(source.pack.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
            {
                mistakes.push(format!(
                    "{}: the id `{id}` must begin with the pack's name: `{}.`",
                    here(id),
                    source.pack
                ));
            }
            if let Some(pack) = rules.insert(id, &source.pack) {
                mistakes.push(format!(
                    "{}: `{id}` stands twice, also in `{pack}`",
                    here(id)
                ));
            }
        }
        for name in source
            .file
            .programs
            .iter()
            .flat_map(|program| &program.names)
        {
            if let Some(pack) = programs.insert(name, &source.pack) {
                mistakes.push(format!(
                    "{}: the program `{name}` is described twice, also in `{pack}`",
                    here(name)
                ));
            }
        }
    }
    let known = rules;
    for source in sources {
        for exception in &source.file.exceptions {
            if !known.contains_key(exception.rule.as_str()) {
                mistakes.push(format!(
                    "{}: no pack has the rule `{}`",
                    place_of(source, &exception.rule),
                    exception.rule
                ));
            }
        }
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}

/// What must stand among the arguments for `conditions` to hold, with the other names that the
/// programs it can be about have for their subcommands.
fn words<'s>(conditions: &'s Match, sources: &'s [Source]) -> Vec<&'s str> {
    let mut words = index::words(conditions);
    let is_meant = |program: &&Program| {
        index::patterns(conditions).is_some()
            || index::names(conditions).any(|name| {
                program
                    .names
                    .iter()
                    .any(|pattern| glob::matches(pattern, name))
            })
    };
    let programs = sources
        .iter()
        .flat_map(|source| &source.file.programs)
        .filter(is_meant);
    let synonyms: Vec<&str> = programs
        .flat_map(|program| &program.synonyms)
        .filter(|(_, meaning)| words.iter().any(|word| glob::matches(word, meaning)))
        .map(|(name, _)| name.as_str())
        .collect();
    words.extend(synonyms);
    let mut words: Vec<&str> = words.iter().flat_map(|word| word.split('|')).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The records, and the Rust source of the tables over them.
#[derive(Default)]
struct Tables {
    records: Vec<u8>,
    code: String,
}

impl Tables {
    fn fill(&mut self, sources: &[Source]) -> Result<(), String> {
        self.packs(sources)?;
        self.rules(sources)?;
        self.programs(sources)?;
        self.classes(sources)?;
        self.variables(sources)?;
        self.environments(sources)?;
        self.exceptions(sources)?;
        let settings: Settings = sources
            .iter()
            .find_map(|source| source.file.settings.clone())
            .unwrap_or_default();
        let budget: Budget = sources
            .iter()
            .find_map(|source| source.file.budget.clone())
            .unwrap_or_default();
        let (at, length) = self.record(&budget)?;
        self.line(&format!(
            "static BUDGET: Record = Record {{ at: {at}, length: {length} }};"
        ));
        let (at, length) = self.record(&settings)?;
        let mut hasher = DefaultHasher::new();
        (&self.records, &self.code).hash(&mut hasher);
        let fingerprint = hasher.finish();
        self.line("/// Differs where the packs differ.");
        self.line(&format!("pub static FINGERPRINT: u64 = {fingerprint};"));
        self.line(&format!(
            "static SETTINGS: Record = Record {{ at: {at}, length: {length} }};"
        ));
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.code.push_str(line);
        self.code.push('\n');
    }

    /// Appends a record and says where it is.
    fn record<T: serde::Serialize>(&mut self, value: &T) -> Result<(usize, usize), String> {
        let bytes = postcard::to_allocvec(value).map_err(|error| error.to_string())?;
        let at = self.records.len();
        self.records.extend_from_slice(&bytes);
        Ok((at, bytes.len()))
    }

    /// A table of records under their names, in the order given.
    fn named<T: serde::Serialize>(
        &mut self,
        table: &str,
        values: &[(&str, T)],
    ) -> Result<(), String> {
        self.line(&format!("static {table}: &[(&str, Record)] = &["));
        for (name, value) in values {
            let (at, length) = self.record(value)?;
            self.line(&format!(
                "    ({name:?}, Record {{ at: {at}, length: {length} }}),"
            ));
        }
        self.line("];");
        Ok(())
    }

    /// A sorted table from names to the numbers of records.
    fn numbers(&mut self, table: &str, numbers: &BTreeMap<&str, Vec<usize>>) {
        self.line(&format!("static {table}: &[(&str, &[u16])] = &["));
        for (name, numbers) in numbers {
            self.line(&format!("    ({name:?}, &{numbers:?}),"));
        }
        self.line("];");
    }

    /// The texts of the packs, for the verbs that show or test them.
    fn packs(&mut self, sources: &[Source]) -> Result<(), String> {
        self.line("static PACKS: &[PackText] = &[");
        for source in sources {
            let absolute = |path: &Path| {
                path.canonicalize()
                    .map_err(|error| format!("{}: {error}", path.display()))
            };
            let mut entry = format!(
                "    PackText {{ name: {:?}, description: {:?}, path: {:?}, text: include_str!({:?}), cases: ",
                source.pack,
                source
                    .file
                    .pack
                    .as_ref()
                    .map_or("", |head| head.description.as_str()),
                source.path,
                absolute(&source.path)?,
            );
            let written = match &source.cases {
                Some(cases) => {
                    write!(
                        entry,
                        "Some(({cases:?}, include_str!({:?}))) }},",
                        absolute(cases)?
                    )
                }
                None => write!(entry, "None }},"),
            };
            written.map_err(|error| error.to_string())?;
            self.line(&entry);
        }
        self.line("];");
        Ok(())
    }

    fn rules(&mut self, sources: &[Source]) -> Result<(), String> {
        let mut rules: Vec<(&str, &Rule)> = sources
            .iter()
            .flat_map(|source| &source.file.rules)
            .map(|rule| (rule.id.as_str(), rule))
            .collect();
        rules.sort_by_key(|(id, _)| *id);
        // Examples are run from the texts of the packs, and each match is a record of its own.
        let bare = |rule: &Rule| Rule {
            examples: Examples::default(),
            matches: rule
                .matches
                .iter()
                .filter(|_| !rule.followed_by.is_empty())
                .cloned()
                .collect(),
            ..rule.clone()
        };
        let bare: Vec<(&str, Rule)> = rules.iter().map(|(id, rule)| (*id, bare(rule))).collect();
        self.named("RULES", &bare)?;
        let mut by_program: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut general = Vec::new();
        let matches = rules.iter().enumerate().flat_map(|(number, (_, rule))| {
            rule.matches
                .iter()
                .map(move |conditions| (number, conditions))
        });
        let matches: Vec<(usize, &Match)> = matches.collect();
        let words: Vec<Vec<&str>> = matches
            .iter()
            .map(|(_, conditions)| words(conditions, sources))
            .collect();
        let all: BTreeSet<&str> = words.iter().flatten().copied().collect();
        let (literals, globs): (Vec<&str>, Vec<&str>) =
            all.into_iter().partition(|word| glob::is_literal(word));
        let mut table = "static MATCHES: &[Conditions] = &[\n".to_owned();
        for (number, ((rule, conditions), words)) in matches.iter().zip(&words).enumerate() {
            for name in index::names(conditions) {
                by_program.entry(name).or_default().push(number);
            }
            let patterns = index::patterns(conditions);
            if patterns.is_some() {
                general.push(number);
            }
            let (at, length) = self.record(conditions)?;
            let numbers = |table: &[&str]| -> Vec<usize> {
                let numbers = words.iter().map(|word| table.binary_search(word));
                numbers.filter_map(Result::ok).collect()
            };
            let not: Vec<&str> = index::alternatives(&conditions.not_program).collect();
            table.push_str(&format!(
                "    Conditions {{ rule: {rule}, needs: {}, literals: &{:?}, globs: &{:?}, programs: &{:?}, \
                 not: &{:?}, \
                 record: Record {{ at: {at}, length: {length} }} }},\n",
                index::needs(conditions),
                numbers(&literals),
                numbers(&globs),
                patterns.unwrap_or_default(),
                not,
            ));
        }
        self.code.push_str(&table);
        self.line("];");
        self.line(&format!("static LITERALS: &[&str] = &{literals:?};"));
        self.line(&format!("static GLOBS: &[&str] = &{globs:?};"));
        self.line(&format!("static GENERAL: &[u16] = &{general:?};"));
        self.numbers("MATCHES_BY_PROGRAM", &by_program);
        Ok(())
    }

    fn programs(&mut self, sources: &[Source]) -> Result<(), String> {
        let programs: Vec<(&str, &Program)> = sources
            .iter()
            .flat_map(|source| &source.file.programs)
            .map(|program| (program.names.first().map_or("", String::as_str), program))
            .collect();
        self.named("PROGRAMS", &programs)?;
        let names = programs.iter().map(|(_, program)| program.names.as_slice());
        self.by_name("PROGRAMS", names);
        Ok(())
    }

    /// Two tables, of names and of patterns, to the numbers of records; the longest pattern first, as
    /// it says most.
    fn by_name<'a>(&mut self, table: &str, names: impl Iterator<Item = &'a [String]>) {
        let mut exact: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut patterns: Vec<(&str, usize)> = Vec::new();
        for (number, names) in names.enumerate() {
            for name in index::alternatives(names) {
                if glob::is_literal(name) {
                    exact.entry(name).or_default().push(number);
                } else {
                    patterns.push((name, number));
                }
            }
        }
        patterns.sort_by_key(|(pattern, _)| (std::cmp::Reverse(pattern.len()), *pattern));
        self.numbers(&format!("{table}_BY_NAME"), &exact);
        self.line(&format!(
            "static {table}_BY_PATTERN: &[(&str, u16)] = &{patterns:?};"
        ));
    }

    /// Classes; packs may add to one class, which is then one record.
    fn classes(&mut self, sources: &[Source]) -> Result<(), String> {
        let mut classes: BTreeMap<&str, PathClass> = BTreeMap::new();
        for class in sources.iter().flat_map(|source| &source.file.classes) {
            let merged = classes.entry(&class.name).or_default();
            merged.name.clone_from(&class.name);
            merged.add(class);
        }
        self.named("CLASSES", &classes.into_iter().collect::<Vec<_>>())
    }

    /// Environments; packs may add to one, which is then one record.
    fn environments(&mut self, sources: &[Source]) -> Result<(), String> {
        let mut environments: BTreeMap<&str, Environment> = BTreeMap::new();
        for one in sources.iter().flat_map(|source| &source.file.environments) {
            environments.entry(&one.name).or_default().add(one);
        }
        self.named(
            "ENVIRONMENTS",
            &environments.into_iter().collect::<Vec<_>>(),
        )
    }

    fn variables(&mut self, sources: &[Source]) -> Result<(), String> {
        let variables: Vec<(&str, &Variable)> = sources
            .iter()
            .flat_map(|source| &source.file.variables)
            .map(|variable| (variable.names.first().map_or("", String::as_str), variable))
            .collect();
        self.named("VARIABLES", &variables)?;
        let names = variables
            .iter()
            .map(|(_, variable)| variable.names.as_slice());
        self.by_name("VARIABLES", names);
        Ok(())
    }

    fn exceptions(&mut self, sources: &[Source]) -> Result<(), String> {
        let mut exceptions: Vec<(&str, &Exception)> = sources
            .iter()
            .flat_map(|source| &source.file.exceptions)
            .map(|exception| (exception.rule.as_str(), exception))
            .collect();
        exceptions.sort_by_key(|(rule, _)| *rule);
        self.named("EXCEPTIONS", &exceptions)
    }
}
