//! Commands that change how the rest of the text is read.

use super::Simple;
use super::reader::Reader;

/// What the commands read so far could change.
#[derive(Debug, Default)]
pub(super) struct Hazards {}

impl Hazards {
    pub(super) fn absorb(&mut self, _inner: Self) {}
}

impl Reader<'_> {
    /// Notes what a command could change about the reading of the rest.
    pub(super) fn note_hazards(&mut self, _simple: &Simple) {}
}
