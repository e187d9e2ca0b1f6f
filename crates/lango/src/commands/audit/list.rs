//! `lango audit list`: the entries that an auditor looks for, of one office's log or of several.

use std::{collections::BTreeSet, ops::ControlFlow, path::PathBuf};

use clap::Args;
use lango_audit::{EntryFilter, ListedEntry};
use lango_privacy::Decimal;
use serde::Serialize;
use time::Date;

use crate::{
    audit::{folder::LogFolder, read::read_entries},
    clock::day,
    commands::entries::{TextEntry, entries, in_region, minute, price, question_below, words_below},
    failure::Failure,
    output::{Format, foreign, report, say},
};

#[derive(Debug, Args)]
pub struct AuditList {
    /// The folders that hold the logs: one or more.
    #[arg(value_name = "DIR", default_value = ".")]
    dirs: Vec<PathBuf>,
    /// From this day on, such as 2026-07-01 (UTC).
    #[arg(long, value_name = "DAY", value_parser = day)]
    since: Option<Date>,
    /// Up to this day, which is included (UTC).
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<Date>,
    /// Of this principal alone: spiffe://REGION/ROLE/NAME, ROLE/NAME or NAME.
    #[arg(long, value_name = "IDENTITY")]
    principal: Option<String>,
    /// For this purpose alone.
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// Of this dataset alone.
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// With one of these decisions alone, such as released,repeated,refused; or what else happened, such as activated.
    #[arg(long = "decision", value_name = "WORDS", value_delimiter = ',')]
    decisions: Vec<String>,
    /// By this grant, or this refusal of the policy, alone.
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// With this code of a refusal, or other reason, alone.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// What was charged at least this epsilon alone.
    #[arg(long, value_name = "EPSILON", value_parser = epsilon)]
    least: Option<u64>,
    /// The entry to begin with, by its number: what a page before ended with says it.
    #[arg(long, value_name = "ENTRY", default_value_t = 0)]
    from: u64,
    /// The number of entries of each log at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    most: u32,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// An epsilon in billionths.
fn epsilon(text: &str) -> Result<u64, String> {
    let billionths = Decimal::unsigned(text).and_then(|decimal| decimal.scaled(9));
    billionths.and_then(|nano| u64::try_from(nano).ok()).ok_or_else(|| "an epsilon, such as 0.5".to_owned())
}

/// A question's text on one line, as a cell of a spreadsheet holds it.
pub(super) fn one_line(question: &str) -> String {
    question.trim_end().replace('\n', "; ")
}

/// An entry as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// Whose log it is of.
    pub office: String,
    /// UTC.
    pub time: String,
    #[serde(flatten)]
    pub listed: ListedEntry,
}

impl AuditList {
    pub fn run(self) -> Result<(), Failure> {
        let start = |day: Date| day.midnight().assume_utc().unix_timestamp();
        let filter = EntryFilter {
            since: self.since.map(start),
            until: self.until.map(|day| start(day).saturating_add(86_400)),
            principal: self.principal.clone(),
            purpose: self.purpose.clone(),
            dataset: self.dataset.clone(),
            decisions: self.decisions.clone(),
            rule: self.rule.clone(),
            reason: self.reason.clone(),
            least_nano: self.least,
        };
        let (mut lines, mut words) = (Vec::new(), self.words());
        for dir in &self.dirs {
            self.list(&LogFolder::new(dir), &filter, (&mut lines, &mut words))?;
        }
        if lines.is_empty() {
            words.iter().filter_map(SearchedWord::unknown).for_each(|unknown| say(&unknown));
        }
        if self.format == Format::Csv {
            lines
                .iter_mut()
                .for_each(|line| line.listed.question = line.listed.question.as_deref().map(one_line));
        }
        report(self.format, &lines, |lines| shown(lines, self.dirs.len() > 1))
    }

    /// The words that entries are searched by, each of which may be none that a log has.
    fn words(&self) -> Vec<SearchedWord> {
        let word = |field, of: FieldOf, word: &Option<String>| {
            word.iter().map(|word| SearchedWord::new(field, of, word)).collect::<Vec<_>>()
        };
        let decisions = self.decisions.iter();
        let decisions = decisions.map(|word| SearchedWord::new("decision", |of| Some(&of.decision), word));
        decisions
            .chain(word("purpose", |of| Some(&of.purpose), &self.purpose))
            .chain(word("dataset", |of| of.dataset.as_ref(), &self.dataset))
            .chain(word("rule", |of| of.rule.as_ref(), &self.rule))
            .chain(word("reason", |of| Some(&of.reason), &self.reason))
            .collect()
    }

    fn list(
        &self,
        folder: &LogFolder,
        filter: &EntryFilter,
        (lines, words): (&mut Vec<Line>, &mut [SearchedWord]),
    ) -> Result<(), Failure> {
        let held = folder.held()?;
        let checkpoint = held.unverified();
        let office = checkpoint.origin.rsplit('/').next().unwrap_or_default().to_owned();
        let (mut left, mut next, mut failed) = (self.most, None, None);
        read_entries(folder, checkpoint.size, self.from, |number, entry| {
            let listed = ListedEntry::of(number, entry);
            words.iter_mut().for_each(|word| word.take(&listed));
            if !filter.takes(&listed) {
                return ControlFlow::Continue(());
            }
            if left == 0 {
                next = Some(number);
                return ControlFlow::Break(());
            }
            left -= 1;
            match minute(listed.at) {
                Ok(time) => lines.push(Line { office: office.clone(), time, listed }),
                Err(failure) => {
                    failed = Some(failure);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(next) = next {
            say(&format!("there are more entries of {office}: --from {next}"));
        }
        failed.map_or(Ok(()), Err)
    }
}

/// A field of an entry.
type FieldOf = fn(&ListedEntry) -> Option<&String>;

/// A word that entries are searched by, and what the logs have in its place.
struct SearchedWord {
    field: &'static str,
    of: FieldOf,
    word: String,
    found: BTreeSet<String>,
}

impl SearchedWord {
    /// The most words that are named in place of one that no log has.
    const NAMED_MOST: usize = 20;

    fn new(field: &'static str, of: FieldOf, word: &str) -> Self {
        Self { field, of, word: word.to_owned(), found: BTreeSet::new() }
    }

    fn take(&mut self, listed: &ListedEntry) {
        let Some(found) = (self.of)(listed).filter(|found| !found.is_empty()) else { return };
        if *found == self.word || self.found.len() < Self::NAMED_MOST {
            self.found.insert(found.clone());
        }
    }

    /// What to say where no log has it.
    fn unknown(&self) -> Option<String> {
        let Self { field, word, found, .. } = self;
        let others = || found.iter().map(|one| format!("`{}`", foreign(one))).collect::<Vec<_>>().join(", ");
        let there = if found.is_empty() { "none".to_owned() } else { others() };
        (!found.contains(word))
            .then(|| format!("no entry has the {field} `{}`; there are {there}", foreign(word)))
    }
}

/// The entries, each with its question below it.
pub(super) fn shown(lines: &[Line], are_several: bool) -> String {
    let shown = |line: &Line| {
        let mut below = words_below(&why(&line.listed));
        below.extend(question_below(line.listed.question.as_deref().unwrap_or_default()));
        if line.listed.left_out > 0 {
            below.push(format!(
                "before it {} refusals were not recorded, for there were too many",
                line.listed.left_out
            ));
        }
        TextEntry { head: head(line, are_several), below }
    };
    let shown: Vec<_> = lines.iter().map(shown).collect();
    if lines.is_empty() { "no entry meets these conditions".to_owned() } else { entries(&shown) }
}

/// What there is to say of it, the grant and the agreement.
fn why(listed: &ListedEntry) -> String {
    let reason = Some(listed.reason.clone()).filter(|reason| !reason.is_empty());
    let by = listed.rule.as_ref().map(|rule| format!("by {rule}"));
    let under = listed.agreement.as_ref().map(|agreement| format!("under {agreement}"));
    [reason, by, under].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Which, when, who, for what, what came of it, and the price.
fn head(line: &Line, are_several: bool) -> [String; 6] {
    let Line { office, time, listed } = line;
    let number =
        if are_several { format!("{} {}", foreign(office), listed.entry) } else { listed.entry.to_string() };
    let charged = match &listed.rho {
        Some(rho) => price(listed.epsilon.as_deref(), rho),
        None => String::new(),
    };
    let purpose = foreign(&listed.purpose);
    [number, time.clone(), in_region(&listed.principal), purpose, foreign(&listed.decision), charged]
}
