//! Asking on another terminal of the same user, through their broker, where nobody can be asked here; or by a
//! command, where one is set.
//!
//! While somebody watches, the answer is waited for as long as a question at a terminal is. Else it is waited
//! for only as long as a setting says, which is not at all by itself: the agent is told what a person can do,
//! and the same command passes once that was done. A signal ends the waiting, and is a no.

use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use nix::unistd::geteuid;

use super::signals::Held;
use super::terminal::Choice;
use super::{
    Absence, Approver, Elsewhere, MOST_SECONDS, Previewer, Refusal, Request, external, in_front,
};
use crate::broker::asking::{self, Answer, Waiting};
use crate::broker::reviewing::{self, Outcome};
use crate::broker::{Asked, Error, Reviewer, Scope, Shown};
use crate::decide::Decision;
use crate::report::prompt::{Scene, question};
use crate::report::style::Style;

/// A large terminal, for which it is tried whether a question can be shown.
const ROWS: usize = 60;
/// Its width.
const COLUMNS: usize = 120;

/// Asks there; gives who said yes.
///
/// # Errors
///
/// Why it is a no. `absence` is why nobody can be asked here.
pub fn ask(decision: &Decision, request: &Request, absence: Absence) -> Result<Approver, Refusal> {
    let Some(elsewhere) = &request.elsewhere else {
        return Err(Refusal::NoTerminal(absence));
    };
    let asked = shown(decision, request, elsewhere)?;
    if !elsewhere.command.is_empty() {
        if let Absence::Silent(seconds) = absence {
            // Agents do not wait so long twice.
            return Err(Refusal::Timeout { seconds });
        }
        let seconds = request.seconds.clamp(1, MOST_SECONDS);
        let by = external::ask(&asked, &elsewhere.command, seconds, absence)?;
        return Ok(Approver::External(by));
    }
    broker(asked, request, elsewhere, absence).map(Approver::Reviewer)
}

/// Asks several people, each a user of their own: the one at this terminal, if they count, and others through the
/// broker. Gives who said yes last, with the others.
///
/// # Errors
///
/// Why it is a no, or that not enough have said yes yet.
pub fn ask_several(
    decision: &Decision,
    request: &Request,
    previewer: Option<&dyn Previewer>,
) -> Result<Approver, Refusal> {
    let reviewers = decision.reviewers();
    let elsewhere = request.elsewhere.as_ref().filter(|one| one.has_broker);
    let elsewhere = elsewhere.ok_or(Refusal::Several(reviewers))?;
    let asked = shown(decision, request, elsewhere)?;
    let no_broker = |error: Error| Refusal::NoBroker {
        absence: Absence::Several,
        why: error.to_string(),
    };
    let begun = Instant::now();
    let waiting = match asking::ask(asked.clone(), elsewhere.session).map_err(no_broker)? {
        Answer::Waiting(waiting) => waiting,
        answer => {
            let said = settled(answer).unwrap_or(Err(Refusal::Several(reviewers)));
            return said.map(Approver::Reviewer);
        }
    };
    let uid = geteuid().as_raw();
    let number = waiting.number;
    let mut said = waiting.said.len();
    if elsewhere.operator_counts && !waiting.said.contains(&uid) {
        match in_front(decision, request, previewer) {
            Ok((Choice::Once | Choice::Session, device)) => {
                let shown = Shown {
                    number,
                    asked,
                    session: elsewhere.session,
                };
                let outcome = reviewing::approve(None, &shown, Scope::Once, device);
                // Where it was the last one, the answer is on its way.
                if let Outcome::More(count) = outcome.map_err(no_broker)? {
                    said = count;
                }
            }
            Ok((Choice::Refuse | Choice::Leave, _)) => return Err(Refusal::Person),
            Err(Refusal::NoTerminal(_)) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    let left = patience(request, elsewhere, waiting.is_watched);
    let passed = u8::try_from(begun.elapsed().as_secs()).unwrap_or(u8::MAX);
    match wait(waiting, left.saturating_sub(passed))? {
        Some(Err(error)) => return Err(no_broker(error)),
        Some(Ok(answer)) => settled(answer),
        None => None,
    }
    .unwrap_or(Err(Refusal::Incomplete {
        number,
        uid,
        said,
        of: reviewers,
    }))
    .map(Approver::Reviewer)
}

/// All that is asked about, where it can be shown.
fn shown(decision: &Decision, request: &Request, elsewhere: &Elsewhere) -> Result<Asked, Refusal> {
    let scene = Scene {
        text: &request.text,
        source: &request.source,
        cwd: &request.cwd,
        rows: ROWS,
        columns: COLUMNS,
        style: Style::Plain,
    };
    // What cannot be shown would wait for nobody.
    question(decision, &scene).ok_or(Refusal::TooMuch)?;
    Ok(asked(decision, request, elsewhere))
}

/// All that is asked about. Elsewhere nothing is previewed.
fn asked(decision: &Decision, request: &Request, elsewhere: &Elsewhere) -> Asked {
    let mut decision = decision.clone();
    for finding in &mut decision.findings {
        finding.preview = None;
    }
    Asked {
        decision,
        text: request.text.clone(),
        source: request.source.clone(),
        cwd: request.cwd.clone(),
        policy: elsewhere.policy.clone(),
        program: elsewhere.program.clone(),
        environment: elsewhere.environment.clone(),
        call: elsewhere.call.clone(),
    }
}

/// Asks the user's broker; gives who said yes.
fn broker(
    asked: Asked,
    request: &Request,
    elsewhere: &Elsewhere,
    absence: Absence,
) -> Result<Reviewer, Refusal> {
    let no_broker = |error: Error| Refusal::NoBroker {
        absence: absence.clone(),
        why: error.to_string(),
    };
    match asking::ask(asked, elsewhere.session).map_err(no_broker)? {
        Answer::Waiting(waiting) => {
            let number = waiting.number;
            let seconds = match absence {
                Absence::Silent(_) => 0,
                _ => patience(request, elsewhere, waiting.is_watched),
            };
            let answer = match wait(waiting, seconds)? {
                // Who is gone has taken along what waited.
                Some(Err(error)) => return Err(no_broker(error)),
                Some(Ok(answer)) => settled(answer),
                None => None,
            };
            answer.unwrap_or(Err(Refusal::Pending { number, absence }))
        }
        answer => settled(answer).unwrap_or(Err(Refusal::NoTerminal(absence))),
    }
}

/// What was said to the same request before: a yes that counts still, or a no; none where nothing was.
pub fn recall(decision: &Decision, request: &Request) -> Option<Result<Reviewer, Refusal>> {
    let elsewhere = request.elsewhere.as_ref().filter(|one| one.has_broker)?;
    let asked = asked(decision, request, elsewhere);
    settled(asking::recall(asked, elsewhere.session)?)
}

/// Remembers what was typed at the terminal here: a yes for the session, or a no. Where that cannot be, the yes
/// counts once, and the same is asked again.
pub fn remember(decision: &Decision, request: &Request, is_yes: bool, terminal: String) {
    let elsewhere = request.elsewhere.as_ref().filter(|one| one.has_broker);
    if let Some(elsewhere) = elsewhere {
        let asked = asked(decision, request, elsewhere);
        let _ = asking::tell(asked, elsewhere.session, is_yes, terminal);
    }
}

/// How long is waited.
fn patience(request: &Request, elsewhere: &Elsewhere, is_watched: bool) -> u8 {
    let most = request.seconds.min(MOST_SECONDS);
    if is_watched {
        most
    } else {
        elsewhere.unwatched_seconds.min(most)
    }
}

/// What an answer means; none where it is that the request waits.
fn settled(answer: Answer) -> Option<Result<Reviewer, Refusal>> {
    match answer {
        Answer::Approved(reviewer) => Some(Ok(reviewer)),
        Answer::Refused(why, is_earlier) => Some(Err(Refusal::Reviewer { why, is_earlier })),
        Answer::Full => Some(Err(Refusal::TooMany)),
        Answer::Waiting(_) => None,
    }
}

/// Waits for an answer, or for the end of the broker; none where neither came in time.
fn wait(mut waiting: Waiting, seconds: u8) -> Result<Option<Result<Answer, Error>>, Refusal> {
    let held = Held::back().map_err(|_| Refusal::Interrupted)?;
    let deadline = Instant::now() + Duration::from_secs(seconds.into());
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(waiting.leave().map(Ok));
        }
        held.wait(&[(waiting.answered(), PollFlags::POLLIN)], left)?;
        if let Some(read) = waiting.read().transpose() {
            return Ok(Some(read));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_waits_long_only_where_somebody_watches() {
        let request = |seconds| Request {
            seconds,
            ..Request::default()
        };
        let elsewhere = |unwatched_seconds| Elsewhere {
            unwatched_seconds,
            ..Elsewhere::default()
        };
        for (seconds, unwatched, is_watched, waits) in [
            (20, 0, false, 0),
            (20, 0, true, 20),
            (20, 5, false, 5),
            (3, 5, false, 3),
            (200, 200, true, MOST_SECONDS),
            (200, 200, false, MOST_SECONDS),
        ] {
            let found = patience(&request(seconds), &elsewhere(unwatched), is_watched);
            assert_eq!(found, waits);
        }
    }
}
