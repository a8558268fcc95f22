//! What the agent has drawn on a terminal, cell by cell, so that a full-screen display can be put back after
//! a question.
//!
//! Takes the agent's output as it reaches the terminal; gives what draws the same again. What the `vt100`
//! crate does not know (images, links, forms of underlines) is left to the agent, which is made to draw
//! anew.

use std::num::NonZeroU16;

use crate::sys::terminal::Window;

/// The display.
pub struct Picture(vt100::Parser);

impl Picture {
    /// An empty one, as large as a terminal's window.
    #[must_use]
    pub fn new(window: Window) -> Self {
        let (rows, columns) = size(window);
        Self(vt100::Parser::new(rows, columns, 0))
    }

    /// Takes output.
    pub fn feed(&mut self, output: &[u8]) {
        self.0.process(output);
    }

    /// The window is another one.
    pub fn resize(&mut self, window: Window) {
        let (rows, columns) = size(window);
        if self.0.screen().size() != (rows, columns) {
            self.0.screen_mut().set_size(rows, columns);
        }
    }

    /// What draws it on an empty screen, with the cursor and its colours as they were.
    #[must_use]
    pub fn draw(&self) -> Vec<u8> {
        self.0.screen().contents_formatted().into_bytes()
    }

    /// Row and column of the cursor, from 1.
    #[must_use]
    pub fn cursor(&self) -> (u16, u16) {
        let (row, column) = self.0.screen().cursor_position();
        (row.saturating_add(1), column.saturating_add(1))
    }
}

/// The size of a window; the usual one where it is not known (resize(1)).
fn size(window: Window) -> (NonZeroU16, NonZeroU16) {
    (
        NonZeroU16::new(window.rows).unwrap_or(vt100::Parser::DEFAULT_ROWS),
        NonZeroU16::new(window.columns).unwrap_or(vt100::Parser::DEFAULT_COLS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, Hasher, RandomState};

    fn window(rows: u16, columns: u16) -> Window {
        Window {
            rows,
            columns,
            pixels: (0, 0),
        }
    }

    #[test]
    fn what_is_drawn_again_is_the_same_cell_by_cell() {
        let output = "\x1b[?1049h\x1b[2J\x1b[1;31mred\x1b[0m plain\x1b[5;10H\x1b[48;5;19m ä€😀 \
                      \x1b[0m\x1b[7;1Hlast\x1b[3;4H\x1b[4m";
        let mut first = Picture::new(window(10, 40));
        first.feed(output.as_bytes());
        let mut second = Picture::new(window(10, 40));
        second.feed(b"\x1b[?1049hsomething else\x1b[0m\x1b[H\x1b[2J");
        second.feed(&first.draw());
        let cells = |picture: &Picture| -> Vec<String> {
            let screen = picture.0.screen();
            (0..10)
                .flat_map(|row| (0..40).map(move |column| (row, column)))
                .map(|(row, column)| {
                    let cell = screen.cell(row, column).unwrap();
                    let text = match cell.contents() {
                        "" => " ",
                        text => text,
                    };
                    let colours = (cell.fgcolor(), cell.bgcolor());
                    let forms = (cell.bold(), cell.dim(), cell.italic(), cell.underline());
                    format!("{text} {colours:?} {forms:?} {}", cell.inverse())
                })
                .collect()
        };
        assert_eq!(cells(&first), cells(&second));
        let place = |picture: &Picture| picture.0.screen().cursor_position();
        assert_eq!(place(&first), (2, 3));
        assert_eq!(place(&first), place(&second));
        assert!(second.0.screen().underline());
    }

    /// What an agent writes is anything, and the window has any size: the launcher must not end of it.
    #[test]
    fn no_output_and_no_window_is_too_odd() {
        let random = RandomState::new();
        let mut count = 0_u64;
        let mut next = |below: u64| {
            count += 1;
            let mut hasher = random.build_hasher();
            hasher.write_u64(count);
            hasher.finish() % below
        };
        let rounds: u64 =
            std::env::var("KIBOSH_FUZZ_ROUNDS").map_or(2_000, |rounds| rounds.parse().unwrap());
        let finals = b"@ABCDEFGHIJKLMPSTXZ`abcdefghlmnqrstu";
        for _ in 0..rounds {
            let mut picture = Picture::new(window(next(30) as u16, next(60) as u16));
            for _ in 0..next(60) {
                let mut output = Vec::new();
                match next(8) {
                    0 => picture.resize(window(next(30) as u16, next(60) as u16)),
                    1 => output.extend((0..next(20)).map(|_| next(256) as u8)),
                    2 => output.extend_from_slice("ä€😀👨‍👩‍👧e\u{301}\u{200b}\u{202e}".as_bytes()),
                    3 => output.extend_from_slice(b"\x1b[?1049h"),
                    4 => output
                        .extend_from_slice(b"\x1b[?1049l\r\n\n\n\t\x08\x0b\x0c\x1bM\x1b7\x1b8"),
                    _ => {
                        output.extend_from_slice(b"\x1b[");
                        if next(4) == 0 {
                            output.push(b'?');
                        }
                        for _ in 0..next(4) {
                            let number = [0, 1, next(70), 65_535, u64::MAX][next(5) as usize];
                            output.extend_from_slice(format!("{number};").as_bytes());
                        }
                        output.push(finals[next(finals.len() as u64) as usize]);
                        output.extend_from_slice(b"text");
                    }
                }
                picture.feed(&output);
                let _ = picture.draw();
            }
        }
    }
}
