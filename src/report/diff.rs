//! What would change in a file, line by line.

use std::fmt::Write as _;

use super::escape::escape;

/// How many lines are shown around what changes.
const AROUND: usize = 2;

/// The lines that go and come, with some around them.
#[must_use]
pub fn diff(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let lines = aligned(&before, &after);
    let is_near = |place: usize| {
        let first = place.saturating_sub(AROUND);
        let near = lines.iter().skip(first).take(place - first + AROUND + 1);
        near.into_iter().any(|(mark, _)| *mark != ' ')
    };
    let mut text = String::new();
    let mut skipped = false;
    for (place, (mark, line)) in lines.iter().enumerate() {
        if is_near(place) {
            // Writing to a string does not fail.
            let _infallible = writeln!(text, "{mark} {}", escape(line));
            skipped = false;
        } else if !skipped {
            text.push_str("  …\n");
            skipped = true;
        }
    }
    text
}

/// How many pairs of lines are compared; two texts with more that differ are shown as two.
const MOST_PAIRS: usize = 1 << 22;

/// Both texts as one list of lines: kept (` `), gone (`-`), come (`+`).
fn aligned<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(char, &'a str)> {
    let alike = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let mut old = before.get(alike..).unwrap_or_default();
    let mut new = after.get(alike..).unwrap_or_default();
    let common = common(old, new);
    let width = new.len() + 1;
    let length = |old: &[&str], new: &[&str]| {
        let place = old.len() * width + new.len();
        common.get(place).copied().unwrap_or_default()
    };
    let mut lines: Vec<(char, &str)> = before.iter().take(alike).map(|line| (' ', *line)).collect();
    loop {
        match (old.split_first(), new.split_first()) {
            (None, None) => return lines,
            (Some((line, rest)), Some((other, others))) if line == other => {
                lines.push((' ', *line));
                (old, new) = (rest, others);
            }
            (Some((line, rest)), other)
                if other.is_none_or(|(_, others)| length(rest, new) >= length(old, others)) =>
            {
                lines.push(('-', *line));
                old = rest;
            }
            (_, Some((line, rest))) => {
                lines.push(('+', *line));
                new = rest;
            }
            (Some(_), None) => return lines,
        }
    }
}

/// For the last so many lines of both, how many lines they have in common at most: at the number of the old
/// ones times one more than there are new ones, plus the number of the new ones.
fn common(old: &[&str], new: &[&str]) -> Vec<usize> {
    let width = new.len() + 1;
    if old.len().saturating_mul(width) > MOST_PAIRS {
        return Vec::new();
    }
    let mut lengths: Vec<usize> = vec![0; width];
    for (above, line) in old.iter().rev().enumerate() {
        lengths.push(0);
        for (beside, other) in new.iter().rev().enumerate() {
            let at = |row: usize, column: usize| {
                lengths
                    .get(row * width + column)
                    .copied()
                    .unwrap_or_default()
            };
            let length = if line == other {
                at(above, beside) + 1
            } else {
                at(above, beside + 1).max(at(above + 1, beside))
            };
            lengths.push(length);
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_shown_with_its_neighbours() {
        let before = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3,\n  \"d\": 4\n}\n";
        let after = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3,\n  \"d\": 4,\n  \"e\": {\n  }\n}\n";
        assert_eq!(
            diff(before, after),
            "  …\n    \"b\": 2,\n    \"c\": 3,\n-   \"d\": 4\n+   \"d\": 4,\n+   \"e\": {\n+   }\n  }\n"
        );
        assert_eq!(diff("", "x\u{202e}\n"), "+ x\\u{202e}\n");
        assert_eq!(diff("x\ny\n", ""), "- x\n- y\n");
        assert_eq!(diff("a\nb\nc\n", "a\nx\nb\n"), "  a\n+ x\n  b\n- c\n");
    }
}
