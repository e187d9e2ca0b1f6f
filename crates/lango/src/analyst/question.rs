//! From options or a query file to a question.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
};

use lango_document::{DiagnosticCode, FromDocument, Mistakes, Reader, ValueForm, WrittenValue, table};
use lango_privacy::{Decimal, Filter, Level, MEASURE_BYTES_MOST, Margin, Measure, Price, Query, nano};
use toml::Spanned;

use crate::{config::documents, failure::Failure};

/// A question as it was written, and how its answer is laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub query: Query,
    /// Office by office, or added up.
    pub by_office: bool,
    /// What the answer is for, where the file says so.
    pub purpose: Option<String>,
}

/// The parts of a question as options give them.
pub struct Parts<'a> {
    pub dataset: &'a str,
    pub version: Option<&'a str>,
    pub measures: &'a [String],
    pub by: &'a [String],
    pub filters: &'a [String],
    pub price: Offer<'a>,
}

/// What is offered to be paid, as written.
#[derive(Debug, Clone, Copy)]
pub enum Offer<'a> {
    /// The whole question's epsilon.
    Epsilon(&'a str),
    /// `50 at 95 % on persons by sex`; `on ..` may be absent where there is one measure by one margin.
    Precision(&'a str),
}

impl Parts<'_> {
    /// Every margin for every measure; none is the total.
    pub fn read(&self) -> Result<Draft, Failure> {
        let total = vec![Vec::new()];
        let split = |by: &String| {
            by.split(',').map(str::trim).filter(|name| *name != "_T").map(str::to_owned).collect::<Vec<_>>()
        };
        let margins: Vec<Vec<String>> = self.by.iter().map(split).collect();
        let margins = if margins.is_empty() { total } else { margins };
        let measures = self.measures.iter().map(|measure| (measure.clone(), margins.clone()));
        assemble(self.dataset, self.version, measures, self.filters, self.price).map_err(Failure::Usage)
    }
}

/// A query file.
#[derive(Debug)]
struct QueryFile {
    dataset: Spanned<String>,
    version: Option<String>,
    purpose: Option<String>,
    filters: Vec<String>,
    epsilon: Option<Epsilon>,
    precision: Option<String>,
    measure: Vec<MeasureTable>,
}

table!(QueryFile => "a query file" {
    required dataset "dataset",
    optional version "version",
    optional purpose "purpose",
    or_default filters "where",
    optional epsilon "epsilon",
    optional precision "precision",
    required measure "measure",
});

#[derive(Debug)]
struct MeasureTable {
    name: String,
    by: Vec<Vec<String>>,
}

table!(MeasureTable => "a measure" { required name "name", required by "by" });

/// A number in digits.
#[derive(Debug)]
struct Epsilon(String);

impl FromDocument for Epsilon {
    const FORM: ValueForm = ValueForm::Number;

    fn read(written: &WrittenValue<'_>) -> Option<Self> {
        written.decimal().map(Self).or_else(|| written.wrong(Self::FORM))
    }
}

/// Reads a query file.
pub fn read_file(path: &Path) -> Result<Draft, Failure> {
    let document = documents::document(path)?;
    let file: QueryFile = document.read()?;
    let refused = |at: Range<usize>, words: String| -> Failure {
        let findings = Mistakes::default();
        Reader::new(&document, &findings).refuse::<()>(DiagnosticCode::Question, at, words);
        findings.into_diagnostics().into()
    };
    let price = match (&file.epsilon, &file.precision) {
        (Some(Epsilon(epsilon)), None) => Offer::Epsilon(epsilon),
        (None, Some(precision)) => Offer::Precision(precision),
        _ => return Err(refused(file.dataset.span(), "name either `epsilon` or `precision`".to_owned())),
    };
    let measures = file.measure.iter().map(|table| (table.name.clone(), table.by.clone()));
    let asked = assemble(file.dataset.get_ref(), file.version.as_deref(), measures, &file.filters, price);
    let asked = asked.map_err(|message| refused(file.dataset.span(), message))?;
    Ok(Draft { purpose: file.purpose, ..asked })
}

fn assemble(
    dataset: &str,
    version: Option<&str>,
    measures: impl Iterator<Item = (String, Vec<Vec<String>>)>,
    filters: &[String],
    price: Offer<'_>,
) -> Result<Draft, String> {
    let mut asked: BTreeMap<Measure, BTreeSet<Margin>> = BTreeMap::new();
    let mut layouts = BTreeSet::new();
    for (measure, margins) in measures {
        let name = read_measure(&measure)?;
        for names in margins {
            layouts.insert(names.iter().any(|name| name == "office"));
            let names = names.iter().filter(|name| *name != "office");
            let names = names
                .map(|name| name.parse().map_err(|error| format!("{error}")))
                .collect::<Result<Vec<_>, _>>()?;
            asked.entry(name.clone()).or_default().insert(Margin::new(names));
        }
    }
    if layouts.len() != 1 {
        return Err(
            "`office` is a way to lay the whole answer out: put it in every margin or in none".to_owned()
        );
    }
    let mut read = Vec::new();
    for filter in filters {
        let filter: Filter = filter.parse().map_err(|_| {
            format!("`{filter}` is not a condition such as `sex = F`, `sex in F,M` or `age from 15 to 24`")
        })?;
        if !read.contains(&filter) {
            read.push(filter);
        }
    }
    let price = price.read(&asked)?;
    if let Price::Precision { confidence, .. } = &price
        && confidence.as_str().parse::<Level>().is_err()
    {
        return Err(format!(
            "the confidence of the precision is {confidence}: write a share between 0 and 1, or a percentage such as `95 %`"
        ));
    }
    let version = version.map(|version| version.parse().map_err(|error| format!("{error}"))).transpose()?;
    let dataset = dataset.parse().map_err(|error| format!("{error}"))?;
    let query = Query { dataset, version, measures: asked, filters: read, price };
    // Only the text is signed, so what the text says is what is asked.
    let query: Query = query.to_string().parse().map_err(|error| format!("{error}"))?;
    Ok(Draft { query, by_office: layouts.contains(&true), purpose: None })
}

/// A measure as people write it: `quantile(age, 0.10, 0.9)`.
fn read_measure(text: &str) -> Result<Measure, String> {
    let minimal = |argument: &str| {
        let argument = argument.trim();
        Decimal::unsigned(argument).map_or_else(|| argument.to_owned(), |number| number.to_string())
    };
    let written = match text.trim().split_once('(').map(|(function, rest)| (function, rest.strip_suffix(')')))
    {
        Some((function, Some(arguments))) => {
            let arguments: Vec<String> = arguments.split(',').map(minimal).collect();
            format!("{}({})", function.trim(), arguments.join(","))
        }
        Some((_, None)) | None => text.trim().to_owned(),
    };
    if written.len() > MEASURE_BYTES_MOST {
        let (begin, length): (String, _) = (written.chars().take(40).collect(), written.len());
        return Err(format!(
            "the measure `{begin}..` is {length} characters long, more than {MEASURE_BYTES_MOST}: ask for fewer shares at once"
        ));
    }
    written.parse().map_err(|error| format!("{error}"))
}

impl Offer<'_> {
    fn read(&self, asked: &BTreeMap<Measure, BTreeSet<Margin>>) -> Result<Price, String> {
        match self {
            Self::Epsilon(epsilon) => Decimal::unsigned(epsilon)
                .map(Price::Epsilon)
                .ok_or_else(|| format!("`{epsilon}` is not an epsilon such as 0.5")),
            Self::Precision(text) => precision(text, asked).ok_or_else(|| {
                format!(
                    "`{text}` is not a precision such as `50 at 95 % on persons by sex`; `on MEASURE by D1,D2` may be left \
                     out where one measure is asked by one margin"
                )
            }),
        }
    }
}

/// `50 at 95 %`, `+-50 at 0.95 on persons by sex`.
fn precision(text: &str, asked: &BTreeMap<Measure, BTreeSet<Margin>>) -> Option<Price> {
    let (half_width, rest) = text.split_once(" at ")?;
    let (confidence, on) =
        rest.split_once(" on ").map_or((rest, None), |(confidence, on)| (confidence, Some(on)));
    let half_width = half_width.trim().trim_start_matches("+-").trim_start_matches('±').trim_start();
    let confidence = match confidence.trim().strip_suffix('%') {
        // A percentage is a number of hundredths, which is 10^7 billionths.
        Some(percent) => nano(u64::try_from(Decimal::unsigned(percent.trim_end())?.scaled(7)?).ok()?),
        None => confidence.trim().to_owned(),
    };
    let (measure, by) = match on {
        Some(on) => {
            let (measure, names) = on.split_once(" by").unwrap_or((on, ""));
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "_T");
            let by = names.map(|name| name.parse().ok()).collect::<Option<Vec<_>>>()?;
            (measure.trim().parse().ok()?, Margin::new(by))
        }
        None => {
            let mut margins =
                asked.iter().flat_map(|(measure, margins)| margins.iter().map(move |by| (measure, by)));
            let ((measure, by), None) = (margins.next()?, margins.next()) else { return None };
            (measure.clone(), by.clone())
        }
    };
    let (half_width, confidence) = (Decimal::unsigned(half_width)?, Decimal::unsigned(&confidence)?);
    Some(Price::Precision { half_width, confidence, measure, by })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(by: &'a [String], filters: &'a [String], epsilon: &'a str) -> Result<Draft, Failure> {
        let measures = ["persons".to_owned()];
        let price = Offer::Epsilon(epsilon);
        Parts { dataset: "residents", version: None, measures: &measures, by, filters, price }.read()
    }

    #[test]
    fn a_precision_is_read_as_people_write_it() {
        let by = |by: &[&str]| by.iter().map(|by| (*by).to_owned()).collect::<Vec<_>>();
        for (measures, margins, text, expected) in [
            (
                ["persons"].as_slice(),
                ["sex"].as_slice(),
                "+-50 at 95 %",
                Some("price precision 50 at 0.95 on persons by sex"),
            ),
            (&["persons"], &["sex"], "±50 at 0.990", Some("price precision 50 at 0.99 on persons by sex")),
            (
                &["persons"],
                &["sex", "_T"],
                "50 at 99.9%  on persons by",
                Some("price precision 50 at 0.999 on persons by"),
            ),
            (
                &["rows", "sum(fee)"],
                &["sex"],
                "2.5 at 95 % on sum(fee) by sex",
                Some("price precision 2.5 at 0.95 on sum(fee) by sex"),
            ),
            // 95 is no share: a percentage has its sign.
            (&["persons"], &["sex"], "50 at 95", None),
            (&["persons"], &["sex"], "50 at 100 %", None),
            (&["persons"], &["sex", "_T"], "50 at 95 %", None),
            (&["persons"], &["sex"], "50 at 95 % on rows by sex", None),
            (&["persons"], &["sex"], "50", None),
            (&["persons"], &["sex"], "-50 at 95 %", None),
        ] {
            let (measures, by) = (by(measures), by(margins));
            let price = Offer::Precision(text);
            let parts = Parts {
                dataset: "residents",
                version: None,
                measures: &measures,
                by: &by,
                filters: &[],
                price,
            };
            let read = parts.read().ok().map(|asked| asked.query.to_string());
            let price = read.as_deref().and_then(|text| text.lines().last());
            assert_eq!(price, expected, "{text}");
        }
    }

    #[test]
    fn a_measure_is_read_as_people_write_it() {
        let many = format!(
            "quantile(age,{})",
            (1..99).map(|share| format!("0.{share:02}1")).collect::<Vec<_>>().join(",")
        );
        for (text, expected) in [
            ("quantile(age, 0.10, .5)", Err("`quantile(age,0.1,.5)` is no measure")),
            ("quantile(age, 0.90, 0.10)", Ok("quantile(age,0.1,0.9)")),
            (" quantile( age ,0.50 ) ", Ok("quantile(age,0.5)")),
            ("median(age)", Ok("quantile(age,0.5)")),
            ("persons ", Ok("persons")),
            ("mean(age", Err("`mean(age` is no measure")),
            (&many, Err("more than 256: ask for fewer shares at once")),
        ] {
            match (read_measure(text).map(|measure| measure.to_string()), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{found:?} {expected:?}"),
            }
        }
    }

    #[test]
    fn office_is_a_layout_and_never_in_the_text() {
        let texts =
            |by: &[&str]| parts(&by.iter().map(|by| (*by).to_owned()).collect::<Vec<_>>(), &[], "0.50");
        let with = texts(&["office,sex,country_of_birth"]).unwrap();
        let without = texts(&["country_of_birth,sex"]).unwrap();
        assert_eq!((with.by_office, without.by_office), (true, false));
        assert_eq!(with.query, without.query);
        assert_eq!(
            with.query.to_string(),
            "lango-query 1\ndataset residents\nmeasure persons\nby country_of_birth,sex\nprice epsilon 0.5\n"
        );
        assert_eq!(texts(&[]).unwrap().query, texts(&["_T"]).unwrap().query);
        assert!(matches!(texts(&["office", "sex"]), Err(Failure::Usage(_))));
    }

    #[test]
    fn what_makes_no_sense_is_wrong_usage() {
        let no = Vec::new();
        for (filters, epsilon) in [(&no, "much"), (&no, "-1"), (&vec!["sex is F".to_owned()], "1")] {
            assert!(matches!(parts(&[], filters, epsilon), Err(Failure::Usage(_))), "{filters:?} {epsilon}");
        }
    }

    #[test]
    fn a_query_file_is_read_and_its_errors_name_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.toml");
        let good = "dataset = \"residents\"\nepsilon = 0.5\npurpose = \"official-statistics\"\nwhere = [\"sex = F\"]\n\
                    [[measure]]\nname = \"persons\"\nby = [[], [\"office\", \"age\"]]\n";
        for (text, expected) in [
            (good.replace("[], ", ""), None),
            (good.to_owned(), Some("`office` is a way to lay the whole answer out")),
            (good.replace("epsilon =", "epsilom ="), Some("a query file has no key `epsilom`")),
            (good.replace("epsilon = 0.5\n", ""), Some("name either `epsilon` or `precision`")),
            (good.replace("[], ", "").replace("epsilon = 0.5", "precision = \"50 at 95 %\""), None),
            (good.replace("[], ", "").replace("sex = F", "sex F"), Some("`sex F` is not a condition")),
        ] {
            std::fs::write(&path, text).unwrap();
            match (read_file(&path), expected) {
                (Ok(asked), None) => assert!(asked.by_office && asked.purpose.is_some()),
                (Err(failure), Some(expected)) => {
                    assert!(failure.to_string().contains(expected), "{failure}")
                }
                (found, expected) => panic!("{found:?} {expected:?}"),
            }
        }
    }
}
