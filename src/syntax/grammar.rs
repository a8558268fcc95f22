//! Lists, pipelines and simple commands.

use super::heredoc::awaited;
use super::pieces::literal;
use super::reader::{Reader, Result, Stop};
use super::token::{Kind, Token};
use super::word::RawWord;
use super::{
    Command, Connector, Dialect, Redirect, RedirectOperator, Script, Simple, Span, Statement,
    Unread, Word,
};

impl Reader<'_> {
    /// Reads the whole text. What could not be read is noted; the statements before it are given.
    pub(super) fn script(&mut self) -> Script {
        let mut script = Script::default();
        if let Err(stop) = self.lines(&mut script) {
            self.report(stop);
            self.settle(&mut script.statements);
        }
        script
    }

    /// Notes that reading stopped.
    pub(super) fn report(&mut self, stop: Stop) {
        self.unfinished |= stop.incomplete;
        self.unread.push(Unread {
            span: stop.span,
            why: stop.why,
        });
    }

    /// Reads the whole text for its errors alone.
    pub(super) fn run(&mut self) -> Result<()> {
        self.lines(&mut Script::default())
    }

    fn lines(&mut self, script: &mut Script) -> Result<()> {
        loop {
            self.newlines()?;
            if self.peek()? == Kind::Eof {
                return Ok(());
            }
            let from = script.statements.len();
            let listed = self.list(script, true);
            self.fill(script.statements.get_mut(from..).unwrap_or_default());
            listed?;
            let end = self.next()?;
            if !matches!(end.kind, Kind::Newline | Kind::Eof) {
                return Err(self.unexpected(&end));
            }
            if end.kind == Kind::Eof {
                return Ok(());
            }
        }
    }

    /// Skips newlines.
    pub(super) fn newlines(&mut self) -> Result<()> {
        while self.peek()? == Kind::Newline {
            self.next()?;
        }
        Ok(())
    }

    /// Reads a list with newlines in it, which must not be empty.
    pub(super) fn compound_list(&mut self) -> Result<Script> {
        let mut script = Script::default();
        self.newlines()?;
        self.list(&mut script, false)?;
        Ok(script)
    }

    /// Reads a list with newlines in it, or nothing.
    pub(super) fn compound_list_or_nothing(&mut self) -> Result<Script> {
        self.newlines()?;
        if self.peek()?.ends_list() {
            return Ok(Script::default());
        }
        self.compound_list()
    }

    /// Reads commands joined by operators. On one line (`line`) a newline ends the list and stays.
    fn list(&mut self, script: &mut Script, line: bool) -> Result<()> {
        loop {
            let command = self.pipeline()?;
            let separator = self.peek()?;
            let then = match separator {
                Kind::AndAnd => Connector::And,
                Kind::OrOr => Connector::Or,
                Kind::Ampersand => Connector::Background,
                _ => Connector::Sequence,
            };
            script.statements.push(Statement { command, then });
            match separator {
                Kind::AndAnd | Kind::OrOr => {
                    self.next()?;
                    self.newlines()?;
                    continue;
                }
                Kind::Ampersand | Kind::Semicolon => {
                    self.next()?;
                }
                Kind::Newline if !line => {
                    self.next()?;
                }
                _ => return Ok(()),
            }
            if !line {
                self.newlines()?;
            }
            let next = self.peek()?;
            if next.ends_list() || next == Kind::Newline {
                return Ok(());
            }
        }
    }

    /// Reads a pipeline with the `!` and `time` before it.
    fn pipeline(&mut self) -> Result<Command> {
        loop {
            match self.peek()? {
                Kind::Bang => {
                    self.next()?;
                }
                Kind::Time => {
                    self.next()?;
                    while matches!(self.peek()?, Kind::TimeOption | Kind::TimeIgnore) {
                        self.next()?;
                    }
                }
                _ => break,
            }
            if matches!(self.peek()?, Kind::Newline | Kind::Semicolon | Kind::Eof) {
                return Ok(Command::Simple(Simple::default()));
            }
        }
        let first = self.command()?;
        if !matches!(self.peek()?, Kind::Pipe | Kind::PipeBoth) {
            return Ok(first);
        }
        let mut commands = vec![first];
        while matches!(self.peek()?, Kind::Pipe | Kind::PipeBoth) {
            self.next()?;
            self.newlines()?;
            commands.push(self.command()?);
        }
        Ok(Command::Pipeline(commands))
    }

    fn command(&mut self) -> Result<Command> {
        let kind = self.peek()?;
        if kind.begins_compound() {
            return self.nested(Self::compound);
        }
        match kind {
            Kind::Function => self.nested(Self::function),
            Kind::Coproc => self.nested(Self::coprocess),
            _ => self.simple(None),
        }
    }

    /// Reads a simple command, or the function definition it turns out to be. `first` is its first
    /// word where that was taken already.
    pub(super) fn simple(&mut self, first: Option<Token>) -> Result<Command> {
        let mut simple = Simple::default();
        let mut program = false;
        let mut start = None;
        let mut end = 0;
        let mut taken = first;
        loop {
            let token = match taken.take() {
                Some(token) => token,
                None => match self.peek()? {
                    Kind::Word | Kind::Assignment => self.next()?,
                    kind if kind.begins_redirect() => {
                        if start.is_none() {
                            self.state.redirects_only = true;
                        }
                        let token = self.next()?;
                        start.get_or_insert(token.start);
                        simple.redirects.push(self.redirect(token)?);
                        end = self.last_end();
                        continue;
                    }
                    _ => break,
                },
            };
            self.state.redirects_only = false;
            let bare = start.is_none();
            start.get_or_insert(token.start);
            end = token.end;
            let Some(raw) = token.word else {
                continue;
            };
            if bare && token.kind == Kind::Word && self.peek()? == Kind::OpenParen {
                return self.nested(|reader| reader.function_definition(&raw, token.start));
            }
            if !program && raw.head.is_some() {
                simple.assignments.extend(self.assignment(raw));
                continue;
            }
            if !program && hides_assignment(&raw) && token.kind == Kind::Word && !bare {
                self.doubt(
                    token.start,
                    token.end,
                    "an array element after a redirection",
                );
            }
            self.words(raw, &mut simple.words);
            program = true;
        }
        self.state.redirects_only = false;
        let Some(start) = start else {
            let token = self.next()?;
            return Err(self.unexpected(&token));
        };
        simple.span = self.source.span(start, end);
        self.note_hazards(&simple, end);
        Ok(Command::Simple(simple))
    }

    /// Where the last token that was taken ends.
    fn last_end(&self) -> usize {
        self.state
            .peeked
            .as_ref()
            .map_or(self.source.pos, |token| token.start)
    }

    /// Reads redirections, as after a compound command.
    pub(super) fn redirects(&mut self) -> Result<Vec<Redirect>> {
        let mut redirects = Vec::new();
        while self.peek()?.begins_redirect() {
            let token = self.next()?;
            redirects.push(self.redirect(token)?);
        }
        Ok(redirects)
    }

    /// Reads a redirection from its first token on.
    fn redirect(&mut self, first: Token) -> Result<Redirect> {
        let mut descriptor = None;
        let mut named = false;
        let operator = match first.kind {
            Kind::Number => {
                let digits = first.word.as_ref().and_then(RawWord::plain_text);
                descriptor = digits.and_then(|digits| digits.parse().ok());
                self.next()?
            }
            Kind::RedirectWord => {
                named = true;
                self.next()?
            }
            _ => first,
        };
        let Some(kind) = redirect_operator(operator.kind) else {
            return Err(self.unexpected(&operator));
        };
        if matches!(operator.kind, Kind::AndGreater | Kind::AndGreaterGreater)
            && (named || descriptor.is_some())
        {
            return Err(self.unexpected(&operator));
        }
        let duplicates = matches!(operator.kind, Kind::LessAnd | Kind::GreaterAnd);
        let target = self.next()?;
        let admitted = match target.kind {
            Kind::Word => true,
            Kind::Number | Kind::Dash => duplicates,
            _ => false,
        };
        if !admitted {
            return Err(self.unexpected(&target));
        }
        let Some(raw) = target.word else {
            return Ok(Redirect {
                descriptor,
                named,
                operator: kind,
                target: dash(self.source.span(target.start, target.end)),
            });
        };
        let mut redirect = Redirect {
            descriptor,
            named,
            operator: kind,
            target: Word::default(),
        };
        if kind == RedirectOperator::HereDocument {
            let strip_tabs = operator.kind == Kind::LessLessDash;
            self.expect_here_document(operator.start, &raw, strip_tabs)?;
            redirect.target = awaited(operator.start);
            return Ok(redirect);
        }
        if raw.braces
            && kind != RedirectOperator::HereString
            && !matches!(
                super::braces::expand(&raw.pieces, raw.commas, raw.odd_braces, &mut self.braces),
                super::braces::Expansion::None
            )
        {
            self.doubt(target.start, target.end, "braces in a redirection");
        }
        redirect.target = Self::word(raw);
        if kind == RedirectOperator::DuplicateOutput
            && let Some(text) = literal(&redirect.target)
            && !is_descriptor(&text)
        {
            redirect.operator = RedirectOperator::WriteBoth;
            self.not_posix(operator.start, ">& to a file");
        }
        Ok(redirect)
    }
}

fn redirect_operator(kind: Kind) -> Option<RedirectOperator> {
    Some(match kind {
        Kind::Less => RedirectOperator::Read,
        Kind::Greater => RedirectOperator::Write,
        Kind::GreaterBar => RedirectOperator::Clobber,
        Kind::GreaterGreater => RedirectOperator::Append,
        Kind::LessGreater => RedirectOperator::ReadWrite,
        Kind::LessAnd => RedirectOperator::DuplicateInput,
        Kind::GreaterAnd => RedirectOperator::DuplicateOutput,
        Kind::AndGreater => RedirectOperator::WriteBoth,
        Kind::AndGreaterGreater => RedirectOperator::AppendBoth,
        Kind::LessLess | Kind::LessLessDash => RedirectOperator::HereDocument,
        Kind::LessLessLess => RedirectOperator::HereString,
        _ => return None,
    })
}

/// The target of `>&-`.
fn dash(span: Span) -> Word {
    Word {
        pieces: vec![super::Piece::Literal {
            text: "-".to_owned(),
            quoted: false,
        }],
        span,
    }
}

/// Whether `>&` makes a copy of, moves or closes a descriptor of this name.
pub fn is_descriptor(text: &str) -> bool {
    let digits = text.strip_suffix('-').unwrap_or(text);
    !text.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word that was read as no assignment could still be taken for one by bash.
fn hides_assignment(raw: &RawWord) -> bool {
    match raw.pieces.first() {
        Some(super::Piece::Literal {
            text,
            quoted: false,
        }) => text
            .split_once('[')
            .is_some_and(|(name, _)| super::pieces::is_name(name)),
        _ => false,
    }
}

impl Reader<'_> {
    /// Whether the dialect is the one of `sh`.
    pub(super) fn is_posix(&self) -> bool {
        self.dialect == Dialect::Posix
    }
}
