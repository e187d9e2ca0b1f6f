//! The one text of a question: read from any tidy spelling, written in exactly one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::{FromStr, Split},
};

use crate::{
    Bound, Code, Condition, Decimal, Filter, MARGINS_MOST, MEASURES_MOST, Margin, Measure, MeasureError,
    Name, NameError, Price, Query,
};

/// The most conditions of a question: more would be refused by databases, and late.
const FILTERS_MOST: usize = 64;

/// What may stand on a line of a question's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryPart {
    /// The first line.
    Header,
    /// The dataset's line.
    Dataset,
    /// A margin of a measure.
    By,
    /// A measure.
    Measure,
    /// A condition or the price.
    ConditionOrPrice,
    /// A condition.
    Condition,
    /// The price.
    Price,
    /// The end.
    End,
}

impl QueryPart {
    /// Every part, in the order of a question.
    pub const ALL: [Self; 8] = [
        Self::Header,
        Self::Dataset,
        Self::By,
        Self::Measure,
        Self::ConditionOrPrice,
        Self::Condition,
        Self::Price,
        Self::End,
    ];

    /// The stable word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Dataset => "dataset",
            Self::By => "by",
            Self::Measure => "measure",
            Self::ConditionOrPrice => "condition-or-price",
            Self::Condition => "condition",
            Self::Price => "price",
            Self::End => "end",
        }
    }
}

impl fmt::Display for QueryPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "`lango-query 1`",
            Self::Dataset => "`dataset NAME`",
            Self::By => "`by D1,D2` or a bare `by` under its measure",
            Self::Measure => "`measure M`",
            Self::ConditionOrPrice => "`where ..` or `price ..`",
            Self::Condition => "`where D = C`, `where D in C1,C2` or `where D from A to B` with A at most B",
            Self::Price => "`price epsilon DECIMAL` or `price precision DECIMAL at DECIMAL on M by D1,D2`",
            Self::End => "nothing after the price",
        })
    }
}

/// Why a text is not a question. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A line is not what may stand there.
    #[error("line {line}: expected {expected}, found `{found}`")]
    Unexpected {
        /// The line's number.
        line: usize,
        /// What may stand there.
        expected: QueryPart,
        /// The line.
        found: String,
    },
    /// A word has the wrong shape.
    #[error("line {line}: {error}")]
    Word {
        /// The line's number.
        line: usize,
        /// What is wrong with the word.
        error: NameError,
    },
    /// A measure that there is not.
    #[error("line {line}: {error}")]
    Measure {
        /// The line's number.
        line: usize,
        /// What there is.
        error: MeasureError,
    },
    /// A measure stands twice.
    #[error("line {line}: measure `{measure}` stands twice: put all its `by` lines under one")]
    MeasureTwice {
        /// The line's number.
        line: usize,
        /// The measure.
        measure: String,
    },
    /// `office` is asked for in the text.
    #[error("line {line}: `office` is a way to lay out answers and never stands in a question")]
    Office {
        /// The line's number.
        line: usize,
    },
    /// More measures or margins than a question may have.
    #[error("line {line}: more than {most} {what} in one question: ask several questions")]
    TooMany {
        /// The line's number.
        line: usize,
        /// Of what there are too many.
        what: &'static str,
        /// The most.
        most: usize,
    },
    /// The precision is asked of something that is not.
    #[error("line {line}: the price speaks of a measure and margin that the question does not ask for")]
    PriceOnNothing {
        /// The line's number.
        line: usize,
    },
    /// The text means a question but is not its canonical form.
    #[error("the text is not canonical: it should read `{canonical}`")]
    NotCanonical {
        /// The canonical form.
        canonical: String,
    },
}

impl Query {
    /// Reads a text that must already be canonical: parsed, printed and found equal.
    pub fn from_canonical(text: &str) -> Result<Self, QueryError> {
        let query: Self = text.parse()?;
        let canonical = query.to_string();
        if canonical == text { Ok(query) } else { Err(QueryError::NotCanonical { canonical }) }
    }
}

impl FromStr for Query {
    type Err = QueryError;

    /// Reads a question whose lists, margins, measures and decimals may be in any order or spelling.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        let mut lines = Lines::new(text);
        if lines.take("lango-query")?.as_deref() != Some("1") {
            return Err(lines.unexpected(QueryPart::Header));
        }
        let Some(dataset) = lines.take("dataset")? else { return Err(lines.unexpected(QueryPart::Dataset)) };
        let dataset = lines.word(&dataset)?;
        let version = match lines.take("version")? {
            Some(version) => Some(lines.word(&version)?),
            None => None,
        };
        let measures = lines.measures()?;
        let filters = lines.filters()?;
        let Some(text) = lines.take("price")? else {
            return Err(lines.unexpected(QueryPart::ConditionOrPrice));
        };
        let price = lines.price(&text, &measures)?;
        lines.end()?;
        Ok(Self { dataset, version, measures, filters, price })
    }
}

impl FromStr for Filter {
    type Err = QueryError;

    /// Reads what stands after `where`: `sex = F`, `sex in F,M`, `age from 15 to 24`.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        Lines::new("").filter(text)
    }
}

fn read_bound(text: &str) -> Option<Bound> {
    let is_date = |b: &[u8]| b.len() == 10 && b.get(4) == Some(&b'-') && b.get(7) == Some(&b'-');
    if is_date(text.as_bytes()) {
        return is_calendar_day(text).then(|| Bound::Date(text.to_owned()));
    }
    Decimal::minimal(text).map(Bound::Number)
}

/// Whether a text is a day of the calendar, `YYYY-MM-DD`.
pub(crate) fn is_calendar_day(text: &str) -> bool {
    if text.len() != 10 || text.as_bytes().get(4) != Some(&b'-') || text.as_bytes().get(7) != Some(&b'-') {
        return false;
    }
    let part = |range: std::ops::Range<usize>| {
        let digits = text.get(range).filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day)
}

/// The lines still to be read.
struct Lines<'a> {
    rest: std::iter::Peekable<Split<'a, char>>,
    /// The number of the line read last.
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.strip_suffix('\n').unwrap_or(text).split('\n').peekable(), line: 0 }
    }

    /// What follows `word` on the next line, if that line begins with it.
    fn take(&mut self, word: &str) -> Result<Option<String>, QueryError> {
        let Some(next) = self.rest.peek() else { return Ok(None) };
        let rest = match next.strip_prefix(word) {
            Some("") if word == "by" => "",
            Some(rest) if rest.starts_with(' ') && rest.len() > 1 => rest.get(1..).unwrap_or_default(),
            _ => return Ok(None),
        };
        let rest = rest.to_owned();
        self.rest.next();
        self.line += 1;
        Ok(Some(rest))
    }

    fn unexpected(&mut self, expected: QueryPart) -> QueryError {
        let found = self.rest.peek().copied().unwrap_or("the end").to_owned();
        QueryError::Unexpected { line: self.line + 1, expected, found }
    }

    fn unread(&self, expected: QueryPart, found: &str) -> QueryError {
        QueryError::Unexpected { line: self.line, expected, found: found.to_owned() }
    }

    fn end(&mut self) -> Result<(), QueryError> {
        if self.rest.peek().is_some() { Err(self.unexpected(QueryPart::End)) } else { Ok(()) }
    }

    fn word<T: FromStr<Err = NameError>>(&self, text: &str) -> Result<T, QueryError> {
        text.parse().map_err(|error| QueryError::Word { line: self.line, error })
    }

    fn measure(&self, text: &str) -> Result<Measure, QueryError> {
        text.parse().map_err(|error| QueryError::Measure { line: self.line, error })
    }

    /// The measures with their margins; counted before they are read, for a text may hold thousands.
    fn measures(&mut self) -> Result<BTreeMap<Measure, BTreeSet<Margin>>, QueryError> {
        let mut measures = BTreeMap::new();
        let mut by = 0;
        while let Some(text) = self.take("measure")? {
            let line = self.line;
            self.count("measures", measures.len(), MEASURES_MOST)?;
            let measure = self.measure(&text)?;
            let mut margins = BTreeSet::new();
            while let Some(names) = self.take("by")? {
                self.count("margins", by, MARGINS_MOST)?;
                by += 1;
                margins.insert(self.margin(&names)?);
            }
            if margins.is_empty() {
                return Err(self.unexpected(QueryPart::By));
            }
            if measures.insert(measure, margins).is_some() {
                return Err(QueryError::MeasureTwice { line, measure: text });
            }
        }
        if measures.is_empty() { Err(self.unexpected(QueryPart::Measure)) } else { Ok(measures) }
    }

    fn filters(&mut self) -> Result<Vec<Filter>, QueryError> {
        let mut filters: Vec<Filter> = Vec::new();
        let mut read = 0;
        while let Some(text) = self.take("where")? {
            self.count("conditions", read, FILTERS_MOST)?;
            read += 1;
            let filter = self.filter(&text)?;
            if !filters.contains(&filter) {
                filters.push(filter);
            }
        }
        filters.sort_by_key(Filter::to_string);
        Ok(filters)
    }

    /// Refuses one more than the most.
    fn count(&self, what: &'static str, there: usize, most: usize) -> Result<(), QueryError> {
        if there < most { Ok(()) } else { Err(QueryError::TooMany { line: self.line, what, most }) }
    }

    fn dimension(&self, text: &str) -> Result<Name, QueryError> {
        let name: Name = self.word(text)?;
        if name.as_str() == "office" { Err(QueryError::Office { line: self.line }) } else { Ok(name) }
    }

    fn margin(&self, names: &str) -> Result<Margin, QueryError> {
        if names.is_empty() {
            return Ok(Margin::default());
        }
        Ok(Margin::new(names.split(',').map(|name| self.dimension(name)).collect::<Result<Vec<_>, _>>()?))
    }

    fn codes(&self, text: &str) -> Result<BTreeSet<Code>, QueryError> {
        text.split(',').map(|code| self.word(code)).collect()
    }

    fn filter(&self, text: &str) -> Result<Filter, QueryError> {
        let expected = QueryPart::Condition;
        let words: Vec<&str> = text.split(' ').collect();
        let (column, condition) = match words.as_slice() {
            [column, "=", code] => (column, Condition::In([self.word(code)?].into())),
            [column, "in", codes] => (column, Condition::In(self.codes(codes)?)),
            [column, "from", low, "to", high] => match (read_bound(low), read_bound(high)) {
                (Some(low), Some(high)) if low <= high && same_kind(&low, &high) => {
                    (column, Condition::Between(low, high))
                }
                _ => return Err(self.unread(expected, text)),
            },
            _ => return Err(self.unread(expected, text)),
        };
        Ok(Filter { column: self.dimension(column)?, condition })
    }

    fn price(&self, text: &str, measures: &BTreeMap<Measure, BTreeSet<Margin>>) -> Result<Price, QueryError> {
        let expected = QueryPart::Price;
        let decimal = |text: &str| Decimal::unsigned(text).ok_or_else(|| self.unread(expected, text));
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["epsilon", epsilon] => Ok(Price::Epsilon(decimal(epsilon)?)),
            ["precision", half_width, "at", confidence, "on", measure, "by", names @ ..]
                if names.len() <= 1 =>
            {
                let by = self.margin(names.first().copied().unwrap_or_default())?;
                let measure = self.measure(measure)?;
                if !measures.get(&measure).is_some_and(|margins| margins.contains(&by)) {
                    return Err(QueryError::PriceOnNothing { line: self.line });
                }
                Ok(Price::Precision {
                    half_width: decimal(half_width)?,
                    confidence: decimal(confidence)?,
                    measure,
                    by,
                })
            }
            _ => Err(self.unread(expected, text)),
        }
    }
}

fn same_kind(low: &Bound, high: &Bound) -> bool {
    matches!((low, high), (Bound::Number(_), Bound::Number(_)) | (Bound::Date(_), Bound::Date(_)))
}

#[cfg(test)]
mod tests;
