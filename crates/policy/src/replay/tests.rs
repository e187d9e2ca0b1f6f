//! What becomes of one question under edits of one policy.

use lango_document::Document;

use super::*;

const POLICY: &str = r#"policy = 2
office = "GHA"

[dataset.residents]
title = "Residents"
kind = "stock"
source = "register"
table = "residents"
version = "2024"
unit = { column = "id", noun = "person", rows_at_most = 1 }

[dataset.residents.column]
sex = { codes = ["F", "M"] }
age = { integer = [0, 110], bands = 5 }

[budget.residents]
accounting = "pure"
epsilon = 8.0
renews = "yearly"

[[grant]]
id = "wide"
to = ["spiffe://r.example/analyst/*"]
purpose = ["p"]
dataset = "residents"
measures = ["persons"]
by = ["sex"]
by_at_most = 1
epsilon_per_query = 1.0
epsilon_total = 4.0
publish = "office"
"#;

const AGES: &str = r#"
[[grant]]
id = "ages"
to = ["spiffe://r.example/analyst/*"]
purpose = ["p"]
dataset = "residents"
measures = ["persons"]
by = ["age", "sex"]
by_at_most = 2
epsilon_per_query = 2.0
epsilon_total = 4.0
publish = "office"
"#;

fn set(text: &str) -> PolicySet {
    PolicySet::read(&[Document::new("p.toml", text)]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn replayed(old: &str, new: &str, by: &str, price: &str) -> Option<ReplayChange> {
    let text = format!("lango-query 1\ndataset residents\nmeasure persons\nby {by}\nprice {price}\n");
    let principal = "spiffe://r.example/analyst/awa".parse().unwrap();
    let asked = AccessRequest { principal: &principal, purpose: Some("p"), on: None, epsilon_nano: None };
    let (old, new) = (set(old), set(new));
    old.replay(&new, &asked, &text.parse().unwrap()).change
}

#[test]
fn a_question_is_decided_by_both_policies_and_what_differs_is_named() {
    use ReplayChange::{Allowed, AnsweredAnew, ChargedElsewhere, Cheaper, Dearer, Refused};
    let with_ages = format!("{POLICY}{AGES}");
    let ages_first = POLICY.replace("[[grant]]", &format!("{AGES}\n[[grant]]"));
    let edited = |written: &str, instead: &str| {
        assert!(POLICY.contains(written), "{written}");
        POLICY.replacen(written, instead, 1)
    };
    let two_rows = edited("rows_at_most = 1", "rows_at_most = 2");
    let zcdp = edited("accounting = \"pure\"", "accounting = \"zcdp\"\ndelta = 1e-6");
    let finer = zcdp.replace("1e-6", "1e-7");
    let precision = "precision 10 at 0.95 on persons by sex";
    for (old, new, by, price, expected) in [
        (POLICY, POLICY, "sex", "epsilon 0.5", None),
        (POLICY, &*edited("title = \"Residents\"", "title = \"R\""), "sex", "epsilon 0.5", None),
        (POLICY, &edited("by = [\"sex\"]", "by = []"), "sex", "epsilon 0.5", Some(Refused)),
        (POLICY, &edited("\"F\", \"M\"]", "\"F\", \"M\", \"X\"]"), "sex", "epsilon 0.5", Some(AnsweredAnew)),
        (POLICY, &edited("bands = 5", "bands = 10"), "sex", "epsilon 0.5", None),
        (
            POLICY,
            &edited("version = \"2024\"", "version = \"2025\""),
            "sex",
            "epsilon 0.5",
            Some(AnsweredAnew),
        ),
        (POLICY, &with_ages, "age", "epsilon 0.5", Some(Allowed)),
        (&with_ages, POLICY, "age", "epsilon 0.5", Some(Refused)),
        (&with_ages, &ages_first, "sex", "epsilon 0.5", Some(ChargedElsewhere)),
        // Refused by both, for whatever reason.
        (POLICY, &edited("to = [\"spiffe://r", "to = [\"spiffe://s"), "age", "epsilon 0.5", None),
        (
            POLICY,
            &edited("residents]\ntitle", "others]\ntitle").replace("residents", "others"),
            "sex",
            "epsilon 0.5",
            Some(Refused),
        ),
        // Two rows of a person count twice, at twice the price for the same error.
        (POLICY, &two_rows, "sex", precision, Some(Dearer)),
        (&two_rows, POLICY, "sex", precision, Some(Cheaper)),
        (POLICY, &two_rows, "sex", "epsilon 0.5", Some(AnsweredAnew)),
        // The same epsilon at a smaller delta is less rho.
        (&zcdp, &finer, "sex", "epsilon 0.5", Some(Cheaper)),
        // A precision that costs more than the grant allows.
        (
            POLICY,
            &edited("epsilon_per_query = 1.0", "epsilon_per_query = 0.1"),
            "sex",
            precision,
            Some(Refused),
        ),
    ] {
        assert_eq!(replayed(old, new, by, price), expected, "{by} {price}\n{new}");
    }
}

#[test]
fn a_price_that_only_a_later_grant_allows_is_charged_to_that_one() {
    let later = format!("{POLICY}{AGES}").replacen("epsilon_per_query = 1.0", "epsilon_per_query = 0.1", 1);
    let precision = "precision 10 at 0.95 on persons by sex";
    assert_eq!(replayed(POLICY, &later, "sex", precision), Some(ReplayChange::ChargedElsewhere));
    assert_eq!(replayed(POLICY, &later, "sex", "epsilon 0.5"), Some(ReplayChange::ChargedElsewhere));
}
