//! What is open to a principal, held against what is decided of its questions.

use super::*;
use crate::AccessRequest;

/// The policy with a grant for two purposes, a grant to another analyst, one that is over, and a refusal of these parts.
fn with(parts: &str) -> PolicySet {
    let good = GOOD.replace("[\"official-statistics\"]", "[\"official-statistics\", \"public-policy\"]");
    let grant = &GOOD[GOOD.find("[[grant]]").unwrap()..GOOD.find("[[test]]").unwrap()];
    let more = grant
        .replace("by        = [", "where = [\"age\"]\nby = [\"income\", ")
        .replace("\"income\", \"coun", "\"coun");
    let kofi = more.replace("regional-analysts", "kofi").replace("analyst/*", "analyst/kofi");
    let over = grant
        .replace("regional-analysts", "over")
        .replace("2026-", "2025-")
        .replace("\"persons\"", "\"rows\"");
    let refusal =
        if parts.is_empty() { String::new() } else { format!("[[refusal]]\nid = \"never\"\n{parts}\n") };
    read(&format!("{good}\n{kofi}\n{over}\n{refusal}")).unwrap_or_else(|error| panic!("{parts}: {error:?}"))
}

fn june() -> Date {
    Date::from_calendar_date(2026, time::Month::June, 1).unwrap()
}

#[test]
fn what_is_open_is_what_is_allowed() {
    let (awa, rest) = (awa(), "price epsilon 0.5");
    for (parts, refused) in [
        ("", 0),
        ("dataset = \"residents\"", 0),
        ("to = [\"spiffe://ecowas.example/analyst/kofi\"]", 0),
        ("purpose = [\"public-policy\"]", 0),
        ("purpose = [\"official-statistics\", \"public-policy\"]", 0),
        ("purpose = [\"enforcement\"]", 0),
        ("columns = [\"sex\"]", 0),
        ("columns = [\"income\"]", 0),
        ("columns = [\"sex\"]\npurpose = [\"public-policy\"]", 1),
        ("columns = [\"sex\"]\npurpose = [\"enforcement\"]", 0),
        ("columns = [\"sex\", \"age\"]", 1),
        ("codes = { sex = [\"F\"] }", 1),
        ("codes = { sex = [\"F\", \"M\", \"_O\", \"_U\"] }", 0),
        ("codes = { sex = [\"F\", \"M\", \"_O\", \"_U\"] }\npurpose = [\"public-policy\"]", 1),
        ("columns = [\"income\"]\npurpose = [\"official-statistics\", \"public-policy\"]", 0),
    ] {
        let set = with(parts);
        let open = set.open(&awa, june());
        assert_eq!(open.iter().map(|open| open.refused.len()).sum::<usize>(), refused, "{parts}");
        for (measure, purpose, by) in ["persons", "rows", "mean(income)"].iter().flat_map(|measure| {
            ["official-statistics", "public-policy", "enforcement"].iter().flat_map(move |purpose| {
                ["", "sex", "age", "sex,age"].iter().map(move |by| (measure, purpose, by))
            })
        }) {
            let by_line = by.replace("sex,age", "age,sex");
            let text = format!("lango-query 1\ndataset residents\nmeasure {measure}\nby {by_line}\n{rest}\n");
            let query = text.replace("by \n", "by\n").parse().unwrap();
            let asked = AccessRequest {
                principal: &awa,
                purpose: Some(purpose),
                on: Some(june()),
                epsilon_nano: None,
            };
            let is_shown = open.iter().flat_map(|open| &open.grants).any(|grant| {
                grant.purposes.contains(purpose)
                    && grant.measures.iter().any(|shown| shown.to_string() == *measure)
                    && by
                        .split(',')
                        .filter(|name| !name.is_empty())
                        .all(|name| grant.by.iter().any(|shown| shown.as_str() == name))
            });
            let is_allowed = set.authorize(&asked, &query).is_ok();
            let may_be_refused = refused > 0 && by.contains("sex");
            assert!(
                is_shown == is_allowed || is_shown && may_be_refused,
                "{parts}: {measure} {by} {purpose}"
            );
        }
    }
}

#[test]
fn nothing_is_shown_that_is_others() {
    let nobody: SpiffeId = "spiffe://sadc.example/analyst/awa".parse().unwrap();
    assert!(with("").open(&nobody, june()).is_empty());
    let refusal = "columns = [\"income\", \"age\"]\ncodes = { country_of_birth = [\"FRA\"] }";
    let names = |by: &str| {
        let text = GOOD.replace("by        = [\"country_of_birth\", \"sex\", \"age\"]", by);
        let set = read(&format!(
            "{}[[refusal]]\nid = \"never\"\n{refusal}\n",
            text.split("[[test]]").next().unwrap()
        ))
        .unwrap();
        let awa = awa();
        let open = set.open(&awa, june());
        let columns: Vec<String> = open[0].columns().iter().map(ToString::to_string).collect();
        (columns.join(" "), open[0].refused.iter().map(|refused| refused.id.to_owned()).collect::<Vec<_>>())
    };
    let all = "by = [\"country_of_birth\", \"age\"]";
    assert_eq!(names(all), ("age country_of_birth income".to_owned(), vec!["never".to_owned()]));
    // A refusal that speaks of a column which is not open says nothing of it.
    assert_eq!(names("by = [\"country_of_birth\"]"), ("country_of_birth income".to_owned(), vec![]));
}
