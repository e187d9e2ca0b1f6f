//! `lango audit export`: a log in the forms that others read.

use std::{
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use lango_audit::{
    ListedEntry, LogSummary, PageProof, article_30, committee_page, deployment_entry, ocsf_event,
};
use lango_policy::{PolicySet, canonical_documents};
use lango_privacy::Dataset;

use super::list::one_line;
use crate::{
    audit::{
        folder::LogFolder,
        read::read_entries,
        verify::{ClaimLine, VerifyingRegion, verify},
    },
    failure::Failure,
    output::{csv_field, foreign},
};

#[derive(Debug, Args)]
pub struct AuditExport {
    /// The folder that holds the log.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The form.
    #[arg(long, value_enum)]
    format: ExportFormat,
    /// The dataset that an entry for the registry is of, where the policy has several.
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// The folder of your keys, whose region the log is verified with for the committee's page; by default the region that it was
    /// fetched with.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: Option<PathBuf>,
    /// Where it goes; to standard output by default.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A form that others read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The entries as they are hashed, a line each.
    Jsonl,
    /// A row for each entry, for spreadsheets.
    Csv,
    /// Events of the Open Cybersecurity Schema Framework (API Activity, class 6003), a line each.
    Ocsf,
    /// A register of processing activities (article 30 of the GDPR), in Markdown.
    #[value(name = "article-30")]
    Article30,
    /// An entry for the registry of differential privacy deployments (arXiv:2509.13509), of one dataset: a JSON document,
    /// which is YAML too.
    #[value(name = "dp-registry")]
    DpRegistry,
    /// One page for a committee: questions by purpose and month, budgets spent, refusals.
    Html,
}

impl AuditExport {
    pub fn run(self) -> Result<(), Failure> {
        let folder = LogFolder::new(&self.dir);
        match &self.out {
            None => self.write(&folder, &mut BufWriter::new(io::stdout().lock())),
            Some(path) => {
                let mut bytes = Vec::new();
                self.write(&folder, &mut bytes)?;
                Ok(lango_files::write_over(Path::new(path), &bytes)?)
            }
        }
    }

    fn write(&self, folder: &LogFolder, out: &mut impl Write) -> Result<(), Failure> {
        let held = folder.held()?;
        let checkpoint = held.unverified();
        let origin = checkpoint.origin.as_str();
        match self.format {
            ExportFormat::Jsonl => lines(folder, checkpoint.size, out, |_, entry| Ok(entry.leaf()?)),
            ExportFormat::Ocsf => lines(folder, checkpoint.size, out, |number, entry| {
                let event = serde_json::to_string(&ocsf_event(origin, number, entry))?;
                Ok(lango_words::json_escaped(&event).into_bytes())
            }),
            ExportFormat::Csv => {
                let mut is_first = true;
                lines(folder, checkpoint.size, out, |number, entry| {
                    let mut listed = ListedEntry::of(number, entry);
                    listed.question = listed.question.as_deref().map(one_line);
                    let value = serde_json::to_value(listed)?;
                    let row = value.as_object().ok_or_else(|| Failure::of("an entry", "has no fields"))?;
                    let header = if std::mem::take(&mut is_first) {
                        row.keys().cloned().collect::<Vec<_>>().join(",") + "\n"
                    } else {
                        String::new()
                    };
                    let cell = |value: &serde_json::Value| match value {
                        serde_json::Value::Null => String::new(),
                        serde_json::Value::String(text) => csv_field(text),
                        other => other.to_string(),
                    };
                    let cells: Vec<String> = row.values().map(cell).collect();
                    Ok((header + &cells.join(",")).into_bytes())
                })
            }
            ExportFormat::Article30 => {
                let (policy, summary) = in_force(folder, checkpoint.size)?;
                Ok(out.write_all(article_30(origin, &policy, &summary).as_bytes())?)
            }
            ExportFormat::DpRegistry => {
                let (policy, summary) = in_force(folder, checkpoint.size)?;
                let dataset = self.dataset_of(&policy)?;
                let none =
                    || Failure::of(&dataset.name, "has no budget in the policy that came into force last");
                let entry = deployment_entry(origin, &policy, dataset, &summary).ok_or_else(none)?;
                let text = lango_words::json_escaped(&serde_json::to_string_pretty(&entry)?);
                Ok(writeln!(out, "{text}")?)
            }
            ExportFormat::Html => {
                let summary = summary(folder, checkpoint.size)?;
                let region = VerifyingRegion::of(self.identity.as_deref(), folder)?;
                let verified = verify(folder, &region, (None, None), |_, _| {})?;
                let lines = verified.lines.iter().flat_map(ClaimLine::text).collect();
                let proof = PageProof { holds: verified.failed().next().is_none(), lines };
                let policy = policy(folder, &summary)?;
                let page = committee_page(origin, policy.as_ref(), &summary, &proof);
                Ok(out.write_all(page.as_bytes())?)
            }
        }
    }
}

impl AuditExport {
    /// The dataset that was named, or the only one.
    fn dataset_of<'p>(&self, policy: &'p PolicySet) -> Result<&'p Dataset, Failure> {
        let all = || policy.datasets.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match &self.dataset {
            Some(named) => {
                let found = policy.datasets.values().find(|dataset| dataset.name.as_str() == named);
                found.ok_or_else(|| {
                    let what = format!("the policy has no dataset `{}`: it has {}", foreign(named), all());
                    Failure::Usage(what)
                })
            }
            None => match policy.datasets.values().collect::<Vec<_>>().as_slice() {
                [one] => Ok(*one),
                _ => Err(Failure::Usage(format!("name one dataset with --dataset: {}", all()))),
            },
        }
    }
}

/// The policy that came into force last, and what the log comes to.
fn in_force(folder: &LogFolder, size: u64) -> Result<(PolicySet, LogSummary), Failure> {
    let summary = summary(folder, size)?;
    let none = || Failure::of(folder.path().display(), "holds no policy that came into force");
    Ok((policy(folder, &summary)?.ok_or_else(none)?, summary))
}

/// Writes a line for each entry.
fn lines(
    folder: &LogFolder,
    size: u64,
    out: &mut impl Write,
    mut line: impl FnMut(u64, &lango_access_log::LogEntry) -> Result<Vec<u8>, Failure>,
) -> Result<(), Failure> {
    let mut failed = None;
    read_entries(folder, size, 0, |number, entry| {
        let written = line(number, entry).and_then(|mut line| {
            line.push(b'\n');
            Ok(out.write_all(&line)?)
        });
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    Ok(out.flush()?)
}

fn summary(folder: &LogFolder, size: u64) -> Result<LogSummary, Failure> {
    let mut summary = LogSummary::default();
    read_entries(folder, size, 0, |_, entry| {
        summary.take(entry);
        ControlFlow::Continue(())
    })?;
    Ok(summary)
}

/// The policy that came into force last, where it is held.
fn policy(folder: &LogFolder, summary: &LogSummary) -> Result<Option<PolicySet>, Failure> {
    let Some(digest) = summary.policy else { return Ok(None) };
    let Some(documents) = folder.policy(&digest).and_then(|bytes| canonical_documents(&bytes)) else {
        return Ok(None);
    };
    Ok(Some(PolicySet::read(&documents)?))
}
