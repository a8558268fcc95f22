//! Building the pieces of a word.

use super::{Operation, Piece, Word};

/// Pieces in the making; neighbouring text of one kind is one piece.
#[derive(Debug, Default)]
pub(super) struct Pieces(pub(super) Vec<Piece>);

impl Pieces {
    /// Appends text. Empty quoted text (`""`) leaves a piece, so that the word does not vanish.
    pub(super) fn text(&mut self, more: &str, quoted: bool) {
        if let Some(Piece::Literal {
            text,
            quoted: before,
        }) = self.0.last_mut()
            && *before == quoted
        {
            text.push_str(more);
        } else if quoted || !more.is_empty() {
            self.0.push(Piece::Literal {
                text: more.to_owned(),
                quoted,
            });
        }
    }

    /// Appends one character.
    pub(super) fn character(&mut self, character: char, quoted: bool) {
        self.text(character.encode_utf8(&mut [0; 4]), quoted);
    }

    /// Appends a piece.
    pub(super) fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Literal { text, quoted } => self.text(&text, quoted),
            other => self.0.push(other),
        }
    }

    /// Appends all pieces of another run.
    pub(super) fn append(&mut self, more: Vec<Piece>) {
        for piece in more {
            self.push(piece);
        }
    }
}

/// The text of a word that is nothing but text.
pub(super) fn literal(word: &Word) -> Option<String> {
    let mut whole = String::new();
    for piece in &word.pieces {
        match piece {
            Piece::Literal { text, .. } => whole.push_str(text),
            _ => return None,
        }
    }
    Some(whole)
}

/// The text of a word with everything that is not text left out.
pub(super) fn known_text(pieces: &[Piece]) -> String {
    let mut whole = String::new();
    for piece in pieces {
        if let Piece::Literal { text, .. } = piece {
            whole.push_str(text);
        }
    }
    whole
}

/// A parameter without an operation.
pub(super) fn parameter(name: &str, quoted: bool) -> Piece {
    Piece::Parameter {
        name: name.to_owned(),
        operation: Operation::Plain,
        quoted,
    }
}

/// Whether `text` is a name of a variable or a function.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
