//! Which keys each table of a policy file has, as the schema tells: the lists are serde's own, so
//! that a key is written down once.

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

use super::schema::{
    Budget, Call, Credentials, Environment, Examples, Exception, Match, Own, Pack, PathClass,
    PolicyFile, Program, Resource, Rule, Runs, Settings, Signal, Variable,
};

/// The tables of a policy file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The file itself.
    File,
    /// `[pack]`.
    Pack,
    /// `[settings]`.
    Settings,
    /// `[budget]`.
    Budget,
    /// `[credentials]`.
    Credentials,
    /// `[[environment]]`.
    Environment,
    /// `signal` of an environment.
    Signal,
    /// `[[class]]`.
    Class,
    /// `[[variable]]`.
    Variable,
    /// `[[program]]`.
    Program,
    /// `runs` of a program.
    Runs,
    /// `calls` of a program.
    Call,
    /// `own` of a program.
    Own,
    /// `[[rule]]`.
    Rule,
    /// `match` and `followed-by` of a rule, `match` of an exception.
    Match,
    /// `resource` of a match.
    Resource,
    /// `examples` of a rule.
    Examples,
    /// `[[exception]]`.
    Exception,
}

impl Table {
    /// Its keys.
    #[must_use]
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::File => keys::<PolicyFile>(),
            Self::Pack => keys::<Pack>(),
            Self::Settings => keys::<Settings>(),
            Self::Budget => keys::<Budget>(),
            Self::Credentials => keys::<Credentials>(),
            Self::Environment => keys::<Environment>(),
            Self::Signal => keys::<Signal>(),
            Self::Class => keys::<PathClass>(),
            Self::Variable => keys::<Variable>(),
            Self::Program => keys::<Program>(),
            Self::Runs => keys::<Runs>(),
            Self::Call => keys::<Call>(),
            Self::Own => keys::<Own>(),
            Self::Rule => keys::<Rule>(),
            Self::Match => keys::<Match>(),
            Self::Resource => keys::<Resource>(),
            Self::Examples => keys::<Examples>(),
            Self::Exception => keys::<Exception>(),
        }
    }

    /// The table, or the tables of the list, under one of its keys.
    #[must_use]
    pub fn below(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::File, "pack") => Some(Self::Pack),
            (Self::File, "settings") => Some(Self::Settings),
            (Self::File, "budget") => Some(Self::Budget),
            (Self::File, "credentials") => Some(Self::Credentials),
            (Self::File, "environment") => Some(Self::Environment),
            (Self::Environment, "signal") => Some(Self::Signal),
            (Self::File, "class") => Some(Self::Class),
            (Self::File, "variable") => Some(Self::Variable),
            (Self::File, "program") => Some(Self::Program),
            (Self::File, "rule") => Some(Self::Rule),
            (Self::File, "exception") => Some(Self::Exception),
            (Self::Program, "runs") => Some(Self::Runs),
            (Self::Program, "calls") => Some(Self::Call),
            (Self::Program, "own") => Some(Self::Own),
            (Self::Rule, "match" | "followed-by") | (Self::Exception, "match") => Some(Self::Match),
            (Self::Match, "resource") => Some(Self::Resource),
            (Self::Rule, "examples") => Some(Self::Examples),
            _ => None,
        }
    }
}

/// The names of the fields of a structure, from the call that its `Deserialize` makes.
fn keys<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // The visit always ends in an error, as there is nothing to read: the names are what counts.
    let _nothing_read = T::deserialize(Ask { found: &mut found }).is_ok();
    found
}

struct Ask<'a> {
    found: &'a mut &'static [&'static str],
}

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.found = fields;
        Err(Error::custom(""))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom(""))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The known name that is most like `wanted`, where one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(wanted, name);
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(like, _)| *like > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_schema() {
        assert_eq!(Table::Examples.keys(), ["matches", "passes"]);
        assert_eq!(Table::Exception.keys(), ["rule", "reason", "match"]);
        assert!(Table::Rule.keys().contains(&"followed-by"));
        assert!(Table::File.keys().contains(&"program"));
    }

    const TABLES: &[Table] = &[
        Table::File,
        Table::Pack,
        Table::Settings,
        Table::Budget,
        Table::Credentials,
        Table::Environment,
        Table::Signal,
        Table::Class,
        Table::Variable,
        Table::Program,
        Table::Runs,
        Table::Call,
        Table::Own,
        Table::Rule,
        Table::Match,
        Table::Resource,
        Table::Examples,
        Table::Exception,
    ];

    #[test]
    fn every_key_is_in_the_manual() {
        let manual = include_str!("../../docs/policy.md");
        for table in TABLES.iter().filter(|table| **table != Table::Pack) {
            for key in table.keys() {
                let named = [
                    format!("`{key}`"),
                    format!("`[{key}]`"),
                    format!("`[[{key}]]`"),
                ];
                let pack = *table == Table::File && *key == "pack";
                assert!(
                    pack || named.iter().any(|name| manual.contains(name)),
                    "{table:?}: `{key}`"
                );
            }
        }
    }

    #[test]
    fn every_key_is_in_the_sample_that_loads() {
        let sample = include_str!("../../tests/suite/data/policies/valid/rules.toml");
        let sample: toml::Table = sample.parse().unwrap();
        let mut seen = vec![];
        collect(&sample, Table::File, &mut seen);
        for table in TABLES.iter().filter(|table| **table != Table::Pack) {
            for key in table.keys() {
                let pack = *table == Table::File && *key == "pack";
                assert!(
                    pack || seen.contains(&(*table, (*key).to_owned())),
                    "{table:?}: `{key}`"
                );
            }
        }
    }

    fn collect(tree: &toml::Table, table: Table, seen: &mut Vec<(Table, String)>) {
        for (key, value) in tree {
            seen.push((table, key.clone()));
            let Some(below) = table.below(key) else {
                continue;
            };
            match value {
                toml::Value::Table(tree) => collect(tree, below, seen),
                toml::Value::Array(list) => {
                    let trees = list.iter().filter_map(toml::Value::as_table);
                    trees.for_each(|tree| collect(tree, below, seen));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn the_nearest_name_is_suggested_only_if_near() {
        assert_eq!(
            nearest("resaon", Table::Rule.keys().iter().copied()),
            Some("reason")
        );
        assert_eq!(nearest("zzz", Table::Rule.keys().iter().copied()), None);
    }
}
