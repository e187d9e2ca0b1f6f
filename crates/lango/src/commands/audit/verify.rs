//! `lango audit verify`: whether a fetched log holds, and what follows from it.

use std::path::PathBuf;

use clap::Args;

use super::LogDir;
use crate::{
    audit::{
        folder::LogFolder,
        verify::{ClaimLine, VerifiedLog, verify, witness_policy},
    },
    commands::entries::minute,
    config::identity_region,
    failure::Failure,
    output::{Format, bar, foreign, grouped, report},
};

#[derive(Debug, Args)]
pub struct AuditVerify {
    #[command(flatten)]
    held: LogDir,
    /// The folder of your keys, whose region the log's certificates are verified with; by default the region that the log was
    /// fetched with. Name it for a folder that somebody else gave you.
    #[arg(long, value_name = "DIR")]
    identity: Option<PathBuf>,
    /// A file that says which witnesses must have cosigned (C2SP tlog-policy).
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// A folder with receipts that an analyst saved, each a file NAME.tlog-proof with its entry as NAME.json: whether they are of
    /// this log.
    #[arg(long, value_name = "DIR")]
    answers: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl AuditVerify {
    pub fn run(self) -> Result<(), Failure> {
        let folder = LogFolder::new(&self.held.dir);
        let size = folder.held()?.unverified().size;
        let region = match &self.identity {
            Some(identity) => identity_region(&identity.join("identity.toml"))?.0,
            None => folder.region()?,
        };
        let witnesses = self.witnesses.as_deref().map(witness_policy).transpose()?;
        let progress = bar("verifying {bar:30} {human_pos} of {human_len} entries  {eta}", size);
        let verified = verify(&folder, &region, (witnesses.as_ref(), self.answers.as_deref()), |read| {
            progress.set_position(read)
        });
        progress.finish_and_clear();
        let verified = verified?;
        report(self.format, &verified.lines, |lines| shown(&verified, lines))?;
        if verified.holds() {
            return Ok(());
        }
        let failed: Vec<&str> =
            verified.lines.iter().filter(|line| !line.holds).map(|line| line.claim).collect();
        Err(Failure::Failed(format!("not all is proven: {}", failed.join(", "))))
    }
}

fn shown(verified: &VerifiedLog, lines: &[ClaimLine]) -> String {
    let mut head = format!(
        "the log of {}: {} entries",
        foreign(&verified.origin),
        grouped(i64::try_from(verified.size).unwrap_or(i64::MAX))
    );
    let span = verified.report.as_ref().and_then(|report| report.span);
    if let Some((Ok(first), Ok(last))) = span.map(|(first, last)| (minute(first), minute(last))) {
        head += &format!(", from {first} to {last} (UTC)");
    }
    let lines = lines.iter().flat_map(ClaimLine::text);
    [head].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}
