//! Differences are those that questions show, and no others.

use std::collections::BTreeSet;

use lango_document::Document;
use time::Month;

use super::*;
use crate::{AccessRequest, Budget};

mod bounds;

const HEAD: &str = r#"policy = 2
office = "GHA"
[dataset.d]
title = "D"
kind = "stock"
source = "register"
table = "d"
version = "1"
rows_below = 1000
unit = { column = "id", noun = "person", rows_at_most = 1 }
[dataset.d.column]
a = { codes = ["A", "B", "C"] }
b = { codes = ["A", "B"] }
c = { integer = [0, 9] }
e = { amount = [0, 100], scale = 0, candidates = 10 }
"#;

/// Small whole numbers without end, the same for a seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn one<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Each with a chance of one in `of`.
    fn some<'a>(&mut self, from: &[&'a str], of: usize) -> Vec<&'a str> {
        from.iter().copied().filter(|_| self.below(of) == 0).collect()
    }
}

const TO: [&str; 4] =
    ["r.example/analyst/awa", "r.example/analyst/kofi", "r.example/analyst/*", "s.example/analyst/*"];
const PURPOSES: [&str; 2] = ["p", "q"];
const GRANTED: [&str; 9] = [
    "persons",
    "rows",
    "rows(b)",
    "mean(e)",
    "share(a)",
    "histogram(c)",
    "quantile(e)",
    "quantile(e,0.25,0.5)",
    "quantile(e,0.5,0.75)",
];
const COLUMNS: [&str; 4] = ["a", "b", "c", "e"];
const CODES: [&str; 3] = ["A", "B", "_U"];

/// A grant as it is written, part by part.
#[derive(Clone, PartialEq)]
struct Rule {
    id: usize,
    to: Vec<&'static str>,
    purposes: Vec<&'static str>,
    measures: Vec<&'static str>,
    by: Vec<&'static str>,
    filters: Vec<&'static str>,
    at_most: usize,
    per_query: &'static str,
    total: &'static str,
    valid: &'static str,
}

const VALID: [&str; 4] = [
    "",
    "valid = { from = 2026-01-01, until = 2026-06-30 }",
    "valid = { from = 2026-04-01, until = 2026-12-31 }",
    "valid = { from = 2026-07-01, until = 2026-07-01 }",
];

fn or_first(mut list: Vec<&'static str>, first: &'static str) -> Vec<&'static str> {
    if list.is_empty() {
        list.push(first);
    }
    list
}

impl Rule {
    fn drawn(id: usize, draws: &mut Draws) -> Self {
        let mut rule = Self {
            id,
            to: vec![],
            purposes: vec![],
            measures: vec![],
            by: vec![],
            filters: vec![],
            at_most: 0,
            per_query: "1.0",
            total: "4.0",
            valid: "",
        };
        (0..9).for_each(|part| rule.redraw(part, draws));
        rule
    }

    fn redraw(&mut self, part: usize, draws: &mut Draws) {
        match part {
            0 => self.to = or_first(draws.some(&TO, 3), TO[2]),
            1 => self.purposes = or_first(draws.some(&PURPOSES, 2), "p"),
            2 => self.measures = or_first(draws.some(&GRANTED, 3), "persons"),
            3 => self.by = draws.some(&COLUMNS[..3], 2),
            4 => self.filters = draws.some(&COLUMNS, 3),
            5 => self.at_most = draws.below(4),
            6 => self.per_query = draws.one(&["0.5", "1.0", "2.0"]),
            7 => self.total = draws.one(&["4.0", "4.0", "6.0"]),
            _ => self.valid = draws.one(&VALID),
        }
    }
}

fn quoted(list: &[&str]) -> String {
    list.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", ")
}

fn set(rules: &[Rule], refusals: &[String], budget: &str) -> PolicySet {
    let mut text =
        format!("{HEAD}[budget.d]\naccounting = \"pure\"\nepsilon = {budget}\nrenews = \"yearly\"\n");
    for rule in rules {
        let to: Vec<String> = rule.to.iter().map(|to| format!("\"spiffe://{to}\"")).collect();
        text += &format!(
            "[[grant]]\nid = \"g{}\"\nto = [{}]\npurpose = [{}]\ndataset = \"d\"\nmeasures = [{}]\nby = [{}]\nwhere = [{}]\n\
             by_at_most = {}\nepsilon_per_query = {}\nepsilon_total = {}\npublish = \"office\"\n{}\n",
            rule.id,
            to.join(", "),
            quoted(&rule.purposes),
            quoted(&rule.measures),
            quoted(&rule.by),
            quoted(&rule.filters),
            rule.at_most,
            rule.per_query,
            rule.total,
            rule.valid
        );
    }
    for (at, refusal) in refusals.iter().enumerate() {
        text += &format!("[[refusal]]\nid = \"r{at}\"\n{refusal}\n");
    }
    PolicySet::read(&[Document::new("p.toml", text.as_str())])
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refusal(draws: &mut Draws) -> String {
    let mut text = String::new();
    if draws.below(3) == 0 {
        text += &format!("to = [\"spiffe://{}\"]\n", draws.one(&TO));
    }
    if draws.below(3) == 0 {
        text += &format!("purpose = [{:?}]\n", draws.one(&PURPOSES));
    }
    let columns = draws.some(&COLUMNS, 2);
    if !columns.is_empty() {
        text += &format!("columns = [{}]\n", quoted(&columns));
    }
    let codes: Vec<String> = draws
        .some(&["a", "b"], 3)
        .into_iter()
        .map(|column| format!("{column} = [{}]", quoted(&or_first(draws.some(&CODES, 2), "A"))))
        .collect();
    if !codes.is_empty() {
        text += &format!("codes = {{ {} }}\n", codes.join(", "));
    }
    text
}

fn question(draws: &mut Draws) -> Query {
    let asked =
        [&GRANTED[..6], &["quantile(e,0.25)", "quantile(e,0.4)", "quantile(e,0.5,0.75)", "quantile(e,0.5)"]];
    let measures = or_first(draws.some(&asked.concat(), 9), "persons");
    let mut text = "lango-query 1\ndataset d\n".to_owned();
    for measure in measures {
        text += &format!("measure {measure}\n");
        let margins: BTreeSet<String> =
            (0..1 + draws.below(2)).map(|_| draws.some(&COLUMNS[..3], 4).join(",")).collect();
        for by in margins {
            text += &format!("by {by}\n").replace("by \n", "by\n");
        }
    }
    for column in draws.some(&COLUMNS, 8) {
        let condition = match column {
            "a" | "b" => ["= A", "= B", "in A,_U", "= _U"][draws.below(4)],
            _ => "from 1 to 2",
        };
        text += &format!("where {column} {condition}\n");
    }
    text += &format!("price epsilon {}\n", draws.one(&["0.4", "0.4", "0.5", "0.7", "1", "1.5", "3"]));
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What a policy decides: the grant that allows the question and what is charged, or nothing.
fn decided<'a>(
    set: &'a PolicySet,
    asked: &AccessRequest<'_>,
    query: &Query,
) -> Option<(&'a Grant, &'a Budget)> {
    set.authorize(asked, query).ok().map(|granted| (granted.grant, granted.budget))
}

/// What becomes of a question, without its reasons.
fn became(old: Option<(&Grant, &Budget)>, new: Option<(&Grant, &Budget)>) -> Option<(String, String)> {
    match (old, new) {
        (None, None) => None,
        (None, Some((grant, _))) => Some((String::new(), grant.id.clone())),
        (Some((grant, _)), None) => Some((grant.id.clone(), String::new())),
        (Some((from, old)), Some((to, new))) => {
            let is_same = from.id == to.id && from.epsilon_total_nano == to.epsilon_total_nano && old == new;
            (!is_same).then(|| (from.id.clone(), to.id.clone()))
        }
    }
}

fn grants_of(change: &Change) -> (String, String) {
    match change {
        Change::Possible { grant } => (String::new(), grant.clone()),
        Change::Stopped { grant } => (grant.clone(), String::new()),
        Change::OnOtherTerms { from, to, .. } => (from.clone(), to.clone()),
    }
}

fn day(month: u8, day: u8) -> Date {
    Date::from_calendar_date(2026, Month::try_from(month).unwrap(), day).unwrap()
}

#[test]
fn every_difference_that_a_question_shows_is_found_and_every_one_that_is_found_shows() {
    let (mut differing, mut empty, mut found) = (0, 0, BTreeSet::new());
    for seed in 0..400 {
        let draws = &mut Draws(seed);
        let rules: Vec<Rule> = (0..1 + draws.below(4)).map(|id| Rule::drawn(id, draws)).collect();
        let refusals: Vec<String> = (0..draws.below(3)).map(|_| refusal(draws)).collect();
        let (mut edited, mut others) = (rules.clone(), refusals.clone());
        let mut budget = "8.0";
        for _ in 0..draws.below(4) {
            match draws.below(8) {
                0 => edited.push(Rule::drawn(edited.len() + 10, draws)),
                1 if edited.len() > 1 => drop(edited.remove(0)),
                2 => edited.reverse(),
                3 => others.push(refusal(draws)),
                4 if !others.is_empty() => drop(others.remove(0)),
                5 if draws.below(3) == 0 => budget = "9.0",
                _ => {
                    let (at, part) = (draws.below(edited.len()), draws.below(9));
                    edited[at].redraw(part, draws);
                }
            }
        }
        let (old, new) = (set(&rules, &refusals, "8.0"), set(&edited, &others, budget));
        let diff = old.diff(&new, day(5, 1));
        assert!(diff.unfinished.is_empty(), "seed {seed}");
        empty += usize::from(diff.differences.is_empty());
        for difference in &diff.differences {
            let Example { principal, purpose, on, query } = &difference.example;
            let asked =
                AccessRequest { principal, purpose: Some(purpose), on: Some(*on), epsilon_nano: None };
            let shown = became(decided(&old, &asked, query), decided(&new, &asked, query));
            assert_eq!(shown, Some(grants_of(&difference.change)), "seed {seed}: {difference:#?}");
            assert_eq!(query.to_string().parse::<Query>().as_ref(), Ok(query), "seed {seed}");
            found.insert(difference.change.order());
        }
        for _ in 0..400 {
            let query = question(draws);
            let names = [
                "r.example/analyst/awa",
                "r.example/analyst/kofi",
                "r.example/analyst/ama",
                "s.example/analyst/awa",
            ];
            let principal = format!("spiffe://{}", draws.one(&names)).parse().unwrap();
            let purpose = draws.one(&["p", "q", "p", "q", "z"]);
            let on = [day(2, 1), day(5, 1), day(7, 1), day(8, 1), day(12, 31)][draws.below(5)];
            let asked = AccessRequest {
                principal: &principal,
                purpose: Some(purpose),
                on: Some(on),
                epsilon_nano: None,
            };
            for set in [&old, &new] {
                let first = set.explain(&asked, &query).find(|verdict| verdict.objections().next().is_none());
                let is_forbidden = set.forbidding(&asked, &query).next().is_some();
                let first = first.filter(|_| !is_forbidden).map(|verdict| verdict.grant);
                assert_eq!(decided(set, &asked, &query).map(|(grant, _)| grant), first, "seed {seed}");
            }
            let Some(shown) = became(decided(&old, &asked, &query), decided(&new, &asked, &query)) else {
                continue;
            };
            differing += 1;
            let is_said = diff.differences.iter().any(|difference| {
                let others = |askers: &Askers| match &askers.who {
                    PrincipalPattern::One(one) => *one == principal,
                    every @ PrincipalPattern::Every { .. } => every.matches(&principal),
                };
                let speaks = |askers: &Askers| {
                    others(askers)
                        && askers.purpose == purpose
                        && (askers.days.from..=askers.days.until).contains(&on)
                };
                grants_of(&difference.change) == shown && difference.askers.iter().any(speaks)
            });
            assert!(
                is_said,
                "seed {seed}: {shown:?} {principal} {purpose} {on}\n{query}\n{:#?}",
                diff.differences
            );
        }
    }
    assert!(differing > 1_000 && empty > 50 && found.len() == 3, "{differing} {empty} {}", found.len());
}

/// Policies with grants of which each is like the first but for its name.
fn many(count: usize, edit: impl Fn(usize, &mut Rule)) -> PolicySet {
    let rules: Vec<Rule> = (0..count)
        .map(|id| {
            let mut rule = Rule {
                id,
                to: vec![TO[2]],
                purposes: vec!["p"],
                measures: vec!["persons"],
                by: vec!["a"],
                filters: vec!["c"],
                at_most: 2,
                per_query: "1.0",
                total: "4.0",
                valid: "",
            };
            edit(id, &mut rule);
            rule
        })
        .collect();
    set(&rules, &[], "8.0")
}

#[test]
fn each_part_of_a_grant_that_is_widened_is_a_difference_of_its_own() {
    let old = many(1, |_, _| {});
    let new = many(1, |_, rule| {
        rule.measures.push("rows");
        rule.by.push("b");
        rule.filters.push("e");
        rule.at_most = 3;
        rule.per_query = "2.0";
    });
    let diff = old.diff(&new, day(5, 1));
    let said: Vec<String> = diff
        .differences
        .iter()
        .map(|difference| {
            let Novelty { measures, by, filters, at_once, is_dear, .. } = &difference.what;
            format!("{measures:?} {by:?} {filters:?} {at_once} {is_dear}: {}", difference.example.query)
        })
        .collect();
    assert_eq!(said.len(), 6, "{said:#?}");
    assert_eq!(diff.comparison(), Comparison::MorePermissive);
    assert_eq!(new.diff(&old, day(5, 1)).comparison(), Comparison::LessPermissive);
    assert_eq!(old.diff(&old, day(5, 1)), PolicyDiff::default());
}

#[test]
fn a_grant_from_the_first_day_of_a_policy_on_has_no_days_before_it() {
    let of = |valid| many(1, |_, rule| rule.valid = valid);
    let (old, new) = (of("valid = { from = 0000-01-01, until = 2026-06-30 }"), of(""));
    let diff = old.diff(&new, day(5, 1));
    let days: Vec<_> =
        diff.differences.iter().flat_map(|difference| &difference.askers).map(|a| a.days).collect();
    assert_eq!(days, [Validity { from: day(7, 1), until: Date::MAX }]);
    let diff = of(VALID[1]).diff(&new, day(5, 1));
    let days: Vec<_> =
        diff.differences.iter().flat_map(|difference| &difference.askers).map(|a| a.days).collect();
    let before = Validity { from: Date::MIN, until: day(1, 1).previous_day().unwrap() };
    assert_eq!(days, [before, Validity { from: day(7, 1), until: Date::MAX }]);
}
