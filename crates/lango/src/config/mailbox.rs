//! `[mailbox]`: where requests for certificates wait at a coordinator for the region's authority.

use std::path::{Path, PathBuf};

use lango_coordinator::MailboxConfig;
use lango_document::table;

use super::beside;
use crate::request_file::RequestFile;

/// The table as it is written.
#[derive(Debug)]
pub struct MailboxTable {
    folder: PathBuf,
}

table!(MailboxTable => "the table of the mailbox" { required folder "folder" });

impl MailboxTable {
    /// The mailbox; `file` is where the table was read.
    pub fn load(&self, file: &Path) -> MailboxConfig {
        MailboxConfig { folder: beside(file, &self.folder), whose: RequestFile::signed_by }
    }
}
