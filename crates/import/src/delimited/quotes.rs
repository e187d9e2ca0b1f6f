//! Whether quotes stand as they must: around a whole field, and doubled within. The library that cuts rows takes what follows a
//! closing quote for more of the field, so that a lone quote swallows every row up to the next one.

/// The fields of a row, from which on a text that holds exactly the delimiters of two halves of rows is taken for those.
const FIELDS_LEAST: usize = 5;

/// Where in a row's fields a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A field begins.
    Begin,
    /// Within a field without quotes around it.
    Plain,
    /// Within quotes.
    Quoted,
    /// Behind a quote that closes the field, or is the first of two.
    Closed,
}

/// Follows a row's quotes while its text goes by, in pieces of any size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quotes {
    delimiter: u8,
    place: Place,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, place: Place::Begin }
    }

    /// A row begins.
    pub(super) fn begin(&mut self) {
        self.place = Place::Begin;
    }

    /// Goes past a piece of text; false where something other than blanks follows a closing quote.
    pub(super) fn pass(&mut self, text: &[u8]) -> bool {
        if matches!(self.place, Place::Begin | Place::Plain) && !text.contains(&b'"') {
            self.place = match text.last() {
                Some(last) if self.ends(*last) => Place::Begin,
                Some(_) => Place::Plain,
                None => self.place,
            };
            return true;
        }
        for byte in text {
            self.place = match (self.place, *byte) {
                (Place::Begin | Place::Closed, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Begin | Place::Plain | Place::Closed, byte) if self.ends(byte) => Place::Begin,
                (Place::Begin | Place::Plain, _) => Place::Plain,
                (Place::Closed, b' ' | b'\t') => Place::Closed,
                (Place::Closed, _) => return false,
            };
        }
        true
    }

    /// Whether a field of several lines, at a position among this number of fields, holds what reads as rows: a whole one between
    /// its line breaks, or the end of one and the beginning of the next, up to the field itself. Where there are few fields a
    /// text may read so too.
    pub(super) fn hold_a_row(self, field: &[u8], position: usize, fields: usize) -> bool {
        let lines = field.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
        let delimiters = lines.map(|line| line.iter().filter(|byte| **byte == self.delimiter).count());
        let delimiters: Vec<usize> = delimiters.collect();
        match delimiters.as_slice() {
            [end, between @ .., begin] => {
                let is_between = fields > 1 && between.iter().any(|delimiters| delimiters + 1 == fields);
                let is_two = fields >= FIELDS_LEAST && end + position + 1 == fields && *begin == position;
                is_between || is_two
            }
            _ => false,
        }
    }

    fn ends(self, byte: u8) -> bool {
        byte == self.delimiter || matches!(byte, b'\r' | b'\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_stands_around_a_field_or_is_doubled_within() {
        for (text, good) in [
            ("a,b", true),
            ("\"a\",\"b\"", true),
            ("\"a \"\"b\"\"\",c", true),
            ("\"\",\"\"", true),
            ("a 5\" pipe,b", true),
            ("\"a\" ,b", true),
            ("\"a\nb\",c", true),
            ("\"a\"b,c", false),
            ("\"inch pipe\t1\n2\t\"Chez Ama", false),
            ("\"size 12\\\"\",1\n\"size 12\\\"\",2", false),
        ] {
            let delimiter = if text.contains('\t') { b'\t' } else { b',' };
            for size in 1..=text.len() {
                let mut quotes = Quotes::new(delimiter);
                quotes.begin();
                let found = text.as_bytes().chunks(size).all(|piece| quotes.pass(piece));
                assert_eq!(found, good, "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn a_field_that_holds_whole_rows_is_found() {
        for (field, found) in [
            ("Kofi,F\n2,Ama,M\n3,Yaw", true),
            ("Kofi,F\r\n2,Ama,M\r\n3,Yaw", true),
            ("Kofi,F\n3,Yaw", false),
            ("New\n\nTown", false),
            ("one, two\nthree, four\nfive, six", false),
            ("Kofi", false),
        ] {
            assert_eq!(Quotes::new(b',').hold_a_row(field.as_bytes(), 1, 3), found, "{field:?}");
        }
        for (field, position, found) in [
            ("Rue 12,TGO,7998.58\n0001078,F,46,Rue 12", 3, true),
            ("TGO\n0001078,F,46,Rue 12,7998,", 5, true),
            ("1,F,46,Rue 12,7998,TGO\n0001078", 0, true),
            ("12, Rue du Port\nLom\u{e9}, Togo", 3, false),
            ("12, Rue du Port\nLom\u{e9}, Togo", 5, false),
            ("Lom\u{e9}\nTogo", 2, false),
        ] {
            assert_eq!(Quotes::new(b',').hold_a_row(field.as_bytes(), position, 6), found, "{field:?}");
        }
    }
}
