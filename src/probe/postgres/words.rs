//! The words of psql and dropdb, read as getopt_long(3) reads them for them, and more strictly: an option that is
//! abbreviated, or of which it is not known that it changes nothing else, is none that is known.

use crate::action::Value;

/// What psql executes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A text.
    Command(String),
    /// What is in a file.
    File(String),
}

/// What is said by the words of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// The options for host, port and user, by their letter, with their values.
    pub connection: Vec<(char, String)>,
    /// Whether the host stands in a word of its own.
    pub names_host: bool,
    /// The database, or what stands in its place.
    pub database: Option<String>,
    /// The operand of a tool.
    pub operand: Option<String>,
    /// Whether no file of settings is read.
    pub is_bare: bool,
    /// What is executed, in order.
    pub sources: Vec<Source>,
}

impl Words {
    /// Takes an option that says whom to reach; none where `pg_wrapper` reads it otherwise: it sees no host that stands
    /// behind its letter in the same word.
    fn connects(&mut self, letter: char, value: String, is_glued: bool) -> Option<()> {
        let is_host = letter == 'h';
        self.names_host |= is_host;
        self.connection.push((letter, value));
        (!is_host || !is_glued).then_some(())
    }
}

/// An option: its letter, its name, and whether it has a value.
type Known = (char, &'static str, bool);

const OF_PSQL: &[Known] = &[
    ('a', "echo-all", false),
    ('A', "no-align", false),
    ('b', "echo-errors", false),
    ('c', "command", true),
    ('d', "dbname", true),
    ('e', "echo-queries", false),
    ('E', "echo-hidden", false),
    ('f', "file", true),
    ('F', "field-separator", true),
    ('h', "host", true),
    ('H', "html", false),
    ('n', "no-readline", false),
    ('p', "port", true),
    ('P', "pset", true),
    ('q', "quiet", false),
    ('R', "record-separator", true),
    ('t', "tuples-only", false),
    ('T', "table-attr", true),
    ('U', "username", true),
    ('v', "set", true),
    ('v', "variable", true),
    ('w', "no-password", false),
    ('x', "expanded", false),
    ('X', "no-psqlrc", false),
    ('1', "single-transaction", false),
];

const OF_DROPDB: &[Known] = &[
    ('e', "echo", false),
    ('f', "force", false),
    ('h', "host", true),
    ('i', "interactive", false),
    ('p', "port", true),
    ('U', "username", true),
    ('w', "no-password", false),
    ('\0', "if-exists", false),
];

/// The words of psql; none where there is one of which it is not known what it does.
pub(super) fn of_psql(arguments: &[Value]) -> Option<Words> {
    let mut words = Words::default();
    let mut user = None;
    let (options, operands) = read(arguments, OF_PSQL)?;
    for one in options {
        match (one.letter, one.value) {
            ('c', Some(text)) => words.sources.push(Source::Command(text)),
            ('f', Some(file)) => words.sources.push(Source::File(file)),
            ('d', Some(name)) => words.database = Some(name),
            ('h' | 'p' | 'U', Some(value)) => {
                if one.letter == 'U' {
                    user = Some(());
                }
                words.connects(one.letter, value, one.is_glued)?;
            }
            ('v', Some(set)) if set.split('=').next() != Some("ON_ERROR_STOP") => return None,
            ('X', _) => words.is_bare = true,
            _ => {}
        }
    }
    for operand in operands {
        if words.database.is_none() {
            words.database = Some(operand);
        } else if user.is_none() {
            user = Some(());
            words.connection.push(('U', operand));
        } else {
            return None;
        }
    }
    Some(words)
}

/// The words of dropdb; none where there is one of which it is not known what it does.
pub(super) fn of_dropdb(arguments: &[Value]) -> Option<Words> {
    let mut words = Words::default();
    let (options, operands) = read(arguments, OF_DROPDB)?;
    for one in options {
        if let Some(value) = one.value {
            words.connects(one.letter, value, one.is_glued)?;
        }
    }
    match operands.as_slice() {
        [name] => words.operand = Some(name.clone()),
        _ => return None,
    }
    Some(words)
}

/// An option that is given.
struct Given {
    letter: char,
    value: Option<String>,
    /// Whether the value stands behind the letter in the same word.
    is_glued: bool,
}

fn read(arguments: &[Value], known: &[Known]) -> Option<(Vec<Given>, Vec<String>)> {
    // `pg_wrapper` takes these for its own wherever they stand, and looks no further.
    let is_of_wrapper = |word: &Value| word.text == "--" || word.text.starts_with("--cluster");
    if arguments.iter().any(is_of_wrapper) {
        return None;
    }
    let mut options = Vec::new();
    let mut operands = Vec::new();
    let mut words = arguments.iter().map(|word| word.text.as_str());
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let (letter, _, takes) = known.iter().find(|(_, of, _)| *of == name)?;
            let value = match (takes, value) {
                (true, Some(value)) => Some(value),
                (true, None) => Some(words.next()?),
                (false, None) => None,
                (false, Some(_)) => return None,
            };
            options.push(Given {
                letter: *letter,
                value: value.map(str::to_owned),
                is_glued: false,
            });
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let (_, _, takes) = known.iter().find(|(of, _, _)| *of == letter)?;
                let glued = letters.as_str();
                let is_glued = *takes && !glued.is_empty();
                let value = match (takes, glued) {
                    (false, _) => None,
                    (true, "") => Some(words.next()?),
                    (true, glued) => Some(glued),
                };
                options.push(Given {
                    letter,
                    value: value.map(str::to_owned),
                    is_glued,
                });
                if *takes {
                    break;
                }
            }
        } else {
            operands.push(word.to_owned());
        }
    }
    Some((options, operands))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn psql(line: &str) -> Option<Words> {
        let words: Vec<Value> = line.split(' ').map(Value::known).collect();
        of_psql(&words)
    }

    #[test]
    fn words_are_read_as_the_client_reads_them() {
        let words = psql("-XAtqc x -h y shop --port=1 ann -f z -vON_ERROR_STOP=1").unwrap();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            words,
            Words {
                connection: vec![('h', text("y")), ('p', text("1")), ('U', text("ann"))],
                names_host: true,
                database: Some(text("shop")),
                operand: None,
                is_bare: true,
                sources: vec![Source::Command(text("x")), Source::File(text("z"))],
            }
        );
        // What stands behind the letter is the value, with the sign.
        assert_eq!(psql("-d=shop").unwrap().database.as_deref(), Some("=shop"));
        assert_eq!(psql("-d --x").unwrap().database.as_deref(), Some("--x"));
        for line in [
            "-c",
            "--comm=x",
            "--csv=x",
            "-o x",
            "-L x",
            "-s",
            "-S",
            "-W",
            "-l",
            "-z",
            "-hx",
            "-Xhx",
            "--cluster x",
            "-h x -F --cluster=15/main shop",
            "-c -- -h x",
            "-- shop",
            "-v AUTOCOMMIT=off",
            "-v ON_ERROR_ROLLBACK=1",
            "a b c",
            "-U u a b",
        ] {
            assert_eq!(psql(line), None, "{line}");
        }
    }

    #[test]
    fn a_database_that_is_dropped_is_the_one_operand() {
        let dropdb = |line: &str| {
            let words: Vec<Value> = line.split(' ').map(Value::known).collect();
            of_dropdb(&words)?.operand
        };
        assert_eq!(dropdb("-ef -h x shop").as_deref(), Some("shop"));
        assert_eq!(dropdb("--if-exists shop").as_deref(), Some("shop"));
        for line in ["-h x", "a b", "-W a", "--maintenance-db=x a", "-hx a"] {
            assert_eq!(dropdb(line), None, "{line}");
        }
    }
}
