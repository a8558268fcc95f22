//! From a raw word to the words of the contract: braces, then tildes.

use super::pieces::Pieces;
use super::reader::Reader;
use super::word::{Head, RawWord};
use super::{AssignedValue, Assignment, Dialect, Piece, Word};

impl Reader<'_> {
    /// The words that a word of a command stands for, after brace expansion.
    pub(super) fn words(&mut self, raw: RawWord, out: &mut Vec<Word>) {
        let span = raw.span;
        let after_equals = raw.head.is_some() && self.dialect == Dialect::Bash;
        let (braces, commas, odd) = (raw.braces, raw.commas, raw.odd_braces);
        let mut word = whole(raw);
        if braces {
            match super::braces::expand(&word.pieces, commas, odd, &mut self.braces) {
                super::braces::Expansion::None => {}
                super::braces::Expansion::Words(words) => {
                    if self.dialect == Dialect::Posix {
                        self.doubt_span(span, "sh may not expand braces");
                    }
                    out.extend(words.into_iter().map(|mut pieces| {
                        tilde(&mut pieces, false);
                        Word { pieces, span }
                    }));
                    return;
                }
                super::braces::Expansion::Doubtful(why) => self.doubt_span(span, why),
            }
        }
        tilde(&mut word.pieces, after_equals);
        out.push(word);
    }

    /// The one word that a word stands for where braces are not expanded.
    pub(super) fn word(raw: RawWord) -> Word {
        let mut word = whole(raw);
        tilde(&mut word.pieces, false);
        word
    }

    /// An assignment; none where the word does not have the shape of one.
    pub(super) fn assignment(&mut self, raw: RawWord) -> Option<Assignment> {
        let Head {
            name,
            subscript,
            append,
        } = raw.head?;
        let value = match raw.array {
            Some(elements) => {
                let mut words = Vec::new();
                for element in elements {
                    self.words(element, &mut words);
                }
                AssignedValue::Array(words)
            }
            None => {
                let mut word = Word {
                    pieces: raw.pieces,
                    span: raw.span,
                };
                tilde_in_value(&mut word.pieces);
                AssignedValue::Scalar(word)
            }
        };
        Some(Assignment {
            name,
            subscript,
            append,
            value,
        })
    }

    fn doubt_span(&mut self, span: super::Span, why: &str) {
        self.unread.push(super::Unread {
            span,
            why: why.to_owned(),
        });
    }
}

/// The pieces of a word with the front of an assignment put back as text.
fn whole(raw: RawWord) -> Word {
    let Some(head) = raw.head else {
        return Word {
            pieces: raw.pieces,
            span: raw.span,
        };
    };
    let mut pieces = Pieces::default();
    pieces.text(&head.name, false);
    if let Some(subscript) = head.subscript {
        pieces.text("[", false);
        pieces.append(subscript.pieces);
        pieces.text("]", false);
    }
    pieces.text(if head.append { "+=" } else { "=" }, false);
    if let Some(elements) = raw.array {
        pieces.text("(", false);
        for (index, element) in elements.into_iter().enumerate() {
            if index > 0 {
                pieces.text(" ", false);
            }
            pieces.append(whole(element).pieces);
        }
        pieces.text(")", false);
    }
    pieces.append(raw.pieces);
    Word {
        pieces: pieces.0,
        span: raw.span,
    }
}

/// Turns a leading tilde into a piece of its own; with `after_equals` also one after the first `=`.
pub(super) fn tilde(pieces: &mut Vec<Piece>, after_equals: bool) {
    let Some(Piece::Literal {
        text,
        quoted: false,
    }) = pieces.first()
    else {
        return;
    };
    let at = if text.starts_with('~') {
        0
    } else if after_equals
        && let Some(equals) = text.find('=')
        && text
            .get(equals + 1..)
            .is_some_and(|rest| rest.starts_with('~'))
    {
        equals + 1
    } else {
        return;
    };
    split_tildes(pieces, |index| index == at, &['/']);
}

/// Turns tildes at the beginning and after each colon of an assigned value into pieces.
fn tilde_in_value(pieces: &mut Vec<Piece>) {
    let has_tilde = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Literal { text, quoted: false } if text.contains('~')));
    if !has_tilde {
        return;
    }
    let first = match pieces.first() {
        Some(Piece::Literal {
            text,
            quoted: false,
        }) => text.clone(),
        _ => String::new(),
    };
    split_tildes(
        pieces,
        |index| {
            index == 0
                || first
                    .get(..index)
                    .is_some_and(|before| before.ends_with(':'))
        },
        &['/', ':'],
    );
}

/// Splits tildes out of the first piece, where `admitted` says that one at this byte is expanded.
fn split_tildes(pieces: &mut Vec<Piece>, admitted: impl Fn(usize) -> bool, ends: &[char]) {
    let Some(Piece::Literal {
        text,
        quoted: false,
    }) = pieces.first()
    else {
        return;
    };
    let text = text.clone();
    let last_piece = pieces.len() == 1;
    let mut front = Pieces::default();
    let mut taken = 0;
    for (index, _) in text.match_indices('~') {
        if index < taken || !admitted(index) {
            continue;
        }
        let rest = text.get(index + 1..).unwrap_or_default();
        let name = match rest.find(ends) {
            Some(end) => rest.get(..end).unwrap_or_default(),
            None if last_piece => rest,
            // The rest of the name is quoted or an expansion: bash leaves the tilde.
            None => continue,
        };
        front.text(text.get(taken..index).unwrap_or_default(), false);
        front.0.push(Piece::Tilde(name.to_owned()));
        taken = index + 1 + name.len();
    }
    if taken > 0 || !front.0.is_empty() {
        front.text(text.get(taken..).unwrap_or_default(), false);
        pieces.splice(..1, front.0);
    }
}
