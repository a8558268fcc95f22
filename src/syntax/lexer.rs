//! Tokens, one at a time, as bash's `read_token` makes them: what a word is depends on the tokens
//! before it.

use super::Dialect;
use super::arithmetic::Parenthesized;
use super::pieces::is_name;
use super::reader::{Reader, Result, Stop};
use super::token::{Kind, Token};
use super::word::RawWord;

impl Reader<'_> {
    /// The kind of the next token, which stays.
    pub(super) fn peek(&mut self) -> Result<Kind> {
        if let Some(token) = &self.state.peeked {
            return Ok(token.kind);
        }
        let token = self.read_token()?;
        let kind = token.kind;
        self.state.before = std::mem::replace(&mut self.state.last, kind);
        self.state.peeked = Some(token);
        Ok(kind)
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Result<Token> {
        self.peek()?;
        match self.state.peeked.take() {
            Some(token) => Ok(token),
            None => Err(self.stop(self.source.pos, "no token")),
        }
    }

    /// Takes the next token, which must be of this kind.
    pub(super) fn expect(&mut self, kind: Kind) -> Result<Token> {
        let token = self.next()?;
        if token.kind == kind {
            Ok(token)
        } else {
            Err(self.unexpected(&token))
        }
    }

    /// The error that a token cannot stand where it does.
    pub(super) fn unexpected(&self, token: &Token) -> Stop {
        if token.kind == Kind::Eof {
            self.ended(token.start, "the text ends too early")
        } else {
            let text = self.source.slice(token.start, token.end);
            let text = if token.kind == Kind::Newline {
                "newline"
            } else {
                text
            };
            self.stop(token.start, format!("unexpected `{text}`"))
        }
    }

    /// Reads a token without regard to the one that was peeked at.
    pub(super) fn read_token(&mut self) -> Result<Token> {
        while let Some(b' ' | b'\t') = self.source.peek() {
            self.source.bump();
        }
        if self.source.peek() == Some(b'#') {
            self.source.run(|byte| byte == b'\n');
        }
        let start = self.source.pos;
        let Some(byte) = self.source.peek() else {
            self.read_here_documents()?;
            let text = self.source.text();
            self.unfinished |= text.ends_with("\\\n") && self.newline != text.len();
            return Ok(self.token(Kind::Eof, start));
        };
        if byte == b'\n' {
            self.source.bump();
            self.newline = self.source.pos;
            self.state.assignment_arguments = false;
            let token = self.token(Kind::Newline, start);
            self.read_here_documents()?;
            return Ok(token);
        }
        if !self.state.regex && matches!(byte, b'(' | b')' | b';' | b'&' | b'|' | b'<' | b'>') {
            if let Some(token) = self.read_operator(byte)? {
                return Ok(token);
            }
        } else if byte == b'-' && matches!(self.state.last, Kind::LessAnd | Kind::GreaterAnd) {
            self.source.bump();
            return Ok(self.token(Kind::Dash, start));
        }
        let token = self.read_word()?;
        if token.start == self.source.pos {
            return Err(self.stop(start, "a pattern is missing"));
        }
        self.classify(token)
    }

    fn token(&self, kind: Kind, start: usize) -> Token {
        Token {
            kind,
            start,
            end: self.source.pos,
            word: None,
        }
    }

    /// Reads an operator; none where `<(` or `>(` begins a word.
    fn read_operator(&mut self, byte: u8) -> Result<Option<Token>> {
        let start = self.source.pos;
        self.state.assignment_arguments = false;
        let (next, next_at) = self.source.after(start);
        let (third, third_at) = self.source.after(next_at);
        let (kind, end) = match (byte, next) {
            (b'<', Some(b'<')) => match third {
                Some(b'-') => (Kind::LessLessDash, third_at),
                Some(b'<') => (Kind::LessLessLess, third_at),
                _ => (Kind::LessLess, next_at),
            },
            (b'>', Some(b'>')) => (Kind::GreaterGreater, next_at),
            (b';', Some(b';')) => match third {
                Some(b'&') => (Kind::SemiSemiAnd, third_at),
                _ => (Kind::SemiSemi, next_at),
            },
            (b'&', Some(b'&')) => (Kind::AndAnd, next_at),
            (b'|', Some(b'|')) => (Kind::OrOr, next_at),
            (b'(', Some(b'(')) => match self.double_parenthesis(start, next_at)? {
                Some(token) => return Ok(Some(token)),
                None => (Kind::OpenParen, start),
            },
            (b'<', Some(b'&')) => (Kind::LessAnd, next_at),
            (b'>', Some(b'&')) => (Kind::GreaterAnd, next_at),
            (b'<', Some(b'>')) => (Kind::LessGreater, next_at),
            (b'>', Some(b'|')) => (Kind::GreaterBar, next_at),
            (b'&', Some(b'>')) => match third {
                Some(b'>') => (Kind::AndGreaterGreater, third_at),
                _ => (Kind::AndGreater, next_at),
            },
            (b'|', Some(b'&')) => (Kind::PipeBoth, next_at),
            (b';', Some(b'&')) => (Kind::SemiAnd, next_at),
            (b'<' | b'>', Some(b'(')) => return Ok(None),
            (b'<', _) => (Kind::Less, start),
            (b'>', _) => (Kind::Greater, start),
            (b';', _) => (Kind::Semicolon, start),
            (b'&', _) => (Kind::Ampersand, start),
            (b'|', _) => (Kind::Pipe, start),
            (b'(', _) => (Kind::OpenParen, start),
            _ => (Kind::CloseParen, start),
        };
        self.source.pos = end + 1;
        match kind {
            Kind::SemiSemi | Kind::SemiAnd | Kind::SemiSemiAnd => self.state.case_pattern = true,
            Kind::CloseParen => self.state.case_pattern = false,
            _ => {}
        }
        match kind {
            Kind::PipeBoth => self.not_posix(start, "|&"),
            Kind::AndGreater | Kind::AndGreaterGreater => self.not_posix(start, "&>"),
            Kind::LessLessLess => self.not_posix(start, "<<<"),
            Kind::SemiAnd | Kind::SemiSemiAnd => self.not_posix(start, ";&"),
            _ => {}
        }
        Ok(Some(self.token(kind, start)))
    }

    /// Reads `((…))` where one can stand; none where the first parenthesis stands for itself.
    fn double_parenthesis(&mut self, start: usize, second: usize) -> Result<Option<Token>> {
        let kind = if self.state.last == Kind::For {
            Kind::ArithmeticFor
        } else if self.state.last.admits_reserved(self.state.before) {
            Kind::Arithmetic
        } else {
            return Ok(None);
        };
        self.source.pos = second;
        let doubts = self.unread.len();
        match self.nested(|reader| reader.parenthesized(start, true))? {
            Parenthesized::Arithmetic(pieces) => {
                self.not_posix(start, "((");
                let mut token = self.token(kind, start);
                token.word = Some(RawWord {
                    pieces,
                    span: self.source.span(start, token.end),
                    ..RawWord::default()
                });
                Ok(Some(token))
            }
            Parenthesized::Commands(end) => {
                let text = self.source.slice(start, end);
                let ambiguous = text.contains("\\\n")
                    || text.contains("<<")
                    || self.source.raw() == Some(b'\n');
                self.rewind(start, doubts)?;
                if ambiguous {
                    self.doubt(start, end, "an ambiguous ((");
                }
                self.not_posix(start, "((");
                if kind == Kind::ArithmeticFor {
                    return Err(self.stop(start, "an unfinished (("));
                }
                Ok(None)
            }
        }
    }

    /// Decides what a word is where it stands.
    fn classify(&mut self, mut token: Token) -> Result<Token> {
        let next = self.source.peek();
        let before_redirect = matches!(next, Some(b'<' | b'>'));
        let last = self.state.last;
        let Some(word) = &token.word else {
            return Ok(token);
        };
        let plain = word.plain_text().unwrap_or_default();
        if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            let duplicates = matches!(last, Kind::LessAnd | Kind::GreaterAnd);
            if (before_redirect || duplicates) && plain.parse::<i32>().is_ok() {
                if plain.len() > 1 && before_redirect && !duplicates {
                    self.not_posix(token.start, "a descriptor above 9");
                }
                token.kind = Kind::Number;
                return Ok(token);
            }
        }
        if let Some(kind) = self.reserved_word(plain) {
            token.kind = kind;
            return Ok(token);
        }
        if self.at_command() && is_assignment_builtin(plain) {
            self.state.assignment_arguments = true;
        }
        if before_redirect && names_descriptor(word) {
            self.not_posix(token.start, "{name}>");
            token.kind = Kind::RedirectWord;
            return Ok(token);
        }
        if word.head.is_some() && self.admits_assignment() {
            token.kind = Kind::Assignment;
        }
        if matches!(last, Kind::Case | Kind::Select | Kind::For) {
            self.state.expecting_in += 1;
        }
        Ok(token)
    }

    /// The reserved word that a word is where it stands.
    fn reserved_word(&mut self, text: &str) -> Option<Kind> {
        let (last, before) = (self.state.last, self.state.before);
        let after_variable = last == Kind::Word && matches!(before, Kind::For | Kind::Select);
        match text {
            "in" if last == Kind::Word && (after_variable || before == Kind::Case) => {
                self.enter_in(before == Kind::Case);
                return Some(Kind::In);
            }
            "in" if self.state.expecting_in > 0 && matches!(last, Kind::Word | Kind::Newline) => {
                self.enter_in(self.state.case_statement);
                return Some(Kind::In);
            }
            "do" if self.state.expecting_in > 0
                && matches!(last, Kind::Newline | Kind::Semicolon) =>
            {
                self.state.expecting_in -= 1;
                return Some(Kind::Do);
            }
            "do" if after_variable => {
                self.state.expecting_in = self.state.expecting_in.saturating_sub(1);
                return Some(Kind::Do);
            }
            "esac" if last == Kind::In && self.state.case_pattern => {
                self.state.case_pattern = false;
                return Some(Kind::Esac);
            }
            "do" if last == Kind::ArithmeticFor => return Some(Kind::Do),
            "{" if last == Kind::ArithmeticFor => return Some(Kind::OpenBrace),
            "-p" if last == Kind::Time => return Some(Kind::TimeOption),
            "--" if matches!(last, Kind::Time | Kind::TimeOption) => return Some(Kind::TimeIgnore),
            "]]" if self.state.condition => return Some(Kind::ConditionEnd),
            _ => {}
        }
        if !last.admits_reserved(before) {
            return None;
        }
        let kind = Kind::reserved(text)?;
        if self.state.case_pattern && kind != Kind::Esac {
            return None;
        }
        match kind {
            Kind::Time if !last.admits_time(before) || self.dialect == Dialect::Posix => {
                return None;
            }
            Kind::Esac
                if self.state.case_pattern && matches!(last, Kind::Pipe | Kind::OpenParen) =>
            {
                return None;
            }
            Kind::Esac => {
                self.state.case_pattern = false;
                self.state.case_statement = false;
            }
            Kind::Case => self.state.case_statement = true,
            _ => {}
        }
        Some(kind)
    }

    fn enter_in(&mut self, case: bool) {
        self.state.case_pattern |= case;
        self.state.expecting_in = self.state.expecting_in.saturating_sub(1);
    }
}

/// Whether arguments of this builtin may be `NAME=(…)`.
fn is_assignment_builtin(name: &str) -> bool {
    matches!(
        name,
        "alias" | "declare" | "export" | "local" | "readonly" | "typeset" | "eval" | "let"
    )
}

/// Whether the word is `{name}` or `{name[subscript]}`.
fn names_descriptor(word: &RawWord) -> bool {
    let Some(inner) = word
        .plain_text()
        .and_then(|text| text.strip_prefix('{'))
        .and_then(|text| text.strip_suffix('}'))
    else {
        return false;
    };
    let element = inner
        .split_once('[')
        .is_some_and(|(name, rest)| is_name(name) && rest.ends_with(']') && rest.len() > 1);
    is_name(inner) || element
}
