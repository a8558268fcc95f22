//! The commands of the packs: of each shipped example and case the words of its command, where it is one
//! simple command whose words are all known, with what must be decided about them.
//!
//! What the packs say of such a line is held by their own tests; here it is what every route is held to.

use std::collections::HashSet;

use kibosh::action::{Action, Value};
use kibosh::decide::gates::Gates;
use kibosh::decide::{self, Decision};
use kibosh::judge;
use kibosh::normalise::{self, Context};
use kibosh::policy::Policy;
use kibosh::policy::examples::{self, CWD, HOME, Judged, Line};
use kibosh::policy::paths::Place;
use kibosh::policy::schema::Effect;
use kibosh::probe::Blind;
use kibosh::syntax;

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its words.
    pub words: Vec<String>,
    /// What the packs say of its line.
    pub shipped: Effect,
    /// What is decided where it would run.
    pub effect: Effect,
    /// By which rules.
    pub rules: Vec<String>,
    /// The rules that say nothing there, because nothing is lost.
    pub left_out: Vec<String>,
    /// Whether a script that holds it is stopped before it starts.
    pub stops_scripts: bool,
}

impl Command {
    /// The words as a line for a shell.
    pub fn line(&self) -> String {
        joined(&self.words)
    }
}

/// What is decided about lines for a session with this home directory that works in `cwd`.
pub struct Here<'a> {
    pub policy: &'a Policy,
    pub home: &'a str,
    pub cwd: &'a str,
}

impl Here<'_> {
    /// What is decided about a line where it would run, and by which rules.
    pub fn judged(&self, line: &str) -> (Effect, Vec<String>) {
        let actions = self.actions(line);
        found(self.decided(&actions, Gates::LineThenExec))
    }

    fn actions(&self, line: &str) -> Vec<Action> {
        actions(self.policy, line, &place(self.home, self.cwd))
    }

    fn decided(&self, actions: &[Action], gates: Gates) -> Decision {
        decide::evaluate(
            self.policy,
            actions,
            &place(self.home, self.cwd),
            gates,
            &Blind,
        )
    }

    /// The commands of the packs. Paths below the home directory of the examples become such of this one.
    pub fn commands(&self) -> Vec<Command> {
        let of_examples = place(HOME, CWD);
        let mut lines: Vec<(Vec<Action>, Judged)> = Vec::new();
        let outcome = examples::packs(&mut |line| {
            if line.cwd != CWD || line.home != HOME || !line.environment.is_empty() {
                return judge::example(self.policy, line);
            }
            let actions = actions(self.policy, &line.text, &of_examples);
            let decision =
                decide::evaluate(self.policy, &actions, &of_examples, Gates::Line, &Blind);
            let previews = judge::previews(&decision);
            let (effect, rules) = found(decision);
            let judged = Judged {
                effect,
                rules,
                previews,
            };
            lines.push((actions, judged.clone()));
            judged
        });
        assert!(outcome.failed.is_empty(), "the packs hold by themselves");
        let at_stake = self.rules_about_loss();
        let mut seen = HashSet::new();
        let mut commands = Vec::new();
        for (actions, shipped) in lines {
            let Some(words) = words_of(&actions) else {
                continue;
            };
            let here = |word: &String| word.replace(CWD, self.cwd).replace(HOME, self.home);
            let own: Vec<String> = words.iter().map(here).collect();
            if !seen.insert(own.clone()) || !self.means_the_same(&words, &shipped) {
                continue;
            }
            let actions = self.actions(&joined(&own));
            let (mut effect, mut rules) = found(self.decided(&actions, Gates::LineThenExec));
            let mut left_out = Vec::new();
            // Where nothing is lost, because there is nothing, such a rule says nothing.
            if effect == Effect::Confirm
                && rules.iter().all(|rule| at_stake.contains(rule))
                && self.loses_nothing(&joined(&own))
            {
                left_out = rules;
                (effect, rules) = (Effect::Allow, Vec::new());
            }
            let beside = self.decided(&actions, Gates::BesideExec);
            commands.push(Command {
                words: own,
                shipped: shipped.effect,
                effect,
                rules,
                left_out,
                stops_scripts: beside.effect != Effect::Allow,
            });
        }
        commands
    }

    /// The rules that look at what would be lost.
    fn rules_about_loss(&self) -> HashSet<String> {
        let rules = self.policy.rules();
        let asks = rules.filter(|one| one.rule.matches.iter().any(|one| one.loses.is_some()));
        asks.map(|one| one.rule.id.clone()).collect()
    }

    /// Whether the line would run as it is where it would run, by the word of the binary, which looks there.
    fn loses_nothing(&self, line: &str) -> bool {
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_kibosh"))
            .args(["check", line])
            .current_dir(self.cwd)
            .env("HOME", self.home)
            .stdout(std::process::Stdio::null())
            .status();
        status.unwrap().success()
    }

    /// Whether the words, quoted anew, are the whole line.
    fn means_the_same(&self, words: &[String], shipped: &Judged) -> bool {
        judge::example(self.policy, &Line::example(&joined(words))) == *shipped
    }
}

fn actions(policy: &Policy, line: &str, place: &Place) -> Vec<Action> {
    let context = Context {
        place: place.clone(),
        ..Context::text_only()
    };
    normalise::actions(&syntax::read(line, context.dialect), &context, policy)
}

fn found(decision: Decision) -> (Effect, Vec<String>) {
    let rules = decision.findings.into_iter().map(|finding| finding.rule);
    (decision.effect, rules.collect())
}

/// The words of the one program that a line starts.
fn words_of(actions: &[Action]) -> Option<Vec<String>> {
    let mut started = actions.iter().filter(|one| one.via.is_empty());
    let (action, None) = (started.next()?, started.next()) else {
        return None;
    };
    let words = std::iter::once(&action.path).chain(&action.arguments);
    is_plain(action).then(|| words.map(|word| word.text.clone()).collect())
}

/// Whether an action is the start of a program that is looked up by its name, by known words alone.
fn is_plain(action: &Action) -> bool {
    let is_known = |word: &Value| word.is_known() && !word.glob && !word.text.contains('\0');
    !action.program.is_empty()
        && action.path.text == action.program
        && !action.program.contains(['=', ' '])
        && action.program != "."
        && is_known(&action.path)
        && action.arguments.iter().all(is_known)
        && action.environment.is_empty()
        && action.redirections.is_empty()
        && action.input.is_none()
        && action.fed_by.is_empty()
        && !action.elsewhere
        && action.cwd.as_deref() == Some(CWD)
}

fn place(home: &str, cwd: &str) -> Place {
    Place {
        cwd: cwd.to_owned(),
        home: home.to_owned(),
        workspace: cwd.to_owned(),
    }
}

fn joined(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap()
}
