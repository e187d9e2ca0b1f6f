//! `lango audit prove`: that an entry is in a log, for somebody who has the log's key and nothing of ours.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    audit::{folder::LogFolder, prove::prove},
    failure::Failure,
    output::say,
};

#[derive(Debug, Args)]
pub struct AuditProve {
    /// The folder that holds the log.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The entry, by its number, from 0.
    #[arg(value_name = "ENTRY")]
    entry: u64,
    /// Where the proof goes; the entry itself and the log's key go beside it. By default `entry-ENTRY.tlog-proof`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl AuditProve {
    pub fn run(self) -> Result<(), Failure> {
        let folder = LogFolder::new(&self.dir);
        let proven = prove(&folder, &folder.region()?, self.entry)?;
        let proof = self.out.unwrap_or_else(|| PathBuf::from(format!("entry-{}.tlog-proof", self.entry)));
        let beside = |extension: &str| -> PathBuf { Path::new(&proof).with_extension(extension) };
        let (entry, key) = (beside("json"), beside("key"));
        for (path, bytes) in [
            (&proof, proven.proof.to_string().as_bytes()),
            (&entry, proven.entry.as_slice()),
            (&key, proven.key.as_bytes()),
        ] {
            lango_files::write_over(path, bytes)?;
        }
        say(&format!(
            "wrote the proof {}, the entry {} and the log's key {}: with the key from the office itself, nobody needs more",
            proof.display(),
            entry.display(),
            key.display()
        ));
        Ok(())
    }
}
