//! Decision to [`Cleared`] or [`Refusal`]: the only place where something becomes allowed to run.
//!
//! Allow is cleared, deny is refused, and confirm is put to a person on the terminal, or, where there is none
//! here, on another terminal of the same user or to a command that takes it to a person. An answer is never taken
//! from standard input, a file, a variable or an argument, and nothing that says deny is ever cleared.

mod above;
pub mod apart;
mod elsewhere;
mod entry;
mod external;
mod keeper;
pub mod kept;
pub mod reviewer;
mod signals;
pub mod stage;
mod standing;
mod terminal;

use std::io;

use serde::{Deserialize, Serialize};

use self::kept::Kept;
pub use self::standing::Counts;
use self::terminal::Choice;
use crate::broker::{Reviewer, Root};
use crate::decide::Decision;
use crate::decide::preview::Preview;
use crate::policy::schema::Effect;
pub use crate::report::external::{External, Unanswered, Unsound};
pub use crate::report::refusal::{Absence, Refusal};
use crate::sys::process::Unseen;

/// The leave to execute one line. Only [`review`] makes one.
#[must_use]
#[derive(Debug)]
pub struct Cleared(Approver);

impl Cleared {
    /// Who cleared it, for the record.
    #[must_use]
    pub fn approver(&self) -> &Approver {
        &self.0
    }
}

/// Who cleared a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Approver {
    /// The policy: nothing had to be asked.
    Policy,
    /// A person at the terminal.
    Person,
    /// A person at another terminal.
    Reviewer(Reviewer),
    /// Somebody whom the reviewer command asked.
    External(External),
}

impl Approver {
    /// Whether the yes is for all that want the same at once, which a person was shown how many they are. One
    /// that was given elsewhere is for one.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        match self {
            Self::Policy | Self::Person => true,
            Self::Reviewer(_) | Self::External(_) => false,
        }
    }
}

/// What a person is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The text of the line; the origins of findings are byte ranges in it.
    pub text: String,
    /// Where the text came from, for the person: `-c`, `script deploy.sh`, `standard input`.
    pub source: String,
    /// The working directory.
    pub cwd: String,
    /// How long the person has; at most [`MOST_SECONDS`] are waited.
    pub seconds: u8,
    /// How many want the same at once, which one answer is for.
    #[serde(default)]
    pub times: usize,
    /// Which terminals count.
    #[serde(default)]
    pub counts: Counts,
    /// What is needed to ask on another terminal; none where that is not to be.
    pub elsewhere: Option<Elsewhere>,
}

/// What a request for another terminal has beside what is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// A hash of the policy in force.
    pub policy: String,
    /// Which file would be started, and its state; none for a line.
    pub program: Option<String>,
    /// A hash of the environment.
    pub environment: String,
    /// A hash of the words, and of the directories as they are named.
    pub call: String,
    /// The session that an approval may be bound to.
    pub session: Option<Root>,
    /// How long is waited where nobody watches.
    pub unwatched_seconds: u8,
    /// The command that is asked in place of a broker; empty for none.
    pub command: Vec<String>,
    /// Whether there is a broker.
    pub has_broker: bool,
    /// Whether the user here counts among the people that a rule wants.
    pub operator_counts: bool,
}

/// The longest that a prompt is shown. Several agents kill or leave a command after 30 seconds.
pub const MOST_SECONDS: u8 = 25;

/// The time a person has where no setting says otherwise.
pub const USUAL_SECONDS: u8 = 20;

/// Starts what shows what a command would do, where the person who is asked wants to see that.
pub trait Previewer {
    /// Starts it, so that it runs nothing that would have to be asked about, and writes what it says to the stream.
    ///
    /// # Errors
    ///
    /// Where no process can be made.
    fn start(&self, preview: &Preview) -> io::Result<Kept>;
}

/// Clears a line, or says why not. Asks a person where the decision is confirm, which can take as
/// long as the request says. Nothing is previewed where `previewer` is none.
///
/// # Errors
///
/// The refusal: a rule that denies, a person's no, or nobody there to say yes.
pub fn review(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
) -> Result<Cleared, Refusal> {
    match strictest(decision) {
        Effect::Allow => Ok(Cleared(Approver::Policy)),
        Effect::Deny => Err(Refusal::Policy),
        Effect::Confirm => {
            // It is not guarded while it asks, and what it is told counts: nobody may look into it or steer it.
            let _unseen = Unseen::meanwhile();
            ask(decision, request, previewer).map(Cleared)
        }
    }
}

/// Puts it to as many people as it wants; gives who said yes.
fn ask(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
) -> Result<Approver, Refusal> {
    if decision.reviewers() > 1 {
        return elsewhere::ask_several(decision, request, previewer);
    }
    if let Some(said) = elsewhere::recall(decision, request) {
        return said.map(Approver::Reviewer);
    }
    match in_front(decision, request, previewer) {
        Ok((Choice::Once, _)) => Ok(Approver::Person),
        Ok((Choice::Session, terminal)) => {
            elsewhere::remember(decision, request, true, terminal);
            Ok(Approver::Person)
        }
        Ok((Choice::Refuse, terminal)) => {
            elsewhere::remember(decision, request, false, terminal);
            Err(Refusal::Person)
        }
        // It was meant for something else, or mistyped.
        Ok((Choice::Leave, _)) => Err(Refusal::Person),
        Err(Refusal::NoTerminal(absence)) => elsewhere::ask(decision, request, absence),
        Err(refusal) => Err(refusal),
    }
}

/// Asks the person in front: at the terminal here, else at the registered one above. Gives what they typed, and the
/// name of the terminal.
fn in_front(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
) -> Result<(Choice, String), Refusal> {
    match terminal::ask(decision, request, previewer) {
        Ok(choice) => Ok((choice, terminal::name())),
        Err(Refusal::NoTerminal(absence)) => {
            match above::ask(decision, request, previewer, absence) {
                // They may be away: then it waits for them, as it does where nobody can be asked.
                Err(Refusal::Timeout { seconds }) => {
                    Err(Refusal::NoTerminal(Absence::Silent(seconds)))
                }
                answer => answer,
            }
        }
        Err(refusal) => Err(refusal),
    }
}

/// Clears what nothing speaks against; none where anything does. Asks nobody.
#[must_use]
pub fn clear(decision: &Decision) -> Option<Cleared> {
    (strictest(decision) == Effect::Allow).then_some(Cleared(Approver::Policy))
}

/// The strictest effect of a decision and its findings. The decision's own is that already; a
/// decision put together wrongly must still not clear what a finding stops.
fn strictest(decision: &Decision) -> Effect {
    decision
        .findings
        .iter()
        .map(|finding| finding.effect)
        .fold(decision.effect, Effect::max)
}
