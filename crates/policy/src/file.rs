//! The shape of a policy file, before anything is checked. Tables whose parts are checked one by one hold nothing where a part is
//! wrong; the others are there whole or not at all.

use std::collections::BTreeMap;

use lango_document::{DiagnosticCode, FromDocument, ValueForm, WrittenValue, table};
use lango_privacy::{DatasetKind, Decimal, Objective, Span};
use time::{Date, Month};
use toml::{Spanned, value::Datetime};

use crate::budget::Renewal;

/// Tables by the names that the author chose.
pub(crate) type Named<T> = BTreeMap<Spanned<String>, Option<T>>;

/// A policy file.
#[derive(Debug)]
pub(crate) struct File {
    pub policy: Option<Spanned<u32>>,
    pub office: Option<Spanned<String>>,
    pub code_list: Named<CodeListTable>,
    pub dataset: Named<DatasetTable>,
    pub budget: Named<BudgetTable>,
    pub grant: Vec<Spanned<GrantTable>>,
    pub refusal: Vec<Spanned<RefusalTable>>,
    pub test: Vec<Spanned<TestTable>>,
}

impl FromDocument for File {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let mut keys = written.keys("a policy file")?;
        let file = Self {
            policy: keys.required_as("policy", "2"),
            office: keys.required("office"),
            code_list: keys.or_default("code_list").unwrap_or_default(),
            dataset: keys.or_default("dataset").unwrap_or_default(),
            budget: keys.or_default("budget").unwrap_or_default(),
            grant: keys.or_default("grant").unwrap_or_default(),
            refusal: keys.or_default("refusal").unwrap_or_default(),
            test: keys.or_default("test").unwrap_or_default(),
        };
        keys.end();
        Some(file)
    }
}

/// Codes that datasets name: listed, or in a file beside the policy.
#[derive(Debug)]
pub(crate) struct CodeListTable {
    pub codes: Option<Spanned<Vec<Spanned<String>>>>,
    pub file: Option<Spanned<String>>,
}

table!(CodeListTable => "a code list" { optional codes "codes", optional file "file" });

/// A key that may be left out: nothing where it is wrong.
pub(crate) type Optional<T> = Option<Option<T>>;

#[derive(Debug)]
pub(crate) struct DatasetTable {
    pub title: Option<String>,
    pub kind: Option<DatasetKind>,
    pub source: Option<Spanned<String>>,
    pub table: Option<String>,
    pub version: Option<Spanned<String>>,
    pub group: Optional<Spanned<String>>,
    pub unit: Option<Spanned<UnitTable>>,
    pub rows_below: Optional<Spanned<u64>>,
    pub answer_grid_ms: Optional<Spanned<u64>>,
    pub split: Optional<SplitWord>,
    pub bounds_drop: Optional<String>,
    pub missing: Option<Vec<Spanned<String>>>,
    pub derived: Option<Named<Spanned<DerivedTable>>>,
    pub column: Option<Named<Spanned<ColumnTable>>>,
}

impl FromDocument for DatasetTable {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let mut keys = written.keys("a dataset")?;
        let table = Self {
            title: keys.required("title"),
            kind: keys.required::<KindWord>("kind").map(|kind| kind.0),
            source: keys.required("source"),
            table: keys.required("table"),
            version: keys.required("version"),
            group: keys.optional("group"),
            unit: keys.required("unit"),
            rows_below: keys.optional("rows_below"),
            answer_grid_ms: keys.optional("answer_grid_ms"),
            split: keys.optional("split"),
            bounds_drop: keys.optional("bounds_drop"),
            missing: keys.or_default("missing"),
            derived: keys.or_default("derived"),
            column: keys.required("column"),
        };
        keys.end();
        Some(table)
    }
}

/// Words that stand for values of a type.
macro_rules! words {
    ($type:ty { $($word:literal => $value:expr),* $(,)? }) => {
        impl FromDocument for $type {
            const FORM: ValueForm = ValueForm::Text;

            fn read(written: &WrittenValue<'_>) -> Option<Self> {
                written.word(&[$(($word, $value)),*])
            }
        }
    };
}

#[derive(Debug, Clone, Copy)]
struct KindWord(DatasetKind);

words!(KindWord { "stock" => KindWord(DatasetKind::Stock), "flow" => KindWord(DatasetKind::Flow) });

#[derive(Debug, Clone, Copy)]
pub(crate) struct SplitWord(pub Objective);

words!(SplitWord { "total" => SplitWord(Objective::Sum), "largest" => SplitWord(Objective::Largest) });

#[derive(Debug)]
pub(crate) struct UnitTable {
    pub column: String,
    pub from: Option<String>,
    pub noun: Spanned<String>,
    pub plural: Option<Spanned<String>>,
    pub rows_at_most: Spanned<u32>,
    pub cells_at_most: Option<Spanned<u32>>,
}

table!(UnitTable => "a unit" {
    required column "column",
    optional from "from",
    required noun "noun",
    optional plural "plural",
    required rows_at_most "rows_at_most",
    optional cells_at_most "cells_at_most",
});

#[derive(Debug)]
pub(crate) struct ColumnTable {
    pub from: Option<String>,
    pub codes: Option<Spanned<Codes>>,
    pub written_as: Option<Spanned<String>>,
    pub recode: Option<Spanned<Recode>>,
    pub missing: Option<Spanned<Vec<String>>>,
    pub case: Option<Spanned<CaseWord>>,
    pub integer: Option<Spanned<[i64; 2]>>,
    pub bands: Option<Spanned<Bands>>,
    pub amount: Option<Spanned<[Number; 2]>>,
    pub scale: Option<Spanned<u32>>,
    pub currency: Option<String>,
    pub date: Option<Spanned<[Day; 2]>>,
    pub time_zone: Option<Spanned<String>>,
    pub open: Option<Spanned<bool>>,
    pub typical: Option<Spanned<Number>>,
    pub bins: Option<Spanned<Points>>,
    pub candidates: Option<Spanned<Points>>,
}

table!(ColumnTable => "a column" {
    optional from "from",
    optional codes "codes",
    optional written_as "written_as",
    optional recode "recode",
    optional missing "missing",
    optional case "case",
    optional integer "integer",
    optional bands "bands",
    optional amount "amount",
    optional scale "scale",
    optional currency "currency",
    optional date "date",
    optional time_zone "time_zone",
    optional open "open",
    optional typical "typical",
    optional bins "bins",
    optional candidates "candidates",
});

/// A dimension made of another column's codes.
#[derive(Debug)]
pub(crate) struct DerivedTable {
    pub from: Spanned<String>,
    pub map: Spanned<String>,
    pub communities: Option<Spanned<Vec<String>>>,
    pub on: Option<Spanned<Day>>,
}

table!(DerivedTable => "a derived column" {
    required from "from",
    required map "map",
    optional communities "communities",
    optional on "on",
});

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseWord {
    Ignore,
}

words!(CaseWord { "ignore" => CaseWord::Ignore });

#[derive(Debug)]
pub(crate) enum Recode {
    File(String),
    Listed(BTreeMap<String, String>),
}

impl FromDocument for Recode {
    const FORM: ValueForm =
        ValueForm::Either("a table such as { \"1\" = \"M\" }, or the name of a file beside the policy");

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        match written.text() {
            Some(name) => Some(Self::File(name.to_owned())),
            None if written.is_table() => BTreeMap::read(written).map(Self::Listed),
            None => written.wrong(Self::FORM),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bands {
    Width(u32),
    Listed(Vec<i64>),
    Span(Span),
}

impl FromDocument for Bands {
    const FORM: ValueForm = ValueForm::Either(
        "a width, the list of where each band begins, or for dates \"day\", \"month\" or \"year\"",
    );

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        if written.text().is_some() {
            let words = [("day", Span::Day), ("month", Span::Month), ("year", Span::Year)];
            written.word(&words).map(Self::Span)
        } else if written.is_list() {
            Vec::read(written).map(Self::Listed)
        } else if written.whole().is_some() {
            u32::read(written).map(Self::Width)
        } else {
            written.wrong(Self::FORM)
        }
    }
}

#[derive(Debug)]
pub(crate) enum Points {
    Every(Number),
    Listed(Vec<Number>),
}

impl FromDocument for Points {
    const FORM: ValueForm = ValueForm::Either("a step, or an ascending list of numbers");

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        if written.is_list() {
            Vec::read(written).map(Self::Listed)
        } else if written.decimal().is_some() {
            Number::read(written).map(Self::Every)
        } else {
            written.wrong(Self::FORM)
        }
    }
}

#[derive(Debug)]
pub(crate) enum Codes {
    Named(String),
    Listed(Vec<Spanned<String>>),
}

impl FromDocument for Codes {
    const FORM: ValueForm = ValueForm::Either("a list of codes, or the name of a code list");

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        if written.text().is_some() {
            String::read(written).map(Self::Named)
        } else if written.is_list() {
            Vec::read(written).map(Self::Listed)
        } else {
            written.wrong(Self::FORM)
        }
    }
}

#[derive(Debug)]
pub(crate) struct BudgetTable {
    pub accounting: Option<Spanned<AccountingWord>>,
    pub delta: Optional<Spanned<Quantity>>,
    pub epsilon: Option<Spanned<Quantity>>,
    pub renews: Option<Renewal>,
}

impl FromDocument for BudgetTable {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let mut keys = written.keys("a budget")?;
        let table = Self {
            accounting: keys.required("accounting"),
            delta: keys.optional("delta"),
            epsilon: keys.required("epsilon"),
            renews: keys.required("renews"),
        };
        keys.end();
        Some(table)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum AccountingWord {
    Pure,
    Zcdp,
}

words!(AccountingWord { "pure" => AccountingWord::Pure, "zcdp" => AccountingWord::Zcdp });

words!(Renewal {
    "never" => Renewal::Never,
    "monthly" => Renewal::Monthly,
    "quarterly" => Renewal::Quarterly,
    "yearly" => Renewal::Yearly,
});

#[derive(Debug)]
pub(crate) struct GrantTable {
    pub id: Option<Spanned<String>>,
    pub to: Option<Spanned<Vec<Spanned<String>>>>,
    pub purpose: Option<Spanned<Vec<String>>>,
    pub dataset: Option<Spanned<String>>,
    pub measures: Option<Spanned<Vec<Spanned<String>>>>,
    pub by: Option<Spanned<Vec<Spanned<String>>>>,
    pub by_at_most: Option<Spanned<u32>>,
    pub filters: Optional<Spanned<Vec<Spanned<String>>>>,
    pub epsilon_per_query: Option<Spanned<Quantity>>,
    pub epsilon_total: Option<Spanned<Quantity>>,
    pub delta_per_query: Optional<Spanned<Quantity>>,
    pub valid: Optional<Spanned<ValidTable>>,
    pub agreement: Optional<Spanned<String>>,
    pub publish: Option<Spanned<Publish>>,
}

impl FromDocument for GrantTable {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let mut keys = written.keys("a grant")?;
        let table = Self {
            id: keys.required("id"),
            to: keys.required("to"),
            purpose: keys.required("purpose"),
            dataset: keys.required("dataset"),
            measures: keys.required("measures"),
            by: keys.required("by"),
            by_at_most: keys.required("by_at_most"),
            filters: keys.optional("where"),
            epsilon_per_query: keys.required("epsilon_per_query"),
            epsilon_total: keys.required("epsilon_total"),
            delta_per_query: keys.optional("delta_per_query"),
            valid: keys.optional("valid"),
            agreement: keys.optional("agreement"),
            publish: keys.required("publish"),
        };
        keys.end();
        Some(table)
    }
}

#[derive(Debug)]
pub(crate) struct RefusalTable {
    pub id: Option<Spanned<String>>,
    pub to: Optional<Spanned<Vec<Spanned<String>>>>,
    pub purpose: Optional<Spanned<Vec<String>>>,
    pub dataset: Optional<Spanned<String>>,
    pub columns: Optional<Spanned<Vec<Spanned<String>>>>,
    pub codes: Optional<Spanned<Named<Vec<Spanned<String>>>>>,
}

impl FromDocument for RefusalTable {
    const FORM: ValueForm = ValueForm::Table;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let mut keys = written.keys("a refusal")?;
        let table = Self {
            id: keys.required("id"),
            to: keys.optional("to"),
            purpose: keys.optional("purpose"),
            dataset: keys.optional("dataset"),
            columns: keys.optional("columns"),
            codes: keys.optional("codes"),
        };
        keys.end();
        Some(table)
    }
}

#[derive(Debug)]
pub(crate) struct ValidTable {
    pub from: Day,
    pub until: Day,
}

table!(ValidTable => "`valid`" { required from "from", required until "until" });

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publish {
    Office,
    Region,
}

words!(Publish { "office" => Publish::Office, "region" => Publish::Region });

#[derive(Debug)]
pub(crate) struct TestTable {
    pub query: Spanned<String>,
    pub principal: Spanned<String>,
    pub dataset: Option<Spanned<String>>,
    pub purpose: Option<String>,
    pub epsilon: Option<Quantity>,
    pub on: Option<Day>,
    pub expect: Spanned<String>,
}

table!(TestTable => "a test" {
    required query "query",
    required principal "as",
    optional dataset "dataset",
    optional purpose "purpose",
    optional epsilon "epsilon",
    optional on "on",
    required expect "expect",
});

/// A decimal number, exactly as written in as many digits as a float keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity(pub Decimal);

impl FromDocument for Quantity {
    const FORM: ValueForm = ValueForm::Number;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(text) = written.decimal() else { return written.wrong(Self::FORM) };
        Decimal::unsigned(&text).map(Self).or_else(|| {
            let message = format!("`{}` is a number that is not negative, and not `{text}`", written.key());
            written.refuse(DiagnosticCode::OutOfRange, message)
        })
    }
}

/// A decimal number in the column's own unit, exactly as written in as many digits as a float keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number(pub Decimal);

impl FromDocument for Number {
    const FORM: ValueForm = ValueForm::Number;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(text) = written.decimal() else { return written.wrong(Self::FORM) };
        Decimal::minimal(&text).map(Self).or_else(|| {
            let message = format!("`{text}` is no number of at most 18 digits on each side of the point");
            written.refuse(DiagnosticCode::OutOfRange, message)
        })
    }
}

/// A day, without quotes and without a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub Date);

impl FromDocument for Day {
    const FORM: ValueForm = ValueForm::Day;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        let Some(moment) = written.moment() else { return written.wrong(Self::FORM) };
        day_of(moment).map(Self).or_else(|| {
            let message = format!("`{}` is a day, without a time", written.key());
            written.refuse(DiagnosticCode::WrongType, (message, "write a day such as 2026-12-31"))
        })
    }
}

fn day_of(moment: &Datetime) -> Option<Date> {
    let day = moment.date.filter(|_| moment.time.is_none() && moment.offset.is_none())?;
    let month = Month::try_from(day.month).ok()?;
    Date::from_calendar_date(i32::from(day.year), month, day.day).ok()
}
