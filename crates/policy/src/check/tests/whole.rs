//! Files with many mistakes: all of them, and nothing that follows from another.

use lango_document::Diagnostic;

use super::*;

/// Sixteen mistakes, each on a line that ends with a remark.
const SIXTEEN: &str = r#"policy = 2
office = "Ghana" # 1

[dataset.residents]
title   = "Residents"
kind    = "stok" # 2
source  = "register"
table   = "residents"
version = 2024-07-01 # 3
unit    = { column = "person_id", noun = "person", rows_at_most = 0 } # 4
missing = "NA" # 5

[dataset.residents.column]
country = { codes = "iso3166-1-alpha-2" } # 6
sex     = { codes = ["F", "M", "F"] } # 7
age     = { integr = [0, 110], bands = 5 } # 8
income  = { amount = [0, 5_000_000], scale = 2 }
born    = { date = [1914-02-30, 2024-06-30] } # 9

[budget.residents]
accounting = "zcdp" # 10
epsilon = 8.0
renews  = "yearly"

[[grant]]
id        = "regional-analysts"
to        = ["spiffe://ecowas.example/analysts/*"] # 11
purpose   = "official-statistics" # 12
dataset   = "residents"
measure   = ["persons", "mean(income)", "mean(age)"] # 13
by        = ["country", "sexe", "age"] # 14
by_at_most = 3
epsilon_per_query = 1,5 # 15
epsilon_total     = 4.0
valid     = { from = 2026-01-01, until = 2026-12-31 }
publish   = "region" # 16
"#;

#[test]
fn sixteen_mistakes_are_sixteen_diagnostics() {
    let wrong = PolicySet::read(&[Document::new("gha.toml", SIXTEEN)]).unwrap_err();
    let line = |wrong: &Diagnostic| wrong.place.position().unwrap().line;
    let found: Vec<usize> = wrong.iter().map(line).collect();
    let marked = SIXTEEN.lines().enumerate().filter(|(_, line)| line.contains(" # "));
    let marked: Vec<usize> = marked.map(|(at, _)| at + 1).collect();
    assert_eq!((found.len(), found), (16, marked), "{wrong}");
}

#[test]
fn a_mistake_hides_what_follows_from_it_and_nothing_else() {
    for (written, instead, expected) in [
        // A dataset of which nothing can be used: its budget and its grant are not said to be of nothing.
        ("unit    = {", "unti    = {", &["has no key `unti`"][..]),
        ("sex              = {", "sex              = [", &["is no value"]),
        ("income           = {", "Income           = {", &["`Income` is not a name"]),
        ("income           = { amount", "income           = { amuont", &["did you mean `amount`?"]),
        ("[budget.residents]", "[budget.resident]", &["did you mean `residents`?"]),
        (
            "[budget.residents]\naccounting = \"pure\"",
            "[budget.residents]\naccounting = \"purr\"",
            &["did you mean `pure`?"],
        ),
        ("[dataset.residents]", "[dataset.residents", &["the heading is not closed"]),
        ("source  =", "source", &["a key stands here without a value"]),
        ("version =", "# version =", &["a dataset needs `version`"]),
        (
            "\"sex\", \"age\"]",
            "\"sax\", \"eage\"]",
            &["column `sax` is not declared", "column `eage` is not declared"],
        ),
        // Two of a name: the names differ, and what only one of them has is missing in the other.
        (
            "[dataset.residents]",
            "[dataset.Residents]",
            &["needs `column`", "`Residents` is not a name", "needs `title`, `kind`"],
        ),
    ] {
        assert!(GOOD.contains(written), "{written}");
        let wrong = read(&GOOD.replacen(written, instead, 1)).unwrap_err();
        assert_eq!(wrong.len(), expected.len(), "{instead}: {wrong:#?}");
        for (wrong, expected) in wrong.iter().zip(expected) {
            assert!(wrong.contains(expected), "{instead}: {wrong}");
        }
    }
}

#[test]
fn files_of_two_offices_are_each_read_and_refused_together() {
    let tgo = GOOD.replace("\"GHA\"", "\"TGO\"").replace("kind    = \"stock\"", "kind    = \"stok\"");
    let documents = [Document::new("gha.toml", GOOD), Document::new("tgo.toml", tgo)];
    let wrong = PolicySet::read(&documents).unwrap_err();
    let lines: Vec<String> =
        wrong.iter().map(|wrong| format!("{} {}", wrong.code, wrong.place.document.file)).collect();
    assert_eq!(lines, ["office tgo.toml", "unknown-word tgo.toml"], "{wrong}");
}

/// What is written as a remedy must be what this version reads.
#[test]
fn a_file_that_does_not_say_its_version_is_shown_the_one_that_is_read() {
    let refused = PolicySet::read(&[Document::new("gha.toml", "office = \"GHA\"\n")]).unwrap_err();
    let said: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert!(
        said.iter().any(|line| line.contains("a policy file needs `policy`: add `policy = 2`")),
        "{said:?}"
    );
}
