//! The part of a command text that a person must see: bounded in width and height, with what is
//! dangerous always in it and marked.
//!
//! Every row stands behind `|`, so that no text, however it is wrapped or broken, can pass for one of
//! the lines around it.

use dialoguer::console::measure_text_width;

use crate::syntax::Span;

use super::escape::push_escaped;
use super::style::{Role, Style};

/// A text of at most this many lines is shown whole.
const MOST_LINES: usize = 16;
/// How many rows what is dangerous may fill.
const MOST_DANGER: usize = 60;
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

    /// About how many rows its dangerous parts fill, with what is kept between them.
    fn danger_rows(&self, width: usize) -> usize {
        let mut parts = 0;
        let mut columns = 0;
        let mut before = false;
        for cell in &self.cells {
            parts += usize::from(cell.danger && !before);
            columns += if cell.danger { cell.width } else { 0 };
            before = cell.danger;
        }
        (columns + parts.saturating_sub(1) * BETWEEN).div_ceil(width)
    }
}

/// Shows `text` with the bytes in `spans` marked, in rows of at most `columns`. Spans that name no
/// text of it mean all of it. None where what is dangerous does not fit: a person would approve what
/// they cannot see.
#[must_use]
pub fn excerpt(text: &str, spans: &[Span], columns: usize, style: Style) -> Option<Vec<String>> {
    let mut lines = lines(text.strip_suffix('\n').unwrap_or(text), spans);
    let count = lines.len();
    let several = count > 1;
    if count > MOST_LINES {
        lines.retain(Line::is_dangerous);
    }
    let digits = if several { count.to_string().len() } else { 0 };
    let gutter = digits + 4;
    let width = columns.saturating_sub(gutter).max(16);
    if lines
        .iter()
        .map(|line| line.danger_rows(width))
        .sum::<usize>()
        > MOST_DANGER
    {
        return None;
    }
    let mut rows = Vec::new();
    let mut last = 0;
    for line in lines {
        push_gap(&mut rows, gutter, line.number - last - 1, style);
        last = line.number;
        let label = if several {
            line.number.to_string()
        } else {
            String::new()
        };
        push_rows(&mut rows, &label, gutter, width, line.cells, style);
    }
    push_gap(&mut rows, gutter, count - last, style);
    Some(rows)
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

/// Appends a row that stands for lines that are not shown.
fn push_gap(rows: &mut Vec<String>, gutter: usize, lines: usize, style: Style) {
    let words = match lines {
        0 => return,
        1 => "line is",
        _ => "lines are",
    };
    let (before, after) = style.around(Role::Margin);
    rows.push(format!(
        "{before}{:>gutter$}({lines} {words} not shown){after}",
        "| "
    ));
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

/// Leaves out what is far from any danger in a line that is too long.
fn shortened(cells: Vec<Cell>, width: usize) -> Vec<Cell> {
    let total: usize = cells.iter().map(|cell| cell.width).sum();
    if total <= 2 * width {
        return cells;
    }
    let runs = runs(cells);
    let last = runs.len().saturating_sub(1);
    let mut kept = Vec::new();
    for (place, run) in runs.into_iter().enumerate() {
        if run.first().is_some_and(|cell| cell.danger) {
            kept.extend(run);
        } else {
            let head = if place == 0 { 0 } else { CONTEXT };
            let tail = if place == last { 0 } else { CONTEXT };
            push_cut(&mut kept, run, head, tail);
        }
    }
    kept
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

/// The room that the note about what is left out takes.
const NOTE: usize = 40;
/// What is kept at most between two dangerous parts.
const BETWEEN: usize = 2 * CONTEXT + NOTE;

/// Appends a run with at most `head` characters of its start and `tail` of its end.
fn push_cut(kept: &mut Vec<Cell>, run: Vec<Cell>, head: usize, tail: usize) {
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
                danger: false,
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
        excerpt(text, &spans, columns, Style::Plain)
            .unwrap()
            .join("\n")
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
            "    | (30 lines are not shown)\n  31| rm -rf /\n    | ^~~~~~~~\n    | (30 lines are not shown)"
        );
    }

    #[test]
    fn danger_that_does_not_fit_is_not_shown_in_part() {
        let spans = |size: usize, count: usize| -> Vec<Span> {
            (0..count)
                .map(|at| Span {
                    start: at * size,
                    end: at * size + size - 1,
                })
                .collect()
        };
        for (text, spans) in [
            (format!("rm {}", "x".repeat(100_000)), spans(100_003, 1)),
            (format!("rm\n{}", "x\n".repeat(9_000)), spans(18_003, 1)),
            ("rm a;".repeat(100_000), spans(5, 100_000)),
            (
                format!("rm a;{}", " ".repeat(200)).repeat(50),
                spans(205, 50),
            ),
            ("rm a\n".repeat(MOST_DANGER + 1), spans(5, MOST_DANGER + 1)),
        ] {
            assert_eq!(
                excerpt(&text, &spans, 80, Style::Plain),
                None,
                "{} bytes",
                text.len()
            );
        }
        let most = "rm a\n".repeat(MOST_DANGER);
        let rows = excerpt(&most, &spans(5, MOST_DANGER), 80, Style::Plain).unwrap();
        assert_eq!(
            rows.iter().filter(|row| row.contains("rm a")).count(),
            MOST_DANGER
        );
    }

    #[test]
    fn many_dangerous_parts_of_a_long_line_stay_bounded() {
        let text = format!("rm a;{}", " ".repeat(200)).repeat(20);
        let spans: Vec<Span> = (0..20)
            .map(|at| Span {
                start: at * 205,
                end: at * 205 + 4,
            })
            .collect();
        let rows = excerpt(&text, &spans, 80, Style::Plain).unwrap();
        assert!(rows.len() <= 2 * MOST_DANGER, "{} rows", rows.len());
        assert_eq!(rows.join("\n").matches("rm a").count(), 20);
    }

    #[test]
    fn foreign_text_always_stands_behind_the_bar() {
        let text = format!(
            "true {} rule  harmless\x1b[2J\r\nkibosh: approved\u{2028}x",
            " ".repeat(150)
        );
        for columns in [0, 1, 20, 40, 80, 200] {
            for row in excerpt(&text, &[], columns, Style::Plain).unwrap() {
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
    fn any_text_with_any_spans_is_shown_within_bounds_or_not_at_all() {
        let letters = [
            'a', ' ', '\n', '\x1b', 'ä', '大', '\u{202e}', '|', '\t', '…',
        ];
        let mut state = 1_u64;
        let mut next = |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % most
        };
        for _ in 0..2_000 {
            let text: String = (0..next(300))
                .map(|_| letters[next(letters.len())])
                .collect();
            let spans: Vec<Span> = (0..next(4))
                .map(|_| Span {
                    start: next(400),
                    end: next(400),
                })
                .collect();
            let columns = next(120);
            let Some(rows) = excerpt(&text, &spans, columns, Style::Plain) else {
                continue;
            };
            for row in rows {
                let width = measure_text_width(&row);
                assert!(width <= columns.max(40), "{row:?} in {columns} columns");
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
            let rows = excerpt("dd", &spans, 80, Style::Plain);
            assert_eq!(rows.unwrap(), ["  | dd", "  | ^~"]);
        }
    }

    #[test]
    fn a_span_inside_a_character_marks_it_and_wide_characters_take_two_columns() {
        assert_eq!(
            excerpt("a大b", &[Span { start: 2, end: 3 }], 80, Style::Plain).unwrap(),
            ["  | a大b", "  |  ^~"]
        );
    }

    #[test]
    fn colour_is_added_around_the_danger_only() {
        assert_eq!(
            excerpt("ls; rm", &[Span { start: 4, end: 6 }], 80, Style::Colour).unwrap(),
            [
                "\x1b[2m  | \x1b[0mls; \x1b[1;31mrm\x1b[0m",
                "\x1b[2m  | \x1b[0m\x1b[1;31m    ^~\x1b[0m"
            ]
        );
    }
}
