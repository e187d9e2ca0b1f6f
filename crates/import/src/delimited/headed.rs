//! Whether a file's first row names its columns, where no policy says what the columns are called.

use std::{path::Path, sync::Arc};

use super::{Records, header_below, input, titled_at};
use crate::{
    Delimited, ImportError,
    notation::Notation,
    schema::one_field,
    value::{day_readings, decimals, trimmed},
};

/// Refuses a file whose first row cannot be the header, and says what to do: a row of values has no place among the names of
/// columns, which are shown.
pub(crate) fn check_header(path: &Path, delimited: &Delimited) -> Result<(), ImportError> {
    let mut records = Records::new(path, *delimited, input::open(path, delimited, &Arc::default())?)?;
    if !records.next()? {
        return Err(ImportError::Empty(path.to_owned()));
    }
    let (names, first) = (records.names(), records.began());
    // What is wrong with a row is reported when it is read.
    let below = records.next().unwrap_or(false).then(|| records.names());
    if is_header(&names, below.as_deref()) {
        return Ok(());
    }
    // A title may have fields too, and fewer. Rows with decimal commas are cut at these where another delimiter is meant.
    let least = if may_be_header(&names) { names.len() + 1 } else { 2 };
    let search = |above: &[String], below: Option<&[String]>| {
        let is_cut = above.iter().any(|name| name.contains([';', '\t', '|']));
        above.len() >= least && !is_cut && is_header(above, below)
    };
    let no_header = |hint| Err(ImportError::NoHeader { file: path.to_owned(), hint });
    match (header_below(path, delimited, &search), names.as_slice()) {
        (Some((line, delimiter)), _) if line > first => Err(titled_at(path, delimited, line, delimiter)),
        (Some((_, delimiter)), _) => {
            no_header(format!(": say --delimiter '{}'", char::from(delimiter).escape_default()))
        }
        (None, [only]) => no_header(one_field(only)),
        // The rows below have another number of fields, which is reported when they are read.
        (None, names) if may_be_header(names) => Ok(()),
        (None, _) => no_header(": write the columns' names above the rows".to_owned()),
    }
}

fn is_header(names: &[String], below: Option<&[String]>) -> bool {
    may_be_header(names) && below.is_none_or(|below| below.len() == names.len())
}

/// Whether these can be names: two at least, few blanks, and no number or day.
fn may_be_header(names: &[String]) -> bool {
    let blank = names.iter().filter(|name| trimmed(name.as_bytes()).is_empty()).count();
    let named = names.len() - blank;
    named >= 2 && named >= blank && !names.iter().any(|name| is_value(trimmed(name.as_bytes())))
}

fn is_value(text: &[u8]) -> bool {
    let comma = Notation { decimal: crate::DecimalMark::Comma, ..Notation::default() };
    decimals(text, &Notation::default()).is_some()
        || decimals(text, &comma).is_some()
        || day_readings(text) != 0
}
