//! Rows of tables that statements take, added up.

use super::Loss;

/// What happens to the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// They go with the table.
    Dropped,
    /// They are deleted.
    Deleted,
    /// They are changed.
    Changed,
}

/// What is lost of tables.
#[derive(Debug, Default)]
pub(super) struct Rows(Loss);

impl Rows {
    /// Adds the rows of a table.
    pub fn add(&mut self, table: &str, done: Done, rows: u64) {
        if rows == 0 {
            return;
        }
        let mut loss = Loss {
            of_tables: vec![table.to_owned()],
            ..Loss::default()
        };
        match done {
            Done::Dropped => {
                loss.tables = 1;
                loss.dropped_rows = rows;
            }
            Done::Deleted => loss.deleted_rows = rows,
            Done::Changed => loss.changed_rows = rows,
        }
        self.0.add(&loss);
    }

    /// All of it.
    pub fn loss(self) -> Loss {
        self.0
    }
}
