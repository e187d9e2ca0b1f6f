//! Files and folders that are their owner's alone from the moment that they exist.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, CWD, Mode, RenameFlags, access, renameat_with, syncfs},
    io::Errno,
    process::{Pid, geteuid, getpid, test_kill_process, umask},
};

use crate::FileError;

const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;

/// From now on, whatever this process makes is its owner's alone, libraries' files too. For a program's `main`: it is of the
/// whole process.
pub fn keep_from_others() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Options that make a file its owner's alone, whatever the process's mask; a file that is there keeps its mode.
#[must_use]
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(OWNER_ONLY);
    options
}

/// Opens a file for writing, as it stands, and makes it if it is not there.
///
/// # Errors
/// What the system says.
pub fn make_or_open(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(false).open(path)
}

/// Makes a folder and those above it, as far as they are not there.
///
/// # Errors
/// What the system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(OWNER_ONLY_FOLDER).create(path)
}

/// Writes a new file in the place of whatever is there. One that another program holds open stays as it is for that program.
///
/// # Errors
/// [`FileError::System`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = options().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| FileError::system(path, source))
}

/// Writes a new file, whole or not at all, and never in the place of another: its bytes are on the disk before it has its name.
///
/// # Errors
/// [`FileError::Exists`] where something has the name, else [`FileError::System`].
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    // Before anything is written; the one who decides is the system, below.
    if path.symlink_metadata().is_ok() {
        return Err(FileError::Exists(path.to_owned()));
    }
    remove_left(path).map_err(|source| FileError::system(path, source))?;
    let unfinished = unfinished(path);
    replace(&unfinished, bytes)?;
    let named = take_name(&unfinished, path).and_then(|()| keep_name(path));
    named.map_err(|error| {
        // Of what has no name yet, nobody needs the rest.
        let _ = fs::remove_file(&unfinished);
        match error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(path.to_owned()),
            _ => FileError::system(path, error),
        }
    })
}

/// Makes a folder with files that are their owner's alone: with all of them, or not at all. One that is there must be empty. A
/// file may lie in a folder within it, `identity/tls.key`.
///
/// # Errors
/// [`FileError::Exists`] where something is there, else [`FileError::System`].
pub fn make_filled_folder(path: &Path, files: &[(&str, &[u8])]) -> Result<(), FileError> {
    let system = |source| FileError::system(path, source);
    let is_filled = |path: &Path| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if path.is_file() || is_filled(path) {
        return Err(FileError::Exists(path.to_owned()));
    }
    if path.file_name().is_none() {
        return Err(system(io::Error::new(
            io::ErrorKind::InvalidInput,
            "name the folder, not the way to it",
        )));
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above).map_err(system)?;
    }
    remove_left(path).map_err(system)?;
    let unfinished = unfinished(path);
    let fill = || {
        make_folder(&unfinished).map_err(system)?;
        for (name, bytes) in files {
            let file = unfinished.join(name);
            if let Some(folder) = file.parent() {
                make_folder(folder).map_err(system)?;
            }
            replace(&file, bytes)?;
            keep_name(&file).map_err(system)?;
        }
        File::open(&unfinished).and_then(|folder| folder.sync_all()).map_err(system)?;
        // In the place of an empty folder, and of nothing else.
        fs::rename(&unfinished, path).and_then(|()| keep_name(path)).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                FileError::Exists(path.to_owned())
            }
            _ => system(error),
        })
    };
    fill().inspect_err(|_| {
        let _ = fs::remove_dir_all(&unfinished);
    })
}

/// Whether this process may make files in a folder, as far as can be found out without making one.
///
/// # Errors
/// [`FileError::System`] where it may not.
pub fn may_fill(folder: &Path) -> Result<(), FileError> {
    let within = |path: &Path| access(path, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from);
    within(folder).map_err(|source| FileError::system(folder, source))
}

/// The number of the user that this process runs as.
#[must_use]
pub fn own_user() -> u32 {
    geteuid().as_raw()
}

/// Gives a file another's name, in one step: a reader of the name finds the one or the other, whole.
///
/// # Errors
/// [`FileError::System`].
pub fn move_over(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).and_then(|()| keep_name(to)).map_err(|source| FileError::system(to, source))
}

/// Writes a file, in the place of another if there is one, in one step: a reader finds the one or the other, whole, and so does a
/// start after a power cut. It is on the disk when this returns.
///
/// # Errors
/// [`FileError::System`].
pub fn exchange(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let unfinished = unfinished(path);
    replace(&unfinished, bytes)?;
    move_over(&unfinished, path)
}

/// Writes a file, in the place of another if there is one, in one step: a reader finds the one or the other, whole. It is on the
/// disk once [`settle`] has returned, so that of many files each need not be waited for.
///
/// # Errors
/// [`FileError::System`].
pub fn write_over(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let unfinished = unfinished(path);
    let write = || {
        let mut file = options().write(true).create(true).truncate(true).open(&unfinished)?;
        file.write_all(bytes)?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|source| FileError::system(path, source))
}

/// Returns when all that was written in a folder's file system is on the disk.
///
/// # Errors
/// [`FileError::System`].
pub fn settle(folder: &Path) -> Result<(), FileError> {
    let settle = || Ok(syncfs(File::open(folder)?)?);
    settle().map_err(|source: io::Error| FileError::system(folder, source))
}

/// The name of a file that is still being written.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.unfinished", std::process::id()));
    path.with_file_name(name)
}

/// Removes what processes that are no more left unfinished of a file or a folder: a key may lie in it.
fn remove_left(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name().to_string_lossy().into_owned();
        let number = found.strip_prefix('.').and_then(|rest| rest.strip_prefix(name.as_str()));
        let number =
            number.and_then(|rest| rest.strip_prefix('.')).and_then(|rest| rest.strip_suffix(".unfinished"));
        let process = number.and_then(|number| number.parse::<i32>().ok()).and_then(Pid::from_raw);
        let Some(process) = process else { continue };
        let is_own = process == getpid();
        if is_own || test_kill_process(process) == Err(Errno::SRCH) {
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false => fs::remove_file(entry.path())?,
            }
        }
    }
    Ok(())
}

/// Renames, unless something has the name.
fn take_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system without this: a second name is refused where there is one.
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        done => Ok(done?),
    }
}

/// Returns when the folder holds the file's name on the disk.
fn keep_name(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
