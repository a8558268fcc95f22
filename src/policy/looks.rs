//! What some texts look like together, to see at a glance that a pattern matches none of them.

use super::glob;

/// How many bits the whole texts have.
const BITS: u32 = 512;
const WORDS: usize = (BITS / u64::BITS) as usize;

/// The looks of some texts. What may match need not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// A bit for each first byte; several bytes have the same.
    first: u64,
    /// A bit for each last byte.
    last: u64,
    /// A bit for each text.
    whole: [u64; WORDS],
}

impl Looks {
    /// Those of these texts.
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut looks = Self::default();
        for text in texts {
            looks.first |= text.bytes().next().map_or(0, bit);
            looks.last |= text.bytes().last().map_or(0, bit);
            let (word, bit) = place(sum(text));
            if let Some(word) = looks.whole.get_mut(word) {
                *word |= bit;
            }
        }
        looks
    }

    /// Whether a pattern may match one of the texts ([`glob::matches`]).
    #[must_use]
    pub fn may_match(&self, pattern: &str) -> bool {
        pattern.split('|').any(|one| self.may_match_one(one))
    }

    /// As [`Self::may_match`], of a pattern without alternatives ([`glob::is_one`]).
    #[must_use]
    pub fn may_match_one(&self, pattern: &str) -> bool {
        let mut sum = 0;
        for byte in pattern.bytes() {
            if glob::is_special(byte) {
                return may_be(self.first, pattern.bytes().next())
                    && may_be(self.last, pattern.bytes().last());
            }
            sum = mixed(sum, byte);
        }
        let (word, bit) = place(sum);
        self.whole.get(word).is_some_and(|known| known & bit != 0)
    }
}

/// Whether one of some texts may have this byte where a pattern has it.
fn may_be(known: u64, wanted: Option<u8>) -> bool {
    wanted.is_none_or(|byte| glob::is_special(byte) || known & bit(byte) != 0)
}

fn bit(byte: u8) -> u64 {
    1 << (byte & 63)
}

/// A number that tells most texts apart.
pub(super) fn sum(text: &str) -> u32 {
    text.bytes().fold(0, mixed)
}

/// The sum of a text whose last byte this is.
fn mixed(sum: u32, byte: u8) -> u32 {
    (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// Where the bit of a whole text is.
fn place(sum: u32) -> (usize, u64) {
    let place = (sum ^ (sum >> 16)) % BITS;
    ((place / u64::BITS) as usize, 1 << (place % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_matches_it_may_match() {
        let texts = glob::tests::texts(&['a', 'b', 'é'], 3);
        for pattern in glob::tests::texts(&['a', 'é', '*', '?', '|'], 4) {
            for text in texts.iter().filter(|text| glob::matches(&pattern, text)) {
                let both = [text.as_str(), "b"].into_iter();
                assert!(Looks::of(both).may_match(&pattern), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn most_of_what_a_pattern_does_not_match_it_may_not_match() {
        let looks = Looks::of(["ls", "--force", ""].into_iter());
        for pattern in ["rm", "--forced", "l", "r*", "*m", "?x"] {
            assert!(!looks.may_match(pattern), "{pattern}");
        }
        for pattern in ["ls", "l*", "*s", "*", "", "--f*e"] {
            assert!(looks.may_match(pattern), "{pattern}");
        }
    }
}
