//! The shape of a policy file, before anything is checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use time::{Date, Month};
use toml::{Spanned, value::Datetime};

/// A policy file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub policy: Spanned<u32>,
    pub office: Spanned<String>,
    #[serde(default)]
    pub dataset: BTreeMap<Spanned<String>, DatasetTable>,
    #[serde(default)]
    pub budget: BTreeMap<Spanned<String>, BudgetTable>,
    #[serde(default)]
    pub grant: Vec<Spanned<GrantTable>>,
    #[serde(default)]
    pub test: Vec<Spanned<TestTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetTable {
    pub title: String,
    pub kind: DatasetKindText,
    pub source: String,
    pub table: String,
    pub version: Spanned<String>,
    pub group: Option<Spanned<String>>,
    pub unit: Spanned<UnitTable>,
    pub rows_below: Option<Spanned<u64>>,
    pub answer_grid_ms: Option<Spanned<u64>>,
    pub split: Option<SplitWord>,
    pub bounds_drop: Option<String>,
    #[serde(default)]
    pub missing: Vec<Spanned<String>>,
    #[serde(default)]
    pub derived: BTreeMap<Spanned<String>, Spanned<DerivedTable>>,
    pub column: BTreeMap<Spanned<String>, Spanned<ColumnTable>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DatasetKindText {
    Stock,
    Flow,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SplitWord {
    Total,
    Largest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitTable {
    pub column: String,
    pub from: Option<String>,
    pub noun: Spanned<String>,
    pub plural: Option<Spanned<String>>,
    pub rows_at_most: Spanned<u32>,
    pub cells_at_most: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnTable {
    pub from: Option<String>,
    pub codes: Option<Codes>,
    pub written_as: Option<Spanned<String>>,
    pub recode: Option<Spanned<Recode>>,
    pub missing: Option<Spanned<Vec<String>>>,
    pub case: Option<CaseWord>,
    pub integer: Option<[i64; 2]>,
    pub bands: Option<Bands>,
    pub amount: Option<[Number; 2]>,
    pub scale: Option<u32>,
    pub currency: Option<String>,
    #[serde(default, deserialize_with = "optional_dates")]
    pub date: Option<[Date; 2]>,
    pub time_zone: Option<Spanned<String>>,
    pub open: Option<bool>,
    pub typical: Option<Number>,
    pub bins: Option<Points>,
    pub candidates: Option<Points>,
}

/// A dimension made of another column's codes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DerivedTable {
    pub from: Spanned<String>,
    pub map: Spanned<String>,
    pub communities: Option<Spanned<Vec<String>>>,
    #[serde(default, deserialize_with = "optional_date")]
    pub on: Option<Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CaseWord {
    Ignore,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a table such as { \"1\" = \"M\" }, or the name of a file beside the policy"
)]
pub(crate) enum Recode {
    File(String),
    Listed(BTreeMap<String, String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a width, where each band begins, or for dates \"day\", \"month\" or \"year\""
)]
pub(crate) enum Bands {
    Width(u32),
    Listed(Vec<i64>),
    Span(SpanWord),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SpanWord {
    Day,
    Month,
    Year,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a step or an ascending list of numbers")]
pub(crate) enum Points {
    Every(Number),
    Listed(Vec<Number>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a list of codes or the name of a code list")]
pub(crate) enum Codes {
    Named(String),
    Listed(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetTable {
    pub accounting: Spanned<AccountingWord>,
    pub delta: Option<Spanned<Quantity>>,
    pub epsilon: Spanned<Quantity>,
    pub renews: RenewsWord,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AccountingWord {
    Pure,
    Zcdp,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RenewsWord {
    Never,
    Monthly,
    Quarterly,
    Yearly,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantTable {
    pub id: Spanned<String>,
    pub to: Spanned<Vec<Spanned<String>>>,
    pub purpose: Spanned<Vec<String>>,
    pub dataset: Spanned<String>,
    pub measures: Spanned<Vec<String>>,
    pub by: Spanned<Vec<String>>,
    pub by_at_most: u32,
    #[serde(default, rename = "where")]
    pub filters: Option<Spanned<Vec<String>>>,
    pub epsilon_per_query: Spanned<Quantity>,
    pub epsilon_total: Spanned<Quantity>,
    pub delta_per_query: Option<Spanned<Quantity>>,
    pub valid: Option<Spanned<ValidTable>>,
    pub publish: Spanned<Publish>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValidTable {
    #[serde(deserialize_with = "date")]
    pub from: Date,
    #[serde(deserialize_with = "date")]
    pub until: Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Publish {
    Office,
    Region,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestTable {
    pub query: Spanned<String>,
    #[serde(rename = "as")]
    pub principal: Spanned<String>,
    pub dataset: Option<Spanned<String>>,
    pub purpose: Option<String>,
    pub epsilon: Option<Quantity>,
    #[serde(default, deserialize_with = "optional_date")]
    pub on: Option<Date>,
    pub expect: Spanned<String>,
}

/// A decimal number, exactly as written in as many digits as a float keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity(pub lango_privacy::Decimal);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number that is not negative")]
        enum Number {
            Whole(u64),
            Float(f64),
        }
        // Rust prints the shortest decimal that reads back to the same float, without an exponent.
        let text = match Number::deserialize(deserializer)? {
            Number::Whole(whole) => whole.to_string(),
            Number::Float(float) => float.to_string(),
        };
        let refused = || D::Error::custom(format!("`{text}` is not a number that is not negative"));
        lango_privacy::Decimal::unsigned(&text).map(Self).ok_or_else(refused)
    }
}

/// A decimal number in the column's own unit, exactly as written in as many digits as a float keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number(pub lango_privacy::Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number")]
        enum Written {
            Whole(i64),
            Float(f64),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Whole(whole) => whole.to_string(),
            // Of two zeros only one is written.
            Written::Float(float) => (float + 0.0).to_string(),
        };
        let refused = || {
            D::Error::custom(format!("`{text}` is no number of at most 18 digits on each side of the point"))
        };
        lango_privacy::Decimal::minimal(&text).map(Self).ok_or_else(refused)
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    day_of(Datetime::deserialize(deserializer)).ok_or_else(not_a_day)
}

fn not_a_day<E: Error>() -> E {
    E::custom("expected a day such as 2026-12-31, without quotes and without a time")
}

fn day_of<E>(moment: Result<Datetime, E>) -> Option<Date> {
    let moment = moment.ok()?;
    let day = moment.date.filter(|_| moment.time.is_none() && moment.offset.is_none())?;
    let month = Month::try_from(day.month).ok()?;
    Date::from_calendar_date(i32::from(day.year), month, day.day).ok()
}

fn optional_dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[Date; 2]>, D::Error> {
    let [from, until] = <[Datetime; 2]>::deserialize(deserializer).map_err(|_| not_a_day())?;
    let day = |moment| day_of(Ok::<_, D::Error>(moment)).ok_or_else(not_a_day);
    Ok(Some([day(from)?, day(until)?]))
}

fn optional_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    date(deserializer).map(Some)
}
