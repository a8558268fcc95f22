//! Shell-like patterns of policies: `*` any text, `?` any character, `a|b` alternatives. They are
//! matched against whole values, and `*` also matches `/`.

/// Whether `text` is one of the alternatives of `pattern`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let first = text.as_bytes().first();
    let mut rest = pattern;
    loop {
        // Most alternatives begin otherwise: then they need not be looked at.
        let may = match rest.as_bytes().first() {
            Some(b'*' | b'?') => true,
            Some(b'|') | None => first.is_none(),
            wanted => wanted == first,
        };
        let end = rest.bytes().position(|byte| byte == b'|');
        let one = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        if may && matches_one(one, text) {
            return true;
        }
        let Some(after) = end.and_then(|end| rest.get(end + 1..)) else {
            return false;
        };
        rest = after;
    }
}

/// Whether a pattern holds no special character.
#[must_use]
pub fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '|'])
}

fn matches_one(pattern: &str, text: &str) -> bool {
    let special = |byte: u8| matches!(byte, b'*' | b'?');
    let Some(plain) = pattern.bytes().position(special) else {
        return pattern == text;
    };
    if !text
        .as_bytes()
        .starts_with(pattern.as_bytes().get(..plain).unwrap_or_default())
    {
        return false;
    }
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
mod tests {
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
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
