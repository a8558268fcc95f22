//! Cutting a stream of commands into units that bash would read whole.

/// Up to this many lines of a unit that is not whole yet, each line is tried as its end; after that
/// only some are, so that a long here-document is not read again at each of its lines.
const EACH_LINE: usize = 64;

/// What came in and was not taken yet.
#[derive(Debug, Default)]
pub struct Units {
    pending: Vec<u8>,
    /// The bytes at the start of `pending` of which it is known that they are not whole.
    tried: usize,
    /// The lines in those.
    lines: usize,
    /// The line at whose end the next try is due.
    due: usize,
}

impl Units {
    /// Takes what came in.
    pub fn add(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next unit: all lines that are there if they are whole together, else the first ones that
    /// are; at the end whatever is left. `whole` says whether more text could change how a text ends.
    pub fn next(&mut self, ended: bool, whole: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let last = self
            .pending
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map(|at| at.saturating_add(1));
        if let Some(last) = last
            && last > self.tried
            && self.is_whole(last, whole)
        {
            return self.take(last);
        }
        while let Some(end) = self.line_end() {
            self.lines = self.lines.saturating_add(1);
            let try_it = self.lines >= self.due;
            if try_it && self.lines >= EACH_LINE {
                self.due = self.lines.saturating_add(self.lines / 16);
            }
            if try_it && Some(end) != last && self.is_whole(end, whole) {
                return self.take(end);
            }
            self.tried = end;
        }
        if ended && !self.pending.is_empty() {
            return self.take(self.pending.len());
        }
        None
    }

    /// The end of the first line that was not tried.
    fn line_end(&self) -> Option<usize> {
        let (_, rest) = self.pending.split_at_checked(self.tried)?;
        let length = rest.iter().position(|&byte| byte == b'\n')?;
        Some(self.tried.saturating_add(length).saturating_add(1))
    }

    fn is_whole(&self, end: usize, whole: &dyn Fn(&[u8]) -> bool) -> bool {
        self.pending.get(..end).is_some_and(whole)
    }

    fn take(&mut self, end: usize) -> Option<Vec<u8>> {
        let rest = self.pending.split_off(end);
        self.tried = 0;
        self.lines = 0;
        self.due = 0;
        Some(std::mem::replace(&mut self.pending, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole where every `{` has its `}`.
    fn balanced(text: &[u8]) -> bool {
        let count = |wanted: u8| text.iter().filter(|&&byte| byte == wanted).count();
        count(b'{') == count(b'}')
    }

    fn units(chunks: &[&str]) -> Vec<String> {
        let mut units = Units::default();
        let mut found = Vec::new();
        let mut collect = |units: &mut Units, ended| {
            while let Some(unit) = units.next(ended, &balanced) {
                found.push(String::from_utf8(unit).unwrap());
            }
        };
        for chunk in chunks {
            units.add(chunk.as_bytes());
            collect(&mut units, false);
        }
        collect(&mut units, true);
        found
    }

    #[test]
    fn lines_that_are_whole_together_are_one_unit() {
        assert_eq!(units(&["a\nb\n{\n}\n"]), ["a\nb\n{\n}\n"]);
    }

    #[test]
    fn what_is_whole_does_not_wait_for_what_is_not() {
        assert_eq!(units(&["a\nb {\n", "}\nc"]), ["a\n", "b {\n}\n", "c"]);
    }

    #[test]
    fn a_line_waits_for_its_end() {
        assert_eq!(units(&["ec", "ho\n"]), ["echo\n"]);
    }

    #[test]
    fn at_the_end_the_rest_is_a_unit() {
        assert_eq!(units(&["{\nx"]), ["{\nx"]);
        assert_eq!(units(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_long_unit_is_found_though_not_every_line_is_tried() {
        let tries = std::cell::Cell::new(0);
        let mut units = Units::default();
        let text = format!("{{\n{}}}\n", "x\n".repeat(20_000));
        units.add(text.as_bytes());
        let unit = units.next(false, &|text: &[u8]| {
            tries.set(tries.get() + 1);
            balanced(text)
        });
        assert_eq!(unit.map(|unit| unit.len()), Some(text.len()));
        units.add(format!("{}{{\n", text).as_bytes());
        let first = units.next(true, &|text: &[u8]| {
            tries.set(tries.get() + 1);
            balanced(text)
        });
        assert!(first.is_some());
        assert!(tries.get() < 1000, "{}", tries.get());
    }
}
