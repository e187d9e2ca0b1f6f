//! Policies as an administrator would write them, well and badly.

use lango_principal::SpiffeId;

use lango_document::Document;
use lango_privacy::Name;
use time::Date;

use crate::PolicySet;

mod damaged;
mod declared;
mod forbidden;
mod granted;
mod language;
mod open;
mod pools;
mod refused;
mod shape;
mod unwise;
mod whole;

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

/// The set, or every mistake on a line of its own.
fn read(text: &str) -> Result<PolicySet, Vec<String>> {
    PolicySet::read(&[Document::new("gha.toml", text)])
        .map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

/// The only mistake of a policy.
fn mistake(text: &str) -> String {
    let wrong = read(text).unwrap_err();
    assert_eq!(wrong.len(), 1, "one mistake, one diagnostic: {wrong:#?}\n{text}");
    wrong.into_iter().next().unwrap()
}
