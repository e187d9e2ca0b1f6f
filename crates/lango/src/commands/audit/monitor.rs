//! `lango audit monitor`: follows logs that were fetched, and says what is new.

use std::{collections::BTreeMap, ops::ControlFlow, path::PathBuf, time::Duration};

use clap::Args;
use lango_audit::{EntryFilter, ListedEntry};

use super::list::{Line, shown};
use crate::{
    audit::{fetch::fetch, folder::LogFolder, office::AuditedOffice, read::read_entries},
    commands::{entries::minute, serving},
    failure::Failure,
    output::{count, foreign, print, say},
};

#[derive(Debug, Args)]
pub struct AuditMonitor {
    /// The folders that hold the logs: each was fetched before from a gateway or a coordinator.
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
    /// The folder with the auditor's keys and certificates.
    #[arg(long, value_name = "DIR", env = "LANGO_IDENTITY")]
    identity: PathBuf,
    /// How long to wait between two fetches: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    every: Duration,
    /// Fetch once, and end: with success only if every log goes on.
    #[arg(long, conflicts_with = "every")]
    once: bool,
    /// Print the new entries of this principal: spiffe://REGION/ROLE/NAME, ROLE/NAME or NAME. May be repeated.
    #[arg(long = "principal", value_name = "IDENTITY")]
    principals: Vec<String>,
    /// Print the new entries for this purpose. May be repeated.
    #[arg(long = "purpose", value_name = "PURPOSE")]
    purposes: Vec<String>,
    /// Print the new entries by this grant, or this refusal of the policy. May be repeated.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
}

/// A time of at least a second.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "a number with s, m, h or d, such as 1h".to_owned();
    let (at, unit) = text.char_indices().next_back().ok_or_else(wrong)?;
    let number: u32 = text.get(..at).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let time = Duration::from_secs(u64::from(number) * seconds);
    if time.is_zero() { Err(wrong()) } else { Ok(time) }
}

impl AuditMonitor {
    pub fn run(self) -> Result<(), Failure> {
        let folders: Vec<LogFolder> = self.dirs.iter().map(|dir| LogFolder::new(dir)).collect();
        for folder in &folders {
            folder.held()?;
        }
        let filters = self.filters();
        serving::runtime()?.block_on(async {
            loop {
                let mut failed = 0_usize;
                for folder in &folders {
                    if let Err(failure) = self.follow(folder, &filters).await {
                        failed += 1;
                        say(&failure.to_string());
                    }
                }
                match (self.once, failed) {
                    (true, 0) => return Ok(()),
                    (true, failed) => {
                        let all = folders.len();
                        return Err(Failure::Failed(format!("{failed} of {all} logs could not be followed")));
                    }
                    (false, _) => tokio::time::sleep(self.every).await,
                }
            }
        })
    }

    /// What is searched for: an entry that meets one of them is printed.
    fn filters(&self) -> Vec<EntryFilter> {
        let some = |value: &String| Some(value.clone());
        let principals =
            self.principals.iter().map(|of| EntryFilter { principal: some(of), ..EntryFilter::default() });
        let purposes =
            self.purposes.iter().map(|of| EntryFilter { purpose: some(of), ..EntryFilter::default() });
        let rules = self.rules.iter().map(|of| EntryFilter { rule: some(of), ..EntryFilter::default() });
        principals.chain(purposes).chain(rules).collect()
    }

    /// Fetches what is new of a log, and says what it is.
    async fn follow(&self, folder: &LogFolder, filters: &[EntryFilter]) -> Result<(), Failure> {
        let held = folder.held()?.unverified().size;
        // What was fetched and not yet said, because a run was stopped or somebody fetched by hand, is new still.
        let before = folder.monitored()?.unwrap_or(held).min(held);
        folder.write_monitored(before)?;
        let mut office = AuditedOffice::again(folder, &self.identity).await?;
        fetch(&mut office, folder).await?;
        let held = folder.held()?;
        let checkpoint = held.unverified();
        let name = checkpoint.origin.rsplit('/').next().unwrap_or_default().to_owned();
        let (mut decisions, mut lines, mut failed) = (BTreeMap::<String, u64>::new(), Vec::new(), None);
        read_entries(folder, checkpoint.size, before, |number, entry| {
            let listed = ListedEntry::of(number, entry);
            *decisions.entry(listed.decision.clone()).or_default() += 1;
            if !filters.iter().any(|filter| filter.takes(&listed)) {
                return ControlFlow::Continue(());
            }
            match minute(listed.at) {
                Ok(time) => lines.push(Line { office: name.clone(), time, listed }),
                Err(failure) => {
                    failed = Some(failure);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(failure) = failed {
            return Err(failure);
        }
        let counted =
            |(decision, number): (&String, &u64)| format!("{} {}", count(*number), foreign(decision));
        let counts: Vec<String> = decisions.iter().map(counted).collect();
        say(&format!(
            "{}: new {}",
            foreign(&name),
            if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
        ));
        if !lines.is_empty() {
            print(&shown(&lines, true))?;
        }
        folder.write_monitored(checkpoint.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_is_not_nothing() {
        for (text, seconds) in
            [("1h", Some(3_600)), ("90s", Some(90)), ("2d", Some(172_800)), ("30m", Some(1_800))]
        {
            assert_eq!(time(text).ok().map(|time| time.as_secs()), seconds, "{text}");
        }
        for text in ["", "h", "1", "0s", "-1h", "1.5h", "1w", "99999999999h"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
