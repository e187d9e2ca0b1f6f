//! Puts an office's register at its place as an SQLite file: whole, or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use crate::error::DrawError;
use crate::person::Residents;
use crate::rows::{self, Summary};
use crate::target::Draw;

/// The end of a file's name while it is drawn. A killed run leaves such a file behind; it may be deleted.
pub const PARTIAL_SUFFIX: &str = ".partial";

/// Draws the register of `office` and puts it at `path`, in place of a file that stands there.
///
/// `progress` is called now and then with the number of persons drawn so far, and may stop the draw. A draw that fails
/// or is stopped leaves nothing behind; one that is killed leaves a file that ends with [`PARTIAL_SUFFIX`], and nothing
/// new at `path`.
///
/// # Errors
/// An unknown office, a scale out of range, a stop, a refusal of SQLite or of the file system.
pub fn write_register(
    path: &Path,
    office: &str,
    draw: &Draw,
    progress: &dyn Fn(u64) -> ControlFlow<()>,
) -> Result<Summary, DrawError> {
    let residents = Residents::new(office, draw)?;
    let partial = Partial::beside(path);
    let database = |source| DrawError::Database { path: path.to_owned(), source };
    let file = |source| DrawError::File { path: path.to_owned(), source };
    lango_files::make_or_open(&partial.0).map_err(file)?;
    let mut connection = Connection::open(&partial.0).map_err(database)?;
    let drawn = rows::fill(&mut connection, residents, office, draw, progress).map_err(database)?;
    connection.close().map_err(|(_, source)| database(source))?;
    match drawn {
        ControlFlow::Break(()) => Err(DrawError::Stopped),
        ControlFlow::Continue(summary) => {
            partial.publish(path).map_err(file)?;
            Ok(summary)
        }
    }
}

/// A file of this draw alone, which goes away unless it is published.
struct Partial(PathBuf);

impl Partial {
    fn beside(path: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{count}{PARTIAL_SUFFIX}", process::id()));
        Self(path.with_file_name(name))
    }

    /// The contents are on the disk before the name is, and the name before this returns.
    fn publish(self, path: &Path) -> io::Result<()> {
        File::options().write(true).open(&self.0)?.sync_all()?;
        fs::rename(&self.0, path)?;
        sync_folder(path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already if it was published; if it cannot be removed, its name shows that a person may delete it.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const DRAW: Draw = Draw { scale: 100, seed: 1 };

    fn go(_: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_register_that_is_drawn_takes_the_place_of_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.sqlite");
        fs::write(&path, "old").unwrap();
        let last = Cell::new(0);
        let progress = |persons| {
            last.set(persons);
            ControlFlow::Continue(())
        };
        let summary = write_register(&path, "GMB", &DRAW, &progress).unwrap();
        assert_eq!(summary.persons, 2361);
        assert_eq!(last.get(), 2361);
        assert_eq!(names(folder.path()), ["register.sqlite"]);
        assert!(fs::read(&path).unwrap().starts_with(b"SQLite format 3\0"));
    }

    #[test]
    fn a_draw_that_is_stopped_half_way_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.sqlite");
        let stop = |persons| {
            assert_eq!(names(folder.path()).len(), 1, "the partial file");
            assert!(persons < 28_808 && !path.exists());
            ControlFlow::Break(())
        };
        assert!(matches!(write_register(&path, "CIV", &DRAW, &stop), Err(DrawError::Stopped)));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_draw_that_fails_leaves_the_older_register() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.sqlite");
        fs::write(&path, "old").unwrap();
        let cases = [("KEN", 100), ("GHA", 0)];
        for (office, scale) in cases {
            assert!(write_register(&path, office, &Draw { scale, seed: 1 }, &go).is_err());
        }
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()).len(), 1);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("register.sqlite");
        let error = write_register(&path, "GHA", &DRAW, &go).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }

    #[test]
    fn an_office_too_small_for_the_scale_gets_an_empty_register() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.sqlite");
        let summary = write_register(&path, "GNB", &Draw { scale: 1_000_000, seed: 1 }, &go).unwrap();
        assert_eq!(summary, Summary { persons: 0, movements: 0 });
    }
}
