//! The judge of the exec gate: every exec of a guarded tree by the policy that was in force when it began.
//!
//! Runs in the supervisor. It joins judging, asking and recording, as the pipeline does for a line, and
//! remembers what was allowed, so that the same program with the same words costs nothing again.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::ffi::{CString, OsStr};
use std::hash::{BuildHasher, Hash, Hasher};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::fcntl::OFlag;
use nix::unistd::{getpid, getppid, pipe2};
use serde::{Deserialize, Serialize};

use super::alike::is_alike;
use super::budgets::{Behind, Budgets, Stands};
use super::grants::Grants;
use super::preview::Previews;
use super::session::elsewhere;
use crate::approve::apart::{self, Question};
use crate::approve::{self, Approver, Cleared, Counts, Previewer, Request as Asked, USUAL_SECONDS};
use crate::audit::{self, Entry, Outcome};
use crate::broker::{Root, call, environment, lasting};
use crate::decide::Decision;
use crate::decide::approved::Approved;
use crate::decide::past::Deed;
use crate::invocation::{self, Invocation, Source, View};
use crate::judge::{self, Base, Caller, Exec, ExecJudgement, Interpreter, Nobody, Running, Told};
use crate::launcher;
use crate::policy::Policy;
use crate::policy::schema::Effect;
use crate::probe::toll::Places;
use crate::report::exec as words;
use crate::report::refusal::{self, Refusal};
use crate::report::source;
use crate::supervise::content::{self, Mark};
use crate::supervise::request::Request;
use crate::supervise::target::{self, Identity, Kind, Known, Place, Step};
use crate::supervise::vectors::Texts;
use crate::supervise::verify;
use crate::supervise::{Answer, Judge, Review, Trouble};
use crate::sys::stat::{Stat, Status};

/// How many allowed execs are remembered.
const MOST_REMEMBERED: usize = 1 << 16;

/// How many refusals are remembered.
const MOST_REFUSED: usize = 64;

/// How the names of the machine's loaders begin.
const LOADER: &str = "ld-";

/// Those in which nobody puts a copy without being asked.
const KEPT: &[&str] = &["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// Questions on their way to whoever puts them, each with where its answer is waited for.
pub type Questions = Rc<RefCell<VecDeque<(Vec<u8>, OwnedFd)>>>;

/// Who puts questions to a person.
pub enum Asks {
    /// A process beside the one that waits, on the terminal of the tree.
    Here,
    /// The launcher of the agent, on the person's terminal.
    Launcher(Questions),
    /// Nobody: what would have to be asked is refused.
    Nobody,
}

/// An exec, judged.
struct Judged {
    exec: ExecJudgement,
    /// Whether it would be judged the same again.
    lasts: bool,
    /// Whether a person has said yes to all that was found.
    is_approved: bool,
}

/// The judge of one tree.
pub struct Guard<'a> {
    policy: &'a Policy,
    base: Base,
    /// What a person has said yes to.
    grants: Rc<RefCell<Grants>>,
    /// What a person is being asked about, by the task that waits.
    asked: HashMap<i32, ExecJudgement>,
    /// What a person has just refused: the task, its attempt, and what it was told.
    refused: VecDeque<(i32, u64, String)>,
    record: Option<PathBuf>,
    asks: Asks,
    /// The session of the agent whose tree this is.
    session: Option<Root>,
    /// The file of this program.
    own: Option<Identity>,
    copies: Option<HashMap<Mark, String>>,
    /// What was allowed, with the files that it takes.
    allowed: HashMap<u64, Vec<Places>>,
    /// What is asked about budgets.
    budgets: Budgets,
    keys: RandomState,
    gains_nothing: Option<bool>,
    /// This process, which is not guarded, and the one that it was made by: nothing above either is guarded.
    ends: [i32; 2],
}

impl<'a> Guard<'a> {
    /// A judge by this policy, of what begins as this process is. `record` is where decisions are written
    /// down, `session` the process of the agent.
    #[must_use]
    pub fn new(
        policy: &'a Policy,
        base: Base,
        grants: Rc<RefCell<Grants>>,
        record: Option<PathBuf>,
        asks: Asks,
        session: Option<Root>,
    ) -> Self {
        Self {
            policy,
            base,
            grants,
            asked: HashMap::new(),
            refused: VecDeque::new(),
            record,
            asks,
            session,
            own: own_file(),
            copies: None,
            allowed: HashMap::new(),
            budgets: Budgets::default(),
            keys: RandomState::new(),
            gains_nothing: None,
            ends: [getpid().as_raw(), getppid().as_raw()],
        }
    }

    /// Judges an exec by what it asks for, or by what it has become.
    fn judged(&mut self, request: &Request, has_started: bool) -> Judged {
        let first = request.steps.first();
        let is_kibosh = first.is_some_and(|step| Some(step.state.identity) == self.own);
        let names = first.map(|step| self.names(step)).unwrap_or_default();
        let mut interpreters = Vec::new();
        let mut read_by = request.steps.iter().skip(1);
        for step in &request.steps {
            match &step.facts.kind {
                Kind::Script {
                    interpreter,
                    argument,
                } => interpreters.push(Interpreter {
                    path: interpreter.clone(),
                    argument: argument.clone(),
                    names: read_by
                        .next()
                        .map(|step| self.names(step))
                        .unwrap_or_default(),
                }),
                // A shell that cannot start it reads it itself.
                Kind::Text => interpreters.push(Interpreter {
                    path: b"/bin/sh".to_vec(),
                    argument: None,
                    names: Vec::new(),
                }),
                Kind::Program => {}
            }
        }
        let is_loader = names.iter().any(|name| name.starts_with(LOADER));
        let exec = Exec {
            path: request.path.clone(),
            names,
            argv: words_of(&request.argv),
            view: view_of(request),
            interpreters,
            is_kibosh,
        };
        let asks = self.above(request);
        // One that has been let go already has no caller any more.
        let caller: &dyn Caller = if has_started { &Nobody } else { &asks };
        let mut judged = judge::exec(self.policy, &self.base, &exec, caller);
        if is_loader {
            for loaded in self.loaded(request) {
                judged.also(judge::exec(self.policy, &self.base, &loaded, caller));
            }
        }
        let lasts = judged.decision.findings.is_empty()
            && !judged.is_for_caller
            // What loses nothing now may lose something the next time.
            && judged.decision.left_out.is_empty()
            // What a shell or a loader reads from a file may be something else the next time, and so may be what is
            // written over where a directory takes what is put in its place.
            && !is_loader
            && !judged.depends_on_files
            && matches!(judged.told, Told::Command(_) | Told::Program(_));
        let is_found = !judged.decision.findings.is_empty();
        let grants = self.grants.borrow();
        judged.decision = grants.left(judged.decision, request.task);
        let is_left = !judged.decision.findings.is_empty();
        Judged {
            is_approved: is_found && !is_left || grants.cover_steps(&judged.decision, request.task),
            exec: judged,
            lasts,
        }
    }

    /// Whether an exec that was allowed may go again: what it takes now is still within the budgets.
    fn may_go_again(&self, key: u64) -> bool {
        let Some(takes) = self.allowed.get(&key) else {
            return false;
        };
        if takes.is_empty() {
            return true;
        }
        let past = self.base.past();
        let place = self.base.place();
        let mut deeds = Vec::new();
        for places in takes {
            let count = past.count(places, self.policy, place);
            // Of many a probe knows better.
            if count.files > 1 {
                return false;
            }
            if count.files > 0 {
                let places = places.clone();
                deeds.push(Deed::Takes { places, count });
            }
        }
        let has_room = past.has_room_for(&deeds);
        if has_room {
            past.note(&deeds, false);
        }
        has_room
    }

    /// Remembers an exec that was allowed, where it would be judged the same again but for the files that it takes.
    fn remember(&mut self, key: u64, deeds: &[Deed]) {
        let takes = deeds.iter().map(|deed| match deed {
            Deed::Takes { places, .. } if places.is_for_all() => Some(places.clone()),
            Deed::Takes { .. } | Deed::Destroys(_) | Deed::Creates(_) => None,
        });
        let Some(takes) = takes.collect::<Option<Vec<Places>>>() else {
            return;
        };
        if self.allowed.len() >= MOST_REMEMBERED {
            self.allowed.clear();
        }
        self.allowed.insert(key, takes);
    }

    /// Who calls an exec.
    fn above<'r>(&self, request: &'r Request) -> Above<'r> {
        Above {
            request,
            until: self.ends,
        }
    }

    /// The programs that a loader is told to run, which no exec of their own shows: every word of it that
    /// names one (ld.so(8)).
    fn loaded(&mut self, request: &Request) -> Vec<Exec> {
        let mut known = Known::default();
        let words = words_of(&request.argv);
        let mut programs = Vec::new();
        for (place, word) in words.iter().enumerate().skip(1) {
            let path = word.to_bytes();
            let steps = known.steps(&request.folder, path, Place::of(path, None, true));
            let Some(step) = steps.ok().and_then(|steps| steps.into_iter().next()) else {
                continue;
            };
            if step.facts.kind == Kind::Program {
                programs.push(Exec {
                    path: path.to_vec(),
                    names: self.names(&step),
                    argv: words.iter().skip(place).cloned().collect(),
                    view: view_of(request),
                    interpreters: Vec::new(),
                    is_kibosh: false,
                });
            }
        }
        programs
    }

    /// Further names that a file is known by.
    fn names(&mut self, step: &Step) -> Vec<String> {
        let mut names = Vec::new();
        if step.facts.content != Mark::None && !is_of_the_machine(step) {
            names.extend(self.copies().get(&step.facts.content).cloned());
        }
        if let Some(name) = step.facts.real.file_name() {
            names.push(name.to_string_lossy().into_owned());
        }
        names
    }

    /// The programs that are known by their content. Looked up when the first one is asked about.
    fn copies(&mut self) -> &HashMap<Mark, String> {
        let names = &self.policy.settings().known_copies;
        self.copies
            .get_or_insert_with(|| content::of_machine(names))
    }

    /// What tells an exec from all others. Others cannot find two that are told alike: the keys are of this
    /// process.
    ///
    /// A shell that starts it names the program in the variable `_`, which tells nothing else.
    fn key(&self, request: &Request) -> u64 {
        let mut hasher = self.keys.build_hasher();
        for step in &request.steps {
            step.name.hash(&mut hasher);
            step.state.hash(&mut hasher);
        }
        request.path.hash(&mut hasher);
        request.argv.bytes.hash(&mut hasher);
        request.cwd.hash(&mut hasher);
        let (before, after) = request.environment.around(b"_=");
        before.hash(&mut hasher);
        after.hash(&mut hasher);
        hasher.finish()
    }

    /// What tells an attempt to start a program from others, wherever the program is looked for.
    fn attempt(&self, request: &Request) -> u64 {
        let mut hasher = self.keys.build_hasher();
        request
            .path
            .rsplit(|&byte| byte == b'/')
            .next()
            .hash(&mut hasher);
        request.argv.bytes.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether this is a program that is nothing without rights, which it cannot gain here.
    fn lacks_rights(&mut self, request: &Request) -> Option<String> {
        let step = request.steps.first().filter(|step| step.state.gains)?;
        let name = step.facts.real.file_name()?.to_string_lossy().into_owned();
        let settings = self.policy.settings();
        let is_one = settings.gains_privileges.contains(&name);
        let gains_nothing = || !nix::unistd::geteuid().is_root() && has_given_up(request.task);
        (is_one && *self.gains_nothing.get_or_insert_with(gains_nothing)).then_some(name)
    }

    /// Whether lines that ran are written down: below a launcher no line gate does.
    fn records_lines(&self) -> bool {
        matches!(self.asks, Asks::Launcher(_))
    }

    /// Lets what was approved count for what comes from a task; of a typed command, for the shell that asks.
    fn grant(&self, approved: Approved, judged: &ExecJudgement, task: i32) {
        let mut grants = self.grants.borrow_mut();
        match (&judged.told, Stat::of(task)) {
            // It asks in a substitution, which is a process of its own.
            (Told::Typed, Some(stat)) => grants.set(approved, stat.parent),
            _ => grants.add(approved, task),
        }
    }

    fn record(&self, request: &Request, judged: &ExecJudgement, outcome: Outcome<'_>) {
        let entry = Entry {
            text: judged.text.get(judged.start..).unwrap_or_default(),
            source: &source_of(judged),
            cwd: &String::from_utf8_lossy(&request.cwd),
            decision: &judged.decision,
            outcome,
        };
        audit::note(self.record.as_deref(), &entry);
    }

    /// Writes down that it is refused, and says so.
    fn refuse(&self, request: &Request, judged: &ExecJudgement, refusal: &Refusal) -> Answer {
        self.record(request, judged, Outcome::Refused(refusal));
        let is_typed = judged.told == Told::Typed;
        Answer::No(refused(&judged.decision, is_typed, refusal))
    }

    /// Has a person asked.
    fn ask(&self, request: &Request, judged: &ExecJudgement) -> io::Result<Question> {
        let seconds = self.policy.settings().prompt_seconds;
        let (file, environment) = (file_of(request), environment(request.environment.iter()));
        let call = call_of(request);
        let mut findings = judged.decision.findings.iter();
        let has_preview = findings.any(|one| one.preview.is_some());
        let start = (has_preview && may_preview(request)).then(|| Start {
            environment: lasting(request.environment.iter()),
            guards: self.ends,
        });
        let question = Put {
            same: [
                file.clone().unwrap_or_default(),
                environment.clone(),
                call.clone(),
            ],
            decision: judged.decision.clone(),
            request: Asked {
                text: judged.text.clone(),
                source: source::with_callers(source_of(judged), self.above(request).chain()),
                cwd: String::from_utf8_lossy(&request.cwd).into_owned(),
                seconds: seconds.unwrap_or(USUAL_SECONDS),
                times: 1,
                counts: Counts::By(self.policy.settings().terminals.unwrap_or_default()),
                elsewhere: elsewhere(self.policy, file, environment, call, self.session),
            },
            start_of_text: judged.start,
            is_typed: judged.told == Told::Typed,
            start,
        };
        match &self.asks {
            Asks::Nobody => Err(io::ErrorKind::Unsupported.into()),
            Asks::Here => {
                let record = self.record.as_deref();
                let previews = question.previews(self.policy, Some(&self.base), record);
                apart::ask(
                    &question.decision,
                    &question.request,
                    request.task,
                    previews.as_ref().map(|one| -> &dyn Previewer { one }),
                    |outcome| question.done(outcome, record),
                )
            }
            Asks::Launcher(questions) => {
                let (answer, sender) = pipe2(OFlag::O_CLOEXEC)?;
                let bytes = serde_json::to_vec(&question)?;
                questions.borrow_mut().push_back((bytes, sender));
                Ok(Question::put_elsewhere(answer))
            }
        }
    }
}

/// A question, as it is told to whoever puts it.
#[derive(Serialize, Deserialize)]
struct Put {
    decision: Decision,
    request: Asked,
    /// What is not shown whole: the files, the environment, and how it is called. One answer is for several only
    /// where they are told alike, to the last byte.
    same: [String; 3],
    /// Where in the text the exec's own part begins.
    start_of_text: usize,
    is_typed: bool,
    /// With what it would be started; none where nothing is previewed.
    start: Option<Start>,
}

/// With what an exec would start its program.
#[derive(Serialize, Deserialize)]
struct Start {
    environment: Vec<Vec<u8>>,
    /// The processes that guard it.
    guards: [i32; 2],
}

impl Put {
    /// What shows previews for it. `base` is as [`Previews::base`].
    fn previews<'p>(
        &self,
        policy: &'p Policy,
        base: Option<&'p Base>,
        record: Option<&Path>,
    ) -> Option<Previews<'p>> {
        let start = self.start.as_ref()?;
        Some(Previews {
            policy,
            base,
            environment: Some(start.environment.clone()),
            record: record.map(Path::to_owned),
            protects: start.guards.to_vec(),
        })
    }

    /// Writes down what came of it, for each that it is for; gives what is said of a refusal.
    fn done(&self, outcome: Result<&Approver, &Refusal>, record: Option<&Path>) -> String {
        let entry = Entry {
            text: self
                .request
                .text
                .get(self.start_of_text..)
                .unwrap_or_default(),
            source: &self.request.source,
            cwd: &self.request.cwd,
            decision: &self.decision,
            outcome: match outcome {
                Ok(by) => Outcome::Approved(by),
                Err(refusal) => Outcome::Refused(refusal),
            },
        };
        let times = match outcome {
            Ok(by) if !by.is_for_all() => 1,
            _ => self.request.times.max(1),
        };
        for _ in 0..times {
            audit::note(record, &entry);
        }
        match outcome {
            Ok(_) => String::new(),
            Err(refusal) => refused(&self.decision, self.is_typed, refusal),
        }
    }
}

/// Puts a question of a guard to the person at the terminal of the launcher; gives its answer, which is
/// for as many as want the same.
#[must_use]
pub fn put(
    policy: &Policy,
    question: &[u8],
    times: usize,
    record: Option<&Path>,
) -> launcher::Answer {
    let Ok(mut put) = serde_json::from_slice::<Put>(question) else {
        return launcher::Answer::default();
    };
    put.request.times = times;
    put.request.counts = Counts::Launcher;
    let mut is_for_all = true;
    let previews = put.previews(policy, None, record);
    let previewer = previews.as_ref().map(|one| -> &dyn Previewer { one });
    let bytes = apart::put(&put.decision, &put.request, previewer, |outcome| {
        is_for_all = outcome.is_ok_and(Approver::is_for_all) || outcome.is_err();
        put.done(outcome, record)
    });
    launcher::Answer { bytes, is_for_all }
}

impl Judge for Guard<'_> {
    fn is_command(&self, request: &Request) -> bool {
        let [step] = request.steps.as_slice() else {
            return false;
        };
        let real = step.facts.real.file_name().unwrap_or_default();
        let called = Path::new(OsStr::from_bytes(&request.path)).file_name();
        let names = [real, called.unwrap_or_default()].map(OsStr::to_string_lossy);
        let shell = names.iter().find(|name| invocation::is_shell(name));
        shell.is_some_and(|name| {
            let view = view_of(request);
            let shell = Invocation::of_shell(words_of(&request.argv), name, &view);
            matches!(shell.source, Source::Command(_))
        })
    }

    fn is_above(&self) -> bool {
        matches!(self.asks, Asks::Launcher(_))
    }

    fn again(&mut self, request: &Request) -> Option<Cleared> {
        let key = self.key(request);
        let may = self.may_go_again(key);
        may.then(|| approve::clear(&Decision::default()))?
    }

    fn judge(&mut self, request: &Request) -> Answer {
        if let Some(program) = self.lacks_rights(request) {
            return Answer::No(words::gains_nothing(&program));
        }
        let Judged {
            exec: judged,
            lasts,
            is_approved,
        } = self.judged(request, false);
        if judged.told == Told::Typed {
            self.budgets.forget();
        }
        if let Some(cleared) = approve::clear(&judged.decision) {
            let deeds = &judged.decision.deeds;
            self.base.past().note(deeds, is_approved);
            let is_line = matches!(judged.told, Told::Command(_));
            if is_line && self.records_lines() {
                self.record(request, &judged, Outcome::Ran);
            } else if lasts {
                self.remember(self.key(request), deeds);
            }
            if judged.told == Told::Typed {
                // What was approved in the command before counts no more.
                self.grant(Approved::default(), &judged, request.task);
            }
            return Answer::Go(cleared);
        }
        if judged.decision.effect == Effect::Deny {
            return self.refuse(request, &judged, &Refusal::Policy);
        }
        // Who looks through PATH tries the next file of that name; that is no other question.
        let attempt = self.attempt(request);
        let known =
            |(task, what, _): &&(i32, u64, String)| *task == request.task && *what == attempt;
        if let Some((_, _, words)) = self.refused.iter().find(known) {
            return Answer::No(words.clone());
        }
        if matches!(self.asks, Asks::Nobody) {
            return self.refuse(request, &judged, &Refusal::Preview);
        }
        match self.budgets.stands(&judged.decision, attempt) {
            Stands::Refused(rule) => return Answer::No(words::used_up(rule)),
            Stands::Behind(rule) => match Behind::of(rule, &judged.decision, self.base.past()) {
                Ok((behind, told)) => {
                    self.budgets.wait(rule, told);
                    return Answer::Wait(Box::new(behind));
                }
                Err(error) => return Answer::No(words::hidden(&error)),
            },
            Stands::Alone => {}
        }
        match self.ask(request, &judged) {
            Ok(question) => {
                self.budgets.ask(&judged.decision);
                self.asked.insert(request.task, judged);
                Answer::Wait(Box::new(Waiting(question)))
            }
            Err(error) => Answer::No(words::hidden(&error)),
        }
    }

    fn answered(&mut self, request: &Request, answer: Result<(), &str>) {
        let Some(judged) = self.asked.remove(&request.task) else {
            return;
        };
        // Without words it was withdrawn.
        let said = (answer != Err("")).then_some(answer.is_ok());
        let attempt = self.attempt(request);
        self.budgets.answered(&judged.decision, said, attempt);
        match answer {
            Ok(()) => {
                let past = self.base.past();
                let deeds = &judged.decision.deeds;
                past.note(deeds, true);
                for finding in &judged.decision.findings {
                    if let Some(before) = &finding.around.before {
                        past.renew(before, deeds);
                    }
                }
                let mut approved = Approved::default();
                approved.add(&judged.decision);
                self.grant(approved, &judged, request.task);
            }
            Err(words) => {
                if self.refused.len() >= MOST_REFUSED {
                    self.refused.pop_front();
                }
                self.refused
                    .push_back((request.task, attempt, words.to_owned()));
            }
        }
    }

    fn judge_started(&mut self, request: &Request) -> Result<Cleared, String> {
        let Judged {
            exec: judged,
            is_approved,
            ..
        } = self.judged(request, true);
        let cleared = approve::clear(&judged.decision);
        if cleared.is_some() {
            self.base.past().note(&judged.decision.deeds, is_approved);
        }
        cleared.ok_or_else(|| {
            self.record(request, &judged, Outcome::Refused(&Refusal::Policy));
            refused(&judged.decision, false, &Refusal::Policy)
        })
    }

    fn cannot(&mut self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Hidden(error) => words::hidden(error),
            Trouble::Traced => words::traced(),
            Trouble::Changed => words::changed(),
        }
    }
}

/// How large an environment may be that is told to whoever puts a question, in bytes.
const MOST_TOLD: usize = 1 << 20;

/// Whether what an exec would do can be shown by a process that is started here.
fn may_preview(request: &Request) -> bool {
    let size: usize = request.environment.iter().map(<[u8]>::len).sum();
    size <= MOST_TOLD && is_alike(request.task)
}

/// The files that an exec would start, as they are now.
fn file_of(request: &Request) -> Option<String> {
    let files = request.steps.iter().map(|step| step.state.to_string());
    Some(files.collect::<Vec<_>>().join(" "))
}

/// What tells how an exec is called: each byte of the path, the words and the directory.
fn call_of(request: &Request) -> String {
    let words = std::iter::once(request.path.as_slice()).chain(request.argv.iter());
    call(words, &request.cwd, request.environment.iter())
}

/// Where a judged text comes from, with the words that it is given.
fn source_of(judged: &ExecJudgement) -> String {
    source::with_words(&source::of_exec(&judged.told), &judged.given)
}

/// What is said of a refusal. Of a command that is typed nothing has run.
fn refused(decision: &Decision, is_typed: bool, refusal: &Refusal) -> String {
    if is_typed {
        refusal::message(decision, refusal)
    } else {
        refusal::of_exec(decision, refusal)
    }
}

/// A person is being asked about an exec.
struct Waiting(Question);

impl Review for Waiting {
    fn answered(&self) -> BorrowedFd<'_> {
        self.0.answered()
    }

    fn answer(self: Box<Self>) -> Result<Cleared, String> {
        self.0.answer()
    }
}

/// The file of this program.
fn own_file() -> Option<Identity> {
    let stat = nix::sys::stat::stat("/proc/self/exe").ok()?;
    Some(target::State::of(&stat).identity)
}

/// Whether a task can gain no rights (`NoNewPrivs` of proc_pid_status(5)).
fn has_given_up(task: i32) -> bool {
    Status::of(task).is_ok_and(|status| status.field("NoNewPrivs:") == Some("1"))
}

/// How far up programs are looked for.
const MOST_ABOVE: usize = 64;

/// Who calls an exec: the task that asks, and what is above it.
struct Above<'r> {
    request: &'r Request,
    /// As [`Guard::ends`].
    until: [i32; 2],
}

impl Caller for Above<'_> {
    fn environment(&self) -> Vec<Vec<u8>> {
        let environment = verify::environment(&self.request.folder).unwrap_or_default();
        environment.iter().map(<[u8]>::to_vec).collect()
    }

    fn chain(&self) -> Box<dyn Iterator<Item = Running> + '_> {
        let mut next = Some(self.request.task);
        let chain = std::iter::from_fn(move || {
            let task = next.filter(|&task| task != self.until[0])?;
            let (_held, folder) = target::held(task).ok()?;
            next = if task == self.until[1] {
                None
            } else {
                Stat::of(task).map(|stat| stat.parent)
            };
            Some(running(&folder))
        });
        Box::new(chain.take(MOST_ABOVE))
    }
}

/// The program of a task; `folder` is its `/proc/TASK`.
fn running(folder: &Path) -> Running {
    let words = verify::words(folder).unwrap_or_default();
    let program = verify::program(folder).unwrap_or_default();
    Running {
        program: PathBuf::from(OsStr::from_bytes(&program)),
        words: words
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    }
}

/// Whether a file is one of the machine's own programs, whose name is what it is: not where another one
/// is mounted over it in a place of the caller's own.
fn is_of_the_machine(step: &Step) -> bool {
    let real = &step.facts.real;
    let is_kept = real
        .parent()
        .is_some_and(|folder| KEPT.iter().any(|known| folder == Path::new(known)));
    is_kept
        && nix::sys::stat::stat(real)
            .is_ok_and(|stat| target::State::of(&stat).identity == step.state.identity)
}

/// The process as an exec will leave it.
fn view_of(request: &Request) -> View {
    let process = PathBuf::from(format!("/proc/{}", request.task));
    let environment = request.environment.iter().map(<[u8]>::to_vec).collect();
    let cwd = PathBuf::from(OsStr::from_bytes(&request.cwd));
    View::of(process, environment, Some(cwd))
}

fn words_of(texts: &Texts) -> Vec<CString> {
    texts
        .iter()
        .filter_map(|text| CString::new(text).ok())
        .collect()
}
