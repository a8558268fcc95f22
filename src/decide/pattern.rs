//! Words that were shown against words that come: which words can a word with unknown parts, or one that
//! names files, have become?
//!
//! Takes both lists and gives yes or no. Nothing unknown and no pattern ever becomes a word that begins
//! with `-` unless it begins so itself, so that what was shown without options covers none. The work is
//! bounded; beyond the bound the answer is no.

use std::iter::Peekable;
use std::str::Chars;

use crate::action::{HOLE, Value};

/// How many steps may be taken for one answer.
const MOST_STEPS: usize = 1 << 20;

/// The work that is left for an answer.
pub(super) struct Budget {
    steps: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: MOST_STEPS }
    }
}

impl Budget {
    /// Takes steps; says whether there were as many.
    fn spend(&mut self, steps: usize) -> bool {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or_default();
        left.is_some()
    }
}

/// Whether the words that come are what the words that were shown may have become.
pub(super) fn words_match(shown: &[Value], come: &[Value], budget: &mut Budget) -> bool {
    // Says at each place whether the words before it may be what the words so far have become.
    let mut reached = vec![true];
    reached.resize(come.len() + 1, false);
    for word in shown {
        let Some(next) = after(word, come, &reached, budget) else {
            return false;
        };
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

/// How far the words that come may be explained by one more of those that were shown; none where that is
/// too much work to tell.
fn after(word: &Value, come: &[Value], reached: &[bool], budget: &mut Budget) -> Option<Vec<bool>> {
    let splits = word.splits && word.text.contains(HOLE);
    let many = word.glob || splits;
    let mut next = vec![false; reached.len()];
    if many && (word.glob || word.text.chars().all(|letter| letter == HOLE)) {
        // It may have become nothing: an empty variable, `nullglob`.
        next.copy_from_slice(reached);
    }
    let mut within = false;
    for (at, value) in come.iter().enumerate() {
        let begins = reached.get(at).copied().unwrap_or_default();
        if !(begins || within) {
            continue;
        }
        if !budget.spend(1 + word.text.len().saturating_mul(1 + value.text.len())) {
            return None;
        }
        // Only the first word of several can owe its `-` to what was shown.
        let option = splits && !begins && value.text.starts_with('-');
        let fits = !option && is_one(word, value);
        if fits && let Some(slot) = next.get_mut(at + 1) {
            *slot = true;
        }
        within = many && fits;
    }
    Some(next)
}

/// Whether one word that comes is one that the word that was shown may have become.
fn is_one(word: &Value, value: &Value) -> bool {
    // The same, even with the same part unknown, is what was shown.
    if word == value {
        return true;
    }
    if !value.is_known() || value.glob {
        return false;
    }
    // A pattern that found nothing stays as it is.
    if word.text == value.text {
        return true;
    }
    let open = word.glob || word.text.contains(HOLE);
    let option = value.text.starts_with('-') && !word.text.starts_with('-');
    open && !option && parts(word).is_some_and(|parts| text_matches(&parts, &value.text))
}

/// One part of a word that was shown.
#[derive(Debug)]
enum Part {
    /// This letter.
    Letter(char),
    /// Any text: an unknown part, or `**` as a whole component.
    Any,
    /// Any text within one component of a path.
    Component,
    /// One letter of a component.
    One,
    /// One letter that is in one of these ranges, or in none of them.
    Class(Vec<(char, char)>, bool),
}

/// The parts of a word; none where its pattern cannot be told.
fn parts(word: &Value) -> Option<Vec<Part>> {
    let mut out = Vec::new();
    let mut letters = word.text.chars().peekable();
    let mut fresh = true;
    while let Some(letter) = letters.next() {
        out.push(match letter {
            HOLE => Part::Any,
            '*' if word.glob => {
                let mut stars = 1;
                while letters.next_if_eq(&'*').is_some() {
                    stars += 1;
                }
                let whole = fresh && letters.peek().is_none_or(|next| *next == '/');
                match (stars, whole) {
                    (2, true) => Part::Any,
                    _ => Part::Component,
                }
            }
            '?' if word.glob => Part::One,
            '[' if word.glob => class(&mut letters)?,
            letter => Part::Letter(letter),
        });
        fresh = letter == '/';
    }
    Some(out)
}

/// The rest of `[…]`; none where it has no end or is more than letters and ranges.
fn class(letters: &mut Peekable<Chars<'_>>) -> Option<Part> {
    let negated = letters.next_if(|next| matches!(next, '!' | '^')).is_some();
    let mut ranges = Vec::new();
    loop {
        let from = letters.next()?;
        match from {
            ']' if !ranges.is_empty() => return Some(Part::Class(ranges, negated)),
            '[' | HOLE | '\\' => return None,
            _ => {}
        }
        let mut to = from;
        if letters.next_if_eq(&'-').is_some() {
            to = letters.next()?;
            if to == ']' {
                ranges.extend([(from, from), ('-', '-')]);
                return Some(Part::Class(ranges, negated));
            }
        }
        ranges.push((from, to));
    }
}

/// Whether a text is what the parts may have become; all ways are followed at once.
fn text_matches(parts: &[Part], text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let mut here = vec![true];
    here.resize(letters.len() + 1, false);
    for part in parts {
        // Nothing of the text belongs to a part that may be empty.
        let open = matches!(part, Part::Any | Part::Component);
        let mut came = here.first().copied().unwrap_or_default() && open;
        let mut next = vec![came];
        let mut last = '/';
        for (letter, pair) in letters.iter().zip(here.windows(2)) {
            let [stood, stands] = *pair else { continue };
            // A name that begins with a dot is not found by a pattern (bash(1), Pathname Expansion).
            let found = *letter != '/' && !(*letter == '.' && last == '/');
            came = match part {
                Part::Letter(wanted) => stood && letter == wanted,
                Part::Any => came || stands,
                Part::Component => came && found || stands,
                Part::One => stood && found,
                Part::Class(ranges, negated) => {
                    let within = ranges
                        .iter()
                        .any(|(from, to)| (from..=to).contains(&letter));
                    stood && found && within != *negated
                }
            };
            next.push(came);
            last = *letter;
        }
        here = next;
    }
    here.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they were shown: `…` for a hole, a leading `=` for one that splits, `~` for a pattern.
    fn shown(words: &str) -> Vec<Value> {
        let value = |word: &str| {
            let text = word.trim_start_matches(['=', '~']).replace('…', "\u{FFFC}");
            Value {
                text,
                glob: word.starts_with('~'),
                splits: word.starts_with('='),
                found: false,
            }
        };
        words.split_whitespace().map(value).collect()
    }

    #[test]
    fn words_match_what_was_shown_and_never_more() {
        for (words, come, expected) in [
            ("-rf a", "-rf a", true),
            ("-rf a", "-rf b", false),
            ("-rf a", "-rf", false),
            ("-rf a", "-rf a b", false),
            ("-rf …", "-rf a/b", true),
            ("-rf …", "-rf", false),
            ("…", "-rf", false),
            ("-…", "-rf", true),
            ("a…c…", "abcd", true),
            ("a…c…", "abd", false),
            ("=…", "", true),
            ("=…", "a b c", true),
            ("=…", "a -rf", false),
            ("=-…", "-a -b", false),
            ("=… end", "a b end", true),
            ("=… end", "a b", false),
            ("~*.c", "a.c b.c", true),
            ("~*.c", "a.c b.h", false),
            ("~*.c", "*.c", true),
            ("~*.c", "d/a.c", false),
            ("~*", "-rf", false),
            ("~*", ".git", false),
            ("~.*", ".git", true),
            ("~d/*", "d/.git", false),
            ("~**/a", "b/c/a", true),
            ("~x**", "xb/c", false),
            ("~?[a-c]", "xb", true),
            ("~?[!a-c]", "xb", false),
            ("~[ab", "a", false),
            ("~[ab", "[ab", true),
            ("~a ~*", "a b c", true),
        ] {
            let come = shown(come);
            let found = words_match(&shown(words), &come, &mut Budget::default());
            assert_eq!(found, expected, "{words} / {come:?}");
        }
    }

    #[test]
    fn what_is_unknown_matches_only_itself() {
        for (words, come, expected) in [
            ("=…", "=…", true),
            ("…", "…", true),
            ("…", "=…", false),
            ("a", "…", false),
            ("…", "a…", false),
            ("~*", "~*.c", false),
        ] {
            let found = words_match(&shown(words), &shown(come), &mut Budget::default());
            assert_eq!(found, expected, "{words} / {come}");
        }
    }

    #[test]
    fn more_work_than_is_allowed_is_no() {
        let long = "a".repeat(4096);
        let word = Value {
            glob: true,
            ..Value::known("*".repeat(2) + &"a*".repeat(500))
        };
        let come = vec![Value::known(long); 64];
        assert!(!words_match(&[word], &come, &mut Budget::default()));
    }
}
