//! Policies that can be used, and should be thought about again.

use super::*;

#[test]
fn what_is_legal_and_unwise_is_a_warning_at_its_place() {
    let second = "\n[[grant]]\nid = \"second\"\nto = [\"spiffe://ecowas.example/analyst/awa\"]\npurpose = [\"official-statistics\"]\n\
                  dataset = \"residents\"\nmeasures = [\"persons\"]\nby = [\"sex\"]\nby_at_most = 1\nepsilon_per_query = 1.0\n\
                  epsilon_total = 1.0\nvalid = { from = 2026-02-01, until = 2026-12-31 }\npublish = \"office\"\n\n[[test]]";
    for (written, instead, expected) in [
        ("", "", vec![]),
        ("until = 2026-12-31", "until = 2026-06-29", vec!["grant-expired gha.toml:33:13"]),
        ("until = 2026-12-31", "until = 2026-06-30", vec![]),
        ("\"spiffe://ecowas.example/analyst/*\"", "\"spiffe://ecowas.example/analyst/awa\"", vec![]),
        (
            "\"spiffe://ecowas.example/analyst/*\"",
            "\"spiffe://ecowas.example/analyst/*\", \"spiffe://ecowass.example/analyst/*\"",
            vec!["grant-unreachable gha.toml:25:51"],
        ),
        (
            "\"spiffe://ecowas.example/analyst/*\"",
            "\"spiffe://ecowas.example/coordinator/region\"",
            vec!["grant-unreachable gha.toml:25:14"],
        ),
        (
            "\n[[test]]",
            "\n[[refusal]]\nid = \"no\"\npurpose = [\"offical-statistics\"]\nto = [\"spiffe://ecowas.exmple/analyst/kofi\"]\n\n[[test]]",
            vec!["purpose-unknown gha.toml:37:6", "grant-unreachable gha.toml:37:6"],
        ),
        ("\n[[test]]", second, vec!["grant-shadowed gha.toml:37:6"]),
        ("epsilon_per_query = 1.0", "epsilon_per_query = 4.5", vec!["above-total gha.toml:31:21"]),
        ("epsilon = 8.0", "epsilon = 4.0", vec![]),
        (
            "epsilon_per_query = 1.0\nepsilon_total     = 4.0",
            "epsilon_per_query = 8.0\nepsilon_total     = 8.0",
            vec!["pool-in-one-question gha.toml:31:21"],
        ),
        (
            "epsilon_per_query = 1.0\nepsilon_total     = 4.0",
            "epsilon_per_query = 5.1\nepsilon_total     = 6.0",
            vec!["weak-protection gha.toml:31:21"],
        ),
        ("epsilon = 8.0", "epsilon = 21.0", vec!["weak-protection gha.toml:31:21"]),
        (
            "age              = { integer = [0, 110], bands = 5 }",
            "age              = { integer = [0, 2_147_483_647], bands = 100_000 }",
            vec!["wide-bounds gha.toml:15:1"],
        ),
        ("5_000_000]", "1_000_000_000_000]", vec!["wide-bounds gha.toml:16:1"]),
        (
            "version = \"2024-07-01\"",
            "version = \"2024-07-01\"\nrows_below = 50",
            vec!["keyset-too-fine gha.toml:30:13"],
        ),
        ("column = \"person_id\"", "column = \"Sex\"", vec!["unit-is-dimension gha.toml:10:11"]),
    ] {
        assert!(GOOD.contains(written), "{written}");
        let text = GOOD
            .replacen(written, instead, 1)
            .replace("deny: dimension-not-granted", "deny")
            .replace(", \"mean(income)\"", "");
        let day = time::macros::date!(2026 - 06 - 30);
        let (set, found) =
            PolicySet::check(&[Document::new("gha.toml", text)], Some(day), Some("ecowas.example"));
        let place = |found: &lango_document::Diagnostic| {
            let position = found.place.position().unwrap();
            format!("{} {}:{}:{}", found.code, found.place.document.file, position.line, position.column)
        };
        assert_eq!(found.iter().map(place).collect::<Vec<_>>(), expected, "{instead}: {found}");
        assert!(set.is_some() && found.errors() == 0, "{instead}");
    }
}
