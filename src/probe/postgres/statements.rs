//! Statements that take all rows of tables, read from the text that psql is given.
//!
//! What is not surely one of these is none: psql's own commands (`\`), its variables (`:name`), quoted texts with anything
//! but plain letters, and every other statement.

use super::super::rows::Done;

/// The longest name; a longer one is cut by the server.
const LONGEST_NAME: usize = 63;

/// A table by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Its schema, where it is given.
    schema: Option<String>,
    name: String,
}

impl Table {
    /// Its name as a statement of ours has it. Names are of letters, digits and underscores only.
    pub fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("\"{schema}\".\"{}\"", self.name),
            None => format!("\"{}\"", self.name),
        }
    }

    /// Its name for a person.
    pub fn shown(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// It takes all rows of a table.
    Rows(Table, Done),
    /// It drops a database.
    Database(String),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name or a word of the language, in small letters.
    Word(String),
    /// A name in quotes.
    Quoted(String),
    /// A number or a text.
    Plain,
    /// A sign.
    Sign(char),
}

/// The statements of a text; none where one is not known.
pub(super) fn read(text: &str) -> Option<Vec<Statement>> {
    let tokens = tokens(text)?;
    let mut statements = Vec::new();
    for one in tokens.split(|token| *token == Token::Sign(';')) {
        statements.extend(statement(one)?);
    }
    Some(statements)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if matches!(first, ' ' | '\t' | '\n' | '\r') {
            rest = rest.get(1..)?;
            continue;
        }
        if rest.starts_with("--") {
            rest = match rest.find(['\n', '\r']) {
                Some(end) => rest.get(end..)?,
                None => "",
            };
            continue;
        }
        let is_in_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let length = match first {
            '"' | '\'' => {
                let inner = rest.get(1..)?;
                let (inner, _) = inner.split_once(first)?;
                let is_plain = if first == '"' {
                    inner.chars().all(is_in_name)
                } else {
                    let is_plain = |one: char| matches!(one, ' '..='~') && one != '\\';
                    inner.chars().all(is_plain)
                };
                if !is_plain {
                    return None;
                }
                tokens.push(match first {
                    '"' => Token::Quoted(inner.to_owned()),
                    _ => Token::Plain,
                });
                inner.len() + 2
            }
            '0'..='9' => {
                tokens.push(Token::Plain);
                let is_in = |one: char| one.is_ascii_digit() || one == '.';
                rest.find(|one| !is_in(one)).unwrap_or(rest.len())
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = rest.find(|one| !is_in_name(one)).unwrap_or(rest.len());
                let word = rest.get(..length)?;
                tokens.push(Token::Word(word.to_ascii_lowercase()));
                length
            }
            ';' | ',' | '.' | '=' | '+' | '-' => {
                tokens.push(Token::Sign(first));
                1
            }
            _ => return None,
        };
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

/// What one statement does: nothing where it is empty or begins or ends a transaction.
fn statement(tokens: &[Token]) -> Option<Vec<Statement>> {
    let mut left = Left(tokens);
    if left.0.is_empty() {
        return Some(Vec::new());
    }
    let mut all = Vec::new();
    if left.takes("begin") || left.takes("commit") || left.takes("end") {
        let _named = left.takes("transaction") || left.takes("work");
    } else if left.takes("drop") {
        let is_database = left.takes("database");
        if !is_database && !left.takes("table") {
            return None;
        }
        if left.takes("if") && !left.takes("exists") {
            return None;
        }
        if is_database {
            all.push(Statement::Database(left.name()?));
        } else {
            all = left.tables(Done::Dropped)?;
            let _usual = left.takes("restrict");
        }
    } else if left.takes("truncate") {
        let _named = left.takes("table");
        let _only = left.takes("only");
        all = left.tables(Done::Deleted)?;
        let _usual = left.takes("restrict");
    } else if left.takes("delete") {
        if !left.takes("from") {
            return None;
        }
        let _only = left.takes("only");
        all.push(Statement::Rows(left.table()?, Done::Deleted));
    } else if left.takes("update") {
        let _only = left.takes("only");
        all.push(Statement::Rows(left.table()?, Done::Changed));
        if !left.takes("set") {
            return None;
        }
        loop {
            left.change()?;
            if !left.is_sign(',') {
                break;
            }
        }
    } else {
        return None;
    }
    left.0.is_empty().then_some(all)
}

/// What is left of a statement.
struct Left<'a>(&'a [Token]);

impl Left<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first.clone())
    }

    /// Whether a word comes next, which is taken then.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = matches!(self.0.first(), Some(Token::Word(next)) if next == word);
        if is_next {
            let _taken = self.next();
        }
        is_next
    }

    fn is_sign(&mut self, sign: char) -> bool {
        let is_next = self.0.first() == Some(&Token::Sign(sign));
        if is_next {
            let _taken = self.next();
        }
        is_next
    }

    fn name(&mut self) -> Option<String> {
        let name = match self.next()? {
            Token::Word(name) | Token::Quoted(name) => name,
            Token::Plain | Token::Sign(_) => return None,
        };
        (!name.is_empty() && name.len() <= LONGEST_NAME).then_some(name)
    }

    fn table(&mut self) -> Option<Table> {
        let first = self.name()?;
        if !self.is_sign('.') {
            return Some(Table {
                schema: None,
                name: first,
            });
        }
        Some(Table {
            schema: Some(first),
            name: self.name()?,
        })
    }

    fn tables(&mut self, done: Done) -> Option<Vec<Statement>> {
        let mut all = Vec::new();
        loop {
            all.push(Statement::Rows(self.table()?, done));
            if !self.is_sign(',') {
                return Some(all);
            }
        }
    }

    /// One column that is set to one plain value.
    fn change(&mut self) -> Option<()> {
        self.name()?;
        if !self.is_sign('=') {
            return None;
        }
        let is_number = self.is_sign('-') || self.is_sign('+');
        match self.next()? {
            Token::Plain => Some(()),
            Token::Word(_) | Token::Quoted(_) if !is_number => Some(()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(schema: Option<&str>, name: &str) -> Table {
        Table {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_statement_is_known_only_where_it_takes_all_rows_of_tables() {
        let rows = |name: &str, done| Statement::Rows(table(None, name), done);
        let deleted = |name: &str| rows(name, Done::Deleted);
        for (text, expected) in [
            ("DELETE FROM Orders", Some(vec![deleted("orders")])),
            ("DELETE FROM \"Orders\";", Some(vec![deleted("Orders")])),
            (
                "delete\nfrom only a -- b; drop table c\n;",
                Some(vec![deleted("a")]),
            ),
            (
                "DROP TABLE IF EXISTS s.a, b RESTRICT",
                Some(vec![
                    Statement::Rows(table(Some("s"), "a"), Done::Dropped),
                    rows("b", Done::Dropped),
                ]),
            ),
            (
                "truncate a; truncate table only b",
                Some(vec![deleted("a"), deleted("b")]),
            ),
            (
                "UPDATE a SET x = -1, \"y\" = 'a;:b', z = null, w = .5",
                None,
            ),
            (
                "UPDATE a SET x = -1, \"y\" = 'a;:b', z = null",
                Some(vec![rows("a", Done::Changed)]),
            ),
            ("BEGIN; COMMIT WORK; end transaction;", Some(vec![])),
            (
                "drop database \"Shop\"",
                Some(vec![Statement::Database("Shop".to_owned())]),
            ),
            ("", Some(vec![])),
            ("-- only this", Some(vec![])),
            ("-- ends here\rSELECT 1", None),
            ("DELETE FROM a b", None),
            ("DELETE FROM a WHERE x", None),
            ("DELETE FROM a.b.c", None),
            ("DELETE FROM 'a'", None),
            ("DELETE FROM 1a", None),
            ("DELETE FROM \"a b\"", None),
            ("DELETE FROM \"\"", None),
            ("DELETE FROM \"a\"\"b\"", None),
            ("DELETE FROM a DELETE FROM b", None),
            ("DELETE FROM a /* b */", None),
            ("DELETE FROM a; \\! x", None),
            ("DELETE FROM :a", None),
            ("DELETE FROM $1", None),
            ("DELETE FROM ONLY", None),
            ("DELETE FROM ä", None),
            ("DELETE FROM a*", None),
            ("DELETE a", None),
            ("DROP TABLE a CASCADE", None),
            ("DROP TABLE a,", None),
            ("DROP TABLE IF a", None),
            ("DROP DATABASE a WITH (FORCE)", None),
            ("DROP DATABASE a, b", None),
            ("DROP VIEW a", None),
            ("TRUNCATE a RESTART IDENTITY", None),
            ("TRUNCATE a CASCADE", None),
            ("UPDATE a SET x = f()", None),
            ("UPDATE a SET x = 'it''s'", None),
            ("UPDATE a SET x = 'a\\' ; drop table b; --'", None),
            ("UPDATE a SET x = E'a'", None),
            ("UPDATE a SET x = 1 FROM b", None),
            ("UPDATE a SET x = - y", None),
            ("UPDATE a SET (x) = 1", None),
            ("UPDATE a SET s.x = 1", None),
            ("UPDATE a AS b SET x = 1", None),
            ("BEGIN; ROLLBACK", None),
            ("begin isolation level serializable", None),
            ("SELECT 1", None),
            ("DELETE FROM a; 'x", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let long = format!("DELETE FROM {}", "a".repeat(64));
        assert_eq!(read(&long), None);
    }

    #[test]
    fn a_name_is_written_so_that_it_is_only_a_name() {
        assert_eq!(table(Some("s"), "T").quoted(), "\"s\".\"T\"");
        assert_eq!(table(None, "t").quoted(), "\"t\"");
        assert_eq!(table(Some("s"), "t").shown(), "s.t");
    }
}
