//! One import into a register at a time, even if the process is killed.

use std::{
    fs::{File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::ImportError;

/// Held while an import is under way. The system releases it when the process ends, however it ends.
pub(crate) struct ImportLock {
    file: PathBuf,
    _held: File,
}

impl ImportLock {
    /// Takes the lock of a register. It is a file beside it, because SQLite's own locks are of another kind and would be
    /// lost with the first handle that is closed.
    pub(crate) fn take(register: &Path) -> Result<Self, ImportError> {
        let mut file = register.as_os_str().to_owned();
        file.push("-importing");
        let file = PathBuf::from(file);
        let failed = |cause| ImportError::Folder { file: file.clone(), cause };
        loop {
            let held = lango_files::make_or_open(&file).map_err(failed)?;
            match held.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(ImportError::UnderWay(register.to_owned())),
                Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            }
            // The process that held it before may have removed it between the opening and the locking.
            let locked = held.metadata().map_err(failed)?;
            if std::fs::metadata(&file)
                .is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino()))
            {
                return Ok(Self { file, _held: held });
            }
        }
    }
}

impl Drop for ImportLock {
    fn drop(&mut self) {
        // It is removed while it is held; one that stays does no harm.
        drop(std::fs::remove_file(&self.file));
    }
}
