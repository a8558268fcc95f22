//! The words without which a text cannot match a regular expression. Finding them costs a small part of building the
//! expression, and most texts have none of them.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Sets of texts. Of each set one stands in whatever an expression matches, in capitals or not.
#[derive(Debug, Default)]
pub struct Needles(Vec<Set>);

type Set = Vec<Vec<u8>>;

/// A shorter needle is in too many texts.
const SHORTEST: usize = 3;
/// More needles are not looked for.
const MOST: usize = 32;
/// In a longer text none is looked for: the expression reads it once, this once for each needle.
const LONGEST_TEXT: usize = 4096;

impl Needles {
    /// Those of an expression.
    #[must_use]
    pub fn of(expression: &Hir) -> Self {
        let mut sets = sets(expression);
        sets.retain(|set| set.len() <= MOST && shortest(set) >= SHORTEST);
        Self(sets)
    }

    /// Whether a text may match as far as these tell.
    #[must_use]
    pub fn may_be_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let holds = |needle: &Vec<u8>| stands_in(text, needle);
        text.len() > LONGEST_TEXT || self.0.iter().all(|set| set.iter().any(holds))
    }
}

/// Whether a text stands in another, in capitals or not.
#[must_use]
pub fn stands_in(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty()
        || text
            .windows(wanted.len())
            .any(|part| part.eq_ignore_ascii_case(wanted))
}

fn shortest(set: &Set) -> usize {
    set.iter().map(Vec::len).min().unwrap_or_default()
}

/// The sets of an expression, in small letters.
fn sets(expression: &Hir) -> Vec<Set> {
    match expression.kind() {
        HirKind::Literal(literal) => vec![vec![literal.0.to_ascii_lowercase()]],
        HirKind::Capture(capture) => sets(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => sets(&repetition.sub),
        HirKind::Alternation(ways) => {
            // One set has what is in one way or the other; of each the one that says most.
            let of_way = |way: &Hir| sets(way).into_iter().max_by_key(shortest);
            let each: Option<Vec<Set>> = ways.iter().map(of_way).collect();
            each.map(|each| each.concat()).into_iter().collect()
        }
        HirKind::Concat(parts) => of_parts(parts),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => {
            Vec::new()
        }
    }
}

/// The sets of all parts. Letters that follow each other are one needle.
fn of_parts(parts: &[Hir]) -> Vec<Set> {
    let mut found = Vec::new();
    let mut row = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => row.extend(literal.0.to_ascii_lowercase()),
            // It takes no place.
            HirKind::Look(_) => {}
            kind => {
                if let HirKind::Class(class) = kind
                    && let Some(letter) = letter(class)
                {
                    row.push(letter);
                    continue;
                }
                found.push(vec![std::mem::take(&mut row)]);
                found.extend(sets(part));
            }
        }
    }
    found.push(vec![row]);
    found
}

/// The letter that a class is in both its forms and nothing else.
fn letter(class: &Class) -> Option<u8> {
    let bytes = match class {
        Class::Bytes(class) => class.clone(),
        Class::Unicode(class) => class.to_byte_class()?,
    };
    match bytes.ranges() {
        [large, small]
            if large.len() == 1
                && small.len() == 1
                && large.start().is_ascii_uppercase()
                && large.start().to_ascii_lowercase() == small.start() =>
        {
            Some(small.start())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::util::syntax;

    use super::*;

    /// The needles, those of one set with `|` between them.
    fn needles_of(pattern: &str) -> Vec<String> {
        let unicode = !pattern.is_ascii();
        let config = syntax::Config::new().utf8(false).unicode(unicode);
        let read = syntax::parse_with(pattern, &config).unwrap();
        let sets = Needles::of(&read).0.into_iter();
        sets.map(|set| String::from_utf8(set.join(&b'|')).unwrap())
            .collect()
    }

    #[test]
    fn an_expression_has_those_that_every_match_has() {
        for (pattern, expected) in [
            (r"\bdrop\s+table\b", &["drop", "table"][..]),
            (
                r"(?i)\bDROP\s+(TABLE|database)\b",
                &["drop", "table|database"],
            ),
            (r"(?i)\b(DROP|truncate)\b", &["drop|truncate"]),
            (
                r"(?is)\bconfig\s(?:.*\s)?core\.hookspath[ =]",
                &["config", "core.hookspath"],
            ),
            (r"rm -r|find.*-delete", &["rm -r|-delete"]),
            (r"(abc)+x?", &["abc"]),
            (r"ab(?:cd)?ef", &[]),
            (r"abc(?:d)?", &["abc"]),
            (r"abc|d*", &[]),
            (r"abc|", &[]),
            (r"a|b|c", &[]),
            (r"(abc)*", &[]),
            (r"x{0,3}", &[]),
            (r"[abc]def[xX]y", &["defxy"]),
            (r"", &[]),
        ] {
            assert_eq!(needles_of(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_other_letters_fold_to_is_no_needle() {
        // K of Kelvin and the long s are capitals and small letters of others.
        assert_eq!(needles_of("(?i)skip\u{e9}abcd"), ["abcd"]);
    }

    #[test]
    fn a_text_without_them_does_not_match() {
        let read = syntax::parse(r"(?i)drop|truncate").unwrap();
        let needles = Needles::of(&read);
        for (text, may_be) in [
            ("DROP table", true),
            ("xTruncate", true),
            ("dro", false),
            ("", false),
        ] {
            assert_eq!(needles.may_be_in(text), may_be, "{text}");
        }
        assert!(needles.may_be_in(&"x".repeat(LONGEST_TEXT + 1)));
    }
}
