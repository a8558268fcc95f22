//! A question about something that this program itself would do: a person says yes at the terminal.

use crate::approve::{self, Counts, Request, USUAL_SECONDS};
use crate::broker;
use crate::decide::around::Around;
use crate::decide::{Decision, Finding};
use crate::policy::schema::{Acknowledge, Effect};
use crate::report::refusal::message;
use crate::syntax::Span;

/// What would be done.
pub struct Question<'a> {
    /// The verb, as it is typed.
    pub verb: &'a str,
    /// The file that it is about.
    pub file: &'a str,
    /// The name by which it is asked about.
    pub rule: &'a str,
    /// Who wants that.
    pub layer: &'a str,
    /// Why it is asked about.
    pub reason: String,
    /// The working directory, where it matters.
    pub cwd: String,
}

impl Question<'_> {
    /// Asks a person.
    ///
    /// # Errors
    ///
    /// What is said where it is not to be done.
    pub fn ask(self) -> Result<(), String> {
        let text = format!("{} # {}", self.verb, self.file);
        let decision = Decision {
            effect: Effect::Confirm,
            findings: vec![Finding {
                rule: self.rule.to_owned(),
                layer: self.layer.to_owned(),
                effect: Effect::Confirm,
                reason: self.reason,
                instead: None,
                acknowledge: Acknowledge::Key,
                subject: self.file.to_owned(),
                resource: None,
                reviewers: 1,
                words: Vec::new(),
                around: Around::default(),
                preview: None,
                origin: Span {
                    start: 0,
                    end: text.len(),
                },
            }],
            left_out: Vec::new(),
            deeds: Vec::new(),
            steps: Vec::new(),
            beyond: Vec::new(),
        };
        let request = Request {
            text,
            source: self.verb.to_owned(),
            cwd: self.cwd,
            seconds: USUAL_SECONDS,
            times: 1,
            counts: Counts::By(broker::terminals()),
            elsewhere: None,
        };
        match approve::review(&decision, &request, None) {
            Ok(_cleared) => Ok(()),
            Err(why) => Err(message(&decision, &why)),
        }
    }
}
