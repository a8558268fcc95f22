//! Brace expansion, which bash does before every other one: `a{b,c}d`, `{1..5}`.
//!
//! A port of the rules of bash's `braces.c` to pieces: quoted text and expansions are opaque.

use super::pieces::Pieces;
use super::{Operation, Piece};

/// The most words that one word may become.
const WORDS: usize = 1024;

/// The most numbers of a sequence that bash makes words of whatever memory there is.
const NUMBERS: usize = 1 << 24;

/// What stands for the numbers of a sequence that is too long to be written out: something that is not known, any number
/// of words.
static NUMBERS_OF_IT: Piece = Piece::Parameter {
    name: String::new(),
    operation: Operation::Other(Vec::new()),
    quoted: false,
};

/// How many steps of search one word may cost.
const STEPS: usize = 200_000;

/// What the braces of one text may cost in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    words: usize,
    steps: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            words: 16 * WORDS,
            steps: 16 * STEPS,
        }
    }
}

/// What a word becomes.
pub(super) enum Expansion {
    /// It stays as it is.
    None,
    /// These words.
    Words(Vec<Vec<Piece>>),
    /// What bash makes of it is not known, and why.
    Doubtful(&'static str),
}

/// One unit of a word: an unquoted character, or something that braces do not look into.
#[derive(Clone, Copy)]
enum Item<'a> {
    Plain(char),
    Opaque(&'a Piece),
}

/// Expands the braces of a word. `commas` says that a comma stands anywhere in its text, `odd` that
/// it holds something in which bash would look for braces.
pub(super) fn expand(pieces: &[Piece], commas: bool, odd: bool, budget: &mut Budget) -> Expansion {
    let items = itemize(pieces);
    let steps = STEPS.min(budget.steps);
    let mut work = Work {
        steps,
        most: WORDS.min(budget.words),
        commas,
        ..Work::default()
    };
    let words = work.expand(&items, 0);
    budget.steps -= steps - work.steps.min(steps);
    if work.expanded {
        budget.words = budget.words.saturating_sub(words.len());
    }
    if work.expanded && odd {
        return Expansion::Doubtful("braces inside of an expansion");
    }
    if let Some(why) = work.trouble {
        return Expansion::Doubtful(why);
    }
    if !work.expanded {
        return Expansion::None;
    }
    Expansion::Words(
        words
            .into_iter()
            .filter_map(|word| to_pieces(&word))
            .collect(),
    )
}

fn itemize(pieces: &[Piece]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Literal {
                text,
                quoted: false,
            } => items.extend(text.chars().map(Item::Plain)),
            other => items.push(Item::Opaque(other)),
        }
    }
    items
}

/// The pieces of a word; none for an empty word, which bash drops.
fn to_pieces(items: &[Item<'_>]) -> Option<Vec<Piece>> {
    if items.is_empty() {
        return None;
    }
    let mut pieces = Pieces::default();
    for item in items {
        match item {
            Item::Plain(character) => pieces.character(*character, false),
            Item::Opaque(piece) => pieces.push((*piece).clone()),
        }
    }
    Some(pieces.0)
}

#[derive(Default)]
struct Work {
    steps: usize,
    most: usize,
    commas: bool,
    expanded: bool,
    trouble: Option<&'static str>,
}

type Words<'a> = Vec<Vec<Item<'a>>>;

impl Work {
    fn give_up(&mut self, why: &'static str) {
        self.trouble.get_or_insert(why);
        self.steps = 0;
    }

    fn expand<'a>(&mut self, text: &[Item<'a>], depth: usize) -> Words<'a> {
        if depth > 32 {
            self.give_up("braces nested too deeply");
            return vec![text.to_vec()];
        }
        let mut result: Words<'a> = vec![Vec::new()];
        let mut rest = text;
        // Each turn expands the first braces of the rest.
        loop {
            let Some((open, close)) = self.find_braces(rest) else {
                self.tack(&mut result, vec![rest.to_vec()]);
                return result;
            };
            let preamble = rest.get(..open).unwrap_or_default();
            let inside = rest.get(open + 1..close).unwrap_or_default();
            let after = rest.get(close + 1..).unwrap_or_default();
            self.tack(&mut result, vec![preamble.to_vec()]);
            let parts = if self.has_comma(inside) {
                self.expanded = true;
                self.alternatives(inside, depth)
            } else if let Some(sequence) = self.sequence(inside) {
                self.expanded = true;
                sequence
            } else if after.is_empty() {
                // bash leaves such a word as it is from here on.
                vec![rest.get(open..).unwrap_or_default().to_vec()]
            } else {
                vec![rest.get(open..=close).unwrap_or_default().to_vec()]
            };
            self.tack(&mut result, parts);
            if self.trouble.is_some() {
                return result;
            }
            rest = after;
        }
    }

    /// Appends each of `parts` to each word.
    fn tack<'a>(&mut self, words: &mut Words<'a>, parts: Words<'a>) {
        if words.len().saturating_mul(parts.len()) > self.most.max(1) {
            self.give_up("braces expand to too many words");
            return;
        }
        let cost: usize = words.iter().map(Vec::len).sum::<usize>() * parts.len()
            + parts.iter().map(Vec::len).sum::<usize>() * words.len();
        let Some(steps) = self.steps.checked_sub(cost) else {
            self.give_up("braces expand to too much");
            return;
        };
        self.steps = steps;
        let mut joined = Vec::with_capacity(words.len() * parts.len());
        for word in words.iter() {
            for part in &parts {
                let mut both = word.clone();
                both.extend(part.iter().copied());
                joined.push(both);
            }
        }
        *words = joined;
    }

    /// The first braces that expand: the positions of both.
    fn find_braces(&mut self, text: &[Item<'_>]) -> Option<(usize, usize)> {
        let mut from = 0;
        loop {
            let open = self.search(text, from, '{')?;
            if let Some(close) = self.search(text, open + 1, '}') {
                return Some((open, close));
            }
            from = open + 1;
        }
    }

    /// Looks for `wanted` outside of inner braces; a closing brace counts only after a comma or `..`.
    fn search(&mut self, text: &[Item<'_>], from: usize, wanted: char) -> Option<usize> {
        let mut level = 0usize;
        let mut separated = wanted != '}';
        for (index, item) in text.iter().enumerate().skip(from) {
            let Some(steps) = self.steps.checked_sub(1) else {
                self.trouble.get_or_insert("too many braces");
                return None;
            };
            self.steps = steps;
            let Item::Plain(character) = *item else {
                continue;
            };
            let next = plain(text, index + 1);
            if character == wanted && level == 0 && separated {
                let lone = wanted == '{'
                    && index
                        .checked_sub(1)
                        .is_none_or(|before| is_blank(text, before))
                    && (index + 1 >= text.len() || is_blank(text, index + 1) || next == Some('}'));
                if lone {
                    continue;
                }
                return Some(index);
            }
            match character {
                '{' => level += 1,
                '}' => level = level.saturating_sub(1),
                ',' if wanted == '}' && level == 0 => separated = true,
                '.' if wanted == '}'
                    && level == 0
                    && next == Some('.')
                    && plain(text, index + 2) != Some('}') =>
                {
                    separated = true;
                }
                _ => {}
            }
        }
        None
    }

    /// Whether bash sees a comma between the braces; it looks into quotes here.
    fn has_comma(&mut self, inside: &[Item<'_>]) -> bool {
        if inside.iter().any(|item| matches!(item, Item::Plain(','))) {
            return true;
        }
        let hidden = self.commas
            && inside.iter().any(|item| match item {
                Item::Opaque(Piece::Literal { text, .. }) => text.contains(','),
                Item::Opaque(Piece::Parameter { operation, .. }) => {
                    *operation != super::Operation::Plain
                }
                Item::Opaque(_) => true,
                Item::Plain(_) => false,
            });
        if hidden {
            self.give_up("a quoted comma in braces");
        }
        false
    }

    fn alternatives<'a>(&mut self, inside: &[Item<'a>], depth: usize) -> Words<'a> {
        let mut words = Vec::new();
        let mut from = 0;
        loop {
            let comma = self.search(inside, from, ',');
            let part = inside
                .get(from..comma.unwrap_or(inside.len()))
                .unwrap_or_default();
            words.extend(self.expand(part, depth + 1));
            if words.len() > self.most {
                self.give_up("braces expand to too many words");
            }
            match comma {
                Some(comma) if self.trouble.is_none() => from = comma + 1,
                _ => return words,
            }
        }
    }

    /// The words of `x..y` or `x..y..step`; none where it is no sequence.
    fn sequence<'a>(&mut self, inside: &[Item<'_>]) -> Option<Words<'a>> {
        let mut text = String::new();
        for item in inside {
            match item {
                Item::Plain(character) => text.push(*character),
                Item::Opaque(_) => return None,
            }
        }
        let sequence = Sequence::parse(&text)?;
        let extent = sequence.extent().filter(|(_, count)| *count <= NUMBERS);
        let Some((step, count)) = extent else {
            self.give_up("braces expand to too many words");
            return None;
        };
        if count > self.most {
            return Some(vec![vec![Item::Opaque(&NUMBERS_OF_IT)]]);
        }
        let values = (0..count).scan(sequence.first, |next, _| {
            let value = *next;
            *next = next.saturating_add(step);
            Some(value)
        });
        let words = values.map(|value| sequence.word(value));
        Some(
            words
                .map(|word| word.chars().map(Item::Plain).collect())
                .collect(),
        )
    }
}

fn plain(text: &[Item<'_>], index: usize) -> Option<char> {
    match text.get(index) {
        Some(Item::Plain(character)) => Some(*character),
        _ => None,
    }
}

fn is_blank(text: &[Item<'_>], index: usize) -> bool {
    matches!(plain(text, index), Some(' ' | '\t' | '\n'))
}

struct Sequence {
    first: i64,
    last: i64,
    step: i64,
    letters: bool,
    width: usize,
}

impl Sequence {
    fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.split_once("..")?;
        let (last, step) = match rest.split_once("..") {
            Some((last, step)) => (last, step.parse::<i64>().ok()?),
            None => (rest, 1),
        };
        let letter = |text: &str| match text.as_bytes() {
            [letter] if letter.is_ascii_alphabetic() => Some(i64::from(*letter)),
            _ => None,
        };
        let padded = |text: &str| {
            let digits = text.strip_prefix('-').unwrap_or(text);
            digits.len() > 1 && digits.starts_with('0')
        };
        if let (Some(first), Some(last)) = (letter(first), letter(last)) {
            return Some(Self {
                first,
                last,
                step,
                letters: true,
                width: 0,
            });
        }
        let width = if padded(first) || padded(last) {
            first.len().max(last.len())
        } else {
            0
        };
        Some(Self {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            step,
            letters: false,
            width,
        })
    }

    /// The step from one word to the next, and how many they are; none where these are no numbers of 64 bits.
    fn extent(&self) -> Option<(i64, usize)> {
        let step = self.step.checked_abs()?.max(1);
        let distance = self.last.checked_sub(self.first)?;
        let steps = usize::try_from(distance.checked_abs()? / step).ok()?;
        let signed = if distance < 0 { -step } else { step };
        Some((signed, steps.checked_add(1)?))
    }

    fn word(&self, value: i64) -> String {
        if self.letters {
            return u8::try_from(value)
                .map_or_else(|_| String::new(), |byte| char::from(byte).to_string());
        }
        format!("{value:0width$}", width = self.width)
    }
}
