//! Reads a register back, to show the demo's estimates beside what is true.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OpenFlags, Row};

use crate::error::DrawError;
use crate::tables::Sex;

/// Counts the residents of a drawn register by country of birth and sex, without any noise; pairs without a resident
/// are absent.
///
/// Only the demo may call this, on registers that it drew itself: nobody lives in them. No gateway and no coordinator
/// may.
///
/// # Errors
/// The file is missing or not a register.
pub fn truth(path: &Path) -> Result<BTreeMap<(String, Sex), u64>, DrawError> {
    count(path).map_err(|source| DrawError::Database { path: path.to_owned(), source })
}

fn count(path: &Path) -> rusqlite::Result<BTreeMap<(String, Sex), u64>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection
        .prepare("SELECT country_of_birth, sex, count(*) FROM residents GROUP BY country_of_birth, sex")?;
    statement.query_map([], cell)?.collect()
}

fn cell(row: &Row<'_>) -> rusqlite::Result<((String, Sex), u64)> {
    let sex = row.get_ref(1)?.as_str()?.parse();
    let sex = sex.map_err(|()| Error::InvalidColumnType(1, "sex".to_owned(), Type::Text))?;
    Ok(((row.get(0)?, sex), row.get::<_, i64>(2)?.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draw, targets, write_register};
    use std::ops::ControlFlow;

    #[test]
    fn the_truth_is_the_targets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.sqlite");
        for (office, scale) in [("GHA", 100), ("GIN", 7), ("SLE", 1), ("NGA", 1000)] {
            write_register(&path, office, &Draw { scale, seed: 1 }, &|_| ControlFlow::Continue(())).unwrap();
            let expected = targets(office, scale).unwrap().into_iter().filter(|target| target.2 > 0);
            let expected: BTreeMap<_, _> =
                expected.map(|(origin, sex, n)| ((origin.to_owned(), sex), n)).collect();
            assert_eq!(truth(&path).unwrap(), expected, "{office}");
        }
    }

    #[test]
    fn a_file_that_is_no_register_is_named_and_a_missing_one_not_created() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.sqlite");
        assert!(truth(&path).unwrap_err().to_string().contains("register.sqlite"));
        assert!(!path.exists());
        std::fs::write(&path, "no register").unwrap();
        assert!(truth(&path).is_err());
    }
}
