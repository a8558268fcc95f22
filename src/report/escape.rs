//! Foreign text made visible: what could move a cursor, hide or reorder characters, or break a line
//! is shown as `\x1b` or `\u{202e}` instead.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::action::HOLE;

/// How a part of a word is shown that is not known before it runs.
const UNKNOWN: &str = "<unknown>";

/// Shows `text` on one line: control, invisible and direction-changing characters become escapes.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_escaped(&mut shown, character);
    }
    Cow::Owned(shown)
}

/// [`escape`], cut to so many characters with a mark behind them.
#[must_use]
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let shown = escape(text);
    match shown.char_indices().nth(most) {
        None => shown,
        Some((end, _)) => Cow::Owned(format!("{}…", shown.get(..end).unwrap_or_default())),
    }
}

/// Appends one character as [`escape`] shows it.
pub fn push_escaped(shown: &mut String, character: char) {
    // Writing to a String cannot fail.
    let _ = match character {
        HOLE => write!(shown, "{UNKNOWN}"),
        '\n' => write!(shown, "\\n"),
        '\r' => write!(shown, "\\r"),
        '\t' => write!(shown, "\\t"),
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => write!(shown, "\\x{:02x}", u32::from(character)),
        _ if deceives(character) => write!(shown, "\\u{{{:x}}}", u32::from(character)),
        _ => {
            shown.push(character);
            Ok(())
        }
    };
}

/// Whether a character is invisible, changes the direction or the look of its neighbours, or passes
/// for a blank. Unicode 16, chapters 23.1 to 23.9 and UAX #9; combining marks are among them because
/// a stack of them paints over the lines around it.
fn deceives(character: char) -> bool {
    (character.is_whitespace() && character != ' ')
        || matches!(u32::from(character),
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff
            // Combining marks.
            | 0x300..=0x36f | 0x483..=0x489 | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff
            | 0x20d0..=0x20ff | 0xfe20..=0xfe2f
            // Private use and what is not a character.
            | 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff | 0xfdd0..=0xfdef
        )
        || u32::from(character) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(
            escape("rm -rf build/"),
            Cow::Borrowed("rm -rf build/")
        ));
    }

    #[test]
    fn what_could_act_on_a_terminal_is_shown() {
        for (text, shown) in [
            ("a\x1b[2Jb", "a\\x1b[2Jb"),
            ("a\rb\nc\td", "a\\rb\\nc\\td"),
            ("\0\x07\x08\x7f", "\\x00\\x07\\x08\\x7f"),
            ("\u{9b}2J", "\\x9b2J"),
            ("\u{202e}cod", "\\u{202e}cod"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("a\u{a0}b\u{3000}", "a\\u{a0}b\\u{3000}"),
            ("\u{e0041}", "\\u{e0041}"),
            ("e\u{301}", "e\\u{301}"),
            ("\u{2028}", "\\u{2028}"),
            ("\u{fffc}/x", "<unknown>/x"),
            ("größe 大 é", "größe 大 é"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_by_its_characters() {
        for (text, shown) in [
            ("größe", "größe"),
            ("größen", "größe…"),
            ("ab\ncd", "ab\\nc…"),
            ("", ""),
        ] {
            assert_eq!(cut(text, 5), shown);
        }
    }

    #[test]
    fn no_character_that_is_left_in_is_a_control_character() {
        for character in '\0'..=char::MAX {
            let mut shown = String::new();
            push_escaped(&mut shown, character);
            assert!(
                !shown
                    .chars()
                    .any(|kept| kept.is_control() || (kept.is_whitespace() && kept != ' ')),
                "{character:?} is shown as {shown:?}"
            );
        }
    }
}
