//! Policies that say something else, each refused with its place.

use super::*;

#[test]
fn a_policy_that_says_something_else_is_refused_with_its_place() {
    for (written, instead, expected) in [
        ("policy = 2", "policy = 3", "gha.toml:1:10: this version reads `policy = 2`, not 3"),
        (
            "\"GHA\"",
            "\"GH\"",
            "gha.toml:2:10: office `GH` is no ISO 3166-1 alpha-3 code: write the code of the country in the",
        ),
        ("renews  =", "renew =", "gha.toml:21:1: a budget has no key `renew`: did you mean `renews`?"),
        ("\"pure\"", "\"purr\"", "gha.toml:19:14: `accounting` is `pure` or `zcdp`: did you mean `pure`?"),
        (
            "accounting = \"pure\"",
            "accounting = \"zcdp\"",
            "gha.toml:19:14: a zCDP account needs a `delta`: add `delta = 1e-6`",
        ),
        (
            "accounting = \"pure\"",
            "accounting = \"pure\"\ndelta = 1e-6",
            "gha.toml:20:9: a pure account has no `delta`",
        ),
        (
            "epsilon = 8.0",
            "epsilon = -8.0",
            "gha.toml:20:11: `epsilon` is a number that is not negative, and not `-8`",
        ),
        (
            "epsilon = 8.0",
            "epsilon = nan",
            "gha.toml:20:11: `epsilon` is a number that is not negative, and not `NaN`",
        ),
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
            "gha.toml:29:34: column `sax` is not declared: did you mean `sex`?",
        ),
        (
            "\"sex\", \"age\"]",
            "\"sex\", \"income\"]",
            "gha.toml:29:41: column `income` has no keys to group by: it is an `amount`, or `open`: take it",
        ),
        (
            "dataset   = \"residents\"",
            "dataset   = \"resident\"",
            "gha.toml:27:13: dataset `resident` is not declared: did you mean `residents`?",
        ),
        (
            "[\"F\", \"M\"]",
            "[\"F\", \"_O\"]",
            "gha.toml:14:36: `_O` is reserved and must not be declared: `_O`, `_U` and `_T` are always",
        ),
        (
            "[\"F\", \"M\"]",
            "[\"F\", \"M,N\"]",
            "gha.toml:14:36: `M,N` is not a code: printable ASCII without space or comma, 64 characters at",
        ),
        (
            "\"iso3166-1-alpha-3\"",
            "\"iso-3166\"",
            "gha.toml:13:30: there is no code list `iso-3166`: write `iso3166-1-alpha-3`, list the",
        ),
        (
            "integer = [0, 110], bands = 5",
            "integer = [110, 0], bands = 5",
            "gha.toml:15:32: the lower bound 110 is above the upper bound 0",
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
        (
            "until = 2026-12-31",
            "until = \"2026-12-31\"",
            "gha.toml:33:42: `until` is a day such as 2026-12-31, and not a text: write `until = 2026-12-31`",
        ),
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
        ("by_at_most = 3\n", "", "gha.toml:23:1: a grant needs `by_at_most`: add `by_at_most = 1`"),
        (
            "\"persons\", ",
            "\"Persons\", ",
            "gha.toml:28:14: `Persons` is no measure: there are the plural of the dataset's unit",
        ),
        (
            "\"persons\", ",
            "\"households\", ",
            "gha.toml:28:14: `households` is not what this dataset counts: ask for `persons`",
        ),
        (
            "mean(income)",
            "mean(sex)",
            "gha.toml:28:25: column `sex` holds no numbers: it is neither `integer` nor `amount`",
        ),
        ("mean(income)", "mean(wage)", "gha.toml:28:25: column `wage` is not declared: did you mean `age`?"),
        (
            "mean(income)",
            "histogram(income)",
            "gha.toml:28:25: column `income` has no `bins` in the policy, so there is no histogram of it",
        ),
        (
            "mean(income)",
            "median(income)",
            "gha.toml:28:25: column `income` has no `candidates` in the policy, so there are no quantiles",
        ),
        (
            "mean(income)",
            "quantile(age,2)",
            "gha.toml:28:25: a quantile names one share or more between 0 and 1, of at most six decimals:",
        ),
        (
            "5_000_000",
            "5_000_000_000_000",
            "gha.toml:28:25: `mean(income)` could overflow: rows are fewer than 274877906944 and each",
        ),
        (
            "scale = 0,",
            "scale = 0, typical = -1,",
            "gha.toml:16:68: `typical` holds -1, which is not between the column's bounds",
        ),
        (
            "scale = 0,",
            "scale = 0, bins = 0,",
            "gha.toml:16:65: `bins` is a step above 0, or a list of whole numbers that ascend",
        ),
        (
            "scale = 0,",
            "scale = 0, bins = [10, 20],",
            "gha.toml:16:65: `bins` begin at the column's lower bound 0",
        ),
        (
            "scale = 0,",
            "scale = 0, candidates = [20, 10],",
            "gha.toml:16:71: `candidates` is a step above 0, or a list of whole numbers that ascend",
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
            "gha.toml:10:18: `answer_grid_ms` is a whole number, and not a number with a point",
        ),
        (
            "version = \"2024-07-01\"",
            "version = \"2024-07-01\"\nanswer_grid = 500",
            "gha.toml:10:1: a dataset has no key `answer_grid`: did you mean `answer_grid_ms`?",
        ),
        (
            "bands = 5",
            "bands = \"month\"",
            "gha.toml:15:50: `bands` of whole numbers is a width, or the list of where each band begins",
        ),
        (
            "bands = 5",
            "typical = 200",
            "gha.toml:15:52: `typical` holds 200, which is not between the column's bounds",
        ),
        ("codes = [\"F\", \"M\"]", "open = false", "gha.toml:14:20: a column is one of `codes`"),
        (
            "codes = [\"F\", \"M\"]",
            "date = [2024-06-30, 2024-01-01]",
            "gha.toml:14:29: `date` is two days such as 2024-01-01 of which the first is not after the",
        ),
        (
            "codes = [\"F\", \"M\"]",
            "date = [\"2024-01-01\", 2024-12-31]",
            "gha.toml:14:30: an element of `date` is a day such as 2026-12-31, and not a text",
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
        let error = mistake(&GOOD.replacen(written, instead, 1));
        assert!(error.starts_with(expected), "{instead}:\n{error}");
    }
    assert!(PolicySet::read(&[]).is_err(), "no file is no permission");
}
