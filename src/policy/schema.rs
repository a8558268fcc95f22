//! The TOML schema of a policy file, and nothing else: `build.rs` includes this file to compile the
//! shipped packs, so it names no other module. docs/policy.md is the manual.

use serde::{Deserialize, Serialize};

/// One policy file: a pack, or a layer of an administrator, a user or a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PolicyFile {
    /// What the pack is called and what it is for.
    pub pack: Option<Pack>,
    /// Settings; allowed only outside of packs, apart from `default.toml`.
    pub settings: Option<Settings>,
    /// What a session may do without anybody being asked; in packs only in `default.toml`.
    pub budget: Option<Budget>,
    /// Variables that what is started does not get, or gets with another value; not in packs.
    pub credentials: Option<Credentials>,
    /// Which environments there are beside the one that a person would lose without regret.
    #[serde(rename = "environment")]
    pub environments: Vec<Environment>,
    /// Named sets of paths.
    #[serde(rename = "class")]
    pub classes: Vec<PathClass>,
    /// What is known about environment variables.
    #[serde(rename = "variable")]
    pub variables: Vec<Variable>,
    /// How programs read their arguments and what they run.
    #[serde(rename = "program")]
    pub programs: Vec<Program>,
    /// The rules.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// Exceptions from rules, by id.
    #[serde(rename = "exception")]
    pub exceptions: Vec<Exception>,
}

/// The head of a pack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pack {
    /// The folder's name and the prefix of the ids of its rules.
    pub name: String,
    /// One sentence.
    pub description: String,
}

/// Settings of the shell; a stricter layer wins where two set the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The shell that runs what is allowed.
    pub bash: Option<String>,
    /// The shell that runs it when called as `sh`.
    pub sh: Option<String>,
    /// Judge and say, but run nothing.
    pub dry_run: Option<bool>,
    /// Seconds that a person has to answer, 1 to 25.
    pub prompt_seconds: Option<u8>,
    /// Whether a question that no terminal here can take may be answered on another one of the user's.
    pub broker: Option<bool>,
    /// Seconds for which a command waits for that where nobody watches, 0 to 25.
    pub unwatched_seconds: Option<u8>,
    /// Which terminals count as a person's.
    pub terminals: Option<Terminals>,
    /// The command that is asked in place of a broker: an absolute path, and its arguments.
    pub reviewer_command: Option<Vec<String>>,
    /// The directory in which reviewers of several users find one another's brokers.
    pub reviewers_directory: Option<String>,
    /// Whether the user whose command it is counts among the people that a rule wants.
    pub operator_counts: Option<bool>,
    /// The file of the audit record, or `"off"`.
    pub record: Option<String>,
    /// Whether every exec below the shell is judged, too.
    pub exec_gate: Option<ExecGate>,
    /// Whether programs may gain rights (`sudo`), for which those who have few go without the exec gate.
    pub new_privileges: Option<bool>,
    /// Programs that are known by their content, too: a copy under another name is still that program.
    pub known_copies: Vec<String>,
    /// Programs that are nothing without the rights they gain.
    pub gains_privileges: Vec<String>,
}

/// What a session may do without anybody being asked: beyond it a person is asked, whatever single rules say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Budget {
    /// How many files it deletes.
    pub deleted_files: Option<u64>,
    /// How much it deletes: a number with a unit, `"1 GB"`.
    pub deleted_bytes: Option<String>,
    /// How many files with something in them it writes over.
    pub overwritten_files: Option<u64>,
    /// How many resources it destroys.
    pub destroyed_resources: Option<u64>,
}

/// What everything that is started gets of the environment's credentials: the least that the work needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Credentials {
    /// Names of variables (globs) that are taken out.
    pub unset: Vec<String>,
    /// Variables that have this value.
    pub set: std::collections::BTreeMap<String, String>,
}

/// A place where losses are worse than elsewhere, such as production, and how it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Environment {
    /// Its name, which rules use.
    pub name: String,
    /// How many people must say yes to what is asked about there, 1 or 2.
    pub reviewers: Option<u8>,
    /// By what it is told; any one is enough.
    #[serde(rename = "signal")]
    pub signals: Vec<Signal>,
}

impl Environment {
    /// Adds what another layer or pack says of the same environment.
    pub fn add(&mut self, more: &Self) {
        let Self {
            name,
            reviewers,
            signals,
        } = more;
        self.name.clone_from(name);
        self.reviewers = self.reviewers.max(*reviewers);
        self.signals.extend_from_slice(signals);
    }
}

/// A value that tells where an action happens. It is the one of `flags`, else of `words`, else of `variables`, else of
/// `files`, else of `directory`: the first of them that gives one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Signal {
    /// What the value is called, for people: `kube context`.
    pub kind: String,
    /// The programs for which it counts (globs); empty is every program.
    pub program: Vec<String>,
    /// Regular expressions of which the value must match one.
    pub value: Vec<String>,
    /// Options whose value it is.
    pub flags: Vec<String>,
    /// A regular expression whose first group, in the arguments joined by blanks, it is.
    pub words: Option<String>,
    /// Variables that hold it.
    pub variables: Vec<String>,
    /// Files that hold it: absolute, `~/…`, from the working directory, or `$NAME` for the files that a variable
    /// lists.
    pub files: Vec<String>,
    /// With `files`: a regular expression whose first group it is.
    pub line: Option<String>,
    /// The working directory is it.
    pub directory: bool,
}

/// Whether there is an exec gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecGate {
    /// There is none.
    Off,
    /// Where the kernel offers it.
    On,
    /// Nothing runs without it.
    Required,
}

/// Which terminals count as a person's: those on which one is asked, and from which one answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Terminals {
    /// Each that may be one, and only registered ones where there are any.
    #[default]
    Any,
    /// Registered ones.
    Registered,
}

/// What a rule says about an action.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It runs.
    #[default]
    Allow,
    /// A person is asked.
    Confirm,
    /// It does not run.
    Deny,
}

/// A named set of paths. A path is in the class if any of the lists names it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PathClass {
    /// The name that rules use.
    pub name: String,
    /// These paths themselves, or everything directly in them (`/etc`, `/etc/*`); globs per component.
    /// `**/` at the beginning is any directory or none.
    pub at: Vec<String>,
    /// Whatever is below these.
    pub under: Vec<String>,
    /// Any component of the path is this (glob): `node_modules`.
    pub component: Vec<String>,
    /// The last component is this (glob): `*.pyc`.
    pub name_is: Vec<String>,
    /// What is in one of these classes is not in this one.
    pub except: Vec<String>,
}

impl PathClass {
    /// Adds what another layer or pack says of the same class.
    pub fn add(&mut self, more: &Self) {
        let Self {
            name: _,
            at,
            under,
            component,
            name_is,
            except,
        } = more;
        self.at.extend_from_slice(at);
        self.under.extend_from_slice(under);
        self.component.extend_from_slice(component);
        self.name_is.extend_from_slice(name_is);
        self.except.extend_from_slice(except);
    }
}

/// What is known about environment variables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Variable {
    /// The variables (globs).
    pub names: Vec<String>,
    /// Its value where the environment does not tell: `TMPDIR` is `/tmp`.
    pub assume: Option<String>,
    /// Whether a program executes its value, and as what: `shell`, `argv`, `path`.
    pub runs: Option<Language>,
}

/// How a program reads its options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// getopt_long: `-rf` is `-r -f`, options anywhere, `--rec` for `--recursive`, `--` ends them.
    #[default]
    Gnu,
    /// As `gnu`, but the first operand ends the options (`env`, `sudo`, `xargs`).
    Posix,
    /// As `posix`, but the second operand does: options may stand on both sides of the first (`ssh HOST -t COMMAND`).
    Host,
    /// Words such as `-auto-approve` are one option (`terraform`, `find`, `java`), anywhere.
    Single,
    /// There are no options: every word is an operand (`dd`, `[`, `echo`).
    Raw,
}

/// What a program executes, and in which language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// The words are a program and its arguments.
    #[default]
    Argv,
    /// The text (words joined by blanks) is read as a shell line.
    Shell,
    /// The file of this name is executed; its content is not read here.
    Script,
    /// A git alias: shell text after `!`, else a git command line.
    GitAlias,
    /// SQL.
    Sql,
    /// awk.
    Awk,
    /// Python.
    Python,
    /// JavaScript.
    Javascript,
    /// Ruby.
    Ruby,
    /// Perl.
    Perl,
    /// PHP.
    Php,
    /// The shell of MongoDB.
    Mongo,
    /// Commands of Redis.
    Redis,
    /// Any other language; the rules look at the text only.
    Text,
}

/// One way in which a program runs something else.
///
/// Exactly one of `operands`, `option`, `stdin` says where the command is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Runs {
    /// Only under these subcommands (as in [`Match::subcommand`]).
    pub subcommand: Vec<String>,
    /// Not under these subcommands (`yarn add x` runs nothing, `yarn x` runs `x`).
    pub not_subcommand: Vec<String>,
    /// Only where one of these flags is given (`-c` of a shell: `bash -lc TEXT`).
    pub flag: Vec<String>,
    /// Only where none of these flags is given.
    pub no_flag: Vec<String>,
    /// The operands, after `skip` of them, in this language. For text languages all remaining
    /// operands are joined by blanks, unless `first` is set.
    pub operands: Option<Language>,
    /// How many operands to pass over (`timeout 5 CMD`).
    pub skip: u8,
    /// The first operand names a task of the project, which is run like a program: an unknown one says
    /// nothing about others, and a `--` right after it is the runner's own (`npm run x -- --force`).
    pub task: bool,
    /// Only the first operand is the text; the rest are its parameters (`sh -c TEXT NAME ARG`).
    pub first: bool,
    /// The values of these options.
    pub option: Vec<String>,
    /// Only values that begin with this, which is cut off (`ProxyCommand=`, `exec=`, `alias.*=`). With
    /// `operands`: each of them for itself (`alias NAME=TEXT`).
    pub prefix: Option<String>,
    /// The language of the options' values or of standard input; `argv` here means one text that
    /// is split at blanks.
    pub language: Option<Language>,
    /// The words after the option up to one of these are the command (`find -exec … ;`).
    pub until: Vec<String>,
    /// Standard input is the code, where it is not a terminal (`bash`, `psql`).
    pub stdin: bool,
    /// With `stdin`: only where there are no operands (`bash FILE` reads no code from its input).
    pub without_operands: bool,
    /// More arguments follow at run time (`xargs`, `find -exec … {} +`): an unknown operand is added,
    /// or replaces this word wherever it stands (`{}`).
    pub appends: Option<String>,
    /// Options whose value is the word to replace instead (`xargs -I R`).
    pub replace_option: Vec<String>,
    /// It runs on another host or in a container.
    pub elsewhere: bool,
    /// It does not start as a program below this one: a server starts it (`at`, `tmux`), or the program
    /// does it itself (`lvm`). Only its words are seen where every start is watched.
    pub apart: bool,
    /// With `subcommand`: the words after the subcommand, options too, are the arguments of this
    /// program (`docker compose down` is `docker-compose down`).
    pub program: Option<String>,
}

/// Which operands a program writes to, deletes or replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Targets {
    /// None of them.
    None,
    /// All (`rm`, `tee`, `touch`).
    #[default]
    All,
    /// The last one; the others are sources (`cp`, `mv`, `ln`).
    Last,
    /// All but the first (`chmod MODE FILE…`).
    Rest,
    /// The first one.
    First,
}

/// How a program reads its options after one of its subcommands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct After {
    /// Options that take the next word as their value.
    pub values: Vec<String>,
    /// Long options that are known, so that an abbreviation of one is it.
    pub options: Vec<String>,
}

/// How a program reads its arguments, and what it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Program {
    /// Its names, without directories (globs: `python3.*`).
    pub names: Vec<String>,
    /// How it reads options.
    pub style: Style,
    /// Options that take the next word as their value; `--opt=value` needs no entry.
    pub values: Vec<String>,
    /// Long options that are known, so that an abbreviation of one is it (`--rec` for `--recursive`).
    pub options: Vec<String>,
    /// How many leading operands are subcommand words at most (`git` 1, `aws` 2, `gcloud` 5).
    pub subcommands: u8,
    /// What holds after a subcommand, in place of `values` and `options`: `git commit -m TEXT`, but
    /// `git branch -m OLD NEW`. The keys are the subcommand's words, joined by blanks.
    pub after: std::collections::BTreeMap<String, After>,
    /// Other names of subcommands: `del = "delete"`.
    pub synonyms: std::collections::BTreeMap<String, String>,
    /// Options whose value is the directory that it works in (`git -C`, `make -C`).
    pub directory_options: Vec<String>,
    /// Whether it is many programs, and the name that it is called by tells which one (`busybox` called
    /// as `rm` is `rm`).
    pub by_name: bool,
    /// Variables that it sets itself for the programs it starts (globs).
    pub sets: Vec<String>,
    /// What it starts by itself as a part of what it was started for, which was judged.
    pub own: Vec<Own>,
    /// Whether `NAME=value` operands before the command are variables (`env`, `sudo`).
    pub assignments: bool,
    /// Which operands it writes to or deletes.
    pub targets: Targets,
    /// Options whose value it writes to: `-o`, `--output`, `of=` (an operand that begins so).
    pub target_options: Vec<String>,
    /// For programs that walk directories (`find`): the options that filter by name. Their targets, and
    /// what replaces `{}`, are the paths below the operands with these names.
    pub walk: Vec<String>,
    /// Flags with which it only tells what it would do, or explains itself (`--dry-run`, `--help`):
    /// rules about what it does then do not match. A value that says no (`--dry-run=false`) undoes it.
    pub inert: Vec<String>,
    /// What it runs.
    pub runs: Vec<Runs>,
    /// For interpreters: the calls in its code that do what a program does.
    pub calls: Vec<Call>,
}

/// A call in the code of another language, and the command that does the same (`os.remove(P)` is
/// `rm P`), so that one set of rules judges both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Call {
    /// The names of the function as it is called (`os.remove`). One that begins with a dot is a method
    /// of the path itself: `.unlink` of `Path("x").unlink()`. One that begins with `*.` may be called on
    /// anything or nothing: `require("fs").rmSync`.
    pub names: Vec<String>,
    /// Only where the code also holds one of these texts (`from os import`).
    pub beside: Vec<String>,
    /// Only where the arguments hold one of these texts (`recursive`, `'w'`).
    pub with: Vec<String>,
    /// The command, with `{}` for the path; `>` or `>>` before it is a redirection.
    pub does: Vec<String>,
    /// Which argument is the path, from 0.
    pub argument: u8,
    /// Every argument is a path, each for itself.
    pub each: bool,
}

/// What a program starts by itself. The exec gate asks nobody about that; what is denied stays denied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Own {
    /// Its own arguments (globs), joined by blanks; whatever they are where none is given.
    pub when: Vec<String>,
    /// The words of what it starts (globs), joined by blanks, the program by its base name; or the path of a
    /// script.
    pub starts: Vec<String>,
    /// And everything that comes from that.
    pub below: bool,
}

/// What a person must do to approve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledge {
    /// Press a key.
    #[default]
    Key,
    /// Type the name of the resource.
    Name,
}

/// One statement of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// `pack.what-it-stops`, unique.
    pub id: String,
    /// What it says.
    pub effect: Effect,
    /// What must hold; with several, any of them.
    #[serde(rename = "match")]
    pub matches: Vec<Match>,
    /// Why, as one sentence without a full stop, for the person and the agent.
    pub reason: String,
    /// What to do instead; must itself be allowed.
    #[serde(default)]
    pub instead: Option<String>,
    /// What a person must do to approve.
    #[serde(default)]
    pub acknowledge: Acknowledge,
    /// How many people must approve, 1 or 2, each a user of their own; 1 where it does not say.
    #[serde(default)]
    pub reviewers: Option<u8>,
    /// A second action, later in the line, that must match too: delete, then create.
    #[serde(default)]
    pub followed_by: Vec<Match>,
    /// With `followed-by`: the two share an operand (or an option value).
    #[serde(default)]
    pub same: bool,
    /// It holds only because of what the session has done before.
    #[serde(default)]
    pub session: Option<Session>,
    /// Command lines that show it.
    pub examples: Examples,
}

/// What of the session a rule is about: its matches say which actions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Session {
    /// Files are deleted, as `loses` of the match says; it holds beyond the budgets for that.
    Deleted,
    /// Files are written over, as `loses` of the match says; it holds beyond the budget for that.
    Overwritten,
    /// What `resource` of the match tells is destroyed; it holds beyond the budget for that.
    Destroyed,
    /// What `resource` of the match tells is created; it holds where the session has destroyed the same.
    Recreated,
}

/// What tells a resource from others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Resource {
    /// What it is, for people and to tell it from others: `PostgreSQL database`.
    pub kind: String,
    /// The words of the subcommand belong to the kind, without these texts (`aws rds delete-db-instance` is `rds
    /// db-instance`); empty: they do not.
    pub without: Vec<String>,
    /// Options whose value is its name.
    pub flags: Vec<String>,
    /// Which operand is its name, where no option is.
    pub operand: Named,
    /// Its name is a path.
    pub path: bool,
    /// With code: a regular expression whose first group is its name.
    pub code: Option<String>,
    /// A regular expression whose first group, in the arguments joined by blanks, is its name.
    pub words: Option<String>,
    /// Which operand tells where it is.
    pub within: Option<Named>,
    /// Options whose values tell where it is.
    pub scope: Vec<String>,
    /// Variables that tell where it is.
    pub variables: Vec<String>,
}

/// Which operand is a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// The last one.
    #[default]
    Last,
    /// The first one.
    First,
    /// Each one for itself.
    Each,
    /// All of them, joined by `/`.
    Path,
    /// None: the directory in which it happens is the name.
    Directory,
    /// None: there is only one.
    None,
}

/// Command lines that show what a rule does; checked when the policy is loaded or linted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Examples {
    /// The rule matches these.
    pub matches: Vec<String>,
    /// The rule does not match these.
    pub passes: Vec<String>,
}

/// Conditions on one action. All that are given must hold; within a list any one is enough,
/// except in `flags` and `all-regex`, where each must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Match {
    /// The program's base name (globs). `*` is every program, `""` a line of redirections alone.
    pub program: Vec<String>,
    /// Not these programs (globs).
    pub not_program: Vec<String>,
    /// It is named with a directory, and the whole name is one of these (globs): `/etc/init.d/*`.
    pub named: Vec<String>,
    /// Whether the program is one that no pack describes by a `[[program]]`.
    pub undescribed: Option<bool>,
    /// Its subcommand: blank-separated words, each a glob (`"push"`, `"s3 rm"`, `"* delete-*"`); a
    /// prefix of the subcommand words is enough.
    pub subcommand: Vec<String>,
    /// Not these subcommands.
    pub not_subcommand: Vec<String>,
    /// Any one of the subcommand words is one of these (globs).
    pub verb: Vec<String>,
    /// None of the subcommand words is one of these (globs).
    pub not_verb: Vec<String>,
    /// Flags that must all be given; `-r|-R|--recursive` are alternatives, `--type=pv*` also looks at
    /// the value (glob).
    pub flags: Vec<String>,
    /// None of these may be given (same form). One that is given as `false` or `none`, or with a value
    /// that is not known, does not count as given.
    pub no_flags: Vec<String>,
    /// Some operand (after the subcommand) is one of these (globs; `*` also matches `/`).
    pub operands: Vec<String>,
    /// No operand is one of these.
    pub no_operands: Vec<String>,
    /// At least this many operands.
    pub min_operands: Option<u8>,
    /// At most this many operands.
    pub max_operands: Option<u8>,
    /// Some operand is a path in one of these classes.
    pub paths: Vec<String>,
    /// Some path that is deleted or written (`targets` of the program) is in one of these classes.
    pub targets: Vec<String>,
    /// Options whose values, and what is below them, `targets` looks at in place of what the grammar of the program
    /// says, whatever program it is (globs): `-o|--out*`.
    pub target_options: Vec<String>,
    /// Some path that is read or moved away is in one of these classes.
    pub sources: Vec<String>,
    /// Does not match where every target is in one of these classes.
    pub unless_targets: Vec<String>,
    /// Some redirection that empties and writes a file names one in these classes.
    pub writes: Vec<String>,
    /// Some redirection that appends names a file in these classes.
    pub appends: Vec<String>,
    /// Some redirection that reads names a file in these classes.
    pub reads: Vec<String>,
    /// A variable is set for it: `NAME` or `NAME=glob`.
    pub environment: Vec<String>,
    /// With `environment`: a variable that it found does not count where one of these is set beside it, with the
    /// same text for `*`, and has such a value: `NAME_*=glob`.
    pub unless_environment: Vec<String>,
    /// The languages in which the text of `code` is looked for; empty is any.
    pub language: Vec<Language>,
    /// Some code that it would execute (SQL, Python…) matches one of these regular expressions.
    pub code: Vec<String>,
    /// The text that `code` found does not match one of these; without `code`, no text does.
    pub no_code: Vec<String>,
    /// Its arguments, joined by blanks, hold one of these texts, in capitals or not; with `code`, its
    /// code does. This costs next to nothing, and the regular expressions are asked only after it.
    pub contains: Vec<String>,
    /// Its arguments, joined by blanks, match one of these regular expressions.
    pub regex: Vec<String>,
    /// They match all of these.
    pub all_regex: Vec<String>,
    /// They match none of these.
    pub no_regex: Vec<String>,
    /// What the line writes to its standard input, where that is known, matches one of these.
    pub input: Vec<String>,
    /// It was reached through one of these programs (`xargs`, `ssh`).
    pub via: Vec<String>,
    /// Not through these.
    pub not_via: Vec<String>,
    /// One of these programs is piped into it.
    pub fed_by: Vec<String>,
    /// Does not match where everything that feeds it, or whose output stands in its words, is one of
    /// these programs.
    pub unless_fed_by: Vec<String>,
    /// It is opaque in one of these ways.
    pub opaque: Vec<Opaque>,
    /// Whether it runs on another host or in a container.
    pub elsewhere: Option<bool>,
    /// Does not match where a probe is sure that nothing of this would be lost.
    pub loses: Option<Loses>,
    /// With `loses`: whether it holds where it is not known what would be lost. It does, unless this says `false`.
    pub in_doubt: Option<bool>,
    /// With `session` of the rule: what tells the resource that it destroys or creates.
    pub resource: Option<Resource>,
    /// It happens in one of these environments.
    #[serde(rename = "in")]
    pub within: Vec<String>,
    /// All that it does is to start programs of this machine: where the exec gate judges each of them,
    /// nobody is asked.
    pub only_starts: Option<bool>,
    /// The words that show what the command would do, without doing it, with placeholders for the command's own:
    /// `{command}` or `{program}` first, `{arguments}` behind. Empty where there is no such thing. It is no condition.
    pub preview: Vec<String>,
}

/// What is at stake, for a probe to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loses {
    /// The files that it deletes, as `targets` of the program says.
    Targets,
    /// Of those the directories, with all that is in them: a single file is nothing of the kind.
    Trees,
    /// What stands in the files that it writes over, as `targets` of the program says.
    Overwritten,
    /// What stands in the files that its redirections write over.
    Redirected,
    /// What git's working tree holds and no commit does: of the paths it names, or of all.
    Changes,
    /// Files that git has never stored.
    Untracked,
    /// What git-stash(1) has put aside.
    Stash,
    /// Commits that no other branch, tag or remote has.
    Commits,
    /// Commits that a remote has and that nobody has any more when a branch is pushed over it.
    Pushed,
    /// A working tree of git as a whole.
    Worktree,
    /// Resources that a saved plan of terraform's destroys, replaces or forgets.
    Plan,
    /// Resources that terraform's state on this machine holds.
    State,
    /// Rows of a SQLite database.
    Rows,
    /// With `session` only: the files that it moves away.
    Moved,
}

/// The ways in which an action is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opaque {
    /// An argument.
    Operand,
    /// Code that it would run.
    Code,
    /// The program.
    Program,
    /// Text of the line.
    Text,
}

/// An exception: the rule does not apply where this matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exception {
    /// The rule's id.
    pub rule: String,
    /// Why it is safe here.
    pub reason: String,
    /// Where it applies; any of them. Empty: everywhere.
    #[serde(rename = "match", default)]
    pub matches: Vec<Match>,
}
