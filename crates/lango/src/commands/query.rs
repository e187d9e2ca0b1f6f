//! `lango query run | estimate`: a question to many offices, or its price.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use lango_analyst::{Client, Enquiry};
use lango_privacy::{Decimal, Level, Measure, Price};

use super::serving;
use crate::{
    analyst::{
        ask,
        connection::Connection,
        evidence, names,
        precision::{PrecisionOf, Sought},
        prices::PriceList,
        question::{Offer, Parts, read_file},
        report::{AnswerReport, ROWS_SHOWN, Shown},
    },
    failure::Failure,
    output::{Format, counted, say},
};

#[derive(Debug, Subcommand)]
pub enum QueryCommand {
    /// Ask, pay and print the answer. The same question again is free.
    Run(Ask),
    /// Print the price and the expected error. Touches no data and charges nothing.
    Estimate(Ask),
}

#[derive(Debug, Args)]
pub struct Ask {
    /// A query file (TOML) in place of --dataset, --measure, --by, --where and --epsilon or --precision.
    #[arg(
        value_name = "FILE",
        conflicts_with_all = ["dataset", "measure", "by", "filter", "epsilon", "precision", "dataset_version"]
    )]
    file: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    /// Ask every member, as the coordinator lists them.
    #[arg(long, required_unless_present = "member", conflicts_with = "member")]
    all: bool,
    /// Ask these members: GHA,TGO.
    #[arg(long, value_name = "OFFICE", value_delimiter = ',')]
    member: Vec<String>,
    /// The dataset.
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    dataset: Option<String>,
    /// Insist on this version of the dataset.
    #[arg(long, value_name = "VERSION")]
    dataset_version: Option<String>,
    /// What to compute: persons (or what the dataset's units are called), rows, "rows(C)", "sum(C)", "mean(C)", "share(D)",
    /// "median(C)", "quantile(C,0.25,0.75)", "histogram(C)", "keys(C)". May be repeated.
    #[arg(long, value_name = "MEASURE", required_unless_present = "file")]
    measure: Vec<String>,
    /// By what: a comma list; `office` lays the answer out by office. May be repeated; none is the total.
    #[arg(long, value_name = "D1,D2")]
    by: Vec<String>,
    /// A condition: "sex = F", "sex in F,M", "age from 15 to 24". May be repeated.
    #[arg(long = "where", value_name = "CONDITION", id = "filter")]
    filter: Vec<String>,
    /// What the whole question may cost at each office.
    #[arg(long, value_name = "E", required_unless_present_any = ["file", "precision"], conflicts_with = "precision")]
    epsilon: Option<String>,
    /// How precise the answer shall be, in place of what it may cost: "50 at 95 % on persons by sex".
    #[arg(long, value_name = "WIDTH at CONFIDENCE")]
    precision: Option<String>,
    /// Whose figures are to be so precise: each office's own, or those of all offices that are asked, added up.
    #[arg(long, value_name = "WHOSE", value_enum, default_value = "office")]
    precision_of: PrecisionOf,
    /// What the answer is for, in the words of the offices' policies.
    #[arg(long, default_value = "official-statistics")]
    purpose: String,
    /// The confidence of the intervals.
    #[arg(long, value_name = "P", default_value = "0.95")]
    confidence: Level,
    /// Fail if fewer offices answer.
    #[arg(long, value_name = "N", default_value_t = 0)]
    at_least: u32,
    /// How many seconds an answer is waited for, all offices' together. What has come by then is printed.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = ask::TIME_MAX.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    timeout: u64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The most rows of a printed table; 0 prints all.
    #[arg(long, value_name = "N", default_value_t = ROWS_SHOWN)]
    rows: usize,
    /// Counts as whole numbers that are not negative and add up. Free: it comes after the noise.
    #[arg(long)]
    whole: bool,
    /// Keep what each office signed below this folder: the release's envelope, the entry of the office's log and the proof that
    /// it is there.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Below histograms, the quantiles of these shares: 0.25,0.5,0.75.
    #[arg(long, value_name = "Q1,Q2", value_delimiter = ',', value_parser = share)]
    quantiles: Vec<Decimal>,
}

/// A share strictly between 0 and 1.
fn share(text: &str) -> Result<Decimal, String> {
    let between =
        |share: &Decimal| share.scaled(18).is_some_and(|parts| (1..10i128.pow(18)).contains(&parts));
    Decimal::unsigned(text).filter(between).ok_or_else(|| format!("`{text}` is not a share between 0 and 1"))
}

impl QueryCommand {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Run(ask) => serving::runtime()?.block_on(ask.run()),
            Self::Estimate(ask) => serving::runtime()?.block_on(ask.estimate()),
        }
    }
}

impl Ask {
    fn read(&self) -> Result<Enquiry, Failure> {
        let offer =
            self.epsilon.as_deref().map(Offer::Epsilon).or(self.precision.as_deref().map(Offer::Precision));
        let draft = match (&self.file, &self.dataset, offer) {
            (Some(file), ..) => read_file(file)?,
            (None, Some(dataset), Some(price)) => {
                let version = self.dataset_version.as_deref();
                Parts {
                    dataset,
                    version,
                    measures: &self.measure,
                    by: &self.by,
                    filters: &self.filter,
                    price,
                }
                .read()?
            }
            _ => {
                return Err(Failure::Usage(
                    "name a query file, or --dataset and --epsilon or --precision".to_owned(),
                ));
            }
        };
        let histogram = |measure: &Measure| matches!(measure, Measure::Histogram(_));
        if !self.quantiles.is_empty() && !draft.query.measures.keys().any(histogram) {
            let message = "--quantiles are computed from histograms: ask for --measure \"histogram(C)\"";
            return Err(Failure::Usage(message.to_owned()));
        }
        Ok(Enquiry {
            query: draft.query,
            by_office: draft.by_office,
            purpose: draft.purpose.unwrap_or_else(|| self.purpose.clone()),
            at_least: self.at_least,
            level: self.confidence,
            members: self.member.clone(),
        })
    }

    /// The precision that is asked for; one of the region makes a finer one of the question's.
    async fn sought(&self, client: &Client, enquiry: &mut Enquiry) -> Result<Option<Sought>, Failure> {
        if self.precision_of == PrecisionOf::Office {
            return Ok(Sought::of(&mut enquiry.query, PrecisionOf::Office, 1));
        }
        if enquiry.by_office {
            let message = "--precision-of region is of figures added up: take `office` out of --by";
            return Err(Failure::Usage(message.to_owned()));
        }
        let offices = match enquiry.members.iter().collect::<BTreeSet<_>>().len() {
            0 => self.offices_with(client, enquiry).await?,
            named => named,
        };
        let sought = Sought::of(&mut enquiry.query, PrecisionOf::Region, offices);
        let missing = "--precision-of says whose precision is meant: name one with --precision";
        let sought = sought.ok_or_else(|| Failure::Usage(missing.to_owned()))?;
        match &enquiry.query.price {
            Price::Precision { half_width, measure, .. }
                if measure.counts() && half_width.floor_scaled(0) == Some(0) =>
            {
                Err(Failure::Usage(format!(
                    "of {offices} offices together that is a precision of {half_width} at each, and of a count none is finer \
                     than 1: ask for {} or more",
                    (offices as f64).sqrt().ceil()
                )))
            }
            Price::Precision { .. } | Price::Epsilon(_) => Ok(Some(sought)),
        }
    }

    /// How many offices have signed that they have the question's dataset. A list of members is the coordinator's alone: a long
    /// one would make every office's answer dear.
    async fn offices_with(&self, client: &Client, enquiry: &Enquiry) -> Result<usize, Failure> {
        let patience = Duration::from_secs(self.timeout);
        let dataset = enquiry.query.dataset.as_str();
        let offices = ask::catalogue(client, &[], Some(dataset), patience).await?.described.len();
        match offices {
            0 => Err(Failure::Failed(format!(
                "no office has said that it has `{dataset}`: name those that you mean with --member"
            ))),
            _ => Ok(offices),
        }
    }

    async fn run(self) -> Result<(), Failure> {
        let mut enquiry = self.read()?;
        let client = self.connection.open(Duration::from_secs(self.timeout)).await?;
        let sought = self.sought(&client, &mut enquiry).await?;
        let labels = names::check(&client, &enquiry).await?;
        let answered = ask::run(&client, &enquiry).await?;
        let remark = sought.map(|sought| sought.found(&answered));
        let quantiles = self.quantiles.clone();
        let shown = Shown { rows: self.rows, whole: self.whole, quantiles, labels, remark };
        AnswerReport(&answered).print(self.format, &shown)?;
        if let Some(dir) = &self.keep {
            let (folder, kept) = evidence::keep(&answered, dir)?;
            say(&format!("kept what {} signed in {}", counted(kept, "office"), folder.display()));
        }
        let count = answered.coverage.answered.len();
        if count == 0 {
            return Err(Failure::Failed("no office answered".to_owned()));
        }
        if count < answered.at_least as usize {
            return Err(Failure::Failed(format!(
                "{} answered, --at-least {} asks for more",
                counted(count, "office"),
                answered.at_least
            )));
        }
        Ok(())
    }

    async fn estimate(self) -> Result<(), Failure> {
        if self.keep.is_some() {
            return Err(Failure::Usage(
                "--keep is of answers: a price has no entry that proves anything".to_owned(),
            ));
        }
        let mut enquiry = self.read()?;
        let client = self.connection.open(Duration::from_secs(self.timeout)).await?;
        let sought = self.sought(&client, &mut enquiry).await?;
        let prices = ask::price(&client, &enquiry).await?;
        if prices.priced.is_empty() {
            names::check(&client, &enquiry).await?;
        }
        let remark = sought.map(|sought| sought.foreseen(&prices));
        PriceList { prices: &prices, remark }.print(self.format)?;
        if prices.priced.is_empty() {
            Err(Failure::Failed("no office named a price".to_owned()))
        } else {
            Ok(())
        }
    }
}
