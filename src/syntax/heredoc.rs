//! Here-documents: their bodies stand after the line that asks for them.

use super::pieces::Pieces;
use super::reader::{Reader, Result};
use super::source::Origin;
use super::word::RawWord;
use super::{
    Command, Compound, Dialect, Piece, Redirect, RedirectOperator, Script, Span, Statement, Word,
};

/// The end of the span of a body that was not reached yet; its start is the operator's position.
const AWAITED: usize = usize::MAX;

/// What stands for a body until it is reached.
pub(super) fn awaited(operator: usize) -> Word {
    Word {
        pieces: Vec::new(),
        span: Span {
            start: operator,
            end: AWAITED,
        },
    }
}

/// A here-document whose body was not reached yet.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Where its operator stands, by which its redirection is found again.
    operator: usize,
    delimiter: String,
    strip_tabs: bool,
    quoted: bool,
}

/// The lines of a body, and whether they are what stands in the text, byte by byte.
struct Body {
    text: String,
    start: usize,
    verbatim: bool,
}

impl Reader<'_> {
    /// Notes that the body of a here-document follows the current line.
    pub(super) fn expect_here_document(
        &mut self,
        operator: usize,
        word: &RawWord,
        strip_tabs: bool,
    ) -> Result<()> {
        let Some(delimiter) = delimiter(word) else {
            return Err(self.stop(operator, "the end of the here-document is an expansion"));
        };
        if delimiter.contains('\n') {
            return Err(self.stop(operator, "the end of the here-document is no line"));
        }
        self.state.pending.push(Pending {
            operator,
            delimiter,
            strip_tabs,
            quoted: word.quoted,
        });
        Ok(())
    }

    /// Reads the bodies that begin at the cursor, which stands after a newline.
    pub(super) fn read_here_documents(&mut self) -> Result<()> {
        for pending in std::mem::take(&mut self.state.pending) {
            let body = self.read_body(&pending)?;
            let end = self.source.pos;
            let span = self.source.span(body.start, end.max(body.start));
            let mut word = Word {
                pieces: Vec::new(),
                span,
            };
            if pending.quoted {
                word.pieces.push(Piece::Literal {
                    text: body.text,
                    quoted: true,
                });
            } else {
                let origin = if body.verbatim {
                    self.source.origin_at(body.start)
                } else {
                    Origin::Within(span)
                };
                word.pieces = self.body_pieces(&body.text, origin);
            }
            self.bodies.insert(pending.operator, word);
        }
        Ok(())
    }

    fn read_body(&mut self, pending: &Pending) -> Result<Body> {
        let mut body = Body {
            text: String::new(),
            start: self.source.pos,
            verbatim: true,
        };
        loop {
            if self.source.raw().is_none() {
                // bash only warns, and takes what there is.
                self.unfinished = true;
                return Ok(body);
            }
            let start = self.source.pos;
            let line = self.read_line(pending.quoted);
            let joined = line.len() != self.source.pos - start;
            let whole = line.strip_suffix('\n').unwrap_or(&line);
            let stripped = if pending.strip_tabs {
                line.trim_start_matches('\t')
            } else {
                line.as_str()
            };
            let content = stripped.strip_suffix('\n').unwrap_or(stripped);
            if content == pending.delimiter || pending.strip_tabs && whole == pending.delimiter {
                return Ok(body);
            }
            if self.state.substitution
                && let Some(tail) = stripped.strip_prefix(pending.delimiter.as_str())
                && tail.contains(')')
            {
                return self.end_before_parenthesis(start, &line, tail, joined, body);
            }
            body.verbatim &= !joined && stripped.len() == line.len();
            body.text.push_str(stripped);
            if !stripped.ends_with('\n') && !stripped.is_empty() {
                body.text.push('\n');
                body.verbatim = false;
            }
        }
    }

    /// bash ends a here-document in `$(…)` also at a line that begins with the delimiter and has a
    /// parenthesis further on.
    fn end_before_parenthesis(
        &mut self,
        start: usize,
        line: &str,
        tail: &str,
        joined: bool,
        body: Body,
    ) -> Result<Body> {
        if joined {
            return Err(self.stop(start, "a here-document that ends in the middle of a line"));
        }
        self.source.pos = start + (line.len() - tail.len());
        if !tail.trim_start_matches([' ', '\t']).starts_with(')') || self.dialect == Dialect::Posix
        {
            self.doubt(
                start,
                start + line.len(),
                "a here-document that ends in the middle of a line",
            );
        }
        Ok(body)
    }

    /// Takes a line with its newline; in an unquoted body a backslash joins it to the next one.
    fn read_line(&mut self, quoted: bool) -> String {
        let mut line = String::new();
        loop {
            line.push_str(
                self.source
                    .run(|byte| byte == b'\n' || byte == b'\\' && !quoted),
            );
            match self.source.take_char() {
                None => return line,
                Some('\n') => {
                    line.push('\n');
                    return line;
                }
                Some(_) => match self.source.take_char() {
                    Some('\n') => {}
                    Some(next) => {
                        line.push('\\');
                        line.push(next);
                    }
                    None => line.push('\\'),
                },
            }
        }
    }

    /// Reads the expansions in a body.
    fn body_pieces(&mut self, text: &str, origin: Origin) -> Vec<Piece> {
        let mut inner = self.inner(text, origin);
        let mut pieces = Pieces::default();
        if let Err(stop) = inner.expansions(&mut pieces) {
            inner.report(stop);
        }
        self.absorb(inner);
        pieces.0
    }

    fn expansions(&mut self, pieces: &mut Pieces) -> Result<()> {
        while let Some(byte) = self.source.raw() {
            match byte {
                b'\\' => self.escape_in_quotes(pieces, b"$`\\"),
                b'`' => {
                    let piece = self.backticks(false)?;
                    pieces.push(piece);
                }
                b'$' => {
                    let piece = self.nested(|reader| reader.dollar(true))?;
                    pieces.push(piece);
                }
                _ => {
                    let text = self.source.run(|byte| matches!(byte, b'\\' | b'`' | b'$'));
                    pieces.text(text, true);
                }
            }
        }
        Ok(())
    }

    /// Puts the bodies read so far into the redirections that asked for them.
    pub(super) fn fill(&mut self, statements: &mut [Statement]) {
        if self.bodies.is_empty() {
            return;
        }
        let mut take = |operator| self.bodies.remove(&operator);
        for statement in statements {
            fill_command(&mut statement.command, &mut take);
        }
    }

    /// Leaves empty what waits for a body that reading never came to.
    pub(super) fn settle(&mut self, statements: &mut [Statement]) {
        let mut nothing = |_| Some(Word::default());
        for statement in statements {
            fill_command(&mut statement.command, &mut nothing);
        }
    }
}

/// The text of a delimiter; none where it has an expansion that bash would write differently.
fn delimiter(word: &RawWord) -> Option<String> {
    let mut text = String::new();
    if let Some(head) = &word.head {
        if head.subscript.is_some() || word.array.is_some() {
            return None;
        }
        text.push_str(&head.name);
        text.push_str(if head.append { "+=" } else { "=" });
    }
    for piece in &word.pieces {
        match piece {
            Piece::Literal { text: more, .. } => text.push_str(more),
            _ => return None,
        }
    }
    Some(text)
}

/// Gives the body that an operator at this position asked for.
type Bodies<'a> = dyn FnMut(usize) -> Option<Word> + 'a;

fn fill_script(script: &mut Script, bodies: &mut Bodies<'_>) {
    for statement in &mut script.statements {
        fill_command(&mut statement.command, bodies);
    }
}

fn fill_redirects(redirects: &mut [Redirect], bodies: &mut Bodies<'_>) {
    for redirect in redirects {
        if redirect.operator == RedirectOperator::HereDocument
            && redirect.target.span.end == AWAITED
            && let Some(body) = bodies(redirect.target.span.start)
        {
            redirect.target = body;
        }
    }
}

fn fill_command(command: &mut Command, bodies: &mut Bodies<'_>) {
    match command {
        Command::Simple(simple) => fill_redirects(&mut simple.redirects, bodies),
        Command::Pipeline(commands) => {
            for command in commands {
                fill_command(command, bodies);
            }
        }
        Command::Compound {
            kind, redirects, ..
        } => {
            fill_compound(kind, bodies);
            fill_redirects(redirects, bodies);
        }
    }
}

fn fill_compound(kind: &mut Compound, bodies: &mut Bodies<'_>) {
    match kind {
        Compound::Subshell(body) | Compound::Group(body) => fill_script(body, bodies),
        Compound::If {
            branches,
            otherwise,
        } => {
            for (condition, body) in branches {
                fill_script(condition, bodies);
                fill_script(body, bodies);
            }
            if let Some(body) = otherwise {
                fill_script(body, bodies);
            }
        }
        Compound::Loop { condition, body } => {
            fill_script(condition, bodies);
            fill_script(body, bodies);
        }
        Compound::For { body, .. } | Compound::ForArithmetic { body, .. } => {
            fill_script(body, bodies);
        }
        Compound::Case { arms, .. } => {
            for (_, body) in arms {
                fill_script(body, bodies);
            }
        }
        Compound::Function { body, .. } | Compound::Coprocess(body) => fill_command(body, bodies),
        Compound::Arithmetic(_) | Compound::Condition(_) => {}
    }
}
