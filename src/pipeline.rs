//! The whole run of the shell, top to bottom. It joins the stages and decides nothing itself.

use crate::approve::{self, Request, USUAL_SECONDS};
use crate::decide::Decision;
use crate::execute;
use crate::exit;
use crate::invocation::{Invocation, Source, Text};
use crate::judge;
use crate::policy::Policy;
use crate::policy::discover::Folders;
use crate::policy::error::PolicyErrors;
use crate::policy::examples;
use crate::policy::schema::Effect;
use crate::report::{self, refusal};

/// Reads, judges and runs what an invocation asks for. Returns the exit status only where this program
/// did not become the real shell; what is to be said of that goes to `say`.
#[must_use]
pub fn run(invocation: &Invocation, say: &dyn Fn(&str)) -> u8 {
    let folders = Folders::here();
    let policy = match load(&folders) {
        Ok(policy) => policy,
        Err(errors) => {
            say(&report::policy::unreadable(&errors));
            return exit::FAILED;
        }
    };
    let text = Text::of(invocation);
    let decision = judge(&policy, &text);
    let settings = policy.settings();
    let request = Request {
        text: shown(&text),
        source: source(invocation),
        cwd: folders
            .cwd
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default(),
        seconds: settings.prompt_seconds.unwrap_or(USUAL_SECONDS),
    };
    match approve::review(&decision, &request) {
        Ok(cleared) => {
            let error = execute::launch(cleared, invocation, settings);
            say(&format!("kibosh: nothing was run: {error}"));
            exit::FAILED
        }
        Err(why) => {
            say(&refusal::message(&decision, &why));
            exit::STOPPED
        }
    }
}

/// The policy in force, its examples run.
///
/// # Errors
///
/// Everything that is wrong with the files of the layers.
pub fn load(folders: &Folders) -> Result<Policy, PolicyErrors> {
    let policy = Policy::load(folders)?;
    examples::prove(&policy, folders, &mut |line| judge::example(&policy, line))?;
    Ok(policy)
}

/// What the policy says of a text.
fn judge(_policy: &Policy, text: &Text) -> Decision {
    match text {
        Text::Whole(_) | Text::Nothing => Decision::default(),
        Text::Stream | Text::Typed | Text::Hidden(_) => Decision {
            effect: Effect::Confirm,
            findings: Vec::new(),
        },
    }
}

/// The text as a person is shown it.
fn shown(text: &Text) -> String {
    match text {
        Text::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Text::Nothing | Text::Stream | Text::Typed | Text::Hidden(_) => String::new(),
    }
}

/// Where the text came from, for a person.
fn source(invocation: &Invocation) -> String {
    match invocation.source {
        Source::Command(_) => "-c".to_owned(),
        Source::File(place) => {
            format!(
                "script {}",
                invocation.word(place).unwrap_or_default().to_string_lossy()
            )
        }
        Source::Input => "standard input".to_owned(),
        Source::Typed => "the terminal".to_owned(),
        Source::Nothing(_) => String::new(),
    }
}
