//! The shape of columns and of what they hold.

use std::collections::BTreeMap;

use lango_document::{DocumentShape, FromDocument, ValueForm, WrittenValue, table};
use lango_privacy::Span;
use toml::Spanned;

use super::value::{Day, Number, words};

/// Codes that datasets name: listed, or in a file beside the policy.
#[derive(Debug)]
pub(crate) struct CodeListTable {
    pub codes: Option<Spanned<Vec<Spanned<String>>>>,
    pub file: Option<Spanned<String>>,
}

table!(CodeListTable => "a code list" {
    optional codes "codes": "The codes: printable ASCII without space or comma.",
    optional file "file": "A file beside the policy, `NAME.csv`, with a column `code`.",
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
    optional from "from": "The column's name in the table or file; the declared name by default.",
    optional codes "codes": "Codes, or the name of a code list: `iso3166-1-alpha-3`, or one of `[code_list.NAME]`.",
    optional written_as "written_as": "With `codes = \"iso3166-1-alpha-3\"`: what the register writes, `m49` or `alpha-2`.",
    optional recode "recode": "What texts mean, many to one, beside the codes themselves; or a file beside the policy with \
                               the columns `value,code`.",
    optional missing "missing": "Texts and numbers that say that there is no value.",
    optional case "case": "ASCII letters of both cases are the same.",
    optional integer "integer": "Whole numbers from the first to the second.",
    optional bands "bands": "Of whole numbers a width, or where each band begins, 1 by default; of days `day`, `month` or \
                             `year`, `day` by default.",
    optional amount "amount": "Amounts in the column's own unit, from the first to the second.",
    optional scale "scale": "The decimals of an amount that are kept.",
    optional currency "currency": "ISO 4217, for people.",
    optional date "date": "Days from the first to the second.",
    optional time_zone "time_zone": "Where a moment that names no place falls on a day: a name of the IANA time zone database.",
    optional open "open": "Text without a list: `keys(C)` searches for its values.",
    optional typical "typical": "A usual value, on which sums are centred where they are divided by a released count; the \
                                 middle of the bounds by default.",
    optional bins "bins": "Where the bins of `histogram(C)` begin: a step, or a list from the lower bound on. The bands by \
                           default, for whole numbers.",
    optional candidates "candidates": "What `quantile(C,Q)` chooses from: a step or a list. Every whole number by default, \
                                       for whole numbers.",
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
    required from "from": "The column whose codes are grouped.",
    required map "map": "`m49-region`, `m49-subregion`, `africa-rec`, or a file beside the policy with the columns \
                         `value,code`.",
    optional communities "communities": "With `africa-rec`: which regional economic communities.",
    optional on "on": "With `africa-rec`: the day whose members count.",
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

    fn shape() -> DocumentShape {
        DocumentShape::OneOf(vec![<BTreeMap<String, String>>::shape(), DocumentShape::Text])
    }

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

    fn shape() -> DocumentShape {
        let spans = vec!["day", "month", "year"];
        DocumentShape::OneOf(vec![u32::shape(), <Vec<i64>>::shape(), DocumentShape::Words(spans)])
    }

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

    fn shape() -> DocumentShape {
        DocumentShape::OneOf(vec![Number::shape(), <Vec<Number>>::shape()])
    }

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

    fn shape() -> DocumentShape {
        DocumentShape::OneOf(vec![<Vec<String>>::shape(), DocumentShape::Text])
    }

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
