//! The line at hand of a text, as an editor counts: a line ends in LF, CR or both.

/// Counts lines from 1 while a text goes by, in pieces of any size.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineCounter {
    line: u64,
    /// The last byte was CR, so that LF belongs to the same break.
    after_return: bool,
}

impl LineCounter {
    pub(super) fn new() -> Self {
        Self { line: 1, after_return: false }
    }

    /// The line of the byte that comes next.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the last byte was CR, so that LF would belong to the same break.
    pub(super) fn is_within_break(&self) -> bool {
        self.after_return
    }

    /// Goes past a piece of text.
    pub(super) fn pass(&mut self, text: &[u8]) {
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return };
        let count = |wanted: u8| text.iter().map(|byte| u64::from(*byte == wanted)).sum::<u64>();
        let (feeds, returns) = (count(b'\n'), count(b'\r'));
        let both =
            if returns == 0 { 0 } else { text.windows(2).filter(|pair| *pair == b"\r\n").count() as u64 };
        let continued = u64::from(self.after_return && *first == b'\n');
        self.line += feeds + returns - both - continued;
        self.after_return = *last == b'\r';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_the_same_in_pieces_of_any_size() {
        for (text, expected) in [
            ("", 1),
            ("a", 1),
            ("a\nb", 2),
            ("a\rb", 2),
            ("a\r\nb", 2),
            ("a\n\rb", 3),
            ("a\r\r\nb\n\n", 5),
            ("\r\n\r\n", 3),
        ] {
            for size in 1..=text.len().max(1) {
                let mut lines = LineCounter::new();
                text.as_bytes().chunks(size).for_each(|piece| lines.pass(piece));
                assert_eq!(lines.line(), expected, "{text:?} by {size}");
            }
        }
    }
}
