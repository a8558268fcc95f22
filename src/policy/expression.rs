//! The regular expressions of policies: how they are compiled, and what is asked of them.
//!
//! A shell lives for a moment and tries an expression once or twice, so building one costs more than all its searches. The
//! `regex` package also builds what finds the places in long texts where a search may begin, which takes two
//! thirds of the time; its own engine, which is used here, can be told not to. And most texts have none of the words that
//! an expression asks for ([`super::needles`]): it is built when the first one has.

use std::cell::OnceCell;

use regex::Error;
use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

use super::needles::Needles;

/// How large a compiled expression may become, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// A regular expression, in the syntax of the `regex` package.
#[derive(Debug)]
pub struct Expression {
    read: Hir,
    needles: Needles,
    built: OnceCell<Result<Regex, Error>>,
}

impl Expression {
    /// Reads an expression of a policy, to be compiled when a text may match it.
    ///
    /// One that names no character outside of ASCII is compiled for ASCII: the tables of all the world's
    /// letters and blanks behind `\w` and `\s` take longer to build than the rest of a decision.
    ///
    /// # Errors
    ///
    /// That of the expression.
    pub fn read(pattern: &str) -> Result<Self, Error> {
        let read = |unicode: bool| {
            let config = syntax::Config::new().utf8(false).unicode(unicode);
            syntax::parse_with(pattern, &config).map_err(|error| Error::Syntax(error.to_string()))
        };
        let read = if pattern.is_ascii() {
            read(false).or_else(|_| read(true))
        } else {
            read(true)
        }?;
        Ok(Self {
            needles: Needles::of(&read),
            read,
            built: OnceCell::new(),
        })
    }

    /// Compiles an expression of a policy within its bounds.
    ///
    /// # Errors
    ///
    /// That of the expression, or that it is too large.
    pub fn compile(pattern: &str) -> Result<Self, Error> {
        let expression = Self::read(pattern)?;
        expression.built().map_err(Clone::clone)?;
        Ok(expression)
    }

    fn built(&self) -> Result<&Regex, &Error> {
        let build = || {
            let config = Config::new()
                .auto_prefilter(false)
                .utf8_empty(false)
                .nfa_size_limit(Some(MOST_BYTES))
                .hybrid_cache_capacity(MOST_BYTES);
            let built = Regex::builder()
                .configure(config)
                .build_from_hir(&self.read);
            built.map_err(|error| told(&error))
        };
        self.built.get_or_init(build).as_ref()
    }

    /// Whether it matches somewhere in the text. One that is too large matches every text that may match.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.needles.may_be_in(text) && self.built().map_or(true, |regex| regex.is_match(text))
    }

    /// How many groups it has.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.read.properties().explicit_captures_len()
    }

    /// What its first group finds, match by match; nothing where it is too large.
    pub fn found<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
        let regex = self.built().ok();
        let matches = regex.map(|regex| regex.captures_iter(text));
        let matches = matches.into_iter().flatten();
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
            (r"(?i)\bdrop\b.*(table|database)", "DROP a DataBase"),
            (r"(?i)\bdrop\b.*(table|database)", "DROP a Tabl"),
            (r"(?i)skip", "\u{17f}\u{212a}ip"),
            (r"(?i)éskip", "É\u{17f}\u{212a}ip"),
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
