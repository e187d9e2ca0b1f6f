//! Refusals that win over every grant.

use super::*;
use crate::AccessRequest;

/// The policy with a refusal of these parts.
fn with(parts: &str) -> String {
    format!("{GOOD}\n[[refusal]]\nid = \"never\"\n{parts}\n")
}

#[test]
fn a_refusal_wins_over_every_grant_where_all_of_its_parts_are_met() {
    let (official, sex) = ("official-statistics", "measure persons\nby sex\nprice epsilon 0.5");
    let both = "measure persons\nby country_of_birth,sex\nprice epsilon 0.5";
    let apart = "measure persons\nby country_of_birth\nby sex\nprice epsilon 0.5";
    let on_france = "measure persons\nby sex\nwhere country_of_birth = FRA\nprice epsilon 0.5";
    let on_others =
        "measure persons\nby country_of_birth,sex\nwhere country_of_birth in BEN,TGO\nprice epsilon 0.5";
    let mean = "measure mean(income)\nby sex\nprice epsilon 0.5";
    let (pair, income) = ("columns = [\"sex\", \"country_of_birth\"]", "columns = [\"sex\", \"income\"]");
    let france = "codes = { country_of_birth = [\"FRA\", \"DEU\"] }";
    let two = "codes = { country_of_birth = [\"FRA\"], sex = [\"F\"] }";
    for (parts, body, is_forbidden) in [
        ("", sex, true),
        ("to = [\"spiffe://ecowas.example/analyst/*\"]", sex, true),
        ("to = [\"spiffe://ecowas.example/analyst/kofi\"]", sex, false),
        ("purpose = [\"official-statistics\"]", sex, true),
        ("purpose = [\"enforcement\"]", sex, false),
        ("dataset = \"residents\"", sex, true),
        ("columns = [\"sex\"]", sex, true),
        ("columns = [\"age\"]", sex, false),
        (pair, sex, false),
        (pair, both, true),
        // Two tables, neither of which has both.
        (pair, apart, false),
        // A condition uses its column in every margin.
        (pair, on_france, true),
        (income, mean, true),
        (income, sex, false),
        (france, both, true),
        (france, on_france, true),
        (france, sex, false),
        (france, on_others, false),
        (two, both, true),
        (two, apart, false),
        (two, "measure persons\nby country_of_birth\nwhere sex = M\nprice epsilon 0.5", false),
        (two, "measure persons\nby country_of_birth\nwhere sex = F\nprice epsilon 0.5", true),
    ] {
        let set = read(&with(parts)).unwrap_or_else(|error| panic!("{parts}: {error:?}"));
        let query = format!("lango-query 1\ndataset residents\n{body}\n").parse().unwrap();
        let asked = AccessRequest {
            principal: &awa(),
            purpose: Some(official),
            on: Date::from_calendar_date(2026, time::Month::June, 1).ok(),
            epsilon_nano: None,
        };
        let decided = set.authorize(&asked, &query).map(|granted| granted.grant.id.clone());
        let decided = decided.map_err(|denial| (denial.code().as_str(), denial.rule));
        let expected = match is_forbidden {
            true => Err(("forbidden", Some("never".to_owned()))),
            false => Ok("regional-analysts".to_owned()),
        };
        assert_eq!(decided, expected, "{parts}\n{body}");
    }
}

#[test]
fn a_refusal_that_cannot_be_is_refused_with_what_to_write() {
    for (parts, expected) in [
        ("columns = [\"village\"]", "column `village` is not declared"),
        ("columns = []", "an empty list refuses nothing"),
        ("purpose = []", "an empty list refuses nothing"),
        ("codes = { income = [\"1\"] }", "column `income` is not one of `codes`: it has none to refuse"),
        ("codes = { sex = [\"X\"] }", "column `sex` has no code `X`"),
        ("codes = { sex = [] }", "an empty list of codes refuses nothing"),
        ("dataset = \"visas\"", "dataset `visas` is not declared"),
        ("to = [\"*\"]", "`*` is not of the form"),
        ("colums = [\"sex\"]", "a refusal has no key `colums`: did you mean `columns`?"),
        ("columns = \"sex\"", "`columns` is a list of texts, and not a text: write `columns = [\"sex\"]`"),
    ] {
        let said = mistake(&with(parts));
        assert!(said.contains(expected), "{parts}: {said}");
    }
    let twice = mistake(&with("").replace("\"never\"", "\"regional-analysts\""));
    assert!(twice.contains("refusal `regional-analysts` is declared twice"), "{twice}");
}
