//! Who answered through the reviewer command, and why it gave no answer.

use serde::{Deserialize, Serialize};

use crate::broker::Stranger;

use super::escape::escape;

/// Who answered through the reviewer command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// What the command calls them.
    pub by: String,
    /// The command's file.
    pub command: String,
}

/// Why the reviewer command gave no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The process that would start it may not ask.
    Stranger(Stranger),
    /// Its file is none to be trusted.
    File(Unsound),
    /// It could not be started; the system's word.
    Failed(String),
    /// It did not end in time.
    Time {
        /// How long was waited.
        seconds: u8,
    },
    /// It ended with this status, as shells give it.
    Ended(u8),
    /// What kept it is gone.
    Lost,
    /// It wrote more than is read.
    TooLong,
    /// What it wrote is no answer.
    Garbage,
    /// What it wrote is an answer to another request.
    AnotherRequest,
}

/// Why a file is no command to be trusted with answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// Its path is not absolute.
    NotAbsolute,
    /// It is not there.
    Missing,
    /// It is no file that can be started.
    NoProgram,
    /// It, or a folder on the way to it, is neither root's nor the user's.
    Owner,
    /// It, or a folder on the way to it, can be written by others.
    Writable,
}

impl Unanswered {
    /// What the command did, for the message to the agent.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Unanswered::Stranger(stranger) => format!("was not asked: {stranger}"),
            Unanswered::File(unsound) => format!(
                "was not asked: {}",
                match unsound {
                    Unsound::NotAbsolute => "its path is not absolute",
                    Unsound::Missing => "it is not there",
                    Unsound::NoProgram => "it is no program",
                    Unsound::Owner => "it, or a folder on the way to it, belongs to somebody else",
                    Unsound::Writable =>
                        "it, or a folder on the way to it, can be written by others",
                }
            ),
            Unanswered::Failed(error) => format!("could not be asked: {}", escape(error)),
            Unanswered::Time { seconds } => format!("did not answer within {seconds} seconds"),
            Unanswered::Ended(status) => format!("failed with status {status}"),
            Unanswered::Lost => "was ended from outside".to_owned(),
            Unanswered::TooLong => "answered more than is read".to_owned(),
            Unanswered::Garbage => "answered with what is no answer".to_owned(),
            Unanswered::AnotherRequest => "answered another request".to_owned(),
        }
    }
}
