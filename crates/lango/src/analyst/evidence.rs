//! What an analyst keeps of an answer: what each office signed, and that its log has an entry of it.

use std::path::{Path, PathBuf};

use lango_analyst::Answered;
use lango_files::{create, make_folder};
use lango_identity::certificate_to_pem;
use lango_wire::VerifiedReceipt;

use crate::failure::Failure;

/// Keeps the evidence of an answer in a folder of its question's, below this one: for each office the envelope of its release
/// (`.release`), the entry of its log (`.entry.json`), the proof of that (`.tlog-proof`) and the certificates of the log's key
/// (`.pem`). Returns the folder, and how many
/// offices' evidence is in it. What was kept of the same answer before is not replaced.
pub fn keep(answered: &Answered, dir: &Path) -> Result<(PathBuf, usize), Failure> {
    let folder = dir.join(hex::encode(answered.query_digest));
    make_folder(&folder).map_err(|error| Failure::of(folder.display(), error))?;
    put(&folder.join("question.txt"), answered.text.as_bytes())?;
    let mut kept = 0;
    for (office, answer) in &answered.answers {
        let Some(VerifiedReceipt { envelope, entry, proof, certificates }) = &answer.receipt else {
            continue;
        };
        let named = format!("{office}-{}", proof.index);
        put(&folder.join(format!("{named}.release")), envelope)?;
        put(&folder.join(format!("{named}.entry.json")), entry)?;
        let chain: String = certificates.iter().map(|der| certificate_to_pem(der)).collect();
        put(&folder.join(format!("{named}.pem")), chain.as_bytes())?;
        put(&folder.join(format!("{named}.tlog-proof")), proof.to_string().as_bytes())?;
        kept += 1;
    }
    Ok((folder, kept))
}

/// Writes a file whole, unless it is there.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path.exists() { Ok(()) } else { Ok(create(path, bytes)?) }
}
