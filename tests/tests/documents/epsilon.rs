//! "How to choose epsilon" holds figures. What Lango prints is compared where it is shown; the tables and the odds are here.

use std::{collections::BTreeMap, fs};

use crate::{
    program::{command, lango, project, said},
    read,
};

fn page() -> String {
    read(&project().join("docs/EPSILON.md"))
}

/// The rows of the table whose header begins so, without the header and the rule below it.
fn table<'a>(page: &'a str, header: &str) -> Vec<Vec<&'a str>> {
    let lines = page.lines().skip_while(|line| !line.starts_with(header)).take_while(|line| !line.is_empty());
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect();
    let rows: Vec<Vec<&str>> = lines.map(cells).collect();
    assert!(rows.len() > 4, "{header}");
    [&rows[..1], &rows[2..]].concat()
}

/// A number as people write it: `12,000`.
fn number(text: &str) -> i64 {
    text.replace(',', "").parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Of 1,000, rounded up, what a probability grows to under the factor e^epsilon of its odds.
fn at_most(probability: f64, epsilon: &str) -> i64 {
    let factor = epsilon.parse::<f64>().unwrap().exp();
    let odds = probability / (1.0 - probability) * factor;
    (1000.0 * odds / (1.0 + odds)).ceil() as i64
}

#[test]
fn the_odds_are_those_of_epsilon() {
    let page = page();
    let rows = table(&page, "| epsilon of all");
    for row in &rows[1..] {
        let found = (number(row[1]), number(row[2]));
        assert_eq!(found, (at_most(0.5, row[0]), at_most(0.01, row[0])), "{row:?}");
    }
    let plain = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut count = 0;
    for text in plain.split("epsilon ").filter(|text| text.contains(" of 1,000)")) {
        let Some((epsilon, rest)) = text.split_once(" (") else { continue };
        let Some((odds, _)) = rest.split_once(" of 1,000)") else { continue };
        assert_eq!(number(odds), at_most(0.5, epsilon), "{text}");
        count += 1;
    }
    assert!(count >= 6, "{count} odds in sentences");
}

/// By how much a count of persons of the shipped register is off at most, in 95 of 100 cases: as `lango policy explain` says it.
fn half_width(epsilon: &str) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    let shipped = read(&project().join("policies/residents-yearly.toml"));
    let policy = shipped.replace("epsilon_per_query = 1.0", &format!("epsilon_per_query = {epsilon}"));
    assert_eq!(shipped.matches("epsilon_per_query = 1.0").count(), 1);
    let file = folder.path().join("policy.toml");
    fs::write(&file, policy).unwrap();
    let mut explain = command(lango());
    explain.args(["policy", "explain", "--principal", "spiffe://ecowas.example/analyst/kofi"]).arg(&file);
    let (code, printed, errors) = said(&explain.output().unwrap());
    assert_eq!(code, Some(0), "{errors}");
    let plain = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, width) = plain
        .split_once(&format!("at {epsilon} has in each cell, with 95 % confidence: persons ± "))
        .unwrap();
    number(width.split('.').next().unwrap())
}

#[test]
fn what_is_printed_of_a_count_is_what_lango_foresees() {
    let page = page();
    let rows = table(&page, "| true count");
    let widths: BTreeMap<&str, i64> = rows[0][1..]
        .iter()
        .map(|head| head.strip_prefix("epsilon ").unwrap())
        .map(|epsilon| (epsilon, half_width(epsilon)))
        .collect();
    for row in &rows[1..] {
        for (head, cell) in rows[0][1..].iter().zip(&row[1..]) {
            let (low, high) = cell.split_once(" to ").unwrap();
            let (count, width) = (number(row[0]), widths[head.strip_prefix("epsilon ").unwrap()]);
            assert_eq!((number(low), number(high)), (count - width, count + width), "{row:?} {head}");
        }
    }
    // The sentences about the shipped policies.
    assert_eq!((half_width("0.25"), half_width("1")), (12, 3));
    assert!(page.contains("off by 12 in place of 3"));
}
