//! What is open to an asker at an office, as it travels: read strictly, after its signature.

use std::collections::BTreeMap;

use lango_policy::Renewal;
use lango_privacy::{Accounting, Code, DatasetKind, Measure, Name};
use prost::{
    Message,
    encoding::{WireType, decode_key, decode_varint},
};

use crate::{
    limits::{DATASET_PARTS_MOST, DATASETS_MOST},
    pb,
    question::{FieldFault, Malformed, strict},
    signed::SignedDescription,
};

/// A description that has been verified: its office signed it as an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDescription {
    /// What the office signed.
    pub statement: SignedDescription,
    /// What is open, in the order of the datasets' names.
    pub datasets: Vec<DescribedDataset>,
    /// How many more datasets there are.
    pub left_out: u32,
    /// When a witness last cosigned the office's log, in Unix seconds.
    pub cosigned_at: Option<u64>,
}

/// A dataset, no further than it is open to the asker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedDataset {
    /// The name that questions use.
    pub name: Name,
    /// For people.
    pub title: String,
    /// Stock or flow.
    pub kind: DatasetKind,
    /// The live version.
    pub version: Code,
    /// Whose presence is hidden.
    pub unit: Name,
    /// The most rows of a unit that are read.
    pub rows_at_most: u32,
    /// The most cells that a unit enters.
    pub cells_at_most: u32,
    /// The account that is charged.
    pub account: Accounting,
    /// When it is full again.
    pub renews: Renewal,
    /// Whether rules of the office's database choose which rows are read.
    pub filters_rows: bool,
    /// The columns that questions may use.
    pub columns: Vec<DatasetColumn>,
    /// The grants, in the policy's order.
    pub grants: Vec<DescribedGrant>,
    /// What is refused, whatever is granted.
    pub refused: Vec<DescribedRefusal>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetColumn {
    /// Its name.
    pub name: Name,
    /// How many keys it has; 0 where there are none to group by.
    pub code_count: u32,
    /// All of its keys, or none where they are too many to be listed.
    pub codes: Vec<Code>,
    /// What each of its keys is called, in their order, empty for one that has no name; none where no key has one.
    pub labels: Vec<String>,
    /// What can be computed of it, where it holds numbers.
    pub numbers: Option<DescribedNumbers>,
}

/// A column of numbers. Bounds are in units of 10^-scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescribedNumbers {
    /// Smaller values count as this one.
    pub low: i64,
    /// Greater values count as this one.
    pub high: i64,
    /// Decimals kept.
    pub scale: u32,
    /// How many bins a histogram has; 0 where there is none.
    pub bins: u64,
    /// How many values a quantile is chosen from; 0 where there is none.
    pub candidates: u64,
}

/// What is open of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedGrant {
    /// The rule's name.
    pub id: String,
    /// For what.
    pub purposes: Vec<String>,
    /// What may be counted.
    pub measures: Vec<Measure>,
    /// By what.
    pub by: Vec<Name>,
    /// On what conditions may be beside that.
    pub filters: Vec<Name>,
    /// The most columns that it may group by at once, conditions included.
    pub by_at_most: u32,
    /// The most that one question may cost, in billionths of epsilon.
    pub epsilon_per_query_nano: u64,
    /// The most that all its questions may cost in a period, in billionths of epsilon.
    pub epsilon_total_nano: u64,
    /// The first and the last day, such as 2026-12-31.
    pub valid: Option<(String, String)>,
    /// How many questions at the highest price the tighter of pool and grant still allows in this period.
    pub queries_left: u64,
}

/// What a rule refuses: questions that meet all of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedRefusal {
    /// The rule's name.
    pub id: String,
    /// For these purposes; empty: for all.
    pub purposes: Vec<String>,
    /// Columns that are not used together, conditions included.
    pub columns: Vec<Name>,
    /// Codes that are not shown, by column.
    pub codes: BTreeMap<Name, Vec<Code>>,
}

impl DescribedDataset {
    /// A column, where questions may use it.
    pub fn column(&self, name: &Name) -> Option<&DatasetColumn> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// The dataset as it travels.
    pub fn to_message(&self) -> pb::Dataset {
        pb::Dataset {
            name: self.name.to_string(),
            title: self.title.clone(),
            kind: kind_word(self.kind).to_owned(),
            version: self.version.to_string(),
            unit: self.unit.to_string(),
            rows_at_most: self.rows_at_most,
            cells_at_most: self.cells_at_most,
            columns: self.columns.iter().map(DatasetColumn::to_message).collect(),
            grants: self.grants.iter().map(DescribedGrant::to_message).collect(),
            account: Some(self.account.into()),
            filters_rows: self.filters_rows,
            refused: self.refused.iter().map(DescribedRefusal::to_message).collect(),
            renews: self.renews.word().to_owned(),
        }
    }

    fn of(message: pb::Dataset) -> Result<Self, Malformed> {
        let kind = [DatasetKind::Stock, DatasetKind::Flow];
        let kind = kind.into_iter().find(|kind| kind_word(*kind) == message.kind);
        let renews = Renewal::ALL.into_iter().find(|renewal| renewal.word() == message.renews);
        let account = message.account.ok_or(Malformed { field: "account", fault: FieldFault::Missing })?;
        Ok(Self {
            name: word("name", &message.name)?,
            title: message.title,
            kind: kind.ok_or(not_a_word("kind"))?,
            version: word("version", &message.version)?,
            unit: word("unit", &message.unit)?,
            rows_at_most: message.rows_at_most,
            cells_at_most: message.cells_at_most,
            account: account.try_into()?,
            renews: renews.ok_or(not_a_word("renews"))?,
            filters_rows: message.filters_rows,
            columns: message.columns.into_iter().map(DatasetColumn::of).collect::<Result<_, _>>()?,
            grants: message.grants.into_iter().map(DescribedGrant::of).collect::<Result<_, _>>()?,
            refused: message.refused.into_iter().map(DescribedRefusal::of).collect::<Result<_, _>>()?,
        })
    }
}

impl DatasetColumn {
    /// The keys that have a name, with it.
    pub fn labelled(&self) -> impl Iterator<Item = (&Code, &str)> {
        let labels = self.labels.iter().map(String::as_str);
        self.codes.iter().zip(labels).filter(|(_, label)| !label.is_empty())
    }

    fn to_message(&self) -> pb::Column {
        let numbers = |numbers: DescribedNumbers| {
            let DescribedNumbers { low, high, scale, bins, candidates } = numbers;
            pb::Numbers { low, high, scale, bins, candidates }
        };
        pb::Column {
            name: self.name.to_string(),
            codes: texts(&self.codes),
            numbers: self.numbers.map(numbers),
            code_count: self.code_count,
            labels: self.labels.clone(),
        }
    }

    fn of(message: pb::Column) -> Result<Self, Malformed> {
        let listed = message.codes.len();
        if listed != 0 && u32::try_from(listed) != Ok(message.code_count) {
            return Err(not_a_word("code_count"));
        }
        if !message.labels.is_empty() && message.labels.len() != listed {
            return Err(not_a_word("labels"));
        }
        let numbers = |numbers: pb::Numbers| {
            let pb::Numbers { low, high, scale, bins, candidates } = numbers;
            // No more decimals than a number of 64 bits has.
            (scale <= 18 && low <= high)
                .then_some(DescribedNumbers { low, high, scale, bins, candidates })
                .ok_or(not_a_word("numbers"))
        };
        Ok(Self {
            name: word("column", &message.name)?,
            code_count: message.code_count,
            codes: words("codes", &message.codes)?,
            labels: message.labels,
            numbers: message.numbers.map(numbers).transpose()?,
        })
    }
}

impl DescribedGrant {
    fn to_message(&self) -> pb::Grant {
        let (from, until) = self.valid.clone().unwrap_or_default();
        pb::Grant {
            id: self.id.clone(),
            purposes: self.purposes.clone(),
            measures: texts(&self.measures),
            by: texts(&self.by),
            by_at_most: self.by_at_most,
            epsilon_per_query_nano: self.epsilon_per_query_nano,
            epsilon_total_nano: self.epsilon_total_nano,
            filters: texts(&self.filters),
            from,
            until,
            queries_left: self.queries_left,
        }
    }

    fn of(message: pb::Grant) -> Result<Self, Malformed> {
        let valid = match (message.from.is_empty(), message.until.is_empty()) {
            (true, true) => None,
            (false, false) => Some((message.from, message.until)),
            (true, false) | (false, true) => return Err(not_a_word("until")),
        };
        Ok(Self {
            id: message.id,
            purposes: message.purposes,
            measures: words("measures", &message.measures)?,
            by: words("by", &message.by)?,
            filters: words("filters", &message.filters)?,
            by_at_most: message.by_at_most,
            epsilon_per_query_nano: message.epsilon_per_query_nano,
            epsilon_total_nano: message.epsilon_total_nano,
            valid,
            queries_left: message.queries_left,
        })
    }
}

impl DescribedRefusal {
    fn to_message(&self) -> pb::Prohibition {
        let hidden = |(column, codes): (&Name, &Vec<Code>)| pb::HiddenCodes {
            column: column.to_string(),
            codes: texts(codes),
        };
        pb::Prohibition {
            id: self.id.clone(),
            purposes: self.purposes.clone(),
            columns: texts(&self.columns),
            codes: self.codes.iter().map(hidden).collect(),
        }
    }

    fn of(message: pb::Prohibition) -> Result<Self, Malformed> {
        let hidden =
            |hidden: pb::HiddenCodes| Ok((word("hidden", &hidden.column)?, words("hidden", &hidden.codes)?));
        Ok(Self {
            id: message.id,
            purposes: message.purposes,
            columns: words("refused", &message.columns)?,
            codes: message.codes.into_iter().map(hidden).collect::<Result<_, Malformed>>()?,
        })
    }
}

/// The bytes in which datasets travel, with how many more there are and when a witness last cosigned the office's log, in Unix
/// seconds.
pub fn datasets(datasets: &[DescribedDataset], left_out: u32, cosigned_at: Option<u64>) -> Vec<u8> {
    let datasets = datasets.iter().map(DescribedDataset::to_message).collect();
    pb::Datasets { datasets, left_out, cosigned_at }.encode_to_vec()
}

/// Reads what [`datasets`] writes, which is no more than a description may have.
pub(crate) fn read(bytes: &[u8]) -> Result<(Vec<DescribedDataset>, u32, Option<u64>), Malformed> {
    // A list of small messages grows when it is decoded, so they are counted first.
    let unread = Malformed { field: "payload", fault: FieldFault::NotThisMessage };
    let datasets = inner(bytes, &[1]).ok_or(unread.clone())?;
    let parts = datasets.iter().map(|dataset| Some(inner(dataset, &[8, 9, 12])?.len()));
    let parts: usize = parts.sum::<Option<_>>().ok_or(unread)?;
    if datasets.len() > DATASETS_MOST || parts > DATASET_PARTS_MOST {
        return Err(not_a_word("datasets"));
    }
    let message: pb::Datasets = strict(bytes)?;
    let datasets = message.datasets.into_iter().map(DescribedDataset::of);
    let datasets: Vec<DescribedDataset> = datasets.collect::<Result<_, _>>()?;
    let is_sorted = datasets.is_sorted_by(|one, other| one.name < other.name);
    is_sorted.then_some((datasets, message.left_out, message.cosigned_at)).ok_or(not_a_word("datasets"))
}

/// The messages with these numbers in an encoded one; nothing where it is not encoded as those of descriptions are.
fn inner<'a>(mut bytes: &'a [u8], numbers: &[u32]) -> Option<Vec<&'a [u8]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (number, kind) = decode_key(&mut bytes).ok()?;
        let value = decode_varint(&mut bytes).ok()?;
        match kind {
            WireType::Varint => {}
            WireType::LengthDelimited => {
                let (message, rest) = bytes.split_at_checked(usize::try_from(value).ok()?)?;
                bytes = rest;
                if numbers.contains(&number) {
                    found.push(message);
                }
            }
            WireType::SixtyFourBit | WireType::ThirtyTwoBit | WireType::StartGroup | WireType::EndGroup => {
                return None;
            }
        }
    }
    Some(found)
}

/// Stock or flow, in a word.
pub fn kind_word(kind: DatasetKind) -> &'static str {
    match kind {
        DatasetKind::Stock => "stock",
        DatasetKind::Flow => "flow",
    }
}

fn texts<T: ToString>(words: &[T]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn not_a_word(field: &'static str) -> Malformed {
    Malformed { field, fault: FieldFault::Word }
}

fn word<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|_| not_a_word(field))
}

fn words<T: std::str::FromStr>(field: &'static str, texts: &[String]) -> Result<Vec<T>, Malformed> {
    texts.iter().map(|text| word(field, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> DescribedDataset {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let code = |text: &str| text.parse::<Code>().unwrap();
        DescribedDataset {
            name: name("residents"),
            title: "Residents".to_owned(),
            kind: DatasetKind::Stock,
            version: code("2024-07-01"),
            unit: name("person"),
            rows_at_most: 1,
            cells_at_most: 1,
            account: Accounting::Pure,
            renews: Renewal::Yearly,
            filters_rows: true,
            columns: vec![DatasetColumn {
                name: name("sex"),
                code_count: 2,
                codes: vec![code("F"), code("M")],
                labels: vec!["Women".to_owned(), String::new()],
                numbers: Some(DescribedNumbers { low: -1, high: 9, scale: 2, bins: 3, candidates: 0 }),
            }],
            grants: vec![DescribedGrant {
                id: "analysts".to_owned(),
                purposes: vec!["official-statistics".to_owned()],
                measures: vec![Measure::persons(), "quantile(age,0.5)".parse().unwrap()],
                by: vec![name("sex")],
                filters: vec![name("age")],
                by_at_most: 2,
                epsilon_per_query_nano: 1,
                epsilon_total_nano: 4,
                valid: Some(("2026-01-01".to_owned(), "2026-12-31".to_owned())),
                queries_left: 4,
            }],
            refused: vec![DescribedRefusal {
                id: "never".to_owned(),
                purposes: vec!["public-policy".to_owned()],
                columns: vec![name("sex")],
                codes: [(name("age"), vec![code("0-4")])].into(),
            }],
        }
    }

    #[test]
    fn a_dataset_that_is_read_is_the_one_that_was_written() {
        let bytes = datasets(&[described()], 3, Some(1_800_000_000));
        assert_eq!(read(&bytes), Ok((vec![described()], 3, Some(1_800_000_000))));
        assert_eq!(read(&datasets(&[], 0, None)), Ok((Vec::new(), 0, None)));
    }

    fn encoded(datasets: Vec<pb::Dataset>) -> Vec<u8> {
        pb::Datasets { datasets, left_out: 0, cosigned_at: None }.encode_to_vec()
    }

    #[test]
    fn what_is_no_description_is_not_read() {
        let one = || described().to_message();
        let column = |change: fn(&mut pb::Column)| {
            let mut dataset = one();
            change(&mut dataset.columns[0]);
            dataset
        };
        let grant = |change: fn(&mut pb::Grant)| {
            let mut dataset = one();
            change(&mut dataset.grants[0]);
            dataset
        };
        for (message, field) in [
            (pb::Dataset { name: "Residents\u{1b}[2J".into(), ..one() }, "name"),
            (pb::Dataset { kind: "stocks".into(), ..one() }, "kind"),
            (pb::Dataset { version: "2024 07".into(), ..one() }, "version"),
            (pb::Dataset { unit: String::new(), ..one() }, "unit"),
            (pb::Dataset { account: None, ..one() }, "account"),
            (pb::Dataset { account: Some(pb::Account::default()), ..one() }, "account"),
            (pb::Dataset { renews: "daily".into(), ..one() }, "renews"),
            (column(|column| column.codes.push(String::new())), "code_count"),
            (column(|column| column.codes[0] = String::new()), "codes"),
            (column(|column| column.code_count = 3), "code_count"),
            (
                column(|column| column.numbers = Some(pb::Numbers { scale: 19, ..Default::default() })),
                "numbers",
            ),
            (column(|column| column.numbers = Some(pb::Numbers { low: 1, ..Default::default() })), "numbers"),
            (grant(|grant| grant.measures = vec!["income".repeat(99)]), "measures"),
            (grant(|grant| grant.by = vec!["SEX".into()]), "by"),
            (grant(|grant| grant.until = String::new()), "until"),
        ] {
            assert_eq!(read(&encoded(vec![message])).unwrap_err().field, field);
        }
        let many = |count| pb::Dataset { columns: vec![pb::Column::default(); count], ..one() };
        for (datasets, field) in [
            (vec![pb::Dataset::default(); 1_001], "datasets"),
            (vec![many(20_000)], "datasets"),
            (vec![many(19_000)], "column"),
        ] {
            assert_eq!(read(&encoded(datasets)).unwrap_err().field, field);
        }
        // In no order, twice, and in other bytes than ours.
        let twice = encoded(vec![one(), one()]);
        assert_eq!(read(&twice).unwrap_err().field, "datasets");
        let mut padded = encoded(vec![one()]);
        padded.extend([0x10, 0]);
        assert_eq!(read(&padded).unwrap_err().field, "payload");
    }
}
