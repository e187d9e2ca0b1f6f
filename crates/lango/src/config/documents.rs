//! Documents out of files and folders: bounded, of one encoding, and of one moment.

use std::{
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use lango_document::{Diagnostic, DiagnosticCode, Diagnostics, Document, TextPlace};
use lango_policy::PolicySet;

/// The most files of a folder that are read.
const FILES_MOST: usize = 1_000;

/// A file as a document.
pub fn document(path: &Path) -> Result<Document, Diagnostic> {
    document_as(path, None)
}

/// A file as a document, which is the one that was listed, where it was.
fn document_as(path: &Path, listed: Option<&Moment>) -> Result<Document, Diagnostic> {
    let name = path.display().to_string();
    let unreadable = |error: io::Error| {
        Diagnostic::error(DiagnosticCode::NotReadable, TextPlace::of_file(&name), error.to_string())
    };
    let file = lango_files::open(path).map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    let most = Document::bytes_most(&name);
    let mut bytes = Vec::new();
    // A byte more shows that there are more.
    (&file).take(most as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    let was = of_moment(&before);
    if was != of_moment(&after) || listed.is_some_and(|listed| *listed != was) {
        let words = ("the file changed while it was read", "ask again when it is saved");
        return Err(Diagnostic::error(DiagnosticCode::Changed, TextPlace::of_file(&name), words));
    }
    Document::decoded(&name, bytes)
}

/// Which files a folder holds that a policy may be read from, how long they are and when they were written last; or why that
/// cannot be said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moments {
    files: Vec<(PathBuf, Moment)>,
    fault: String,
}

/// The moments of a folder's files; of a path that is no folder, of those beside it.
pub fn moments(folder: &Path) -> Moments {
    let folder = if folder.is_file() { folder.parent().unwrap_or(Path::new("")) } else { folder };
    match of_folder(folder) {
        Ok(files) => Moments { files, fault: String::new() },
        Err(error) => Moments { files: Vec::new(), fault: error.to_string() },
    }
}

/// The policy files of a folder, in the order of their names, and the lists beside them that they name.
pub fn policies(folder: &Path) -> Result<Vec<Document>, Diagnostics> {
    let (documents, wrong) = readable(folder);
    if wrong.is_empty() { Ok(documents) } else { Err(wrong) }
}

/// The same, as far as they can be read, and why others cannot. Of a path that is no folder, that file alone.
pub fn readable(folder: &Path) -> (Vec<Document>, Diagnostics) {
    if folder.is_file() {
        let beside = folder.parent().unwrap_or(Path::new(""));
        return read_all(&[folder], beside, &[]);
    }
    let name = folder.display().to_string();
    let wrong = |code, words: (String, &str)| Diagnostic::error(code, TextPlace::of_file(&name), words);
    let before = match of_folder(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let words = (error.to_string(), "name a folder with policy files");
            return (Vec::new(), wrong(DiagnosticCode::NotReadable, words).into());
        }
    };
    let paths: Vec<&PathBuf> =
        before.iter().map(|(path, _)| path).filter(|path| has_extension(path, "toml")).collect();
    if paths.is_empty() {
        let words = (
            "holds no policy (`*.toml`): an office without a policy answers nothing".to_owned(),
            "write one as docs/POLICIES.md shows",
        );
        return (Vec::new(), wrong(DiagnosticCode::NoPolicy, words).into());
    }
    if paths.len() > FILES_MOST {
        let words =
            (format!("holds more than {FILES_MOST} files `*.toml`"), "put several datasets into a file");
        return (Vec::new(), wrong(DiagnosticCode::TooLarge, words).into());
    }
    let (documents, wrong_files) = read_all(&paths, folder, &before);
    if of_folder(folder).ok().as_ref() == Some(&before) {
        return (documents, wrong_files);
    }
    let words = ("the folder changed while it was read".to_owned(), "ask again when its files are saved");
    (documents, wrong_files.and([wrong(DiagnosticCode::Changed, words)]))
}

/// Warnings of a policy folder, and of files in it, that every user of the machine may change: what is saved there comes into
/// force, or waits to be signed.
pub fn writable_by_all(folder: &Path) -> Vec<Diagnostic> {
    let files = of_folder(folder).unwrap_or_default().into_iter().map(|(path, _)| path);
    let is_writable = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.mode() & 0o002 != 0);
    let warning = |path: PathBuf| {
        let words = (
            "every user of this machine may change the policy",
            format!("run `chmod o-w {}`", path.display()),
        );
        let place = TextPlace::of_file(&path.display().to_string());
        Diagnostic::warning(DiagnosticCode::WritableByAll, place, words)
    };
    std::iter::once(folder.to_owned()).chain(files).filter(is_writable).map(warning).collect()
}

/// Policy files, and the lists in a folder that they name. Each is the file that was listed: a folder that is exchanged for
/// another one and back while it is read gives no policy that is partly of each.
fn read_all(
    paths: &[impl AsRef<Path>],
    folder: &Path,
    listed: &[(PathBuf, Moment)],
) -> (Vec<Document>, Diagnostics) {
    let (mut documents, mut wrong) = (Vec::new(), Vec::new());
    let document = |path: &Path| {
        let listed = listed.iter().find(|(of, _)| of == path).map(|(_, moment)| moment);
        document_as(path, listed)
    };
    for path in paths {
        match document(path.as_ref()) {
            Ok(document) => documents.push(document),
            Err(found) => wrong.push(found),
        }
    }
    // Other files may lie there too.
    let lists: Vec<PathBuf> = PolicySet::lists(&documents).iter().map(|name| folder.join(name)).collect();
    for list in lists.iter().filter(|list| list.exists()) {
        match document(list) {
            Ok(document) => documents.push(document),
            Err(found) => wrong.push(found),
        }
    }
    (documents, wrong.into_iter().collect())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// Which file it is, how long, and when it was written last.
pub type Moment = (u64, u64, u64, i64, i64);

/// The moment of one file, where there is one.
pub fn moment(file: &Path) -> Option<Moment> {
    fs::metadata(file).ok().map(|file| of_moment(&file))
}

fn of_moment(file: &Metadata) -> Moment {
    (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

/// The files of a folder that a policy is read from, in the order of their names.
fn of_folder(folder: &Path) -> io::Result<Vec<(PathBuf, Moment)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if has_extension(&path, "toml") || has_extension(&path, "csv") {
            // One that is gone already is seen as a change when the folder is read again.
            let moment = fs::metadata(&path).map(|file| of_moment(&file)).unwrap_or_default();
            entries.push((path, moment));
        }
    }
    entries.sort();
    Ok(entries)
}
