//! What a person sees: the cells of a terminal of a size that has got some bytes.

use std::num::NonZeroU16;

/// Rows and columns.
pub type Size = (u16, u16);

/// A terminal of this size that has got these bytes.
pub fn emulated(bytes: &[u8], (rows, columns): Size) -> vt100::Parser {
    let size = |number| NonZeroU16::new(number).unwrap();
    let mut parser = vt100::Parser::new(size(rows), size(columns), 0);
    parser.process(bytes);
    parser
}

/// The plain rows of it.
pub fn rows(bytes: &[u8], size: Size) -> Vec<String> {
    emulated(bytes, size).screen().rows(0, size.1).collect()
}

/// All that can be compared of it: the cells with their colours, and the cursor with whether it is hidden.
pub fn display(bytes: &[u8], (rows, columns): Size) -> (Vec<String>, Size, bool) {
    let parser = emulated(bytes, (rows, columns));
    let screen = parser.screen();
    let row = |row| {
        let cell = |column| {
            let cell = screen.cell(row, column).unwrap();
            let text = if cell.contents().is_empty() {
                " "
            } else {
                cell.contents()
            };
            let colours = (cell.fgcolor(), cell.bgcolor(), cell.inverse());
            format!("{text}{colours:?}")
        };
        (0..columns).map(cell).collect::<Vec<_>>().join("")
    };
    (
        (0..rows).map(row).collect(),
        screen.cursor_position(),
        screen.hide_cursor(),
    )
}

/// What came before `mark`.
pub fn until<'b>(bytes: &'b [u8], mark: &str) -> &'b [u8] {
    let found = bytes
        .windows(mark.len())
        .position(|part| part == mark.as_bytes());
    &bytes[..found.unwrap()]
}
