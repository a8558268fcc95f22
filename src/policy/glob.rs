//! Shell-like patterns of policies: `*` any text, `?` any character, `a|b` alternatives. They are
//! matched against whole values, and `*` also matches `/`.

/// Whether `text` is one of the alternatives of `pattern`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern;
    loop {
        let end = rest.bytes().position(|byte| byte == b'|');
        let one = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        if is_one(one, text) {
            return true;
        }
        let Some(after) = end.and_then(|end| rest.get(end + 1..)) else {
            return false;
        };
        rest = after;
    }
}

/// As [`matches`], of a pattern without alternatives.
///
/// Most patterns begin or end otherwise than the text. So that is looked at first, then what stands before the first
/// and behind the last special character.
#[must_use]
pub fn is_one(pattern: &str, text: &str) -> bool {
    let differs =
        |wanted: Option<u8>, found: Option<u8>| !wanted.is_some_and(is_special) && wanted != found;
    if differs(pattern.bytes().next(), text.bytes().next())
        || differs(pattern.bytes().last(), text.bytes().last())
    {
        return false;
    }
    let Some(first) = pattern.bytes().position(is_special) else {
        return pattern == text;
    };
    let last = pattern.bytes().rposition(is_special).unwrap_or(first);
    let (Some(before), Some(middle), Some(behind)) = (
        pattern.get(..first),
        pattern.get(first..=last),
        pattern.get(last + 1..),
    ) else {
        return false;
    };
    let text = text.strip_prefix(before);
    let Some(text) = text.and_then(|text| text.strip_suffix(behind)) else {
        return false;
    };
    if middle == "*" {
        return true;
    }
    let inner = middle.strip_prefix('*').and_then(|it| it.strip_suffix('*'));
    match inner {
        Some(inner) if is_literal(inner) => text.contains(inner),
        _ => matches_between(middle, text),
    }
}

/// Whether a pattern holds no special character.
#[must_use]
pub fn is_literal(pattern: &str) -> bool {
    !pattern.bytes().any(|byte| is_special(byte) || byte == b'|')
}

/// Whether a byte of a pattern stands for others.
#[must_use]
pub fn is_special(byte: u8) -> bool {
    matches!(byte, b'*' | b'?')
}

/// Whether a text is what a pattern says that begins and ends with a special character, and has no alternatives.
fn matches_between(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut retry = None;
    loop {
        let mut ahead = pattern.clone();
        match ahead.next() {
            Some('*') => {
                retry = Some((ahead.clone(), text.clone()));
                pattern = ahead;
                continue;
            }
            Some(wanted) => {
                let mut rest = text.clone();
                match rest.next() {
                    Some(found) if wanted == '?' || wanted == found => {
                        pattern = ahead;
                        text = rest;
                        continue;
                    }
                    Some(_) => {}
                    None => return false,
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after, mut from)) = retry.take() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        // Where a letter must stand, only places that have it are tried: words can be very long.
        if let Some(letter) = after.clone().next().filter(|one| !matches!(one, '*' | '?')) {
            let rest = from.as_str();
            match rest.find(letter).and_then(|place| rest.get(place..)) {
                Some(rest) => from = rest.chars(),
                None => return false,
            }
        }
        pattern = after.clone();
        text = from.clone();
        retry = Some((after, from));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn star_question_and_alternatives_match_whole_values() {
        for (pattern, text, expected) in [
            ("delete-*", "delete-bucket", true),
            ("delete-*", "undelete-bucket", false),
            ("*delete*", "soft-delete-all", true),
            ("*.py?", "a.pyc", true),
            ("*.py?", "a.py", false),
            ("rm|del*", "delete", true),
            ("rm|del*", "rmdir", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("", "x", false),
            ("", "", true),
            ("a|", "", true),
            ("|a", "a", true),
            ("a||b", "b", true),
            ("é|è*", "ère", true),
            ("a|b", "a|b", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("ab*|*ba", "xba", true),
            ("a?", "aé", true),
            ("a?é", "aé", false),
            ("*é", "aé", true),
            ("a*b?", "axbb", true),
            ("a*b?", "axb", false),
            ("**", "", true),
            ("***a", "ba", true),
            ("*ab*", "aab", true),
            ("*ab*|x", "x", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    /// As the words above say, a letter at a time.
    fn slowly(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some(('*', after)), None) => slowly(after, text),
            (Some(('*', after)), Some((_, rest))) => slowly(after, text) || slowly(pattern, rest),
            (Some(('?', after)), Some((_, rest))) => slowly(after, rest),
            (Some((one, after)), Some((other, rest))) => one == other && slowly(after, rest),
            (Some(_), None) => false,
        }
    }

    /// All texts of at most so many of these letters.
    pub fn texts(letters: &[char], longest: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut first = 0;
        for _ in 0..longest {
            let last = texts.len();
            for at in first..last {
                for letter in letters {
                    texts.push(format!("{}{letter}", texts[at]));
                }
            }
            first = last;
        }
        texts
    }

    #[test]
    fn every_short_pattern_is_what_its_letters_say() {
        let texts_of = texts(&['a', 'b', 'é'], 4);
        for pattern in texts(&['a', 'é', '*', '?', '|'], 5) {
            let one_by_one: Vec<Vec<char>> = pattern
                .split('|')
                .map(|one| one.chars().collect())
                .collect();
            for text in &texts_of {
                let letters: Vec<char> = text.chars().collect();
                let expected = one_by_one.iter().any(|one| slowly(one, &letters));
                assert_eq!(matches(&pattern, text), expected, "{pattern} {text}");
            }
        }
    }
}
