//! Policies as an administrator would write them, well and badly.

use lango_principal::SpiffeId;
use lango_privacy::{Domain, Grid, Objective};

use super::*;
use crate::{AccessRequest, Renewal};

const GOOD: &str = r#"policy = 2
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

fn awa() -> SpiffeId {
    "spiffe://ecowas.example/analyst/awa".parse().unwrap()
}

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

/// The good policy with a second dataset, with these lines about groups and budgets in it.
fn two(table: &str, first: &str, second: &str, budgets: &str) -> String {
    let dataset = |name: &str, table: &str, group: &str| {
        format!(
            "[dataset.{name}]\ntitle = \"x\"\nkind = \"stock\"\nsource = \"register\"\ntable = \"{table}\"\nversion = \"1\"\n{group}\n\
             unit = {{ column = \"id\", noun = \"person\", rows_at_most = 1 }}\n\
             [dataset.{name}.column]\nsex = {{ codes = [\"F\", \"M\"] }}\n"
        )
    };
    let budgets = budgets
        .split_whitespace()
        .map(|name| format!("[budget.{name}]\naccounting = \"pure\"\nepsilon = 2\nrenews = \"never\"\n"));
    let grant = |name: &str| {
        format!(
            "[[grant]]\nid = \"{name}\"\nto = [\"spiffe://e.example/analyst/a\"]\npurpose = [\"p\"]\ndataset = \"{name}\"\n\
             measures = [\"persons\"]\nby = [\"sex\"]\nby_at_most = 1\nepsilon_per_query = 1\nepsilon_total = 1\n\
             publish = \"office\"\n"
        )
    };
    let parts = [dataset("one", "t", first), dataset("two", table, second)];
    let head = "policy = 2\noffice = \"GHA\"\n".to_owned();
    [head].into_iter().chain(parts).chain(budgets).chain(["one", "two"].map(grant)).collect()
}

#[test]
fn datasets_draw_on_the_pool_of_their_group_and_those_over_one_table_name_it() {
    let over_one_table = "datasets `one` and `two` are both drawn from";
    for (table, first, second, budgets, expected) in [
        ("u", "", "", "one two", Ok(["one", "two"])),
        ("u", "group = \"g\"", "group = \"g\"", "g", Ok(["g", "g"])),
        ("u", "group = \"g\"", "", "g two", Ok(["g", "two"])),
        ("u", "", "group = \"one\"", "one", Ok(["one", "one"])),
        ("u", "group = \"two\"", "group = \"one\"", "one two", Ok(["two", "one"])),
        ("t", "group = \"g\"", "group = \"g\"", "g", Ok(["g", "g"])),
        ("t", "group = \"g\"", "group = \"h\"", "g h", Ok(["g", "h"])),
        ("t", "", "", "one two", Err(over_one_table)),
        ("T", "", "", "one two", Err(over_one_table)),
        ("t", "group = \"g\"", "", "g two", Err(over_one_table)),
        ("t", "", "group = \"one\"", "one", Err(over_one_table)),
        ("u", "group = \"g\"", "", "one two", Err("dataset `one` is of group `g`: write `[budget.g]`")),
        ("u", "group = \"g\"", "", "two", Err("dataset `one` has no budget: add `[budget.g]`")),
        ("u", "group = \"g\"", "", "gg two", Err("dataset or group `gg` is not declared: did you mean `g`?")),
        ("u", "group = \"G\"", "", "two", Err("`G`")),
    ] {
        let found = read(&two(table, first, second, budgets));
        let what = format!("{table} {first} {second} {budgets}");
        match (found, expected) {
            (Ok(set), Ok(pools)) => {
                assert_eq!(
                    set.pools.values().map(|pool| pool.name.as_str()).collect::<Vec<_>>(),
                    pools,
                    "{what}"
                );
                assert!(set.datasets.keys().all(|name| set.budget(name).is_some()), "{what}");
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{what}: {error}"),
            (found, _) => panic!("{what}: {:?}", found.map(drop).map_err(|error| error.to_string())),
        }
    }
}

#[test]
fn a_policy_that_says_something_else_is_refused_with_its_place() {
    for (written, instead, expected) in [
        ("policy = 2", "policy = 3", "gha.toml:1:10: this version reads `policy = 2`, not 3"),
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
            "gha.toml:29:13: column `income` has no keys to group by: it is an `amount`, or `open`",
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
        ("analyst/*\"", "*/analyst\"", "gha.toml:25:14: `*` is not a role: office, coordinator, analyst"),
        ("analyst/*\"", "analysts/*\"", "gha.toml:25:14: `analysts` is not a role"),
        (
            "analyst/*\"",
            "*\"",
            "gha.toml:25:14: `spiffe://ecowas.example/*` is not of the form `spiffe://<trust-domain>/<role>/<name>`: write \
             `spiffe://REGION/analyst/NAME`, or `spiffe://REGION/analyst/*`",
        ),
        (
            "analyst/*\"",
            "analyst/*\", \"awa\"",
            "gha.toml:25:51: `awa` is not of the form `spiffe://<trust-domain>/<role>/<name>`",
        ),
        ("analyst/awa\"", "analyst/*\"", "gha.toml:38:10: `*` is not a name"),
        (
            "epsilon_per_query = 1.0",
            "epsilon_per_query = 5.0",
            "gha.toml:31:21: `epsilon_per_query` is above `epsilon_total`",
        ),
        ("by_at_most = 3\n", "", "gha.toml:23:1: missing field `by_at_most`"),
        ("\"persons\", ", "\"Persons\", ", "gha.toml:28:13: `Persons` is no measure"),
        (
            "\"persons\", ",
            "\"households\", ",
            "gha.toml:28:13: `households` is not what this dataset counts: ask for `persons`",
        ),
        ("mean(income)", "mean(sex)", "gha.toml:28:13: column `sex` holds no numbers"),
        ("mean(income)", "mean(wage)", "gha.toml:28:13: column `wage` is not declared"),
        ("mean(income)", "histogram(income)", "gha.toml:28:13: column `income` has no `bins` in the policy"),
        (
            "mean(income)",
            "median(income)",
            "gha.toml:28:13: column `income` has no `candidates` in the policy",
        ),
        (
            "mean(income)",
            "quantile(age,2)",
            "gha.toml:28:13: a quantile names one share or more between 0 and 1",
        ),
        (
            "5_000_000",
            "5_000_000_000_000",
            "gha.toml:28:13: `mean(income)` could overflow: rows are fewer than 274877906944",
        ),
        (
            "scale = 0,",
            "scale = 0, typical = -1,",
            "gha.toml:16:20: `typical` holds -1, which is not between",
        ),
        ("scale = 0,", "scale = 0, bins = 0,", "gha.toml:16:20: `bins` is a step above 0, or a list"),
        (
            "scale = 0,",
            "scale = 0, bins = [10, 20],",
            "gha.toml:16:20: `bins` begin at the column's lower bound 0",
        ),
        (
            "scale = 0,",
            "scale = 0, candidates = [20, 10],",
            "gha.toml:16:20: `candidates` is a step above 0, or a list",
        ),
        (
            "version = \"2024-07-01\"",
            "version = \"2024-07-01\"\nanswer_grid_ms = 0",
            "gha.toml:10:18: `answer_grid_ms` is 1 to 120000",
        ),
        (
            "version = \"2024-07-01\"",
            "version = \"2024-07-01\"\nanswer_grid_ms = 600_001",
            "gha.toml:10:18: `answer_grid_ms` is 1 to 120000",
        ),
        (
            "version = \"2024-07-01\"",
            "version = \"2024-07-01\"\nanswer_grid_ms = 0.5",
            "gha.toml:10:18: invalid type",
        ),
        (
            "version = \"2024-07-01\"",
            "version = \"2024-07-01\"\nanswer_grid = 500",
            "gha.toml:10:1: unknown field `answer_grid`",
        ),
        (
            "bands = 5",
            "bands = \"month\"",
            "gha.toml:15:20: `bands` of whole numbers is a width, or the list",
        ),
        ("bands = 5", "typical = 200", "gha.toml:15:20: `typical` holds 200"),
        ("codes = [\"F\", \"M\"]", "open = false", "gha.toml:14:20: a column is one of `codes`"),
        ("codes = [\"F\", \"M\"]", "date = [2024-06-30, 2024-01-01]", "gha.toml:14:20: `date` is two days"),
        (
            "codes = [\"F\", \"M\"]",
            "date = [\"2024-01-01\", 7]",
            "gha.toml:14:29: expected a day such as 2026-12-31",
        ),
        (
            "noun = \"person\"",
            "noun = \"row\"",
            "gha.toml:10:42: `rows` are counted by the measure of that name",
        ),
        (
            "epsilon_total     = 4.0",
            "epsilon_total = 4.0\ndelta_per_query = 1e-9",
            "gha.toml:33:19: `delta_per_query` needs",
        ),
        ("\"deny: dimension-not-granted\"", "\"perhaps\"", "gha.toml:39:10: expected `allow`"),
    ] {
        assert!(GOOD.contains(written), "{written}");
        let error = read(&GOOD.replacen(written, instead, 1)).expect_err(instead).to_string();
        assert!(error.starts_with(expected), "{instead}:\n{error}");
    }
    assert!(PolicySet::read(&[]).is_err(), "no file is no permission");
}

/// A dataset of several rows per unit, every kind of column, and a grant of every measure.
const MOVEMENTS: &str = r#"policy = 2
office = "GHA"

[dataset.movements]
title   = "Border movements, July 2023 to June 2024"
kind    = "flow"
source  = "register"
table   = "border_movements"
version = "2024-07-01"
unit    = { column = "family_id", noun = "family", plural = "families", rows_at_most = 12, cells_at_most = 3 }
rows_below  = 50_000_000
split       = "largest"
bounds_drop = "about 4 % of the rows, from a count of 2023"

[dataset.movements.column]
date    = { date = [2023-07-01, 2024-06-30], bands = "month" }
purpose = { codes = ["work", "trade"] }
post    = { open = true }
age     = { integer = [0, 110], bands = 5, candidates = [15, 25, 65] }
fee     = { amount = [0, 50_000.00], scale = 2, typical = 25, bins = [0, 10, 100], candidates = 1.00 }

[budget.movements]
accounting = "zcdp"
delta      = 1e-6
epsilon    = 8.0
renews     = "yearly"

[[grant]]
id        = "all"
to        = ["spiffe://ecowas.example/analyst/*"]
purpose   = ["official-statistics"]
dataset   = "movements"
measures  = ["families", "rows", "rows(fee)", "sum(fee)", "mean(fee)", "share(purpose)", "quantile(fee)", "quantile(age,0.25,0.5)",
             "histogram(fee)", "keys(post)"]
by        = ["date", "purpose"]
by_at_most = 2
epsilon_per_query = 1.0
epsilon_total     = 4.0
delta_per_query   = 1e-9
publish   = "office"
"#;

#[test]
fn every_kind_of_column_and_measure_is_declared_and_granted() {
    let set = read(MOVEMENTS).unwrap();
    let movements = &set.datasets[&"movements".parse::<Name>().unwrap()];
    assert_eq!((movements.unit.plural.as_str(), movements.cells_at_most()), ("families", 3));
    assert_eq!((movements.rows_below(), movements.objective), (50_000_000, Objective::Largest));
    let fee = &movements.columns[&"fee".parse::<Name>().unwrap()];
    assert_eq!((fee.typical, fee.bins.clone()), (Some(2_500), Some(Grid::Listed([0, 1_000, 10_000].into()))));
    assert_eq!(fee.candidates, Some(Grid::Every(100)));
    let date = &movements.columns[&"date".parse::<Name>().unwrap()];
    assert_eq!(date.domain.keyset().unwrap().len(), 12 + 2);
    assert_eq!(set.grants[0].delta_per_query_e18, 1_000_000_000);

    let asked =
        AccessRequest { principal: &awa(), purpose: None, on: None, epsilon_nano: Some(1_500_000_000) };
    let precise = "price precision 50 at 0.95 on rows by";
    for (body, price, code) in [
        ("measure families\nby date,purpose", "price epsilon 1", None),
        ("measure persons\nby date", "price epsilon 1", Some("measure-not-granted")),
        ("measure median(fee)\nby date", "price epsilon 1", None),
        ("measure quantile(age,0.25)\nby date", "price epsilon 1", None),
        ("measure quantile(age,0.25,0.75)\nby date", "price epsilon 1", Some("measure-not-granted")),
        ("measure share(purpose)\nby date", "price epsilon 1", None),
        ("measure share(purpose)\nby date\nwhere age = 7", "price epsilon 1", Some("filter-not-granted")),
        ("measure rows\nby", precise, Some("epsilon-per-query-exceeded")),
    ] {
        let query = format!("lango-query 1\ndataset movements\n{body}\n{price}\n").parse().unwrap();
        let found = set.authorize(&asked, &query).err().map(|denial| denial.code().as_str());
        assert_eq!(found, code, "{body}");
    }
    let by_one = read(&MOVEMENTS.replace("by_at_most = 2", "by_at_most = 1")).unwrap();
    let query = "lango-query 1\ndataset movements\nmeasure share(purpose)\nby date\nprice epsilon 1\n"
        .parse()
        .unwrap();
    let denied = by_one.authorize(&asked, &query).unwrap_err();
    assert_eq!(denied.code().as_str(), "too-many-dimensions", "a share groups by its dimension");
    let error = read(&MOVEMENTS.replace("delta_per_query   = 1e-9\n", "")).unwrap_err().to_string();
    assert!(error.contains("`keys(post)` spends delta: say how much with `delta_per_query`"), "{error}");
    let error = read(&MOVEMENTS.replace("delta_per_query   = 1e-9", "delta_per_query = 1e-5"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("at most the `delta` of the budget"), "{error}");
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
        let asked = AccessRequest {
            principal: &principal.parse().unwrap(),
            purpose: Some(purpose),
            on: Some(day(on)),
            epsilon_nano: None,
        };
        let found = set.authorize(&asked, &query).map_or_else(|denial| denial.code().as_str(), |_| "allow");
        assert_eq!(found, expected, "{principal} {purpose} {on} {dataset} {body}");
    }
}

#[test]
fn a_principal_from_whom_no_question_can_come_is_named_with_its_place() {
    for (to, expected) in [
        ("\"spiffe://ecowas.example/analyst/*\"", None),
        ("\"spiffe://ecowas.example/analyst/awa\"", None),
        (
            "\"spiffe://ecowas.example/analyst/*\", \"spiffe://ecowass.example/analyst/*\"",
            Some(
                "gha.toml:25:51: grant `regional-analysts` is to `spiffe://ecowass.example/analyst/*`: the gateway's region is",
            ),
        ),
        (
            "\"spiffe://ecowas.example/coordinator/region\"",
            Some(
                "gha.toml:25:14: grant `regional-analysts` is to `spiffe://ecowas.example/coordinator/region`: only analysts ask",
            ),
        ),
    ] {
        let set = read(&GOOD.replacen("\"spiffe://ecowas.example/analyst/*\"", to, 1)).unwrap();
        let found: Vec<String> =
            set.never_matching("ecowas.example").iter().map(ToString::to_string).collect();
        match (expected, found.as_slice()) {
            (None, []) => {}
            (Some(expected), [found]) => assert!(found.starts_with(expected), "{found}"),
            _ => panic!("{to}: {found:?}"),
        }
    }
}

#[test]
fn a_condition_counts_as_a_column_at_once() {
    let set = read(&GOOD.replace("by_at_most = 3", "by_at_most = 1")).unwrap();
    let asked = AccessRequest { principal: &awa(), purpose: None, on: None, epsilon_nano: None };
    for (body, code) in [
        ("by sex\nwhere sex = F", None),
        ("by sex\nwhere age = 7", Some("too-many-dimensions")),
        ("by age,sex", Some("too-many-dimensions")),
    ] {
        let query = format!("lango-query 1\ndataset residents\nmeasure persons\n{body}\nprice epsilon 1\n")
            .parse()
            .unwrap();
        assert_eq!(set.authorize(&asked, &query).err().map(|denial| denial.code().as_str()), code, "{body}");
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

#[test]
fn a_dataset_answers_on_a_grid_only_if_its_table_says_so_and_its_terms_stay() {
    let residents = "residents".parse::<Name>().unwrap();
    let terms = |set: &PolicySet| {
        let dataset = &set.datasets[&residents];
        dataset.terms(dataset.columns.keys(), &set.budget(&residents).unwrap().account)
    };
    let at_once = read(GOOD).unwrap();
    assert!(at_once.answer_grids.is_empty());
    for ms in [1, 2_000, 120_000] {
        let key = format!("table   = \"residents\"\nanswer_grid_ms = {ms}");
        let set = read(&GOOD.replacen("table   = \"residents\"", &key, 1)).unwrap();
        assert_eq!(set.answer_grids, BTreeMap::from([(residents.clone(), Duration::from_millis(ms))]));
        assert_eq!(terms(&set), terms(&at_once));
    }
}
