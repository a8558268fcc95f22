//! The tree that a command line is read into: what bash would run, and where in the text it stands.
//!
//! Taken from text by [`super::read`], given to `normalise`. It never holds a decision, and nothing
//! here touches the file system or the environment.

/// A byte range in the outermost text that was read.
///
/// Nodes inside a substitution or a here-document carry the range of the enclosing word where a
/// closer one is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Statements in the order in which they stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// The statements.
    pub statements: Vec<Statement>,
}

/// One command of a list, with the operator that joins it to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The command or pipeline.
    pub command: Command,
    /// What stands between it and the next one.
    pub then: Connector,
}

/// How one statement is joined to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// `;`, a newline, or the end.
    Sequence,
    /// `&`.
    Background,
    /// `&&`.
    And,
    /// `||`.
    Or,
}

/// A command of the shell grammar.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Words, assignments and redirections.
    Simple(Simple),
    /// Two or more commands joined by `|` or `|&`.
    Pipeline(Vec<Command>),
    /// A compound command and the redirections that stand after it.
    Compound {
        /// Which one.
        kind: Compound,
        /// The redirections of the whole.
        redirects: Vec<Redirect>,
        /// Where it stands.
        span: Span,
    },
}

/// The compound commands.
#[derive(Clone, Debug, PartialEq)]
pub enum Compound {
    /// `( … )`.
    Subshell(Script),
    /// `{ …; }`.
    Group(Script),
    /// `if … then … elif … else … fi`: conditions with bodies, then the `else` part.
    If {
        /// Condition and body of each `if` and `elif`.
        branches: Vec<(Script, Script)>,
        /// The `else` part.
        otherwise: Option<Script>,
    },
    /// `while` and `until`.
    Loop {
        /// What is tested.
        condition: Script,
        /// What is repeated.
        body: Script,
    },
    /// `for` and `select` over words; without `in`, over the positional parameters.
    For {
        /// The variable that is set.
        variable: String,
        /// The words after `in`.
        words: Option<Vec<Word>>,
        /// What is repeated.
        body: Script,
    },
    /// `for ((…; …; …))`.
    ForArithmetic {
        /// The three expressions, as words.
        expressions: Vec<Word>,
        /// What is repeated.
        body: Script,
    },
    /// `case … in … esac`.
    Case {
        /// What is compared.
        subject: Word,
        /// Patterns and body of each arm.
        arms: Vec<(Vec<Word>, Script)>,
    },
    /// A function definition: nothing runs until it is called.
    Function {
        /// Its name.
        name: String,
        /// Its body, a compound command.
        body: Box<Command>,
    },
    /// `coproc`.
    Coprocess(Box<Command>),
    /// `(( … ))`, as one word whose pieces hold the substitutions in it.
    Arithmetic(Word),
    /// `[[ … ]]`, as its words.
    Condition(Vec<Word>),
}

/// A simple command: `NAME=value … program argument … >file`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simple {
    /// Assignments before the first word.
    pub assignments: Vec<Assignment>,
    /// Program and arguments after brace expansion; empty for a line of assignments or redirections only.
    pub words: Vec<Word>,
    /// The redirections, in order.
    pub redirects: Vec<Redirect>,
    /// Where it stands.
    pub span: Span,
}

/// `NAME=value`, `NAME+=value`, `NAME[subscript]=value` or `NAME=(…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// What stands in `[…]`.
    pub subscript: Option<Word>,
    /// Whether it is `+=`.
    pub append: bool,
    /// What is assigned.
    pub value: AssignedValue,
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub enum AssignedValue {
    /// One word.
    Scalar(Word),
    /// `(word …)`.
    Array(Vec<Word>),
}

/// One shell word, before expansion.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    /// Its parts, in order; quotes and backslashes are already removed.
    pub pieces: Vec<Piece>,
    /// Where it stands.
    pub span: Span,
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text. Where `quoted` is false, `*`, `?` and `[` are pattern characters.
    Literal {
        /// The text after quote removal.
        text: String,
        /// Whether it stood in quotes or after a backslash.
        quoted: bool,
    },
    /// An unquoted `~` or `~name` where bash expands it; the name may be empty.
    Tilde(String),
    /// `$name`, `${name…}`, `$1`, `$@`.
    Parameter {
        /// The name without `$`; for `${#x}`, `${!x}` the bare `x`.
        name: String,
        /// What is done with the value.
        operation: Operation,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// `$(…)` or backticks.
    Command {
        /// What runs.
        script: Script,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// `<(…)` or `>(…)`.
    Process {
        /// What runs.
        script: Script,
        /// True for `>(…)`.
        output: bool,
    },
    /// `$((…))` or `$[…]`: the pieces hold the substitutions in it.
    Arithmetic(Vec<Piece>),
}

/// What `${name…}` does with the value.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `$name` or `${name}`.
    Plain,
    /// `${name:-word}`, `${name-word}`.
    Default(Word),
    /// `${name:=word}`, `${name=word}`.
    Assign(Word),
    /// `${name:+word}`, `${name+word}`.
    Alternative(Word),
    /// Anything else (`#`, `%`, `/`, `^`, `@`, `:`, `!`, subscripts): the value is unknown, the
    /// substitutions in its words are kept.
    Other(Vec<Word>),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// The descriptor before the operator; none where the operator's own applies.
    pub descriptor: Option<u32>,
    /// Whether it was `{name}>`, so that the shell picks the descriptor.
    pub named: bool,
    /// The operator.
    pub operator: RedirectOperator,
    /// File, descriptor, or the text of a here-document or here-string.
    pub target: Word,
}

/// The redirection operators of bash(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectOperator {
    /// `<`.
    Read,
    /// `>`.
    Write,
    /// `>|`.
    Clobber,
    /// `>>`.
    Append,
    /// `<>`.
    ReadWrite,
    /// `<&`, with move (`<&3-`) included.
    DuplicateInput,
    /// `>&` to a descriptor, or to a word with an expansion: what that becomes decides.
    DuplicateOutput,
    /// `&>`, or `>&` to text that names no descriptor: a file.
    WriteBoth,
    /// `&>>`.
    AppendBoth,
    /// `<<`, `<<-`: the target is the body; quoted delimiters make it one quoted literal.
    HereDocument,
    /// `<<<`.
    HereString,
}

/// Text that was not understood, or that bash could read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it stands.
    pub span: Span,
    /// Why, in a few words, for a person.
    pub why: String,
}

/// The result of reading a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What was understood. Where something was not, these are the statements before it, which bash
    /// may already have run when it meets the rest.
    pub script: Script,
    /// What was not. Empty means that everything was read as bash reads it.
    pub unread: Vec<Unread>,
}

/// The shell language that the text will be run by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// bash without posix mode.
    #[default]
    Bash,
    /// `/bin/sh`, which may be dash or bash in posix mode: what these read differently is unread.
    Posix,
}
