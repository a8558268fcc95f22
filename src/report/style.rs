//! Colours. Meaning is never in a colour alone, so every text here reads the same without them.

/// Whether colours are used, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// The sixteen colours that every terminal has.
    Colour,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A heading.
    Title,
    /// What would be lost.
    Danger,
    /// A name at the margin, a line number.
    Margin,
    /// What to do.
    Advice,
}

impl Style {
    /// The style for a terminal, given `NO_COLOR` (<https://no-color.org>: any value but the empty one
    /// turns colours off) and `TERM`.
    #[must_use]
    pub fn of(no_color: Option<&str>, term: Option<&str>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty());
        match term {
            None | Some("" | "dumb") => Self::Plain,
            Some(_) if refused => Self::Plain,
            Some(_) => Self::Colour,
        }
    }

    /// The sequences that stand before and after text in this role.
    #[must_use]
    pub fn around(self, role: Role) -> (&'static str, &'static str) {
        match (self, role) {
            (Self::Plain, _) => ("", ""),
            (Self::Colour, Role::Title) => ("\x1b[1m", "\x1b[0m"),
            (Self::Colour, Role::Danger) => ("\x1b[1;31m", "\x1b[0m"),
            (Self::Colour, Role::Margin) => ("\x1b[2m", "\x1b[0m"),
            (Self::Colour, Role::Advice) => ("\x1b[32m", "\x1b[0m"),
        }
    }

    /// `text` in this role.
    #[must_use]
    pub fn paint(self, role: Role, text: &str) -> String {
        let (before, after) = self.around(role);
        format!("{before}{text}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_and_dumb_terminals_get_plain_text() {
        for (no_color, term, style) in [
            (None, Some("xterm"), Style::Colour),
            (Some(""), Some("xterm"), Style::Colour),
            (Some("1"), Some("xterm"), Style::Plain),
            (None, Some("dumb"), Style::Plain),
            (None, None, Style::Plain),
        ] {
            assert_eq!(Style::of(no_color, term), style, "{no_color:?} {term:?}");
        }
    }

    #[test]
    fn plain_text_holds_no_sequence() {
        assert_eq!(Style::Plain.paint(Role::Danger, "rm"), "rm");
    }
}
