//! Names that no office knows, found before anything is asked: each with the name that was most likely meant.
//!
//! Only a name that is like a right one is found here. Any other is asked for: what an office refuses, it signs.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use lango_analyst::{AskError, AskEvent, Client, Enquiry};
use lango_document::nearest_all;
use lango_policy::short_purpose;
use lango_privacy::{Condition, Measure, Query};
use lango_wire::{DescribedDataset, VerifiedDescription};

use crate::{
    analyst::offices::{alike, named},
    failure::Failure,
    output::{either, foreign, say},
};

/// The most names that are offered for a wrong one.
const MEANT_MOST: usize = 4;
/// How long offices are waited for that have not said yet what is open: a question may be asked without that.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long offices are waited for that are only to say what codes are called.
const FOR_LABELS: Duration = Duration::from_millis(250);

/// What the codes of columns are called, by column and code.
pub type CodeNames = BTreeMap<String, BTreeMap<String, String>>;

/// A name that an office does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misspelt {
    /// What it is the name of.
    what: &'static str,
    /// As asked.
    asked: String,
    /// What was most likely meant: one name, or several that are as near.
    meant: Vec<String>,
}

impl fmt::Display for Misspelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, asked, meant } = self;
        let meant: Vec<String> = meant.iter().map(|name| format!("`{}`", foreign(name))).collect();
        write!(f, "no {what} `{}`: did you mean {}?", foreign(asked), either(&meant))
    }
}

/// Looks up at all offices that are asked whether they know the names of a question, all at once. The first office that does
/// ends it, and what it calls its codes is returned. Where nobody says what is open, the question may be asked as it is.
///
/// # Errors
/// Every office that described its datasets has another name like one of the question's.
pub async fn check(client: &Client, enquiry: &Enquiry) -> Result<CodeNames, Failure> {
    let (members, datasets) = tokio::join!(members(client, enquiry), datasets(client, enquiry));
    members?;
    match datasets? {
        Found::Names(names) => Ok(names),
        Found::Nothing => Ok(CodeNames::new()),
        Found::NotLookedUp(why) => {
            say(&format!("lango: names are not looked up before the question is asked: {why}"));
            Ok(CodeNames::new())
        }
    }
}

/// What came of looking names up.
enum Found {
    /// An office knows them, and all that were asked call codes so.
    Names(CodeNames),
    /// The question itself says why not.
    Nothing,
    /// Why they are not looked up.
    NotLookedUp(String),
}

/// Whether the coordinator has the members that are named.
async fn members(client: &Client, enquiry: &Enquiry) -> Result<(), Failure> {
    if enquiry.members.is_empty() {
        return Ok(());
    }
    // What the coordinator does not say now, it says of the question.
    let Ok(members) = client.member_names(PATIENCE).await else { return Ok(()) };
    let misspelt = enquiry.members.iter().find_map(|asked| {
        misspelt("member", asked, members.iter().map(String::as_str)).filter(|_| !members.contains(asked))
    });
    match misspelt {
        Some(misspelt) => Err(Failure::Usage(format!("--member: there is {misspelt}"))),
        None => Ok(()),
    }
}

/// Whether an office knows the question's names.
async fn datasets(client: &Client, enquiry: &Enquiry) -> Result<Found, Failure> {
    let began = Instant::now();
    let mut describing = match client.describe(&enquiry.members, None, PATIENCE).await {
        Ok(describing) => describing,
        // The question is refused for the same reason.
        Err(AskError::Member(_) | AskError::NoMembers) => return Ok(Found::Nothing),
        Err(error) => {
            return Ok(Found::NotLookedUp(foreign(&error.to_string())));
        }
    };
    let asked = describing.audience().len();
    let mut found: Vec<(String, Vec<Misspelt>)> = Vec::new();
    let mut labels: Vec<CodeNames> = Vec::new();
    let mut until: Option<tokio::time::Instant> = None;
    loop {
        // Once one office knows the names, the others are waited for a moment alone: they have the labels.
        let event = match until {
            None => describing.next().await,
            Some(until) => match tokio::time::timeout_at(until, describing.next()).await {
                Ok(event) => event,
                Err(_) => return Ok(Found::Names(CodeNames::new())),
            },
        };
        match event {
            Ok(Some(AskEvent::MemberAnswered { office })) => {
                let Some(described) = describing.described(&office) else { continue };
                let misspelt = misspelt_in(&enquiry.query, &enquiry.purpose, described);
                if misspelt.is_empty() {
                    labels.push(code_names(&enquiry.query, described));
                    until.get_or_insert_with(|| tokio::time::Instant::now() + FOR_LABELS);
                } else {
                    found.push((office, misspelt));
                }
            }
            Ok(Some(
                AskEvent::MemberRefused { .. }
                | AskEvent::MemberMissing { .. }
                | AskEvent::Discarded { .. }
                | AskEvent::CoordinatorBrokeOff { .. },
            )) => {}
            Ok(None) => break,
            Err(error) => {
                return Ok(Found::NotLookedUp(foreign(&error.to_string())));
            }
        }
    }
    if !labels.is_empty() {
        return Ok(Found::Names(if labels.len() == asked { agreed(labels) } else { CodeNames::new() }));
    }
    if found.is_empty() {
        return Ok(Found::NotLookedUp(format!(
            "no office has said within {:.1} s what is open",
            began.elapsed().as_secs_f64()
        )));
    }
    found.sort();
    Err(Failure::Usage(in_words(&found, asked)))
}

/// What an office calls the codes of the question's dataset.
fn code_names(query: &Query, described: &VerifiedDescription) -> CodeNames {
    let dataset = described.datasets.iter().find(|dataset| dataset.name == query.dataset);
    let columns = dataset.into_iter().flat_map(|dataset| &dataset.columns);
    let named = columns.map(|column| {
        let labels = column.labelled().map(|(code, label)| (code.to_string(), label.to_owned()));
        (column.name.to_string(), labels.collect())
    });
    named.filter(|(_, labels): &(String, BTreeMap<String, String>)| !labels.is_empty()).collect()
}

/// The labels that all of some offices have for a code: no office names what another counts.
fn agreed(labels: Vec<CodeNames>) -> CodeNames {
    let mut rest = labels.into_iter();
    let mut agreed = rest.next().unwrap_or_default();
    for other in rest {
        for (column, labels) in &mut agreed {
            labels.retain(|code, label| other.get(column).and_then(|labels| labels.get(code)) == Some(label));
        }
    }
    agreed.retain(|_, labels| !labels.is_empty());
    agreed
}

/// What offices do not know, a line for each name; what all of them say alike is said once.
fn in_words(found: &[(String, Vec<Misspelt>)], asked: usize) -> String {
    let each = found.iter().map(|(office, misspelt)| (office.as_str(), misspelt));
    let lines = alike(each, |misspelt| (*misspelt).clone()).into_iter().flat_map(|(offices, misspelt)| {
        let has = if offices.len() == 1 { "has" } else { "have" };
        let offices = named(&offices, asked);
        misspelt.iter().map(move |misspelt| format!("{offices} {has} {misspelt}"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The names of a question that an office does not know and has another one for.
fn misspelt_in(query: &Query, purpose: &str, described: &VerifiedDescription) -> Vec<Misspelt> {
    let datasets = &described.datasets;
    let Some(dataset) = datasets.iter().find(|dataset| dataset.name == query.dataset) else {
        // It may be among those that are not described.
        let names = datasets.iter().map(|dataset| dataset.name.as_str()).filter(|_| described.left_out == 0);
        return misspelt("dataset", query.dataset.as_str(), names).into_iter().collect();
    };
    let mut found: Vec<Misspelt> = Vec::new();
    let mut add = |misspelt: Option<Misspelt>| {
        found.extend(misspelt.filter(|misspelt| !found.contains(misspelt)));
    };
    for measure in query.measures.keys() {
        add(misspelt_measure(measure, dataset));
    }
    let grouped = query.measures.values().flatten().flat_map(|by| by.dimensions());
    for column in grouped.chain(query.filters.iter().map(|filter| &filter.column)) {
        add(misspelt_column(column.as_str(), dataset));
    }
    for filter in &query.filters {
        let column = dataset.column(&filter.column);
        let (Some(column), Condition::In(codes)) = (column, &filter.condition) else { continue };
        for code in codes.iter().filter(|code| !column.codes.contains(code)) {
            add(misspelt("code", code.as_str(), column.codes.iter().map(|code| code.as_str())));
        }
    }
    let purpose = short_purpose(purpose);
    let purposes = || dataset.grants.iter().flat_map(|grant| &grant.purposes).map(String::as_str);
    if !purposes().any(|granted| granted == purpose) {
        add(misspelt("purpose", purpose, purposes()));
    }
    if let Some(version) = query.version.as_ref().filter(|version| **version != dataset.version) {
        add(misspelt("version", version.as_str(), [dataset.version.as_str()]));
    }
    found
}

fn misspelt_measure(measure: &Measure, dataset: &DescribedDataset) -> Option<Misspelt> {
    match measure.column() {
        Some(column) => misspelt_column(column.as_str(), dataset),
        None => {
            let granted = dataset.grants.iter().flat_map(|grant| &grant.measures);
            let granted: Vec<String> =
                granted.filter(|measure| measure.column().is_none()).map(ToString::to_string).collect();
            let asked = measure.to_string();
            let misspelt = misspelt("measure", &asked, granted.iter().map(String::as_str));
            misspelt.filter(|_| !granted.contains(&asked))
        }
    }
}

fn misspelt_column(asked: &str, dataset: &DescribedDataset) -> Option<Misspelt> {
    let names = || dataset.columns.iter().map(|column| column.name.as_str());
    if names().any(|name| name == asked) { None } else { misspelt("column", asked, names()) }
}

/// A name that is none of these, where one of them is like it: the same but for the case of its letters, or nearly so.
fn misspelt<'a>(
    what: &'static str,
    asked: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Misspelt> {
    let known: Vec<&str> = known.into_iter().collect();
    let same = known.iter().copied().find(|name| name.eq_ignore_ascii_case(asked));
    let mut meant = same.map_or_else(|| nearest_all(asked, known.iter().copied()), |same| vec![same]);
    meant.truncate(MEANT_MOST);
    let meant: Vec<String> = meant.into_iter().map(str::to_owned).collect();
    (!meant.is_empty()).then(|| Misspelt { what, asked: asked.to_owned(), meant })
}

#[cfg(test)]
mod tests {
    use lango_wire::SignedDescription;

    use super::*;
    use crate::analyst::catalogue::tests::residents;

    fn described(datasets: Vec<DescribedDataset>, left_out: u32) -> VerifiedDescription {
        let statement = SignedDescription {
            request_digest: [0; 32],
            office: "spiffe://ecowas.example/office/GHA".parse().unwrap(),
            policy_digest: [0; 32],
            datasets_digest: [0; 32],
            time: 0,
        };
        VerifiedDescription { statement, datasets, left_out, cosigned_at: None }
    }

    #[test]
    fn a_name_like_a_right_one_is_found_and_any_other_is_asked_for() {
        let office = described(vec![residents()], 0);
        for (dataset, body, purpose, expected) in [
            ("residents", "measure persons\nby sex", "official-statistics", vec![]),
            (
                "residnts",
                "measure persns\nby sx",
                "official-statistics",
                vec!["no dataset `residnts`: did you mean `residents`?"],
            ),
            ("visas", "measure persons\nby sex", "official-statistics", vec![]),
            (
                "residents",
                "measure persns\nby",
                "official-statistics",
                vec!["no measure `persns`: did you mean `persons`?"],
            ),
            // Known, and not granted: the office says so.
            ("residents", "measure rows\nby sex", "official-statistics", vec![]),
            ("residents", "measure sum(income)\nby sex", "official-statistics", vec![]),
            (
                "residents",
                "measure mean(incom)\nby",
                "official-statistics",
                vec!["no column `incom`: did you mean `income`?"],
            ),
            (
                "residents",
                "measure persons\nby sez\nwhere sez = F",
                "official-statistic",
                vec![
                    "no column `sez`: did you mean `sex`?",
                    "no purpose `official-statistic`: did you mean `official-statistics`?",
                ],
            ),
            (
                "residents",
                "measure persons\nby\nwhere sex in F,m",
                "official-statistics",
                vec!["no code `m`: did you mean `M`?"],
            ),
            ("residents", "measure persons\nby village", "border-control", vec![]),
            ("residents", "measure persons\nby", "dpv:ProvideOfficialStatistics", vec![]),
        ] {
            let text = format!("lango-query 1\ndataset {dataset}\n{body}\nprice epsilon 1\n");
            let query = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            let found: Vec<String> =
                misspelt_in(&query, purpose, &office).iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{text}");
        }
        let query =
            "lango-query 1\ndataset residnts\nmeasure persons\nby\nprice epsilon 1\n".parse().unwrap();
        assert_eq!(misspelt_in(&query, "x", &described(vec![residents()], 1)), []);
        let query =
            "lango-query 1\ndataset residents\nversion 2024-07\nmeasure persons\nby\nprice epsilon 1\n";
        let found = misspelt_in(&query.parse().unwrap(), "official-statistics", &office);
        assert_eq!(found[0].to_string(), "no version `2024-07`: did you mean `2024-07-01`?");
    }

    #[test]
    fn what_offices_say_alike_is_one_line() {
        let name = |asked: &str| misspelt("measure", asked, ["persons"]).unwrap();
        let alike = vec![name("persns")];
        let found = ["BEN", "GHA", "TGO"].map(|office| (office.to_owned(), alike.clone()));
        let words = "no measure `persns`: did you mean `persons`?";
        assert_eq!(in_words(&found, 3), format!("all 3 offices have {words}"));
        assert_eq!(in_words(&found[..2], 3), format!("BEN, GHA have {words}"));
        let other = ("TGO".to_owned(), vec![name("person")]);
        let found = [found[0].clone(), other];
        assert_eq!(
            in_words(&found, 3),
            format!("BEN has {words}\nTGO has no measure `person`: did you mean `persons`?")
        );
    }
}
