//! `kibosh explain`: how a line was read, and why it is decided so.

use super::check::{judged, print};
use crate::cli::definition::Explain;
use crate::pipeline::status;
use crate::report;

/// Explains one line; gives the exit status of `check`.
#[must_use]
pub fn explain(options: &Explain, say: &dyn Fn(&str)) -> u8 {
    match judged(options.command.as_deref(), say) {
        Ok((text, judgement)) => print(
            &report::explain::explain(&text, &judgement.actions, &judgement.decision),
            status(judgement.decision.effect),
        ),
        Err(status) => status,
    }
}
