//! What is wrong with the meaning of a policy: names that nothing has, patterns that do not compile,
//! rules that say nothing.
//!
//! Everything is told at its place in the file. What is only doubtful is `lint`'s.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::Expression;
use super::load::{Parsed, Step};
use super::preview::{ARGUMENTS, COMMAND, PROGRAM, is_whole};
use super::schema::{
    Budget, Credentials, Effect, Environment, Exception, Loses, Match, PathClass, Program,
    Resource, Rule, Runs, Session, Settings, Signal,
};
use super::shape::nearest;
use super::size::bytes;
use super::{Layer, compiled, paths};

/// How thoroughly to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything.
    Whole,
    /// Not whether regular expressions compile, as the same files were found sound before. One that
    /// does not compile matches everything, so that this is never the weaker way.
    Seen,
}

/// What stands elsewhere and may be named.
#[derive(Clone, Debug, Default)]
pub struct Known {
    packs: bool,
    rules: BTreeMap<String, String>,
    classes: BTreeSet<String>,
    environments: BTreeSet<String>,
}

impl Known {
    /// The rules and classes of the shipped packs.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            packs: true,
            ..Self::default()
        }
    }

    /// Nothing: the files are all there is.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    fn has_rule(&self, id: &str) -> bool {
        self.rules.contains_key(id) || (self.packs && compiled::has_rule(id))
    }

    fn has_class(&self, name: &str) -> bool {
        paths::BUILT_IN.contains(&name)
            || self.classes.contains(name)
            || (self.packs && compiled::has_class(name))
    }

    fn has_environment(&self, name: &str) -> bool {
        self.environments.contains(name) || (self.packs && compiled::has_environment(name))
    }

    fn environments(&self) -> impl Iterator<Item = &str> {
        let packs = compiled::environment_names()
            .map(|name| -> &str { name })
            .filter(|_| self.packs);
        self.environments.iter().map(String::as_str).chain(packs)
    }

    fn rules(&self) -> impl Iterator<Item = &str> {
        let packs = compiled::rule_ids()
            .map(|id| -> &str { id })
            .filter(|_| self.packs);
        self.rules.keys().map(String::as_str).chain(packs)
    }

    fn classes(&self) -> impl Iterator<Item = &str> {
        let packs = compiled::class_names()
            .map(|name| -> &str { name })
            .filter(|_| self.packs);
        let built_in = paths::BUILT_IN.iter().map(|name| -> &str { name });
        self.classes
            .iter()
            .map(String::as_str)
            .chain(packs)
            .chain(built_in)
    }

    /// Notes a rule of a file; where one of the same id is, gives where.
    fn add_rule(&mut self, id: &str, file: &str) -> Option<String> {
        if self.packs && compiled::has_rule(id) {
            return Some("the shipped packs".to_owned());
        }
        let other = self.rules.insert(id.to_owned(), file.to_owned())?;
        Some(if other == file {
            "this file".to_owned()
        } else {
            format!("`{other}`")
        })
    }
}

/// Checks files that are in force together, and notes in each what is wrong with it.
pub(super) fn all(files: &mut [Parsed<'_>], known: &Known, depth: Depth) {
    let mut known = known.clone();
    for file in files.iter_mut() {
        known
            .classes
            .extend(file.content.classes.iter().map(|class| class.name.clone()));
        let environments = file.content.environments.iter();
        known
            .environments
            .extend(environments.map(|one| one.name.clone()));
        for number in 0..file.content.rules.len() {
            let Some(rule) = file
                .content
                .rules
                .get(number)
                .filter(|_| file.is_sound("rule", number))
            else {
                continue;
            };
            let id = rule.id.clone();
            if let Some(other) = known.add_rule(&id, &file.source.file) {
                let place = file.place(&[Step::Key("rule"), Step::Number(number), Step::Key("id")]);
                file.hinted(
                    place,
                    format!("`{id}` is already the id of a rule in {other}"),
                    "ids are unique; to lift a rule write an `[[exception]]`",
                );
            }
        }
    }
    for file in files {
        Check {
            file,
            known: &known,
            depth,
            at: Vec::new(),
        }
        .file();
    }
}

/// The check of one file, with the way to where it is.
struct Check<'f, 't, 'k> {
    file: &'f mut Parsed<'t>,
    known: &'k Known,
    depth: Depth,
    at: Vec<Step<'k>>,
}

impl<'k> Check<'_, '_, 'k> {
    fn file(&mut self) {
        let content = std::mem::take(&mut self.file.content);
        if let Some(settings) = &content.settings {
            self.within(Step::Key("settings"), |check| check.settings(settings));
        }
        if let Some(budget) = &content.budget {
            self.within(Step::Key("budget"), |check| check.budget(budget));
        }
        if let Some(credentials) = &content.credentials {
            self.within(Step::Key("credentials"), |check| {
                check.credentials(credentials);
            });
        }
        self.each("environment", &content.environments, Self::environment);
        self.each("class", &content.classes, Self::class);
        self.each("variable", &content.variables, |check, variable| {
            check.some(&variable.names, "names");
            check.globs("names", &variable.names);
        });
        self.each("program", &content.programs, Self::program);
        let pack = content.pack.as_ref().map(|pack| pack.name.as_str());
        self.each("rule", &content.rules, |check, rule| check.rule(rule, pack));
        self.each("exception", &content.exceptions, Self::exception);
        self.file.content = content;
    }

    /// Checks each well-formed table of a list.
    fn each<T>(&mut self, key: &'static str, values: &[T], check: impl Fn(&mut Self, &T)) {
        for (number, value) in values.iter().enumerate() {
            if self.at.is_empty() && !self.file.is_sound(key, number) {
                continue;
            }
            self.within(Step::Key(key), |inner| {
                inner.within(Step::Number(number), |inner| check(inner, value));
            });
        }
    }

    fn within(&mut self, step: Step<'k>, check: impl FnOnce(&mut Self)) {
        self.at.push(step);
        check(self);
        self.at.pop();
    }

    /// Notes a mistake at a key of the table that is being checked.
    fn wrong(&mut self, key: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.within(Step::Key(key), |check| {
            let place = check.file.place(&check.at);
            check.file.hinted(place, message, hint);
        });
    }

    /// Notes a mistake at a place of a list of the table that is being checked.
    fn wrong_in(
        &mut self,
        key: &'static str,
        number: usize,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.within(Step::Key(key), |check| {
            check.within(Step::Number(number), |check| {
                let place = check.file.place(&check.at);
                check.file.hinted(place, message, hint);
            });
        });
    }

    fn some<T>(&mut self, values: &[T], key: &'static str) {
        if values.is_empty() {
            self.wrong(
                key,
                format!("`{key}` names nothing"),
                format!("give at least one of `{key}`"),
            );
        }
    }

    fn text(&mut self, text: &str, key: &'static str) {
        if text.trim().is_empty() {
            self.wrong(key, format!("`{key}` is empty"), "say it in one sentence");
        }
    }

    fn globs(&mut self, key: &'static str, patterns: &[String]) {
        for (number, pattern) in patterns.iter().enumerate() {
            // A line of redirections alone has a program without a name.
            let nameless = key == "program" && pattern.is_empty();
            if !nameless && pattern.split('|').any(str::is_empty) {
                self.wrong_in(
                    key,
                    number,
                    format!("an alternative of `{pattern}` is empty"),
                    "`|` stands between alternatives; `*` is any text",
                );
            }
        }
    }

    fn regexes(&mut self, key: &'static str, patterns: &[String]) {
        if self.depth == Depth::Seen {
            return;
        }
        for (number, pattern) in patterns.iter().enumerate() {
            if let Err(error) = Expression::compile(pattern) {
                let told = error.to_string();
                let reason = told.lines().last().unwrap_or("too large").trim();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason).to_owned();
                self.wrong_in(
                    key,
                    number,
                    format!("not a regular expression: {}", reason.trim_end_matches('.')),
                    "write it as the Rust crate `regex` reads it; look-around and back-references do not exist",
                );
            }
        }
    }

    fn in_classes(&mut self, key: &'static str, names: &[String]) {
        for (number, name) in names.iter().enumerate() {
            if self.known.has_class(name) {
                continue;
            }
            let hint = match nearest(name, self.known.classes()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "name one of the shell's own or describe it by a `[[class]]`".to_owned(),
            };
            self.wrong_in(key, number, format!("there is no class `{name}`"), hint);
        }
    }

    fn settings(&mut self, settings: &Settings) {
        let only_dry_run = "a project may set `dry-run` only";
        let project = self.file.source.layer == Layer::Project;
        for (key, set) in [
            ("bash", settings.bash.is_some()),
            ("sh", settings.sh.is_some()),
            ("prompt-seconds", settings.prompt_seconds.is_some()),
            ("broker", settings.broker.is_some()),
            ("unwatched-seconds", settings.unwatched_seconds.is_some()),
            ("terminals", settings.terminals.is_some()),
            ("reviewer-command", settings.reviewer_command.is_some()),
            (
                "reviewers-directory",
                settings.reviewers_directory.is_some(),
            ),
            ("operator-counts", settings.operator_counts.is_some()),
            ("record", settings.record.is_some()),
            ("exec-gate", settings.exec_gate.is_some()),
            ("new-privileges", settings.new_privileges.is_some()),
            ("known-copies", !settings.known_copies.is_empty()),
            ("gains-privileges", !settings.gains_privileges.is_empty()),
        ] {
            if project && set {
                self.wrong(
                    key,
                    format!("a project may not set `{key}`"),
                    format!("{only_dry_run}; put this into ~/.config/kibosh/ or /etc/kibosh/"),
                );
            }
        }
        for (key, path) in [
            ("bash", &settings.bash),
            ("sh", &settings.sh),
            ("reviewers-directory", &settings.reviewers_directory),
        ] {
            if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
                self.wrong(
                    key,
                    format!("`{key}` is not an absolute path"),
                    "begin it with `/`",
                );
            }
        }
        if settings
            .prompt_seconds
            .is_some_and(|seconds| !(1..=25).contains(&seconds))
        {
            self.wrong(
                "prompt-seconds",
                "`prompt-seconds` is not between 1 and 25",
                "agents end a command after 30 seconds; the question must end before",
            );
        }
        if settings
            .unwatched_seconds
            .is_some_and(|seconds| seconds > 25)
        {
            self.wrong(
                "unwatched-seconds",
                "`unwatched-seconds` is more than 25",
                "agents end a command after 30 seconds; the waiting must end before",
            );
        }
        if let Some(command) = &settings.reviewer_command
            && !command.first().is_some_and(|path| path.starts_with('/'))
        {
            self.wrong(
                "reviewer-command",
                "`reviewer-command` does not begin with an absolute path",
                "write the file of the program, then its arguments",
            );
        }
        if settings
            .record
            .as_ref()
            .is_some_and(|file| file != "off" && !file.starts_with('/') && !file.starts_with("~/"))
        {
            self.wrong(
                "record",
                "`record` is not a file",
                "write an absolute path, one below `~/`, or \"off\"",
            );
        }
    }

    fn budget(&mut self, budget: &Budget) {
        if let Some(size) = &budget.deleted_bytes
            && bytes(size).is_none()
        {
            self.wrong(
                "deleted-bytes",
                format!("`{size}` is no size"),
                "write a number and `B`, `kB`, `MB`, `GB` or `TB`: `\"1 GB\"`",
            );
        }
    }

    fn credentials(&mut self, credentials: &Credentials) {
        if matches!(self.file.source.layer, Layer::Project | Layer::Pack) {
            self.wrong(
                "set",
                "only an administrator or a user sets credentials",
                "put this into ~/.config/kibosh/ or /etc/kibosh/",
            );
        }
        self.globs("unset", &credentials.unset);
        for (name, value) in &credentials.set {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                self.wrong(
                    "set",
                    format!("`{name}` cannot be the name of a variable with this value"),
                    "write `NAME = \"value\"`",
                );
            }
        }
    }

    fn environment(&mut self, environment: &Environment) {
        self.text(&environment.name, "name");
        self.reviewers(environment.reviewers);
        if environment.signals.is_empty() {
            self.wrong(
                "signal",
                "nothing tells the environment",
                "add an `[[environment.signal]]`",
            );
        }
        self.each("signal", &environment.signals, Self::signal);
    }

    fn signal(&mut self, signal: &Signal) {
        self.text(&signal.kind, "kind");
        self.globs("program", &signal.program);
        self.globs("flags", &signal.flags);
        self.some(&signal.value, "value");
        self.regexes("value", &signal.value);
        for (key, pattern) in [("words", &signal.words), ("line", &signal.line)] {
            let Some(pattern) = pattern else { continue };
            match Expression::compile(pattern) {
                Ok(regex) if regex.groups() == 1 => {}
                Ok(_) => self.wrong(
                    key,
                    "the expression has not exactly one group",
                    "put what the value is in parentheses, and others in `(?:…)`",
                ),
                Err(error) => self.wrong(
                    key,
                    format!("this is no regular expression: {error}"),
                    "docs/policy.md says which are understood",
                ),
            }
        }
        if signal.files.is_empty() != signal.line.is_none() {
            self.wrong(
                "files",
                "`files` and `line` go together",
                "say in which files the value is, and by which expression it is found",
            );
        }
        let nowhere = signal.flags.is_empty()
            && signal.words.is_none()
            && signal.variables.is_empty()
            && signal.files.is_empty()
            && !signal.directory;
        if nowhere {
            self.wrong(
                "kind",
                "it is not said where the value is found",
                "give `flags`, `words`, `variables`, `files` or `directory = true`",
            );
        }
    }

    fn reviewers(&mut self, people: Option<u8>) {
        if people.is_some_and(|people| !(1..=2).contains(&people)) {
            self.wrong(
                "reviewers",
                "`reviewers` is neither 1 nor 2",
                "write how many people must approve",
            );
        }
    }

    fn class(&mut self, class: &PathClass) {
        self.text(&class.name, "name");
        if paths::BUILT_IN.contains(&class.name.as_str()) {
            self.wrong(
                "name",
                format!("`{}` is the shell's own class", class.name),
                "give yours another name",
            );
        }
        let lists = [
            ("at", &class.at),
            ("under", &class.under),
            ("component", &class.component),
            ("name-is", &class.name_is),
        ];
        if lists.iter().all(|(_, list)| list.is_empty()) {
            self.wrong(
                "name",
                "the class names no path",
                "fill `at`, `under`, `component` or `name-is`",
            );
        }
        for (key, list) in lists {
            self.globs(key, list);
        }
        self.in_classes("except", &class.except);
        for (key, list) in [("component", &class.component), ("name-is", &class.name_is)] {
            for (number, name) in list.iter().enumerate() {
                if name.contains('/') {
                    self.wrong_in(
                        key,
                        number,
                        format!("`{name}` is more than one component"),
                        "use `at` or `under` for paths",
                    );
                }
            }
        }
    }

    fn program(&mut self, program: &Program) {
        self.some(&program.names, "names");
        self.globs("names", &program.names);
        for (number, name) in program.names.iter().enumerate() {
            if name.contains('/') {
                self.wrong_in(
                    "names",
                    number,
                    format!("`{name}` has a directory"),
                    "programs are named without one",
                );
            }
        }
        self.each("runs", &program.runs, Self::runs);
        self.each("calls", &program.calls, |check, call| {
            check.some(&call.names, "names");
            check.some(&call.does, "does");
        });
    }

    fn runs(&mut self, runs: &Runs) {
        let ways = [
            runs.operands.is_some() || runs.program.is_some(),
            !runs.option.is_empty(),
            runs.stdin,
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            let hint = "one of `operands`, `option` and `stdin` says where the command is";
            let place = self.file.place(&self.at);
            self.file
                .hinted(place, "it is not said where the command is", hint);
        }
        if runs.operands.is_none()
            && runs.until.is_empty()
            && runs.language.is_none()
            && runs.program.is_none()
        {
            let place = self.file.place(&self.at);
            self.file.hinted(
                place,
                "the language of what is run is not said",
                "add `language = \"shell\"`, or what it is",
            );
        }
        self.globs("subcommand", &runs.subcommand);
    }

    fn rule(&mut self, rule: &Rule, pack: Option<&str>) {
        self.id(&rule.id, pack);
        if rule.effect == Effect::Allow {
            self.wrong(
                "effect",
                "`allow` says nothing: the strictest rule wins",
                "to lift a rule write an `[[exception]]` that names it",
            );
        }
        self.text(&rule.reason, "reason");
        if let Some(instead) = &rule.instead {
            self.text(instead, "instead");
        }
        self.reviewers(rule.reviewers);
        if rule.matches.is_empty() {
            self.wrong(
                "match",
                "the rule matches nothing",
                "give at least one `match`",
            );
        }
        if rule.same && rule.followed_by.is_empty() {
            self.wrong(
                "same",
                "`same` has no second action to compare with",
                "add `followed-by`, or leave `same` out",
            );
        }
        let asks_about_one = rule.effect != Effect::Deny && rule.followed_by.is_empty();
        self.each("match", &rule.matches, |check, conditions| {
            check.conditions(conditions);
            check.preview(conditions, asks_about_one);
            check.of_session(conditions, rule.session);
        });
        if rule.session.is_some() && !rule.followed_by.is_empty() {
            self.wrong(
                "session",
                "a rule about the session has no second action",
                "leave `followed-by` out",
            );
        }
        self.each("followed-by", &rule.followed_by, Self::conditions_alone);
        for (key, lines, what) in [
            ("matches", &rule.examples.matches, "stops"),
            ("passes", &rule.examples.passes, "lets pass"),
        ] {
            // Where only a look at the machine tells, no line by itself is an example.
            let is_told = |one: &Match| one.in_doubt != Some(false) && rule.session.is_none();
            let needs_none = key == "matches" && !rule.matches.iter().any(is_told);
            self.within(Step::Key("examples"), |check| {
                if lines.is_empty() && !needs_none {
                    check.wrong(
                        key,
                        format!("no example of what the rule {what}"),
                        format!("add a command line to `{key}`"),
                    );
                }
            });
        }
    }

    fn id(&mut self, id: &str, pack: Option<&str>) {
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if !id.contains('.') || !id.split('.').all(part) {
            self.wrong(
                "id",
                format!("`{id}` is not an id"),
                "write `topic.what-it-stops`: lower-case letters, digits and `-`",
            );
        } else if let Some(pack) = pack
            && id.split('.').next() != Some(pack)
        {
            self.wrong(
                "id",
                format!("`{id}` does not begin with the name of the pack"),
                format!("begin it with `{pack}.`"),
            );
        }
    }

    fn exception(&mut self, exception: &Exception) {
        if !self.known.has_rule(&exception.rule) {
            let hint = match nearest(&exception.rule, self.known.rules()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`kibosh policy list` names all rules".to_owned(),
            };
            self.wrong(
                "rule",
                format!("there is no rule `{}`", exception.rule),
                hint,
            );
        }
        self.text(&exception.reason, "reason");
        self.each("match", &exception.matches, Self::conditions_alone);
    }

    /// A preview must hold every word of the command, whatever that is.
    fn preview(&mut self, conditions: &Match, asks_about_one: bool) {
        if conditions.preview.is_empty() {
            return;
        }
        if !is_whole(&conditions.preview) {
            self.wrong(
                "preview",
                "`preview` does not hold the whole command",
                format!(
                    "begin it with `{COMMAND}` or `{PROGRAM}`, and put `{ARGUMENTS}` behind it once"
                ),
            );
        }
        if !asks_about_one {
            self.wrong(
                "preview",
                "`preview` belongs to a rule that asks about one command",
                "leave it out",
            );
        }
    }

    /// Conditions that no probe is asked about: those of an exception, or on a second action.
    fn conditions_alone(&mut self, conditions: &Match) {
        self.conditions(conditions);
        for (key, is_given) in [
            ("loses", conditions.loses.is_some()),
            ("resource", conditions.resource.is_some()),
            ("in", !conditions.within.is_empty()),
            ("preview", !conditions.preview.is_empty()),
        ] {
            if is_given {
                self.wrong(
                    key,
                    format!("`{key}` belongs to a condition in `match` of a rule"),
                    "leave it out",
                );
            }
        }
    }

    /// What a condition must say for a rule about the session, and no other may.
    fn of_session(&mut self, conditions: &Match, session: Option<Session>) {
        let at = conditions.loses;
        let (key, wrong, hint) = match session {
            Some(Session::Deleted) if !matches!(at, Some(Loses::Targets | Loses::Moved)) => (
                "loses",
                "it is not said what counts as deleted",
                "add `loses = \"targets\"` or `loses = \"moved\"`",
            ),
            Some(Session::Overwritten) if at != Some(Loses::Overwritten) => (
                "loses",
                "it is not said what counts as written over",
                "add `loses = \"overwritten\"`",
            ),
            Some(Session::Destroyed | Session::Recreated) if conditions.resource.is_none() => (
                "resource",
                "it is not said what tells the resource",
                "add `resource = { kind = \"…\" }`",
            ),
            None if at == Some(Loses::Moved) => (
                "loses",
                "`moved` is for rules with `session`",
                "say what is at stake otherwise, or add `session = \"deleted\"`",
            ),
            None | Some(Session::Deleted | Session::Overwritten)
                if conditions.resource.is_some() =>
            {
                (
                    "resource",
                    "`resource` is for rules about what the session destroys or creates",
                    "add `session = \"destroyed\"` or `session = \"recreated\"`",
                )
            }
            _ => return self.resource(conditions.resource.as_ref()),
        };
        self.wrong(key, wrong, hint);
    }

    fn resource(&mut self, resource: Option<&Resource>) {
        let Some(resource) = resource else { return };
        self.within(Step::Key("resource"), |check| {
            check.text(&resource.kind, "kind");
            check.globs("flags", &resource.flags);
            check.globs("scope", &resource.scope);
            for (key, pattern) in [("code", &resource.code), ("words", &resource.words)] {
                if let Some(pattern) = pattern
                    && Expression::compile(pattern).map_or(0, |regex| regex.groups()) != 1
                {
                    check.wrong(
                        key,
                        "this is no regular expression with exactly one group",
                        "put the name in parentheses, and others in `(?:…)`",
                    );
                }
            }
        });
    }

    fn conditions(&mut self, conditions: &Match) {
        for (key, globs) in [
            ("program", &conditions.program),
            ("not-program", &conditions.not_program),
            ("named", &conditions.named),
            ("subcommand", &conditions.subcommand),
            ("not-subcommand", &conditions.not_subcommand),
            ("verb", &conditions.verb),
            ("not-verb", &conditions.not_verb),
            ("flags", &conditions.flags),
            ("no-flags", &conditions.no_flags),
            ("operands", &conditions.operands),
            ("no-operands", &conditions.no_operands),
            ("target-options", &conditions.target_options),
            ("environment", &conditions.environment),
            ("via", &conditions.via),
            ("not-via", &conditions.not_via),
            ("fed-by", &conditions.fed_by),
        ] {
            self.globs(key, globs);
        }
        for (key, classes) in [
            ("paths", &conditions.paths),
            ("targets", &conditions.targets),
            ("sources", &conditions.sources),
            ("unless-targets", &conditions.unless_targets),
            ("writes", &conditions.writes),
            ("appends", &conditions.appends),
            ("reads", &conditions.reads),
        ] {
            self.in_classes(key, classes);
        }
        for (number, name) in conditions.within.iter().enumerate() {
            if !self.known.has_environment(name) {
                let hint = match nearest(name, self.known.environments()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "describe it by an `[[environment]]`".to_owned(),
                };
                self.wrong_in(
                    "in",
                    number,
                    format!("there is no environment `{name}`"),
                    hint,
                );
            }
        }
        for (key, patterns) in [
            ("code", &conditions.code),
            ("no-code", &conditions.no_code),
            ("regex", &conditions.regex),
            ("all-regex", &conditions.all_regex),
            ("no-regex", &conditions.no_regex),
            ("input", &conditions.input),
        ] {
            self.regexes(key, patterns);
        }
        if let (Some(least), Some(most)) = (conditions.min_operands, conditions.max_operands)
            && least > most
        {
            self.wrong(
                "min-operands",
                "`min-operands` is more than `max-operands`, so that nothing matches",
                "exchange them",
            );
        }
        if !conditions.target_options.is_empty() {
            if conditions.targets.is_empty() && conditions.unless_targets.is_empty() {
                self.wrong(
                    "target-options",
                    "it is not said which targets count",
                    "add `targets = [\"CLASS\"]`",
                );
            } else if conditions.loses.is_some() {
                self.wrong(
                    "target-options",
                    "what would be lost is looked for by the grammar of the program",
                    "leave `loses` out, or add the options to `target-options` of the `[[program]]`",
                );
            }
        }
    }
}
