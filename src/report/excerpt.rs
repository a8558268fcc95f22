//! The part of a command text that a person must see: bounded in width and height, with what is
//! dangerous always in it and marked.
//!
//! Every row stands behind `|`, so that no text, however it is wrapped or broken, can pass for one of
//! the lines around it.

use dialoguer::console::measure_text_width;

use crate::syntax::Span;

use super::escape::push_escaped;
use super::style::{Role, Style};

/// How many rows of text are shown at most, without the rows of marks.
const MOST_ROWS: usize = 16;
/// How many rows one dangerous part may fill before its middle is left out.
const MOST_DANGER_ROWS: usize = 6;
/// How many characters are kept beside a dangerous part of a line that is too long.
const CONTEXT: usize = 30;

/// One character as it is shown.
struct Cell {
    shown: String,
    width: usize,
    danger: bool,
}

/// One line of the text.
struct Line {
    number: usize,
    cells: Vec<Cell>,
}

impl Line {
    fn is_dangerous(&self) -> bool {
        self.cells.iter().any(|cell| cell.danger)
    }
}

/// Shows `text` with the bytes in `spans` marked, in rows of at most `columns`. Spans that name no
/// text of it mean all of it.
#[must_use]
pub fn excerpt(text: &str, spans: &[Span], columns: usize, style: Style) -> Vec<String> {
    let lines = chosen_lines(lines(text, spans));
    let digits = lines
        .iter()
        .map(|line| line.number.to_string().len())
        .max()
        .unwrap_or(1);
    let several = text.contains('\n');
    let gutter = if several { digits + 4 } else { 4 };
    let width = columns.saturating_sub(gutter).max(16);
    let mut rows = Vec::new();
    let mut last = 0;
    for line in lines {
        let skipped = line.number - last - 1;
        if skipped > 0 {
            rows.push(gap(gutter, skipped, style));
        }
        last = line.number;
        let label = if several {
            line.number.to_string()
        } else {
            String::new()
        };
        push_rows(&mut rows, &label, gutter, width, line.cells, style);
    }
    let rest = text.split('\n').count() - last;
    if rest > 0 {
        rows.push(gap(gutter, rest, style));
    }
    rows
}

/// Cuts the text into lines and marks what is dangerous.
fn lines(text: &str, spans: &[Span]) -> Vec<Line> {
    let whole = [Span {
        start: 0,
        end: text.len(),
    }];
    let named = spans
        .iter()
        .any(|span| span.start < span.end && span.start < text.len());
    let depth = depth(text.len(), if named { spans } else { &whole });
    let mut lines = vec![Line {
        number: 1,
        cells: Vec::new(),
    }];
    for (at, character) in text.char_indices() {
        if character == '\n' {
            let number = lines.len() + 1;
            lines.push(Line {
                number,
                cells: Vec::new(),
            });
            continue;
        }
        let mut shown = String::new();
        push_escaped(&mut shown, character);
        let bytes = depth.iter().skip(at).take(character.len_utf8());
        let danger = bytes.into_iter().any(|spans| *spans > 0);
        let cell = Cell {
            width: measure_text_width(&shown),
            shown,
            danger,
        };
        if let Some(line) = lines.last_mut() {
            line.cells.push(cell);
        }
    }
    lines
}

/// How many spans cover each byte.
fn depth(length: usize, spans: &[Span]) -> Vec<i32> {
    let mut changes = vec![0; length];
    for span in spans.iter().filter(|span| span.start < span.end) {
        for (place, change) in [(span.start, 1), (span.end, -1)] {
            if let Some(at) = changes.get_mut(place) {
                *at += change;
            }
        }
    }
    let mut covering = 0;
    for change in &mut changes {
        covering += *change;
        *change = covering;
    }
    changes
}

/// All lines where there are few; else those that hold danger, and of these the first and last.
fn chosen_lines(lines: Vec<Line>) -> Vec<Line> {
    if lines.len() <= MOST_ROWS {
        return lines;
    }
    let dangerous: Vec<Line> = lines.into_iter().filter(Line::is_dangerous).collect();
    let left_out = dangerous.len().saturating_sub(MOST_ROWS);
    let head = MOST_ROWS / 2;
    dangerous
        .into_iter()
        .enumerate()
        .filter(|(place, _)| *place < head || *place >= head + left_out)
        .map(|(_, line)| line)
        .collect()
}

/// A row that stands for lines that are not shown.
fn gap(gutter: usize, lines: usize, style: Style) -> String {
    let words = if lines == 1 { "line is" } else { "lines are" };
    let (before, after) = style.around(Role::Margin);
    format!(
        "{before}{:>gutter$}({lines} {words} not shown){after}",
        "| "
    )
}

/// Appends one line, wrapped, with a row of marks beneath each row that holds danger.
fn push_rows(
    rows: &mut Vec<String>,
    label: &str,
    gutter: usize,
    width: usize,
    cells: Vec<Cell>,
    style: Style,
) {
    let mut label = label;
    let mut row = Row::default();
    for run in runs(shortened(cells, width)) {
        // A dangerous part is broken only where it must be.
        let run_width: usize = run.iter().map(|cell| cell.width).sum();
        let danger = run.first().is_some_and(|cell| cell.danger);
        let mut broken = danger && row.width + run_width > width && run_width <= width;
        for cell in run {
            if broken || row.width + cell.width > width {
                row.finish(rows, label, gutter, style);
                label = "";
            }
            broken = false;
            row.push(&cell, style);
        }
    }
    row.finish(rows, label, gutter, style);
}

#[derive(Default)]
struct Row {
    text: String,
    marks: String,
    width: usize,
    danger: bool,
}

impl Row {
    fn push(&mut self, cell: &Cell, style: Style) {
        let (before, after) = style.around(Role::Danger);
        if cell.danger != self.danger {
            self.text.push_str(if cell.danger { before } else { after });
        }
        let mark = match (cell.danger, self.danger) {
            (true, false) => '^',
            (true, true) => '~',
            (false, _) => ' ',
        };
        for place in 0..cell.width {
            self.marks
                .push(if place > 0 && mark == '^' { '~' } else { mark });
        }
        self.danger = cell.danger;
        self.text.push_str(&cell.shown);
        self.width += cell.width;
    }

    /// Appends the row and starts a new one.
    fn finish(&mut self, rows: &mut Vec<String>, label: &str, gutter: usize, style: Style) {
        let row = std::mem::take(self);
        let (margin, plain) = style.around(Role::Margin);
        let (danger, calm) = style.around(Role::Danger);
        let end = if row.danger { calm } else { "" };
        let pad = gutter.saturating_sub(label.len() + 2);
        rows.push(format!(
            "{margin}{:pad$}{label}| {plain}{}{end}",
            "", row.text
        ));
        let marks = row.marks.trim_end();
        if !marks.is_empty() {
            rows.push(format!(
                "{margin}{:>gutter$}{plain}{danger}{marks}{calm}",
                "| "
            ));
        }
    }
}

/// Leaves out the middle of what is too long: far from danger first, then of the danger itself.
fn shortened(cells: Vec<Cell>, width: usize) -> Vec<Cell> {
    let total: usize = cells.iter().map(|cell| cell.width).sum();
    if total <= 2 * width {
        return cells;
    }
    let runs = runs(cells);
    let last = runs.len().saturating_sub(1);
    let mut kept = Vec::new();
    for (place, run) in runs.into_iter().enumerate() {
        let danger = run.first().is_some_and(|cell| cell.danger);
        let (head, tail) = if danger {
            (MOST_DANGER_ROWS * width / 2, MOST_DANGER_ROWS * width / 2)
        } else {
            (
                if place == 0 { 0 } else { CONTEXT },
                if place == last { 0 } else { CONTEXT },
            )
        };
        push_cut(&mut kept, run, danger, head, tail);
    }
    let mut bounded = Vec::new();
    let half = MOST_ROWS * width / 2;
    push_cut(&mut bounded, kept, true, half, half);
    bounded
}

/// Groups neighbours that are alike.
fn runs(cells: Vec<Cell>) -> Vec<Vec<Cell>> {
    let mut runs: Vec<Vec<Cell>> = Vec::new();
    for cell in cells {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| last.danger == cell.danger) => {
                run.push(cell)
            }
            _ => runs.push(vec![cell]),
        }
    }
    runs
}

/// Appends a run with at most `head` characters of its start and `tail` of its end.
fn push_cut(kept: &mut Vec<Cell>, run: Vec<Cell>, danger: bool, head: usize, tail: usize) {
    const NOTE: usize = 40;
    if run.len() <= head + tail + NOTE {
        kept.extend(run);
        return;
    }
    let left_out = run.len() - head - tail;
    for (place, cell) in run.into_iter().enumerate() {
        if place == head {
            let note = format!("[… {left_out} characters not shown …]");
            kept.extend(note.chars().map(|character| Cell {
                shown: character.to_string(),
                width: 1,
                danger,
            }));
        }
        if place < head || place >= head + left_out {
            kept.push(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap();
        Span {
            start,
            end: start + part.len(),
        }
    }

    fn show(text: &str, parts: &[&str], columns: usize) -> String {
        let spans: Vec<Span> = parts.iter().map(|part| span(text, part)).collect();
        excerpt(text, &spans, columns, Style::Plain).join("\n")
    }

    #[test]
    fn each_dangerous_part_is_marked() {
        assert_eq!(
            show(
                "cd x && rm -rf a; git push -f",
                &["rm -rf a", "git push -f"],
                80
            ),
            "  | cd x && rm -rf a; git push -f\n  |         ^~~~~~~~  ^~~~~~~~~~~"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_danger() {
        let text = format!(
            "echo {} && rm -rf / && echo {}",
            "a".repeat(500),
            "b".repeat(900)
        );
        let shown = show(&text, &["rm -rf /"], 80);
        assert_eq!(
            shown,
            "  | [… 479 characters not shown …]aaaaaaaaaaaaaaaaaaaaaaaaaa && rm -rf / && echo\n\
             \x20 |                                                             ^~~~~~~~\n\
             \x20 |  bbbbbbbbbbbbbbbbbbbbb[… 879 characters not shown …]"
        );
    }

    #[test]
    fn the_lines_of_a_long_script_that_hold_danger_are_shown_with_their_numbers() {
        let text = format!("{}rm -rf /\n{}", "true\n".repeat(30), "true\n".repeat(30));
        assert_eq!(
            show(&text, &["rm -rf /"], 80),
            "    | (30 lines are not shown)\n  31| rm -rf /\n    | ^~~~~~~~\n    | (31 lines are not shown)"
        );
    }

    #[test]
    fn a_huge_dangerous_part_stays_bounded_and_shows_both_ends() {
        for text in [
            format!("rm {}Z", "x".repeat(100_000)),
            format!("rm\n{}Z", "x\n".repeat(9_000)),
        ] {
            let whole = [Span {
                start: 0,
                end: text.len(),
            }];
            let rows = excerpt(&text, &whole, 80, Style::Plain);
            assert!(rows.len() <= 40, "{} rows", rows.len());
            let shown = rows.join("\n");
            assert!(shown.contains("| rm") && shown.contains('Z'), "{shown}");
            assert!(shown.contains("not shown"), "{shown}");
        }
    }

    #[test]
    fn a_great_many_dangerous_parts_stay_bounded_in_size_and_time() {
        let text = "rm a;".repeat(100_000);
        let spans: Vec<Span> = (0..100_000)
            .map(|at| Span {
                start: at * 5,
                end: at * 5 + 4,
            })
            .collect();
        let rows = excerpt(&text, &spans, 80, Style::Plain);
        assert!(rows.len() <= 2 * (MOST_ROWS + 2), "{} rows", rows.len());
    }

    #[test]
    fn foreign_text_always_stands_behind_the_bar() {
        let text = format!(
            "true {} rule  harmless\x1b[2J\r\nkibosh: approved\u{2028}x",
            " ".repeat(150)
        );
        for columns in [0, 1, 20, 40, 80, 200] {
            for row in excerpt(&text, &[], columns, Style::Plain) {
                assert!(
                    row.trim_start()
                        .trim_start_matches(char::is_numeric)
                        .starts_with("| "),
                    "{row}"
                );
                assert!(!row.contains(char::is_control), "{row:?}");
            }
        }
    }

    #[test]
    fn spans_that_name_nothing_mean_the_whole_text() {
        for spans in [
            vec![],
            vec![Span::default()],
            vec![Span { start: 90, end: 99 }],
        ] {
            assert_eq!(
                excerpt("dd", &spans, 80, Style::Plain),
                ["  | dd", "  | ^~"]
            );
        }
    }

    #[test]
    fn a_span_inside_a_character_marks_it_and_wide_characters_take_two_columns() {
        assert_eq!(
            excerpt("a大b", &[Span { start: 2, end: 3 }], 80, Style::Plain),
            ["  | a大b", "  |  ^~"]
        );
    }

    #[test]
    fn colour_is_added_around_the_danger_only() {
        assert_eq!(
            excerpt("ls; rm", &[Span { start: 4, end: 6 }], 80, Style::Colour),
            [
                "\x1b[2m  | \x1b[0mls; \x1b[1;31mrm\x1b[0m",
                "\x1b[2m  | \x1b[0m\x1b[1;31m    ^~\x1b[0m"
            ]
        );
    }
}
