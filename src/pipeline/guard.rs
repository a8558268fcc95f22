//! The judge of the exec gate: every exec of a guarded tree by the policy that was in force when it began.
//!
//! Runs in the supervisor. It joins judging, asking and recording, as the pipeline does for a line, and
//! remembers what was allowed, so that the same program with the same words costs nothing again.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::ffi::{CString, OsStr};
use std::fs;
use std::hash::{BuildHasher, Hash, Hasher};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::approve::apart::{self, Question};
use crate::approve::{self, Cleared, Request as Asked, USUAL_SECONDS};
use crate::audit::{self, Entry, Outcome};
use crate::decide::Decision;
use crate::decide::approved::Approved;
use crate::invocation::View;
use crate::judge::{self, Base, Exec, ExecJudgement, Interpreter, Told};
use crate::policy::Policy;
use crate::policy::schema::Effect;
use crate::report::exec as words;
use crate::report::refusal::{self, Refusal};
use crate::report::source;
use crate::supervise::content::Mark;
use crate::supervise::request::Request;
use crate::supervise::target::{self, Identity, Kind, Known, Place, Step};
use crate::supervise::vectors::Texts;
use crate::supervise::{Answer, Judge, Review, Trouble};

/// How many allowed execs are remembered.
const MOST_REMEMBERED: usize = 1 << 16;

/// Where programs of the machine stand, for knowing their copies.
const FOLDERS: &[&str] = &[
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/lib64",
    "/lib",
];
/// Those in which nobody puts a copy without being asked.
const KEPT: &[&str] = &["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// The judge of one tree.
pub struct Guard<'a> {
    policy: &'a Policy,
    base: Base,
    /// What a person has said yes to.
    approved: Approved,
    record: Option<PathBuf>,
    /// The file of this program.
    own: Option<Identity>,
    copies: Option<HashMap<Mark, String>>,
    allowed: HashSet<u64>,
    keys: RandomState,
    gains_nothing: Option<bool>,
}

impl<'a> Guard<'a> {
    /// A judge by this policy, of what begins as this process is. `record` is where decisions are written
    /// down.
    #[must_use]
    pub fn new(
        policy: &'a Policy,
        base: Base,
        approved: Approved,
        record: Option<PathBuf>,
    ) -> Self {
        Self {
            policy,
            base,
            approved,
            record,
            own: own_file(),
            copies: None,
            allowed: HashSet::new(),
            keys: RandomState::new(),
            gains_nothing: None,
        }
    }

    /// Judges an exec by what it asks for, or by what it has become.
    fn judged(&mut self, request: &Request) -> ExecJudgement {
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
        let process = PathBuf::from(format!("/proc/{}", request.task));
        let environment = request.environment.iter().map(<[u8]>::to_vec).collect();
        let cwd = PathBuf::from(OsStr::from_bytes(&request.cwd));
        let exec = Exec {
            path: request.path.clone(),
            names,
            argv: words_of(&request.argv),
            view: View::of(process, environment, Some(cwd)),
            interpreters,
            is_kibosh,
        };
        let mut judged = judge::exec(self.policy, &self.base, &exec);
        judged.decision = judged.decision.without(&self.approved);
        judged
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
        self.copies.get_or_insert_with(|| marks_of(names))
    }

    /// What tells an exec from all others. Others cannot find two that are told alike: the keys are of this
    /// process.
    fn key(&self, request: &Request) -> u64 {
        let mut hasher = self.keys.build_hasher();
        for step in &request.steps {
            step.name.hash(&mut hasher);
            step.state.hash(&mut hasher);
        }
        request.path.hash(&mut hasher);
        request.argv.bytes.hash(&mut hasher);
        request.cwd.hash(&mut hasher);
        for variable in request.environment.iter() {
            // bash names the program itself there.
            if !variable.starts_with(b"_=") {
                variable.hash(&mut hasher);
            }
        }
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

    fn record(&self, request: &Request, judged: &ExecJudgement, outcome: Outcome<'_>) {
        let Some(file) = &self.record else { return };
        let entry = Entry {
            text: judged.text.get(judged.start..).unwrap_or_default(),
            source: &source::of_exec(&judged.told),
            cwd: &String::from_utf8_lossy(&request.cwd),
            decision: &judged.decision,
            outcome,
        };
        let _ = audit::record(file, &entry);
    }

    fn ask(&self, request: &Request, judged: &ExecJudgement) -> std::io::Result<Question> {
        let asked = Asked {
            text: judged.text.clone(),
            source: source::of_exec(&judged.told),
            cwd: String::from_utf8_lossy(&request.cwd).into_owned(),
            seconds: self
                .policy
                .settings()
                .prompt_seconds
                .unwrap_or(USUAL_SECONDS),
        };
        apart::ask(
            &judged.decision,
            &asked,
            request.task,
            |outcome| match outcome {
                Ok(()) => {
                    self.record(request, judged, Outcome::Approved);
                    String::new()
                }
                Err(refused) => {
                    self.record(request, judged, Outcome::Refused(refused));
                    refusal::of_exec(&judged.decision, refused)
                }
            },
        )
    }
}

impl Judge for Guard<'_> {
    fn judge(&mut self, request: &Request) -> Answer {
        let key = self.key(request);
        if self.allowed.contains(&key)
            && let Some(cleared) = approve::clear(&Decision::default())
        {
            return Answer::Go(cleared);
        }
        if let Some(program) = self.lacks_rights(request) {
            return Answer::No(words::gains_nothing(&program));
        }
        let judged = self.judged(request);
        if let Some(cleared) = approve::clear(&judged.decision) {
            // What a shell reads from a file may be something else the next time.
            if matches!(judged.told, Told::Command(_) | Told::Program(_)) {
                if self.allowed.len() >= MOST_REMEMBERED {
                    self.allowed.clear();
                }
                self.allowed.insert(key);
            }
            return Answer::Go(cleared);
        }
        if judged.decision.effect == Effect::Deny {
            self.record(request, &judged, Outcome::Refused(&Refusal::Policy));
            return Answer::No(refusal::of_exec(&judged.decision, &Refusal::Policy));
        }
        match self.ask(request, &judged) {
            Ok(question) => Answer::Wait(Box::new(Waiting(question))),
            Err(error) => Answer::No(words::hidden(&error)),
        }
    }

    fn judge_started(&mut self, request: &Request) -> Result<Cleared, String> {
        let judged = self.judged(request);
        approve::clear(&judged.decision).ok_or_else(|| {
            self.record(request, &judged, Outcome::Refused(&Refusal::Policy));
            refusal::of_exec(&judged.decision, &Refusal::Policy)
        })
    }

    fn cannot(&mut self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Hidden(error) => words::hidden(error),
            Trouble::Traced => words::traced(),
        }
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
    fs::read_to_string(format!("/proc/{task}/status"))
        .is_ok_and(|status| status.lines().any(|line| line == "NoNewPrivs:\t1"))
}

/// The marks of the machine's programs of these names.
fn marks_of(names: &[String]) -> HashMap<Mark, String> {
    let mut marks = HashMap::new();
    let mut known = Known::default();
    let Ok(own) = target::folder(std::process::id().cast_signed()) else {
        return marks;
    };
    for name in names {
        for place in FOLDERS {
            let path = PathBuf::from(place).join(name);
            let path = path.as_os_str().as_bytes();
            let steps = known.steps(own.as_fd(), path, Place::of(path, None, true));
            let Ok(steps) = steps else { continue };
            if let Some(step) = steps.first()
                && step.facts.content != Mark::None
            {
                marks
                    .entry(step.facts.content.clone())
                    .or_insert_with(|| name.clone());
            }
        }
    }
    marks
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

fn words_of(texts: &Texts) -> Vec<CString> {
    texts
        .iter()
        .filter_map(|text| CString::new(text).ok())
        .collect()
}
