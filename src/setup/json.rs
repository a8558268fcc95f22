//! Small changes to the text of a JSON file: a member set, an item added, and both taken back. Everything
//! else stays as it is, to the byte, comments too where the file may have them.
//!
//! Takes a text and a path of names; gives the new text. It never changes a text that it does not
//! understand, and never overwrites a value.
//!
//! In a text with comments, what is put in comes first: what stands last could have a comment or a comma behind
//! it that would then belong to something else.

use std::ops::Range;

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The member at the path has this value.
    Set(Value),
    /// The array at the path holds this value.
    Add(Value),
}

/// Why a text is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no JSON: what is wrong, at which line and column.
    Syntax(String, usize, usize),
    /// What stands at the path is something else: where, and what.
    Occupied(String, String),
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the standard says.
    Strict,
    /// With comments, and commas behind the last of a list.
    Commented,
}

/// A text, and what counts of it; the same place is the same byte in each.
struct Text<'a> {
    whole: &'a str,
    /// Blanks for the comments.
    bare: String,
    /// Blanks for the commas behind the last of a list, too: what a reader of JSON takes.
    plain: String,
}

impl<'a> Text<'a> {
    fn new(whole: &'a str, form: Form) -> Self {
        let (bare, plain) = match form {
            Form::Strict => (whole.to_owned(), whole.to_owned()),
            Form::Commented => {
                let bare = without_comments(whole);
                let plain = without_last_commas(&bare);
                (bare, plain)
            }
        };
        Self { whole, bare, plain }
    }

    fn has_more(&self) -> bool {
        self.whole != self.plain
    }
}

/// What stands in a text.
struct Node {
    span: Range<usize>,
    kind: Kind,
}

enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Other,
}

struct Member {
    start: usize,
    name: String,
    value: Node,
}

/// The text with a change in it; none where it has it already. An empty text is an empty object.
///
/// # Errors
///
/// That it is no JSON object, or has something else there.
pub fn with(
    text: &str,
    form: Form,
    path: &[&str],
    change: &Change,
) -> Result<Option<String>, Fault> {
    if text.trim().is_empty() {
        return with("{}\n", form, path, change);
    }
    let text = &Text::new(text, form);
    let root = parsed(&text.plain)?;
    let mut node = &root;
    for (depth, name) in path.iter().enumerate() {
        let Kind::Object(members) = &node.kind else {
            return Err(occupied(text, path.get(..depth), node));
        };
        let Some(found) = the_only(&text.plain, members, name)? else {
            let rest = path.get(depth + 1..).unwrap_or_default();
            let value = wrapped(rest, change);
            return Ok(Some(inserted(text, node, Some(name), &value)));
        };
        node = found;
    }
    match (change, &node.kind) {
        (Change::Set(value), _) if is(&text.plain, node, value) => Ok(None),
        (Change::Add(value), Kind::Array(items)) => {
            let has_it = items.iter().any(|item| is(&text.plain, item, value));
            Ok((!has_it).then(|| inserted(text, node, None, value)))
        }
        _ => Err(occupied(text, Some(path), node)),
    }
}

/// The text without what a change has put there, and without what is empty then; none where it is not there.
/// `is` says whether what is found is what the change would have put.
///
/// # Errors
///
/// That it is no JSON object.
pub fn without(
    text: &str,
    form: Form,
    path: &[&str],
    change: &Change,
    is: &dyn Fn(&Value, &Value) -> bool,
) -> Result<Option<String>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let text = &Text::new(text, form);
    let is = |node: &Node, wanted: &Value| {
        value_of(&text.plain, node).is_some_and(|found| is(&found, wanted))
    };
    let root = parsed(&text.plain)?;
    // What is on the way: the object or the array, and the place in it.
    let mut way: Vec<(&Node, usize)> = Vec::new();
    let mut node = &root;
    for name in path {
        let Kind::Object(members) = &node.kind else {
            return Ok(None);
        };
        let Some(place) = members.iter().position(|member| member.name == *name) else {
            return Ok(None);
        };
        the_only(&text.plain, members, name)?;
        way.push((node, place));
        match members.get(place) {
            Some(member) => node = &member.value,
            None => return Ok(None),
        }
    }
    match (change, &node.kind) {
        (Change::Set(value), _) if is(node, value) => {}
        (Change::Add(value), Kind::Array(items)) => {
            match items.iter().position(|item| is(item, value)) {
                Some(place) => way.push((node, place)),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    }
    // What holds nothing else goes, too.
    while let Some((holder, place)) = way.pop() {
        if way.is_empty() || !holds_one(text, holder) {
            return Ok(Some(removed(text, holder, place)));
        }
    }
    Ok(None)
}

/// Whether a node holds one child and not even a comment else.
fn holds_one(text: &Text, node: &Node) -> bool {
    let [child] = &children(node)[..] else {
        return false;
    };
    let blank = |from: usize, to: usize| {
        let between = text.whole.get(from..to).unwrap_or_default();
        between.chars().all(|c| c.is_whitespace() || c == ',')
    };
    blank(node.span.start + 1, child.start) && blank(child.end, node.span.end.saturating_sub(1))
}

/// What stands at a path.
///
/// # Errors
///
/// That it is no JSON object.
pub fn found(text: &str, form: Form, path: &[&str]) -> Result<Option<Value>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let text = Text::new(text, form);
    let root = parsed(&text.plain)?;
    let mut node = &root;
    for name in path {
        let Kind::Object(members) = &node.kind else {
            return Ok(None);
        };
        match the_only(&text.plain, members, name)? {
            Some(found) => node = found,
            None => return Ok(None),
        }
    }
    Ok(value_of(&text.plain, node))
}

/// Whether a text holds nothing.
#[must_use]
pub fn is_empty(text: &str) -> bool {
    let value: Option<Value> = serde_json::from_str(text).ok();
    value.is_some_and(|value| value.as_object().is_some_and(serde_json::Map::is_empty))
}

/// The text with blanks for its comments.
fn without_comments(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, is_comment) = match first {
            '"' => (string_length(rest), false),
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), true),
            // One without an end stays, and is no JSON then.
            '/' if rest.starts_with("/*") => match rest.get(2..).and_then(|rest| rest.find("*/")) {
                Some(end) => (end + 4, true),
                None => (rest.len(), false),
            },
            _ => (first.len_utf8(), false),
        };
        let (part, more) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if is_comment {
            bare.extend(
                part.bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
        } else {
            bare.push_str(part);
        }
        rest = more;
    }
    bare
}

/// The length of the string that a text begins with.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The text with blanks for the commas behind the last of a list.
fn without_last_commas(bare: &str) -> String {
    let mut plain = String::with_capacity(bare.len());
    let mut rest = bare;
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' {
            string_length(rest)
        } else {
            first.len_utf8()
        };
        let (part, more) = rest.split_at_checked(length).unwrap_or((rest, ""));
        let follows_a_child = || !plain.trim_end().ends_with(['{', '[', ',', ':']);
        let is_last = first == ',' && more.trim_start().starts_with(['}', ']']);
        if is_last && follows_a_child() {
            plain.push(' ');
        } else {
            plain.push_str(part);
        }
        rest = more;
    }
    plain
}

fn parsed(text: &str) -> Result<Node, Fault> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or_default();
        Fault::Syntax(said.to_owned(), error.line(), error.column())
    })?;
    let mut reader = Reader { text, at: 0 };
    match reader.node() {
        Some(node) if value.is_object() => Ok(node),
        _ => Err(Fault::Syntax("it is no object".to_owned(), 1, 1)),
    }
}

/// The value of the member of this name. Where there are two, readers differ about which counts.
fn the_only<'a>(text: &str, members: &'a [Member], name: &str) -> Result<Option<&'a Node>, Fault> {
    let mut found = members.iter().filter(|member| member.name == name);
    let first = found.next();
    if let Some(second) = found.next() {
        let before = text.get(..second.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().len() + 1;
        return Err(Fault::Syntax(format!("a second `{name}`"), line, column));
    }
    Ok(first.map(|member| &member.value))
}

fn occupied(text: &Text, path: Option<&[&str]>, node: &Node) -> Fault {
    let found = text.plain.get(node.span.clone()).unwrap_or_default();
    Fault::Occupied(path.unwrap_or_default().join("."), found.to_owned())
}

fn is(text: &str, node: &Node, value: &Value) -> bool {
    value_of(text, node).is_some_and(|found| found == *value)
}

fn value_of(text: &str, node: &Node) -> Option<Value> {
    serde_json::from_str(text.get(node.span.clone())?).ok()
}

/// The value of a change below names that are not there.
fn wrapped(names: &[&str], change: &Change) -> Value {
    let value = match change {
        Change::Set(value) => value.clone(),
        Change::Add(value) => Value::Array(vec![value.clone()]),
    };
    names.iter().rev().fold(value, |value, name| {
        Value::Object([((*name).to_owned(), value)].into_iter().collect())
    })
}

/// Where each child of a node begins and ends.
fn children(node: &Node) -> Vec<Range<usize>> {
    match &node.kind {
        Kind::Object(members) => members
            .iter()
            .map(|member| member.start..member.value.span.end)
            .collect(),
        Kind::Array(items) => items.iter().map(|item| item.span.clone()).collect(),
        Kind::Other => Vec::new(),
    }
}

/// The text with a child more at the end of a node, laid out as its neighbours are.
fn inserted(text: &Text, node: &Node, name: Option<&str>, value: &Value) -> String {
    if text.has_more() && !is_blank(text, node) {
        return inserted_first(text, node, name, value);
    }
    let text = text.whole;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let name = named(name);
    let children = children(node);
    let blank = |at: usize| {
        let line = text.get(..at).unwrap_or_default();
        let line = line.rsplit('\n').next().unwrap_or_default();
        (
            line.len(),
            line.chars()
                .take_while(|c| c.is_whitespace())
                .collect::<String>(),
        )
    };
    let unit = unit(text);
    let (place, put) = match (children.first(), children.last()) {
        (Some(first), Some(last)) => {
            let (length, indentation) = blank(first.start);
            let put = if length == indentation.len() {
                let value = pretty(value, unit, &indentation, newline);
                format!(",{newline}{indentation}{name}{value}")
            } else {
                format!(", {name}{value}")
            };
            (last.end..last.end, put)
        }
        _ => {
            let (_, outer) = blank(node.span.start);
            let inner = format!("{outer}{unit}");
            let (open, close) = match node.kind {
                Kind::Array(_) => ('[', ']'),
                Kind::Object(_) | Kind::Other => ('{', '}'),
            };
            let value = pretty(value, unit, &inner, newline);
            let put = format!("{open}{newline}{inner}{name}{value}{newline}{outer}{close}");
            (node.span.clone(), put)
        }
    };
    replaced(text, place, &put)
}

/// The same with the child at the beginning, where it has nothing to do with any comment.
fn inserted_first(text: &Text, node: &Node, name: Option<&str>, value: &Value) -> String {
    let open = node.span.start + 1;
    let inner = text.whole.get(open..).unwrap_or_default();
    let gap = inner
        .get(..inner.len() - inner.trim_start().len())
        .unwrap_or_default();
    let newline = if text.whole.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let value = match gap.rsplit_once('\n') {
        Some((_, indentation)) => pretty(value, unit(text.whole), indentation, newline),
        None => value.to_string(),
    };
    let comma = if children(node).is_empty() { "" } else { "," };
    let put = format!("{gap}{}{value}{comma}", named(name));
    replaced(text.whole, open..open, &put)
}

/// The beginning of a member, where a child has a name.
fn named(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("{}: ", Value::from(name)))
}

/// Whether a node holds nothing, not even a comment.
fn is_blank(text: &Text, node: &Node) -> bool {
    let inner = node.span.start + 1..node.span.end.saturating_sub(1);
    let inner = text.whole.get(inner).unwrap_or_default();
    inner.trim().is_empty()
}

/// The text without a child of a node.
fn removed(text: &Text, node: &Node, place: usize) -> String {
    let children = children(node);
    let before = place.checked_sub(1).and_then(|before| children.get(before));
    let gone = match (before, children.get(place), children.get(place + 1)) {
        (_, Some(it), _) if text.has_more() && !holds_one(text, node) => {
            return removed_alone(text, node, before, it);
        }
        (Some(before), Some(it), _) => before.end..it.end,
        (None, Some(it), Some(after)) => it.start..after.start,
        _ => node.span.start + 1..node.span.end.saturating_sub(1),
    };
    replaced(text.whole, gone, "")
}

/// The same where a comment before or behind the child must stay.
fn removed_alone(
    text: &Text,
    node: &Node,
    before: Option<&Range<usize>>,
    it: &Range<usize>,
) -> String {
    let behind = text.bare.get(it.end..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_start().len();
    let has_comma = behind.trim_start().starts_with(',');
    let end = if has_comma {
        it.end + blanks + 1
    } else {
        it.end
    };
    // The blanks before it are its own, unless a comment ends with them and something stands behind it.
    let from = before.map_or(node.span.start + 1, |before| before.end);
    let front = text.whole.get(from..it.start).unwrap_or_default();
    let gap = front.get(front.trim_end().len()..).unwrap_or_default();
    let line = text.whole.get(end..).unwrap_or_default();
    let line = line.trim_start_matches([' ', '\t', '\r']);
    let is_own = !gap.contains('\n') || line.starts_with('\n');
    let start = if is_own {
        it.start - gap.len()
    } else {
        it.start
    };
    let until = match text.whole.get(it.end..end).unwrap_or_default().trim() {
        "" | "," => end,
        _ => it.end,
    };
    let mut without = text.whole.to_owned();
    if until < end {
        without = replaced(&without, end - 1..end, "");
    }
    without = replaced(&without, start..until, "");
    let comma = before.filter(|_| !has_comma).and_then(|before| {
        let between = text.bare.get(before.end..it.start)?;
        Some(before.end + between.find(',')?)
    });
    match comma {
        Some(comma) => replaced(&without, comma..comma + 1, ""),
        None => without,
    }
}

fn replaced(text: &str, place: Range<usize>, put: &str) -> String {
    let before = text.get(..place.start).unwrap_or_default();
    let after = text.get(place.end..).unwrap_or_default();
    format!("{before}{put}{after}")
}

/// By how much a text indents: as its first line that does.
fn unit(text: &str) -> &str {
    let indented = text.lines().find_map(|line| {
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        (blanks > 0 && blanks < line.len()).then(|| line.get(..blanks))
    });
    indented.flatten().unwrap_or("  ")
}

fn pretty(value: &Value, unit: &str, indentation: &str, newline: &str) -> String {
    let mut bytes = Vec::new();
    let format = PrettyFormatter::with_indent(unit.as_bytes());
    // A value in memory always has its JSON.
    let _infallible = value.serialize(&mut Serializer::with_formatter(&mut bytes, format));
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.replace('\n', &format!("{newline}{indentation}"))
}

/// Finds where everything stands in a text that is JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn node(&mut self) -> Option<Node> {
        self.blanks();
        let start = self.at;
        let kind = match self.peek()? {
            b'{' => {
                let mut members = Vec::new();
                self.list(b'}', |reader| {
                    let start = reader.at;
                    reader.string()?;
                    let name = serde_json::from_str(reader.text.get(start..reader.at)?).ok()?;
                    reader.blanks();
                    reader.at += 1;
                    let value = reader.node()?;
                    members.push(Member { start, name, value });
                    Some(())
                })?;
                Kind::Object(members)
            }
            b'[' => {
                let mut items = Vec::new();
                self.list(b']', |reader| {
                    items.push(reader.node()?);
                    Some(())
                })?;
                Kind::Array(items)
            }
            b'"' => {
                self.string()?;
                Kind::Other
            }
            _ => {
                let ends = |byte: u8| byte.is_ascii_whitespace() || b",]}".contains(&byte);
                while self.peek().is_some_and(|byte| !ends(byte)) {
                    self.at += 1;
                }
                Kind::Other
            }
        };
        Some(Node {
            span: start..self.at,
            kind,
        })
    }

    /// Reads from the opening bracket to behind the closing one.
    fn list(&mut self, close: u8, mut child: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.blanks();
        while self.peek()? != close {
            child(self)?;
            self.blanks();
            if self.peek()? == b',' {
                self.at += 1;
                self.blanks();
            }
        }
        self.at += 1;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(text: &str, path: &str, change: &Change) -> Result<Option<String>, Fault> {
        let path: Vec<&str> = path.split('.').collect();
        with(text, Form::Strict, &path, change)
    }

    fn take(text: &str, path: &str, change: &Change) -> Result<Option<String>, Fault> {
        let path: Vec<&str> = path.split('.').collect();
        without(text, Form::Strict, &path, change, &|found, wanted| {
            found == wanted
        })
    }

    /// The same for a file that may have comments.
    fn put_beside(text: &str, path: &str, change: &Change) -> Result<Option<String>, Fault> {
        let path: Vec<&str> = path.split('.').collect();
        with(text, Form::Commented, &path, change)
    }

    fn take_beside(text: &str, path: &str, change: &Change) -> Result<Option<String>, Fault> {
        let path: Vec<&str> = path.split('.').collect();
        without(text, Form::Commented, &path, change, &|found, wanted| {
            found == wanted
        })
    }

    /// What a reader that takes comments finds in a text.
    fn read(text: &str) -> Value {
        let plain = Text::new(text, Form::Commented).plain;
        serde_json::from_str(&plain).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_is_put_stands_as_its_neighbours_do_and_taking_it_back_gives_the_same_bytes() {
        let set = Change::Set(json!("x"));
        let add = Change::Add(json!({"k": [1]}));
        for (text, path, change, expected) in [
            (
                "{\n  \"a\": 1\n}\n",
                "env.S",
                &set,
                "{\n  \"a\": 1,\n  \"env\": {\n    \"S\": \"x\"\n  }\n}\n",
            ),
            (
                "{\r\n\t\"env\": {\r\n\t\t\"é}\": \"\\\"]\"\r\n\t}\r\n}",
                "env.S",
                &set,
                "{\r\n\t\"env\": {\r\n\t\t\"é}\": \"\\\"]\",\r\n\t\t\"S\": \"x\"\r\n\t}\r\n}",
            ),
            (
                "{\"a\": [1, 2]}",
                "S",
                &set,
                "{\"a\": [1, 2], \"S\": \"x\"}",
            ),
            ("{\"a\": [1, 2]}", "a", &add, "{\"a\": [1, 2, {\"k\":[1]}]}"),
            (
                "{\n    \"h\": {\n        \"P\": [\n            true\n        ]\n    }\n}\n",
                "h.P",
                &add,
                "{\n    \"h\": {\n        \"P\": [\n            true,\n            {\n                \
                 \"k\": [\n                    1\n                ]\n            }\n        ]\n    }\n}\n",
            ),
        ] {
            let changed = put(text, path, change).unwrap().unwrap();
            assert_eq!(changed, expected);
            assert_eq!(put(&changed, path, change), Ok(None), "{text}");
            assert_eq!(take(&changed, path, change), Ok(Some(text.to_owned())));
            assert_eq!(take(text, path, change), Ok(None), "{text}");
        }
    }

    #[test]
    fn comments_stay_where_they_are_and_taking_back_gives_the_same_bytes() {
        let set = Change::Set(json!("x"));
        let add = Change::Add(json!({"k": 1}));
        for (text, path, change, expected) in [
            (
                "{\n  // mine\n  \"a\": 1, // one\n}\n",
                "S",
                &set,
                "{\n  \"S\": \"x\",\n  // mine\n  \"a\": 1, // one\n}\n",
            ),
            (
                "{ // mine\n\t\"a\": 1\n}",
                "S",
                &set,
                "{ \"S\": \"x\", // mine\n\t\"a\": 1\n}",
            ),
            ("{\"a\":1,}", "S", &set, "{\"S\": \"x\",\"a\":1,}"),
            (
                "{\n  /* é, \"S\": 1 */\n}\n",
                "S",
                &set,
                "{\n  \"S\": \"x\"\n  /* é, \"S\": 1 */\n}\n",
            ),
            (
                "// mine\n{}\n",
                "S",
                &set,
                "// mine\n{\n  \"S\": \"x\"\n}\n",
            ),
            (
                "{\r\n\r\n  \"a\": \"// no \\\" /* none\", // one\r\n}",
                "S",
                &set,
                "{\r\n\r\n  \"S\": \"x\",\r\n\r\n  \"a\": \"// no \\\" /* none\", // one\r\n}",
            ),
            (
                "{\n  \"h\": {\n    // mine\n  }\n}\n",
                "h.P",
                &add,
                "{\n  \"h\": {\n    \"P\": [\n      {\n        \"k\": 1\n      }\n    ]\n    // mine\n  }\n}\n",
            ),
            (
                "{\n  \"h\": [\n    // mine\n    2, // two\n  ],\n}\n",
                "h",
                &add,
                "{\n  \"h\": [\n    {\n      \"k\": 1\n    },\n    // mine\n    2, // two\n  ],\n}\n",
            ),
        ] {
            let changed = put_beside(text, path, change).unwrap().unwrap();
            assert_eq!(changed, expected);
            read(&changed);
            assert_eq!(put_beside(&changed, path, change), Ok(None), "{text}");
            assert_eq!(
                take_beside(&changed, path, change),
                Ok(Some(text.to_owned()))
            );
            assert_eq!(take_beside(text, path, change), Ok(None), "{text}");
            assert!(matches!(put(text, path, change), Err(Fault::Syntax(..))));
        }
        // A text without any is changed as everywhere.
        let text = "{\n  \"a\": 1\n}\n";
        assert_eq!(put_beside(text, "S", &set), put(text, "S", &set));
    }

    #[test]
    fn what_is_taken_back_leaves_the_comments_that_somebody_has_written_beside_it() {
        let set = Change::Set(json!("x"));
        for (text, expected) in [
            (
                "{\n  \"a\": 1, // one\n  \"S\": \"x\"\n}\n",
                "{\n  \"a\": 1 // one\n}\n",
            ),
            (
                "{\n  \"S\": \"x\", // kibosh\n  \"a\": 1\n}\n",
                "{\n   // kibosh\n  \"a\": 1\n}\n",
            ),
            (
                "{\n  // one\n  \"S\": \"x\", \"a\": 1\n}\n",
                "{\n  // one\n   \"a\": 1\n}\n",
            ),
            (
                "{\n  \"a\": 1,\n  // two\n  \"S\": \"x\",\n  // three\n}\n",
                "{\n  \"a\": 1,\n  // two\n  // three\n}\n",
            ),
            (
                "{\"S\": \"x\" /* two */, \"a\": 1}",
                "{ /* two */ \"a\": 1}",
            ),
            ("{ // one\n\"S\": \"x\"}", "{ // one\n}"),
            ("{\"a\": 1 /* , */ , \"S\": \"x\"}", "{\"a\": 1 /* , */ }"),
        ] {
            let taken = take_beside(text, "S", &set).unwrap().unwrap();
            assert_eq!(taken, expected);
            assert!(read(&taken).get("S").is_none());
        }
        let text = "{\"a\": 1, \"env\": { /* mine */ \"S\": \"x\" }}";
        let expected = "{\"a\": 1, \"env\": { /* mine */ }}";
        assert_eq!(
            take_beside(text, "env.S", &set),
            Ok(Some(expected.to_owned()))
        );
    }

    #[test]
    fn what_no_reader_takes_is_no_comment() {
        let set = Change::Set(json!("x"));
        for (text, line, column) in [
            ("{\"a\": 1 /* no end", 1, 9),
            ("{\"a\": 1,,}", 1, 9),
            ("{,}", 1, 2),
            ("{\"a\": [,]}", 1, 8),
            ("{\"a\":,}", 1, 6),
            ("{\"a\": 'b'}", 1, 7),
            ("{a: 1}", 1, 2),
            ("{\"a\": 1 / 2}", 1, 9),
            ("{\n// \"S\"\n\"a\" 1}", 3, 5),
            ("// mine", 1, 7),
            ("\"no end", 1, 7),
        ] {
            let fault = put_beside(text, "S", &set);
            assert!(
                matches!(fault, Err(Fault::Syntax(_, l, c)) if (l, c) == (line, column)),
                "{text} {fault:?}"
            );
        }
    }

    #[test]
    fn a_file_that_is_empty_becomes_one_that_holds_nothing_else() {
        let set = Change::Set(json!("x"));
        let text = put(" \n", "env.S", &set).unwrap().unwrap();
        assert_eq!(text, "{\n  \"env\": {\n    \"S\": \"x\"\n  }\n}\n");
        assert!(is_empty(&take(&text, "env.S", &set).unwrap().unwrap()));
    }

    #[test]
    fn what_is_not_understood_or_set_to_something_else_is_not_touched() {
        let set = Change::Set(json!("x"));
        for (text, line, column) in [
            ("{\n  // a comment\n}", 2, 3),
            ("{\"a\": 1,}", 1, 9),
            ("[]", 1, 1),
            ("\u{feff}{}", 1, 1),
            ("{} {}", 1, 4),
            ("{\"env\": {\"S\": \"x\", \"S\": 2}}", 1, 20),
            ("{\"env\": {},\n \"env\": {}}", 2, 2),
        ] {
            let fault = put(text, "env.S", &set);
            assert!(
                matches!(fault, Err(Fault::Syntax(_, l, c)) if (l, c) == (line, column)),
                "{text} {fault:?}"
            );
        }
        for (text, at, found) in [
            ("{\"env\": {\"S\": \"y\"}}", "env.S", "\"y\""),
            ("{\"env\": 1}", "env", "1"),
        ] {
            let expected = Fault::Occupied(at.to_owned(), found.to_owned());
            assert_eq!(put(text, "env.S", &set), Err(expected));
            assert_eq!(take(text, "env.S", &set), Ok(None));
        }
    }
}
