//! The regular expressions of policies: how they are compiled, and what is asked of them.
//!
//! A shell lives for a moment and tries an expression once or twice, so building one costs more than all its searches. The
//! `regex` package also builds what finds the places in long texts where a search may begin, which takes two
//! thirds of the time; its own engine, which is used here, can be told not to.

use regex::Error;
use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::util::syntax;

/// How large a compiled expression may become, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// A compiled regular expression, in the syntax of the `regex` package.
#[derive(Debug)]
pub struct Expression(Regex);

impl Expression {
    /// Compiles an expression of a policy within its bounds.
    ///
    /// One that names no character outside of ASCII is compiled for ASCII: the tables of all the world's
    /// letters and blanks behind `\w` and `\s` take longer to build than the rest of a decision.
    ///
    /// # Errors
    ///
    /// That of the expression, or that it is too large.
    pub fn compile(pattern: &str) -> Result<Self, Error> {
        let config = Config::new()
            .auto_prefilter(false)
            .utf8_empty(false)
            .nfa_size_limit(Some(MOST_BYTES))
            .hybrid_cache_capacity(MOST_BYTES);
        let build = |unicode: bool| {
            Regex::builder()
                .configure(config.clone())
                .syntax(syntax::Config::new().utf8(false).unicode(unicode))
                .build(pattern)
                .map_err(|error| told(&error))
        };
        let built = if pattern.is_ascii() {
            build(false).or_else(|_| build(true))
        } else {
            build(true)
        };
        built.map(Self)
    }

    /// Whether it matches somewhere in the text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// How many groups it has.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.0.captures_len().saturating_sub(1)
    }

    /// What its first group finds, match by match.
    pub fn found<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
        let matches = self.0.captures_iter(text);
        matches.filter_map(|one| text.get(one.get_group(1)?.range()))
    }
}

/// As the `regex` package tells it.
fn told(error: &BuildError) -> Error {
    match (error.size_limit(), error.syntax_error()) {
        (Some(limit), _) => Error::CompiledTooBig(limit),
        (None, Some(syntax)) => Error::Syntax(syntax.to_string()),
        (None, None) => Error::Syntax(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_what_the_regex_package_says() {
        for (pattern, text) in [
            (r"(^|\s)-r\w*\b", "rm -rf x"),
            (r"(?i)\bDROP\s+(\w+)", "x drop  Table y; DROP table"),
            ("é+", "caféé"),
            (r"\w$", "é"),
            ("", "x"),
            (r"(a|ab)(c|bcd)?", "abcd"),
            (r"^$", "x"),
        ] {
            let ours = Expression::compile(pattern).unwrap();
            let theirs = regex::bytes::RegexBuilder::new(pattern);
            let theirs = { theirs }.unicode(!pattern.is_ascii()).build().unwrap();
            assert_eq!(
                ours.is_match(text),
                theirs.is_match(text.as_bytes()),
                "{pattern}"
            );
            assert_eq!(ours.groups(), theirs.captures_len() - 1, "{pattern}");
            let found: Vec<&[u8]> = ours.found(text.as_bytes()).collect();
            let wanted = theirs.captures_iter(text.as_bytes());
            let wanted: Vec<&[u8]> = wanted
                .filter_map(|one| one.get(1).map(|group| group.as_bytes()))
                .collect();
            assert_eq!(found, wanted, "{pattern}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_expression_is_told_as_by_the_regex_package() {
        for pattern in ["a(b", r"\q", "[z-a]", r"(?:\w{1000}){1000}"] {
            let wanted = regex::bytes::RegexBuilder::new(pattern);
            let wanted = { wanted }.size_limit(MOST_BYTES).build().unwrap_err();
            let error = Expression::compile(pattern).unwrap_err();
            assert_eq!(error, wanted, "{pattern}");
        }
    }
}
