//! Compound commands, functions and `[[ … ]]`.

use super::pieces::is_name;
use super::reader::{Reader, Result};
use super::token::{Kind, Token};
use super::word::RawWord;
use super::{Command, Compound, Piece, Script, Span, Word};

impl Reader<'_> {
    /// Reads a compound command with its redirections.
    pub(super) fn compound(&mut self) -> Result<Command> {
        let first = self.next()?;
        let start = first.start;
        let kind = match first.kind {
            Kind::OpenParen => {
                let body = self.compound_list()?;
                self.expect(Kind::CloseParen)?;
                Compound::Subshell(body)
            }
            Kind::OpenBrace => {
                let body = self.compound_list()?;
                self.expect(Kind::CloseBrace)?;
                Compound::Group(body)
            }
            Kind::If => self.conditional()?,
            Kind::While | Kind::Until => {
                let condition = self.compound_list()?;
                self.expect(Kind::Do)?;
                let body = self.compound_list()?;
                self.expect(Kind::Done)?;
                Compound::Loop { condition, body }
            }
            Kind::For | Kind::Select => self.for_loop(first.kind, start)?,
            Kind::Case => self.case()?,
            Kind::Arithmetic => {
                self.hazards.arithmetic = true;
                Compound::Arithmetic(arithmetic_word(first))
            }
            Kind::ConditionStart => self.condition(start)?,
            _ => return Err(self.unexpected(&first)),
        };
        let redirects = self.redirects()?;
        let end = self.end_of_command();
        Ok(Command::Compound {
            kind,
            redirects,
            span: self.source.span(start, end.max(start)),
        })
    }

    /// The end of the text taken so far, blanks aside.
    fn end_of_command(&self) -> usize {
        let end = self
            .state
            .peeked
            .as_ref()
            .map_or(self.source.pos, |token| token.start);
        self.source
            .slice(0, end)
            .trim_end_matches([' ', '\t'])
            .len()
    }

    fn conditional(&mut self) -> Result<Compound> {
        let mut branches = Vec::new();
        loop {
            let condition = self.compound_list()?;
            self.expect(Kind::Then)?;
            let body = self.compound_list()?;
            branches.push((condition, body));
            let next = self.next()?;
            let otherwise = match next.kind {
                Kind::Elif => continue,
                Kind::Else => {
                    let body = self.compound_list()?;
                    self.expect(Kind::Fi)?;
                    Some(body)
                }
                Kind::Fi => None,
                _ => return Err(self.unexpected(&next)),
            };
            return Ok(Compound::If {
                branches,
                otherwise,
            });
        }
    }

    fn for_loop(&mut self, kind: Kind, start: usize) -> Result<Compound> {
        if kind == Kind::Select {
            self.not_posix(start, "select");
        }
        let variable = self.next()?;
        if variable.kind == Kind::ArithmeticFor {
            self.hazards.arithmetic = true;
            let expressions = split_expressions(arithmetic_word(variable));
            if matches!(self.peek()?, Kind::Semicolon | Kind::Newline) {
                self.next()?;
                self.newlines()?;
            }
            let body = self.loop_body()?;
            return Ok(Compound::ForArithmetic { expressions, body });
        }
        if variable.kind != Kind::Word {
            return Err(self.unexpected(&variable));
        }
        let name = variable
            .word
            .as_ref()
            .and_then(RawWord::plain_text)
            .unwrap_or_default()
            .to_owned();
        let mut words = None;
        if self.peek()? == Kind::Semicolon {
            self.next()?;
            self.newlines()?;
        } else {
            self.newlines()?;
            if self.peek()? == Kind::In {
                self.next()?;
                let list = self.for_words()?;
                for word in &list {
                    self.note_injection(word);
                }
                words = Some(list);
            }
        }
        let body = self.loop_body()?;
        Ok(Compound::For {
            variable: name,
            words,
            body,
        })
    }

    fn for_words(&mut self) -> Result<Vec<Word>> {
        let mut words = Vec::new();
        while self.peek()? == Kind::Word {
            if let Some(raw) = self.next()?.word {
                self.words(raw, &mut words);
            }
        }
        let end = self.next()?;
        if !matches!(end.kind, Kind::Semicolon | Kind::Newline) {
            return Err(self.unexpected(&end));
        }
        self.newlines()?;
        Ok(words)
    }

    /// Reads `do … done` or `{ … }`.
    fn loop_body(&mut self) -> Result<Script> {
        let first = self.next()?;
        let end = match first.kind {
            Kind::Do => Kind::Done,
            Kind::OpenBrace => Kind::CloseBrace,
            _ => return Err(self.unexpected(&first)),
        };
        let body = self.compound_list()?;
        self.expect(end)?;
        Ok(body)
    }

    fn case(&mut self) -> Result<Compound> {
        let subject = self.expect(Kind::Word)?.word.unwrap_or_default();
        let subject = Self::word(subject);
        self.newlines()?;
        self.expect(Kind::In)?;
        let mut arms = Vec::new();
        loop {
            self.newlines()?;
            let mut token = self.next()?;
            if token.kind == Kind::Esac {
                return Ok(Compound::Case { subject, arms });
            }
            if token.kind == Kind::OpenParen {
                token = self.next()?;
            }
            let patterns = self.patterns(token)?;
            let body = self.compound_list_or_nothing()?;
            arms.push((patterns, body));
            let end = self.next()?;
            match end.kind {
                Kind::SemiSemi | Kind::SemiAnd | Kind::SemiSemiAnd => {}
                Kind::Esac => return Ok(Compound::Case { subject, arms }),
                _ => return Err(self.unexpected(&end)),
            }
        }
    }

    /// Reads `pattern | pattern )` from its first token on.
    fn patterns(&mut self, first: Token) -> Result<Vec<Word>> {
        let mut patterns = Vec::new();
        let mut token = first;
        loop {
            if token.kind != Kind::Word {
                return Err(self.unexpected(&token));
            }
            patterns.extend(token.word.map(Self::word));
            let end = self.next()?;
            match end.kind {
                Kind::Pipe => token = self.next()?,
                Kind::CloseParen => return Ok(patterns),
                _ => return Err(self.unexpected(&end)),
            }
        }
    }

    /// Reads a definition from the parenthesis after its name on.
    pub(super) fn function_definition(&mut self, name: &RawWord, start: usize) -> Result<Command> {
        self.expect(Kind::OpenParen)?;
        self.expect(Kind::CloseParen)?;
        self.newlines()?;
        self.function_body(name, start)
    }

    /// Reads `function NAME …`.
    pub(super) fn function(&mut self) -> Result<Command> {
        let start = self.next()?.start;
        self.not_posix(start, "function");
        let name = self.expect(Kind::Word)?.word.unwrap_or_default();
        if self.peek()? == Kind::OpenParen && !self.opens_subshell_body() {
            self.next()?;
            self.expect(Kind::CloseParen)?;
        }
        self.newlines()?;
        self.function_body(&name, start)
    }

    /// Whether the parenthesis after `function NAME` begins the body and not `()`.
    fn opens_subshell_body(&mut self) -> bool {
        self.source
            .text()
            .get(self.source.pos..)
            .is_some_and(|rest| {
                !rest
                    .trim_start_matches("\\\n")
                    .trim_start_matches([' ', '\t'])
                    .starts_with(')')
            })
    }

    fn function_body(&mut self, name: &RawWord, start: usize) -> Result<Command> {
        let Some(text) = name.plain_text().map(str::to_owned) else {
            return Err(self.stop(start, "a function whose name is no plain text"));
        };
        if !is_name(&text) && self.is_posix() {
            self.not_posix(start, "the name of this function");
        }
        if !self.peek()?.begins_compound() {
            let token = self.next()?;
            return Err(self.unexpected(&token));
        }
        let body = self.compound()?;
        let span = match &body {
            Command::Compound { span, .. } => Span {
                start: self.source.span(start, start).start,
                end: span.end,
            },
            _ => Span::default(),
        };
        Ok(Command::Compound {
            kind: Compound::Function {
                name: text,
                body: Box::new(body),
            },
            redirects: Vec::new(),
            span,
        })
    }

    /// Reads `coproc …`.
    pub(super) fn coprocess(&mut self) -> Result<Command> {
        let start = self.next()?.start;
        self.not_posix(start, "coproc");
        let command = if self.peek()?.begins_compound() {
            self.compound()?
        } else if self.peek()? == Kind::Word {
            let first = self.next()?;
            if self.peek()?.begins_compound() {
                self.compound()?
            } else {
                self.simple(Some(first))?
            }
        } else {
            self.simple(None)?
        };
        let end = self.end_of_command();
        Ok(Command::Compound {
            kind: Compound::Coprocess(Box::new(command)),
            redirects: Vec::new(),
            span: self.source.span(start, end.max(start)),
        })
    }

    /// Reads `[[ … ]]` from its first word on. All of its tokens become words.
    fn condition(&mut self, start: usize) -> Result<Compound> {
        self.state.condition = true;
        let mut words = Vec::new();
        let end = self.condition_or(&mut words)?;
        self.state.condition = false;
        if end.kind != Kind::ConditionEnd {
            return Err(self.unexpected(&end));
        }
        self.state.before = self.state.last;
        self.state.last = Kind::ConditionEnd;
        self.note_condition(&words);
        let operators = ["<", ">", "&&", "||", "(", ")"];
        if words.iter().any(|word: &Word| {
            super::pieces::known_text(&word.pieces)
                .split(' ')
                .any(|text| operators.contains(&text) || text.contains(['|', '(']))
        }) {
            self.not_posix(start, "[[");
        }
        Ok(Compound::Condition(words))
    }

    /// Reads an expression; gives the token after it.
    fn condition_or(&mut self, words: &mut Vec<Word>) -> Result<Token> {
        loop {
            let end = self.nested(|reader| reader.condition_term(words))?;
            if !matches!(end.kind, Kind::AndAnd | Kind::OrOr) {
                return Ok(end);
            }
            words.push(self.operator_word(&end));
        }
    }

    /// Takes tokens until one is no newline.
    fn condition_token(&mut self) -> Result<Token> {
        loop {
            let token = self.read_token()?;
            if token.kind != Kind::Newline {
                return Ok(token);
            }
        }
    }

    fn condition_term(&mut self, words: &mut Vec<Word>) -> Result<Token> {
        let mut token = self.condition_token()?;
        while token.kind == Kind::Word
            && token.word.as_ref().and_then(RawWord::plain_text) == Some("!")
        {
            words.push(self.operator_word(&token));
            token = self.condition_token()?;
        }
        if token.kind == Kind::OpenParen {
            words.push(self.operator_word(&token));
            let end = self.condition_or(words)?;
            if end.kind != Kind::CloseParen {
                return Err(self.unexpected(&end));
            }
            words.push(self.operator_word(&end));
            return self.condition_token();
        }
        if token.kind != Kind::Word {
            return Err(self.unexpected(&token));
        }
        let first = token.word.unwrap_or_default();
        let unary = first.plain_text().is_some_and(is_unary);
        words.push(Self::word(first));
        let operator = self.read_token()?;
        if unary && operator.kind == Kind::Word {
            words.extend(operator.word.map(Self::word));
            return self.condition_token();
        }
        match operator.kind {
            Kind::ConditionEnd | Kind::AndAnd | Kind::OrOr | Kind::CloseParen if !unary => {
                return Ok(operator);
            }
            Kind::Less | Kind::Greater if !unary => {}
            Kind::Word if !unary => {
                let text = operator.word.as_ref().and_then(RawWord::plain_text);
                let text = operator_text(text, operator.word.as_ref());
                match text.as_str() {
                    "=~" => self.state.regex = true,
                    "=" | "==" | "!=" => self.state.extended_pattern = true,
                    other if is_binary(other) => {}
                    _ => return Err(self.unexpected(&operator)),
                }
            }
            _ => return Err(self.unexpected(&operator)),
        }
        words.push(self.operator_word(&operator));
        let right = self.read_token();
        self.state.regex = false;
        self.state.extended_pattern = false;
        let right = right?;
        if right.kind != Kind::Word {
            return Err(self.unexpected(&right));
        }
        words.extend(right.word.map(Self::word));
        self.condition_token()
    }

    /// A token as a word of its text.
    fn operator_word(&self, token: &Token) -> Word {
        Word {
            pieces: vec![Piece::Literal {
                text: self
                    .source
                    .slice(token.start, token.end)
                    .replace("\\\n", ""),
                quoted: false,
            }],
            span: self.source.span(token.start, token.end),
        }
    }
}

/// The text of an operator, which may have been read with the shape of an assignment.
fn operator_text(plain: Option<&str>, word: Option<&RawWord>) -> String {
    match plain {
        Some(text) => text.to_owned(),
        None => word
            .filter(|word| word.plain && word.head.is_none())
            .map(|word| super::pieces::known_text(&word.pieces))
            .unwrap_or_default(),
    }
}

/// The word of an arithmetic command.
fn arithmetic_word(token: Token) -> Word {
    let raw = token.word.unwrap_or_default();
    Word {
        pieces: raw.pieces,
        span: raw.span,
    }
}

/// Splits the three expressions of `for ((…))` at the semicolons in their text.
fn split_expressions(word: Word) -> Vec<Word> {
    let span = word.span;
    let mut expressions = vec![Word {
        pieces: Vec::new(),
        span,
    }];
    for piece in word.pieces {
        let Piece::Literal { text, quoted } = piece else {
            if let Some(last) = expressions.last_mut() {
                last.pieces.push(piece);
            }
            continue;
        };
        for (index, part) in text.split(';').enumerate() {
            if index > 0 {
                expressions.push(Word {
                    pieces: Vec::new(),
                    span,
                });
            }
            if let Some(last) = expressions.last_mut()
                && !part.is_empty()
            {
                last.pieces.push(Piece::Literal {
                    text: part.to_owned(),
                    quoted,
                });
            }
        }
    }
    expressions
}

/// The unary operators of `test`.
fn is_unary(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [
            b'-',
            b'a'..=b'h'
            | b'k'
            | b'n'
            | b'o'
            | b'p'
            | b'r'..=b'x'
            | b'z'
            | b'G'
            | b'L'
            | b'N'
            | b'O'
            | b'R'
            | b'S',
        ]
    )
}

/// The binary operators of `test` besides those of patterns.
fn is_binary(text: &str) -> bool {
    matches!(
        text,
        "<" | ">" | "-nt" | "-ot" | "-ef" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"
    )
}
