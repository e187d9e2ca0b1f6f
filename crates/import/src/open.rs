//! The one place where a file that an office exported is opened.

use std::{fs::File, path::Path};

use lango_files::NotRegular;

use crate::ImportError;

/// Opens a file; what is none is refused, and never waited for.
pub(crate) fn opened(path: &Path) -> Result<File, ImportError> {
    lango_files::open(path).map_err(|cause| match NotRegular::is_cause(&cause) {
        true => ImportError::NotAFile(path.to_owned()),
        false => ImportError::File { file: path.to_owned(), cause },
    })
}
