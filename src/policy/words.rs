//! Which of the words that rules ask for stand among the arguments of one action.
//!
//! Hundreds of rules ask for the same few words. So each is looked for once, by its number in a table: a plain word by
//! looking the arguments up, a pattern when the first rule asks for it.

use std::cell::RefCell;

use super::glob;
use super::looks::Looks;
use crate::action::Value;

/// The arguments of an action, with what is known of them.
pub(super) struct Found<'a> {
    arguments: &'a [Value],
    looks: Looks,
    /// The numbers of the plain words among them, sorted.
    literals: Vec<u16>,
    globs: &'static [&'static str],
    /// Whether one of them matches, by the number of the pattern; none where nobody has asked.
    matched: RefCell<Vec<Option<bool>>>,
}

impl<'a> Found<'a> {
    /// What stands among the arguments of these plain words, which are sorted, and of these patterns, which have no
    /// alternatives.
    pub fn among(
        arguments: &'a [Value],
        literals: &'static [&'static str],
        globs: &'static [&'static str],
    ) -> Self {
        let numbers = arguments.iter().filter_map(|argument| {
            let place = literals.binary_search(&argument.text.as_str()).ok()?;
            u16::try_from(place).ok()
        });
        let mut literals: Vec<u16> = numbers.collect();
        literals.sort_unstable();
        literals.dedup();
        Self {
            arguments,
            looks: Looks::of(arguments.iter().map(|argument| argument.text.as_str())),
            literals,
            globs,
            matched: RefCell::new(vec![None; globs.len()]),
        }
    }

    /// Whether one of the plain words with these numbers is there.
    pub fn has_one_of(&self, numbers: &[u16]) -> bool {
        let mut found = self.literals.iter();
        found.any(|number| numbers.binary_search(number).is_ok())
    }

    /// Whether an argument matches one of the patterns with these numbers.
    pub fn matches_one_of(&self, numbers: &[u16]) -> bool {
        let mut numbers = numbers.iter().map(|&number| usize::from(number));
        !self.arguments.is_empty() && numbers.any(|number| self.matches(number))
    }

    fn matches(&self, number: usize) -> bool {
        let known = self.matched.borrow().get(number).copied().flatten();
        known.unwrap_or_else(|| {
            let pattern = self.globs.get(number);
            let pattern = pattern.filter(|pattern| self.looks.may_match_one(pattern));
            let mut arguments = self.arguments.iter();
            let is_there = pattern.is_some_and(|pattern| {
                arguments.any(|argument| glob::is_one(pattern, &argument.text))
            });
            if let Some(known) = self.matched.borrow_mut().get_mut(number) {
                *known = Some(is_there);
            }
            is_there
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_where_its_pattern_matches_an_argument() {
        const LITERALS: &[&str] = &["", "-rf", "delete", "destroy"];
        const GLOBS: &[&str] = &["*", "de*", "*-rm", "?"];
        let patterns = [LITERALS, GLOBS].concat();
        for words in [&["de"][..], &["destroy", "x"], &["", "a-rm"], &["-rf"], &[]] {
            let arguments: Vec<Value> = words.iter().map(|&word| Value::known(word)).collect();
            let found = Found::among(&arguments, LITERALS, GLOBS);
            for (number, pattern) in patterns.iter().enumerate() {
                let is_there = words.iter().any(|word| glob::is_one(pattern, word));
                for _ in 0..2 {
                    let is_found = match number.checked_sub(LITERALS.len()) {
                        None => found.has_one_of(&[u16::try_from(number).unwrap()]),
                        Some(number) => found.matches_one_of(&[u16::try_from(number).unwrap()]),
                    };
                    assert_eq!(is_found, is_there, "{pattern} {words:?}");
                }
            }
        }
    }
}
