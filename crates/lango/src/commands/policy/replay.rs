//! `lango policy replay`: what a proposed policy would have made of the questions on record.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use clap::Args;
use lango_gateway::policy_digest;
use lango_identity::{PayloadType, digest};
use lango_policy::{AccessRequest, PolicySet, ReplayChange, Replayed};
use lango_privacy::Query;
use lango_store::{Entry, Examined};
use time::Date;

use super::loaded;
use crate::{
    clock::{day, today},
    commands::serving,
    config::{GatewayFile, read_toml},
    failure::Failure,
    output::Format,
};

mod report;

use report::ReplayReport;

#[derive(Debug, Args)]
pub struct PolicyReplay {
    /// The proposed policy: a folder with policy files, or one file.
    #[arg(value_name = "NEW_FOLDER")]
    new: PathBuf,
    /// The gateway's configuration file, which says where its record and its policy are.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The number of questions at most, the newest. A question and its answer are one, however many records they have.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    last: u32,
    /// The day (UTC) on which both policies decide, such as 2026-12-31; today by default.
    #[arg(long, value_name = "DAY", value_parser = day)]
    on: Option<Date>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Records that are read at a time: a question's text may be long.
const RECORDS_AT_ONCE: u32 = 1_000;

/// Why a question on record is not decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unreplayed {
    /// Its text was too long to be kept whole.
    TooLong,
    /// It was recorded before texts were kept.
    NotKept,
    /// It is no question that this version reads, and was refused as such.
    Unread,
}

/// A question on record that the proposed policy decides otherwise.
pub struct Changed<'a> {
    pub entry: Entry,
    pub query: Query,
    pub replayed: Replayed<'a>,
    pub change: ReplayChange,
}

/// What a proposed policy makes of the questions on record.
pub struct Replay<'a> {
    pub before: &'a PolicySet,
    pub proposed: &'a PolicySet,
    pub on: Date,
    /// How many there are, those that are not decided again among them.
    pub questions: usize,
    /// When the first and the last was asked, in Unix seconds.
    pub asked: Option<(i64, i64)>,
    /// Those that are decided otherwise, newest first.
    pub changed: Vec<Changed<'a>>,
    /// Those that are not decided again, by their numbers.
    pub unreplayed: BTreeMap<Unreplayed, Vec<i64>>,
    /// How many are of each dataset that the proposed policy does not have.
    pub gone: BTreeMap<String, usize>,
    /// Refusals that were not recorded, for there were too many.
    pub left_out: u64,
    /// Whether the policy in the gateway's folder is the one that decided last.
    pub is_in_force: bool,
}

impl PolicyReplay {
    pub fn run(&self) -> Result<(), Failure> {
        let file: GatewayFile =
            read_toml(&self.config).map_err(|failure| Failure::Usage(failure.to_string()))?;
        let folder = file.policy_folder(&self.config);
        let (before, proposed) = (loaded(&folder)?, loaded(&self.new)?);
        let on = self.on.map_or_else(today, Ok)?;
        let replay = serving::runtime()?.block_on(async {
            let mut store = file.readable_store(&self.config).await?;
            let mut replay = Replay::new(&before, &proposed, on);
            replay.is_in_force = is_in_force(&file, &self.config, &store);
            replay.all(&mut store, self.last).await?;
            Ok::<_, Failure>(replay)
        })?;
        let report = ReplayReport::of(&replay);
        report.print(self.format)?;
        match replay.changed.len() {
            0 => Ok(()),
            _ => Err(Failure::Failed(format!("questions are decided otherwise: {}", report.counts()))),
        }
    }
}

fn is_in_force(file: &GatewayFile, config: &Path, store: &Examined) -> bool {
    let digest = file.policies(config).ok().map(|read| policy_digest(&read));
    store.last_policy.is_none() || store.last_policy == digest
}

impl<'a> Replay<'a> {
    fn new(before: &'a PolicySet, proposed: &'a PolicySet, on: Date) -> Self {
        Self {
            before,
            proposed,
            on,
            questions: 0,
            asked: None,
            changed: Vec::new(),
            unreplayed: BTreeMap::new(),
            gone: BTreeMap::new(),
            left_out: 0,
            is_in_force: true,
        }
    }

    /// Decides the last questions of a store again.
    async fn all(&mut self, store: &mut Examined, last: u32) -> Result<(), Failure> {
        let (mut requests, mut before, mut first) = (HashSet::new(), i64::MAX, i64::MAX);
        'all: loop {
            let page = store.questions(before, RECORDS_AT_ONCE).await?;
            let Some(oldest) = page.last() else { break };
            before = oldest.sequence;
            for entry in page {
                // The newest record of a request says how it ended.
                if requests.contains(&entry.request_digest) {
                    continue;
                }
                if requests.len() == last as usize {
                    break 'all;
                }
                requests.insert(entry.request_digest);
                first = entry.sequence;
                self.question(entry);
            }
        }
        self.left_out = store.left_out(first).await?;
        Ok(())
    }

    fn question(&mut self, entry: Entry) {
        self.questions += 1;
        let (first, last) = self.asked.unwrap_or((entry.at, entry.at));
        self.asked = Some((first.min(entry.at), last.max(entry.at)));
        let read = read(&entry).and_then(|query| {
            let principal = entry.principal.parse().map_err(|_| Unreplayed::Unread)?;
            Ok((query, principal))
        });
        let (query, principal) = match read {
            Ok(read) => read,
            Err(why) => return self.unreplayed.entry(why).or_default().push(entry.sequence),
        };
        if !self.proposed.datasets.contains_key(&query.dataset) {
            *self.gone.entry(query.dataset.to_string()).or_default() += 1;
        }
        let asked = AccessRequest {
            principal: &principal,
            // A look-up has none, and fits every one.
            purpose: Some(entry.purpose.as_str()).filter(|purpose| !purpose.is_empty()),
            on: Some(self.on),
            epsilon_nano: None,
        };
        let replayed = self.before.replay(self.proposed, &asked, &query);
        if let Some(change) = replayed.change {
            self.changed.push(Changed { entry, query, replayed, change });
        }
    }

    /// How many changes there are of each kind.
    pub fn counts(&self) -> impl Iterator<Item = (ReplayChange, usize)> {
        let of = |kind| self.changed.iter().filter(|changed| changed.change == kind).count();
        ReplayChange::ALL.into_iter().map(move |kind| (kind, of(kind)))
    }

    /// How many are decided as before.
    pub fn alike(&self) -> usize {
        let unreplayed: usize = self.unreplayed.values().map(Vec::len).sum();
        self.questions - unreplayed - self.changed.len()
    }

    /// Who asked some questions, each once.
    pub fn askers<'q>(changed: &[&'q Changed<'_>]) -> BTreeSet<&'q str> {
        changed.iter().map(|changed| changed.entry.principal.as_str()).collect()
    }
}

/// The question of a record.
fn read(entry: &Entry) -> Result<Query, Unreplayed> {
    let text = entry.query.as_deref().ok_or(Unreplayed::NotKept)?;
    if entry.query_digest != Some(digest(PayloadType::Text, text.as_bytes())) {
        return Err(Unreplayed::TooLong);
    }
    Query::from_canonical(text).map_err(|_| Unreplayed::Unread)
}
