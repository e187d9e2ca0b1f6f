//! A declared column, and the points of its range that answers speak of.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DatasetError, Domain, Grid, KEYS_MOST, OTHER, Range, Reading, TOTAL, UNKNOWN,
    grid::listed,
    stored::{day, number, trimmed},
};
use crate::{Code, Name};

/// The most bytes of a text that is recoded or means that a value is missing.
const DECLARED_TEXT_BYTES_MOST: usize = 1_024;

/// One declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its values.
    pub domain: Domain,
    /// A usual value: what sums are centred on where they are divided by a released count.
    pub typical: Option<i64>,
    /// Where a histogram's bins begin.
    pub bins: Option<Grid>,
    /// What quantiles are chosen from.
    pub candidates: Option<Grid>,
    /// How its values are read.
    pub reading: Reading,
}

impl From<Domain> for Column {
    fn from(domain: Domain) -> Self {
        Self { domain, typical: None, bins: None, candidates: None, reading: Reading::default() }
    }
}

impl Column {
    /// With a usual value.
    pub fn with_typical(mut self, typical: i64) -> Result<Self, DatasetError> {
        let range = self.range().ok_or(DatasetError::NotNumbers("typical"))?;
        if !(range.low..=range.high).contains(&typical) {
            return Err(DatasetError::Outside("typical", typical));
        }
        self.typical = Some(typical);
        Ok(self)
    }

    /// With bins for histograms; a listed one begins at the lower bound.
    pub fn with_bins(mut self, bins: Grid) -> Result<Self, DatasetError> {
        let range = self.checked("bins", &bins)?;
        match &bins {
            Grid::Listed(points) if points.first() != Some(&range.low) => {
                return Err(DatasetError::FirstBin(range.low));
            }
            Grid::Listed(_) | Grid::Every(_) => self.bins = Some(bins),
        }
        Ok(self)
    }

    /// With candidates for quantiles.
    pub fn with_candidates(mut self, candidates: Grid) -> Result<Self, DatasetError> {
        self.checked("candidates", &candidates)?;
        self.candidates = Some(candidates);
        Ok(self)
    }

    /// The bounds, where the column holds numbers.
    pub fn range(&self) -> Option<Range> {
        match self.domain {
            Domain::Integer { low, high, .. } => Some(Range { low, high, scale: 0 }),
            Domain::Amount { low, high, scale, .. } => Some(Range { low, high, scale }),
            Domain::Codes(_) | Domain::Date { .. } | Domain::Open => None,
        }
    }

    /// What a sum is centred on where it is divided by a released count: the usual value, or the middle.
    pub fn centre(&self) -> Option<i64> {
        self.typical.or(self.range().map(|range| range.middle()))
    }

    /// The grid on which a histogram's bins begin: as declared, or the bands of whole numbers.
    pub fn bin_grid(&self) -> Option<Grid> {
        let bands = match &self.domain {
            Domain::Integer { bands, .. } => Some(bands.clone()),
            Domain::Codes(_) | Domain::Amount { .. } | Domain::Date { .. } | Domain::Open => None,
        };
        self.bins.clone().or(bands)
    }

    /// The grid that quantiles are chosen from: as declared, or every whole number that there is room for.
    pub fn candidate_grid(&self) -> Option<Grid> {
        let every = match self.domain {
            Domain::Integer { low, high, .. } if high.abs_diff(low) < KEYS_MOST as u64 => {
                Some(Grid::Every(1))
            }
            Domain::Integer { .. }
            | Domain::Codes(_)
            | Domain::Amount { .. }
            | Domain::Date { .. }
            | Domain::Open => None,
        };
        self.candidates.clone().or(every)
    }

    fn checked(&self, key: &'static str, grid: &Grid) -> Result<Range, DatasetError> {
        let range = self.range().ok_or(DatasetError::NotNumbers(key))?;
        match grid {
            Grid::Every(step) if *step < 1 => Err(DatasetError::Grid(key)),
            Grid::Every(step) if range.width() / step.unsigned_abs() >= KEYS_MOST as u64 => {
                Err(DatasetError::Points(key))
            }
            Grid::Listed(points) if points.is_empty() || !points.is_sorted_by(|a, b| a < b) => {
                Err(DatasetError::Grid(key))
            }
            Grid::Listed(points) if points.len() as i64 > KEYS_MOST => Err(DatasetError::Points(key)),
            Grid::Listed(points) => {
                let outside = points.iter().find(|point| !(range.low..=range.high).contains(*point));
                outside.map_or(Ok(range), |point| Err(DatasetError::Outside(key, *point)))
            }
            Grid::Every(_) => Ok(range),
        }
    }

    /// In words: what a release of the column depends on.
    pub(super) fn describe(&self) -> String {
        let Self { domain, typical, bins, candidates, reading } = self;
        let grid = |word: &str, grid: &Option<Grid>| match grid {
            None => String::new(),
            Some(Grid::Every(step)) => format!(" {word} every {step}"),
            Some(Grid::Listed(points)) => format!(" {word} {}", listed(points)),
        };
        let typical = typical.map(|typical| format!(" typical {typical}")).unwrap_or_default();
        let (bins, candidates) = (grid("bins", bins), grid("candidates", candidates));
        let (domain, reading) = (domain.describe(), reading.describe());
        format!("{domain}{typical}{bins}{candidates}{reading}")
    }

    /// In words: what the order of rows depends on, which is what stands in the column and not what is asked of it.
    pub(super) fn describe_order(&self) -> String {
        let Self { domain, typical: _, bins: _, candidates: _, reading } = self;
        let form = match domain {
            Domain::Integer { low: _, high: _, bands: _ } => "numbers".to_owned(),
            Domain::Amount { low: _, high: _, scale, currency: _ } => format!("numbers of scale {scale}"),
            Domain::Date { from: _, until: _, by: _ } => "days".to_owned(),
            Domain::Codes(_) | Domain::Open => "text".to_owned(),
        };
        format!("{form}{}", reading.describe_order())
    }
}

impl Column {
    /// With a reading of its own.
    pub fn with_reading(mut self, reading: Reading) -> Result<Self, DatasetError> {
        let texts = reading.recode.keys().chain(&reading.missing);
        for text in texts {
            if text.len() > DECLARED_TEXT_BYTES_MOST || text.contains('\0') {
                return Err(DatasetError::LongText(text.chars().take(40).collect()));
            }
            if trimmed(text) != text || text.is_empty() {
                return Err(DatasetError::Untrimmed(text.clone()));
            }
        }
        match &self.domain {
            Domain::Codes(codes) => check_codes(codes, &reading)?,
            Domain::Integer { .. } | Domain::Amount { .. } | Domain::Date { .. } | Domain::Open => {
                if !reading.recode.is_empty() {
                    return Err(DatasetError::OnlyCodes("recode"));
                }
                if reading.ignores_case {
                    return Err(DatasetError::OnlyCodes("case"));
                }
            }
        }
        if reading.time_zone.is_some() && !matches!(self.domain, Domain::Date { .. }) {
            return Err(DatasetError::OnlyDays("time_zone"));
        }
        self.reading = reading;
        let scale = self.range().map(|range| range.scale);
        let finer = |text: &&String| {
            scale.and_then(|scale| number(text.as_bytes(), scale)).is_some_and(|(_, exact)| !exact)
        };
        match self.reading.missing.iter().find(finer) {
            Some(text) => Err(DatasetError::FinerMissing(text.clone())),
            None => Ok(self),
        }
    }

    /// The column's name in the table or file.
    pub fn stored_name<'a>(&'a self, declared: &'a Name) -> &'a str {
        self.reading.from.as_deref().unwrap_or(declared.as_str())
    }

    /// Whether it is made of another column's codes.
    pub fn is_derived(&self) -> bool {
        self.reading.derived_from.is_some()
    }

    /// Every text that means a code, trimmed and folded, with the code's position in the list; empty where there are no codes.
    pub fn texts(&self) -> BTreeMap<String, usize> {
        let Domain::Codes(codes) = &self.domain else { return BTreeMap::new() };
        let own = codes.iter().enumerate().filter(|_| !self.is_derived());
        let mut texts: BTreeMap<String, usize> =
            own.map(|(at, code)| (self.reading.folded(code.as_str()).into_owned(), at)).collect();
        let positions: BTreeMap<&Code, usize> =
            codes.iter().enumerate().map(|(at, code)| (code, at)).collect();
        for (text, code) in &self.reading.recode {
            if let Some(at) = positions.get(code) {
                texts.insert(self.reading.folded(text).into_owned(), *at);
            }
        }
        texts
    }

    /// The texts that say that a value is missing, folded; of days without a time. Among texts of numbers `NaN` says so by
    /// itself, as it does in a float.
    pub fn missing_texts(&self) -> BTreeSet<String> {
        let text = |text: &String| match &self.domain {
            Domain::Date { .. } => day(text).unwrap_or(text).to_owned(),
            Domain::Codes(_) | Domain::Integer { .. } | Domain::Amount { .. } | Domain::Open => {
                self.reading.folded(text).into_owned()
            }
        };
        let numbers = matches!(self.domain, Domain::Integer { .. } | Domain::Amount { .. });
        let none = NAN.iter().filter(|_| numbers).map(|text| self.reading.folded(text).into_owned());
        self.reading.missing.iter().map(text).chain(none).collect()
    }

    /// The numbers that say that a value is missing, in units of the column's scale, ascending; none where there are no numbers.
    pub fn missing_numbers(&self) -> Vec<i64> {
        let Some(range) = self.range() else { return Vec::new() };
        let numbers = self.reading.missing.iter().filter_map(|text| number(text.as_bytes(), range.scale));
        let mut numbers: Vec<i64> = numbers.map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// How texts say that they are no number.
const NAN: [&str; 3] = ["NAN", "NaN", "nan"];

/// What a code, a recoded text and a missing one may be together.
fn check_codes(codes: &[Code], reading: &Reading) -> Result<(), DatasetError> {
    let mut known = BTreeMap::new();
    if reading.derived_from.is_none() {
        for code in codes {
            if let Some(other) = known.insert(reading.folded(code.as_str()).into_owned(), code) {
                return Err(DatasetError::SameFolded(other.to_string(), code.to_string()));
            }
        }
    }
    for (text, code) in &reading.recode {
        if [OTHER, UNKNOWN, TOTAL].contains(&code.as_str()) || !codes.contains(code) {
            return Err(DatasetError::RecodedToUnknown { text: text.clone(), code: code.to_string() });
        }
        match known.insert(reading.folded(text).into_owned(), code) {
            Some(other) if other != code => {
                let (text, other) = (text.clone(), other.to_string());
                return Err(DatasetError::RecodedTwice { text, other, code: code.to_string() });
            }
            _ => {}
        }
    }
    match reading.missing.iter().find(|text| known.contains_key(&*reading.folded(text))) {
        Some(text) => Err(DatasetError::MissingIsCode(text.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod reading;
#[cfg(test)]
mod tests {
    use super::*;

    fn amount() -> Column {
        Domain::amount(0, 1_000, 0, None).unwrap().into()
    }

    #[test]
    fn points_that_make_no_sense_are_refused() {
        let codes: Column = Domain::codes(vec!["F".parse().unwrap()]).unwrap().into();
        for (made, expected) in [
            (codes.clone().with_typical(1), DatasetError::NotNumbers("typical")),
            (codes.with_bins(Grid::Every(1)), DatasetError::NotNumbers("bins")),
            (amount().with_typical(1_001), DatasetError::Outside("typical", 1_001)),
            (amount().with_bins(Grid::Every(0)), DatasetError::Grid("bins")),
            (amount().with_bins(Grid::Listed([].into())), DatasetError::Grid("bins")),
            (amount().with_bins(Grid::Listed([0, 5, 5].into())), DatasetError::Grid("bins")),
            (amount().with_bins(Grid::Listed([5, 10].into())), DatasetError::FirstBin(0)),
            (
                amount().with_candidates(Grid::Listed([5, 2_000].into())),
                DatasetError::Outside("candidates", 2_000),
            ),
            (
                Column::from(Domain::amount(0, 1 << 40, 0, None).unwrap()).with_candidates(Grid::Every(1)),
                DatasetError::Points("candidates"),
            ),
        ] {
            assert_eq!(made, Err(expected));
        }
    }

    #[test]
    fn whole_numbers_have_bins_and_candidates_by_default() {
        let age: Column = Domain::integer(0, 12, 5).unwrap().into();
        let range = age.range().unwrap();
        assert_eq!(age.bin_grid().unwrap().points(&range), [0, 5, 10]);
        assert_eq!(age.candidate_grid().unwrap().points(&range).len(), 13);
        for step in [1, 2, 5, 12, 13, 100] {
            assert_eq!(Grid::Every(step).count(&range), Grid::Every(step).points(&range).len(), "{step}");
        }
        assert_eq!((amount().bin_grid(), amount().candidate_grid()), (None, None));
        assert_eq!((age.centre(), amount().with_typical(7).unwrap().centre()), (Some(6), Some(7)));
    }
}
