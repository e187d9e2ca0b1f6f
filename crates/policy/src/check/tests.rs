//! Policies as an administrator would write them, well and badly.

use super::*;
use crate::Asked;

const GOOD: &str = r#"policy = 1
office = "GHA"

[dataset.residents]
title   = "Residents by country of birth, mid-2024"
kind    = "stock"
source  = "register"
table   = "residents"
version = "2024-07-01"
unit    = { column = "person_id", noun = "person", rows_at_most = 1 }

[dataset.residents.column]
country_of_birth = { codes = "iso3166-1-alpha-3" }
sex              = { codes = ["F", "M"] }
age              = { integer = [0, 110], bands = 5 }
income           = { amount = [0, 5_000_000], scale = 0, currency = "XOF" }

[budget.residents]
accounting = "pure"
epsilon = 8.0
renews  = "yearly"

[[grant]]
id        = "regional-analysts"
to        = ["spiffe://ecowas.example/analyst/*"]
purpose   = ["official-statistics"]
dataset   = "residents"
measures  = ["persons", "mean(income)"]
by        = ["country_of_birth", "sex", "age"]
by_at_most = 3
epsilon_per_query = 1.0
epsilon_total     = 4.0
valid     = { from = 2026-01-01, until = 2026-12-31 }
publish   = "office"

[[test]]
query  = "persons by country_of_birth, village"
as     = "spiffe://ecowas.example/analyst/awa"
expect = "deny: dimension-not-granted"
"#;

fn read(text: &str) -> Result<PolicySet, DocumentError> {
    PolicySet::read(&[Document::new("gha.toml", text)])
}

#[test]
fn every_key_of_the_design_is_read() {
    let set = read(GOOD).unwrap();
    assert_eq!(set.office, "GHA");
    let residents = set.datasets.values().next().unwrap();
    assert_eq!(residents.columns.len(), 4);
    let Domain::Codes(countries) = &residents.columns[&"country_of_birth".parse::<Name>().unwrap()].domain
    else {
        panic!()
    };
    assert_eq!(countries.len(), 249);
    assert_eq!(set.grants[0].epsilon_total_nano, 4_000_000_000);
    assert_eq!(set.run_trials(), []);
}

#[test]
fn a_policy_that_says_something_else_is_refused_with_its_place() {
    for (written, instead, expected) in [
        ("policy = 1", "policy = 2", "gha.toml:1:10: this version reads `policy = 1` only"),
        ("\"GHA\"", "\"GH\"", "gha.toml:2:10: office `GH` is not an ISO 3166-1 alpha-3 code such as `GHA`"),
        ("renews  =", "renew =", "gha.toml:21:1: unknown field `renew`, expected one of"),
        (
            "\"pure\"",
            "\"purr\"",
            "gha.toml:19:14: unknown variant `purr`, expected `pure` or `zcdp`: did you mean `pure`?",
        ),
        (
            "accounting = \"pure\"",
            "accounting = \"zcdp\"",
            "gha.toml:19:14: a zCDP account needs a `delta`, such as 1e-6",
        ),
        (
            "accounting = \"pure\"",
            "accounting = \"pure\"\ndelta = 1e-6",
            "gha.toml:20:9: a pure account has no `delta`",
        ),
        ("epsilon = 8.0", "epsilon = -8.0", "gha.toml:20:11: `-8` is not a number that is not negative"),
        ("epsilon = 8.0", "epsilon = nan", "gha.toml:20:11: `NaN` is not a number that is not negative"),
        (
            "epsilon = 8.0",
            "epsilon = 0",
            "gha.toml:20:11: an epsilon is above 0 and no finer than a billionth",
        ),
        (
            "epsilon = 8.0",
            "epsilon = 1.0",
            "gha.toml:32:21: `epsilon_total` is above the budget of `residents`",
        ),
        (
            "\"sex\", \"age\"]",
            "\"sax\", \"age\"]",
            "gha.toml:29:13: column `sax` is not declared: did you mean `sex`?",
        ),
        (
            "\"sex\", \"age\"]",
            "\"sex\", \"income\"]",
            "gha.toml:29:13: column `income` is an amount: it has no keys to group by",
        ),
        (
            "dataset   = \"residents\"",
            "dataset   = \"resident\"",
            "gha.toml:27:13: dataset `resident` is not declared: did you mean `residents`?",
        ),
        ("[\"F\", \"M\"]", "[\"F\", \"_O\"]", "gha.toml:14:20: `_O` is reserved and must not be declared"),
        ("[\"F\", \"M\"]", "[\"F\", \"M,N\"]", "gha.toml:14:20: `M,N` is not a code"),
        ("\"iso3166-1-alpha-3\"", "\"iso-3166\"", "gha.toml:13:20: there is no code list `iso-3166`"),
        (
            "integer = [0, 110], bands = 5",
            "integer = [110, 0], bands = 5",
            "gha.toml:15:20: the lower bound 110 is above the upper bound 0",
        ),
        (
            "integer = [0, 110], bands = 5",
            "integer = [0, 110], codes = [\"1\"]",
            "gha.toml:15:20: a column is one of `codes`",
        ),
        ("rows_at_most = 1", "rows_at_most = 0", "gha.toml:10:67: a bound is at least 1"),
        (
            "publish   = \"office\"",
            "publish   = \"region\"",
            "gha.toml:34:13: `publish = \"region\"` is not supported by this version",
        ),
        ("until = 2026-12-31", "until = 2025-12-31", "gha.toml:33:13: `valid` ends before it begins"),
        ("until = 2026-12-31", "until = \"2026-12-31\"", "gha.toml:33:42: expected a day such as 2026-12-31"),
        ("analyst/*\"", "*/analyst\"", "gha.toml:25:13: `spiffe://ecowas.example/*/analyst` is not"),
        (
            "epsilon_per_query = 1.0",
            "epsilon_per_query = 5.0",
            "gha.toml:31:21: `epsilon_per_query` is above `epsilon_total`",
        ),
        ("by_at_most = 3\n", "", "gha.toml:23:1: missing field `by_at_most`"),
        ("\"persons\", ", "\"Persons\", ", "gha.toml:28:13: `Persons` is not a name"),
        ("\"deny: dimension-not-granted\"", "\"perhaps\"", "gha.toml:39:10: expected `allow`"),
    ] {
        assert!(GOOD.contains(written), "{written}");
        let error = read(&GOOD.replacen(written, instead, 1)).expect_err(instead).to_string();
        assert!(error.starts_with(expected), "{instead}:\n{error}");
    }
    assert!(PolicySet::read(&[]).is_err(), "no file is no permission");
}

#[test]
fn a_trial_that_fails_is_named() {
    let set = read(&GOOD.replace("deny: dimension-not-granted", "allow")).unwrap();
    let errors: Vec<String> = set.run_trials().iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "gha.toml:36:1: test `persons by country_of_birth, village` expects `allow` and got `deny: dimension-not-granted`"
        ]
    );
}

#[test]
fn a_question_is_denied_unless_a_grant_allows_all_of_it() {
    let set = read(GOOD).unwrap();
    let day =
        |text: &str| Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).unwrap();
    let awa = "spiffe://ecowas.example/analyst/awa";
    let (official, body) =
        ("official-statistics", "measure persons\nby country_of_birth,sex\nprice epsilon 0.5");
    let residents = "residents";
    for (principal, purpose, on, dataset, body, expected) in [
        (awa, official, "2026-11-23", residents, body, "allow"),
        (awa, official, "2026-12-31", residents, body, "allow"),
        (awa, official, "2026-11-23", residents, "measure mean(income)\nby sex\nprice epsilon 1", "allow"),
        (
            awa,
            official,
            "2026-11-23",
            residents,
            "measure persons\nby sex\nwhere age from 15 to 24\nprice epsilon 1",
            "allow",
        ),
        (awa, official, "2026-11-23", "visas", body, "dataset-unknown"),
        (
            "spiffe://ecowas.example/analyst/awa/x",
            official,
            "2026-11-23",
            residents,
            body,
            "principal-not-granted",
        ),
        (
            "spiffe://ecowas.example/auditor/awa",
            official,
            "2026-11-23",
            residents,
            body,
            "principal-not-granted",
        ),
        (
            "spiffe://sadc.example/analyst/awa",
            official,
            "2026-11-23",
            residents,
            body,
            "principal-not-granted",
        ),
        (awa, "marketing", "2026-11-23", residents, body, "purpose-not-granted"),
        (awa, official, "2027-01-01", residents, body, "grant-not-valid"),
        (
            awa,
            official,
            "2026-11-23",
            residents,
            "measure rows\nby sex\nprice epsilon 1",
            "measure-not-granted",
        ),
        (
            awa,
            official,
            "2026-11-23",
            residents,
            "measure persons\nby village\nprice epsilon 1",
            "dimension-not-granted",
        ),
        (
            awa,
            official,
            "2026-11-23",
            residents,
            "measure persons\nby sex\nwhere income from 0 to 9\nprice epsilon 1",
            "filter-not-granted",
        ),
        (
            awa,
            official,
            "2026-11-23",
            residents,
            "measure persons\nby sex\nprice epsilon 1.000000001",
            "epsilon-per-query-exceeded",
        ),
        (
            awa,
            official,
            "2026-11-23",
            residents,
            "measure persons\nby sex\nprice epsilon 0.0000000001",
            "allow",
        ),
    ] {
        let query = format!("lango-query 1\ndataset {dataset}\n{body}\n").parse().unwrap();
        let asked = Asked { principal, purpose: Some(purpose), on: Some(day(on)) };
        let found = set.authorize(&asked, &query).map_or_else(|denial| denial.code.as_str(), |_| "allow");
        assert_eq!(found, expected, "{principal} {purpose} {on} {dataset} {body}");
    }
}

#[test]
fn a_condition_counts_as_a_column_at_once() {
    let set = read(&GOOD.replace("by_at_most = 3", "by_at_most = 1")).unwrap();
    let asked = Asked { principal: "spiffe://ecowas.example/analyst/awa", purpose: None, on: None };
    for (body, code) in [
        ("by sex\nwhere sex = F", None),
        ("by sex\nwhere age = 7", Some("too-many-dimensions")),
        ("by age,sex", Some("too-many-dimensions")),
    ] {
        let query = format!("lango-query 1\ndataset residents\nmeasure persons\n{body}\nprice epsilon 1\n")
            .parse()
            .unwrap();
        assert_eq!(set.authorize(&asked, &query).err().map(|denial| denial.code.as_str()), code, "{body}");
    }
}

#[test]
fn a_period_is_named_by_the_calendar() {
    let day = time::macros::date!(2026 - 11 - 23);
    for (renewal, period, since) in [
        (Renewal::Never, "", 0),
        (Renewal::Monthly, "2026-11", 1_793_491_200),
        (Renewal::Quarterly, "2026-Q4", 1_790_812_800),
        (Renewal::Yearly, "2026", 1_767_225_600),
    ] {
        assert_eq!((renewal.period(day).as_str(), renewal.since(day)), (period, since));
    }
}
