//! From options or a query file to a question.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use lango_policy::document::Document;
use lango_privacy::{Decimal, Filter, Margin, Measure, Price, Query};
use serde::Deserialize;
use toml::Spanned;

use crate::{config, failure::Failure};

/// What is asked and how the answer is laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
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
    pub epsilon: &'a str,
}

impl Parts<'_> {
    /// Every margin for every measure; none is the total.
    pub fn read(&self) -> Result<Asked, Failure> {
        let total = vec![Vec::new()];
        let split =
            |by: &String| by.split(',').filter(|name| *name != "_T").map(str::to_owned).collect::<Vec<_>>();
        let margins: Vec<Vec<String>> = self.by.iter().map(split).collect();
        let margins = if margins.is_empty() { total } else { margins };
        let measures = self.measures.iter().map(|measure| (measure.clone(), margins.clone()));
        assemble(self.dataset, self.version, measures, self.filters, self.epsilon).map_err(Failure::Usage)
    }
}

/// A query file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryFile {
    dataset: Spanned<String>,
    version: Option<String>,
    purpose: Option<String>,
    #[serde(default, rename = "where")]
    filters: Vec<String>,
    epsilon: toml::Value,
    measure: Vec<MeasureTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureTable {
    name: String,
    by: Vec<Vec<String>>,
}

/// Reads a query file.
pub fn read_file(path: &Path) -> Result<Asked, Failure> {
    let document = Document::new(path.display().to_string(), config::read(path)?);
    let file: QueryFile = document.read()?;
    let epsilon = match &file.epsilon {
        toml::Value::Float(epsilon) => epsilon.to_string(),
        other => other.to_string(),
    };
    let measures = file.measure.iter().map(|table| (table.name.clone(), table.by.clone()));
    let asked = assemble(file.dataset.get_ref(), file.version.as_deref(), measures, &file.filters, &epsilon);
    let asked = asked.map_err(|message| document.error(file.dataset.span().start, message))?;
    Ok(Asked { purpose: file.purpose, ..asked })
}

fn assemble(
    dataset: &str,
    version: Option<&str>,
    measures: impl Iterator<Item = (String, Vec<Vec<String>>)>,
    filters: &[String],
    epsilon: &str,
) -> Result<Asked, String> {
    let mut asked: BTreeMap<Measure, BTreeSet<Margin>> = BTreeMap::new();
    let mut layouts = BTreeSet::new();
    for (measure, margins) in measures {
        let name: Measure =
            measure.parse().map_err(|_| format!("`{measure}` is not a measure such as `persons`"))?;
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
    let epsilon =
        Decimal::unsigned(epsilon).ok_or_else(|| format!("`{epsilon}` is not an epsilon such as 0.5"))?;
    let version = version.map(|version| version.parse().map_err(|error| format!("{error}"))).transpose()?;
    let dataset = dataset.parse().map_err(|error| format!("{error}"))?;
    let query = Query { dataset, version, measures: asked, filters: read, price: Price::Epsilon(epsilon) };
    // Only the text is signed, so what the text says is what is asked.
    let query: Query = query.to_string().parse().map_err(|error| format!("{error}"))?;
    Ok(Asked { query, by_office: layouts.contains(&true), purpose: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(by: &'a [String], filters: &'a [String], epsilon: &'a str) -> Result<Asked, Failure> {
        let measures = ["persons".to_owned()];
        Parts { dataset: "residents", version: None, measures: &measures, by, filters, epsilon }.read()
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
            (good.to_owned(), Some(":1:11: `office` is a way to lay the whole answer out")),
            (good.replace("epsilon =", "epsilom ="), Some(":2:1: unknown field `epsilom`")),
            (good.replace("[], ", "").replace("sex = F", "sex F"), Some(":1:11: `sex F` is not a condition")),
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
