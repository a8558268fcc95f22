//! The tokens of the shell grammar and the rules on where a reserved word is one.

use super::word::RawWord;

/// What a token is. The names follow the grammar in bash's `parse.y`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Before the first token.
    #[default]
    Start,
    /// The opening of a command substitution.
    Substitution,
    Eof,
    Newline,
    Semicolon,
    Ampersand,
    Pipe,
    PipeBoth,
    AndAnd,
    OrOr,
    OpenParen,
    CloseParen,
    SemiSemi,
    SemiAnd,
    SemiSemiAnd,
    Less,
    Greater,
    GreaterGreater,
    GreaterBar,
    LessGreater,
    LessAnd,
    GreaterAnd,
    AndGreater,
    AndGreaterGreater,
    LessLess,
    LessLessDash,
    LessLessLess,
    /// The `-` of `>&-`.
    Dash,
    /// Digits directly before a redirection.
    Number,
    /// `{name}` directly before a redirection.
    RedirectWord,
    Word,
    /// A word that is an assignment where it stands.
    Assignment,
    /// `((…))`.
    Arithmetic,
    /// `((…))` after `for`.
    ArithmeticFor,
    ConditionStart,
    ConditionEnd,
    If,
    Then,
    Else,
    Elif,
    Fi,
    Case,
    Esac,
    For,
    Select,
    While,
    Until,
    Do,
    Done,
    In,
    Function,
    Coproc,
    OpenBrace,
    CloseBrace,
    Bang,
    Time,
    /// `-p` after `time`.
    TimeOption,
    /// `--` after `time`.
    TimeIgnore,
}

impl Kind {
    /// The reserved word that `text` is.
    pub(super) fn reserved(text: &str) -> Option<Self> {
        Some(match text {
            "if" => Self::If,
            "then" => Self::Then,
            "else" => Self::Else,
            "elif" => Self::Elif,
            "fi" => Self::Fi,
            "case" => Self::Case,
            "esac" => Self::Esac,
            "for" => Self::For,
            "select" => Self::Select,
            "while" => Self::While,
            "until" => Self::Until,
            "do" => Self::Do,
            "done" => Self::Done,
            "in" => Self::In,
            "function" => Self::Function,
            "time" => Self::Time,
            "{" => Self::OpenBrace,
            "}" => Self::CloseBrace,
            "!" => Self::Bang,
            "[[" => Self::ConditionStart,
            "]]" => Self::ConditionEnd,
            "coproc" => Self::Coproc,
            _ => return None,
        })
    }

    /// Whether a reserved word may follow this token; `before` is the token before it.
    pub(super) fn admits_reserved(self, before: Self) -> bool {
        match self {
            Self::Newline
            | Self::Semicolon
            | Self::OpenParen
            | Self::CloseParen
            | Self::Pipe
            | Self::Ampersand
            | Self::OpenBrace
            | Self::CloseBrace
            | Self::AndAnd
            | Self::Arithmetic
            | Self::Bang
            | Self::PipeBoth
            | Self::ConditionEnd
            | Self::Do
            | Self::Done
            | Self::Elif
            | Self::Else
            | Self::Esac
            | Self::Fi
            | Self::If
            | Self::OrOr
            | Self::SemiSemi
            | Self::SemiAnd
            | Self::SemiSemiAnd
            | Self::Then
            | Self::Time
            | Self::TimeOption
            | Self::TimeIgnore
            | Self::Coproc
            | Self::Until
            | Self::While
            | Self::Start
            | Self::Substitution => true,
            Self::Word => matches!(before, Self::Coproc | Self::Function),
            _ => false,
        }
    }

    /// Whether `time` is a reserved word after this token.
    pub(super) fn admits_time(self, before: Self) -> bool {
        match self {
            Self::Start | Self::Substitution | Self::Semicolon | Self::Newline => {
                before != Self::Pipe
            }
            Self::AndAnd
            | Self::OrOr
            | Self::Ampersand
            | Self::While
            | Self::Do
            | Self::Until
            | Self::If
            | Self::Then
            | Self::Elif
            | Self::Else
            | Self::OpenBrace
            | Self::OpenParen
            | Self::CloseParen
            | Self::Bang
            | Self::Time
            | Self::TimeOption
            | Self::TimeIgnore => true,
            _ => false,
        }
    }

    /// Whether a redirection waits for its word after this token. bash leaves `&>>` out.
    pub(super) fn awaits_target(self) -> bool {
        matches!(
            self,
            Self::Less
                | Self::Greater
                | Self::GreaterGreater
                | Self::GreaterBar
                | Self::LessGreater
                | Self::LessLess
                | Self::LessLessDash
                | Self::LessLessLess
                | Self::LessAnd
                | Self::GreaterAnd
                | Self::AndGreater
        )
    }

    /// Whether the token begins a redirection.
    pub(super) fn begins_redirect(self) -> bool {
        self.awaits_target()
            || matches!(
                self,
                Self::AndGreaterGreater | Self::Number | Self::RedirectWord
            )
    }

    /// Whether the token begins a compound command.
    pub(super) fn begins_compound(self) -> bool {
        matches!(
            self,
            Self::If
                | Self::Case
                | Self::For
                | Self::Select
                | Self::While
                | Self::Until
                | Self::OpenBrace
                | Self::OpenParen
                | Self::Arithmetic
                | Self::ConditionStart
        )
    }

    /// Whether a list of commands ends before this token.
    pub(super) fn ends_list(self) -> bool {
        matches!(
            self,
            Self::Eof
                | Self::CloseParen
                | Self::CloseBrace
                | Self::Then
                | Self::Else
                | Self::Elif
                | Self::Fi
                | Self::Do
                | Self::Done
                | Self::Esac
                | Self::SemiSemi
                | Self::SemiAnd
                | Self::SemiSemiAnd
        )
    }
}

/// A token and where it stands in the text being read.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The word, for words, assignments, `{name}` and arithmetic commands.
    pub(super) word: Option<RawWord>,
}
