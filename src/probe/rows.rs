//! Rows of tables that statements take, as a loss.

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

/// What is lost with so many rows of a table.
pub(super) fn loss(table: &str, done: Done, rows: u64) -> Loss {
    let mut loss = Loss::default();
    if rows == 0 {
        return loss;
    }
    loss.of_tables.push(table.to_owned());
    match done {
        Done::Dropped => {
            loss.tables = 1;
            loss.dropped_rows = rows;
        }
        Done::Deleted => loss.deleted_rows = rows,
        Done::Changed => loss.changed_rows = rows,
    }
    loss
}
