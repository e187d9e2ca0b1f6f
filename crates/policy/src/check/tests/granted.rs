//! Who may ask what, and a policy's own trials of it.

use super::*;
use crate::AccessRequest;

#[test]
fn a_trial_that_fails_is_named() {
    let set = read(&GOOD.replace("deny: dimension-not-granted", "allow")).unwrap();
    let errors: Vec<String> = set.run_trials().iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "gha.toml:39:10: test `persons by country_of_birth, village` expects `allow` and got `deny: dimension-not-granted`: \
             change the policy, or what the test expects"
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
fn a_grant_cites_an_agreement_or_none() {
    let citing = |agreement: &str| GOOD.replacen("publish", &format!("agreement = {agreement}\npublish"), 1);
    assert_eq!(read(GOOD).unwrap().grants[0].agreement, None);
    let cited = read(&citing("\"MoU-2026-14\"")).unwrap().grants[0].agreement.clone();
    assert_eq!(cited, Some("MoU-2026-14".parse().unwrap()));
    for (written, said) in [
        ("\"\"", "an agreement's name has 1 to 100 bytes, and not 0"),
        ("\" MoU\"", "one blank between two words"),
        ("\"MoU\\u200b\"", "and not \\u{200b}: write how the office finds it"),
        ("14", "`agreement` is a text, and not a whole number: write `agreement = \"14\"`"),
    ] {
        let wrong = mistake(&citing(written));
        assert!(wrong.contains(said), "{written}: {wrong}");
    }
}

#[test]
fn a_grant_says_what_the_office_reviews() {
    let with = |lines: &str| GOOD.replace("publish   = ", &format!("{lines}\npublish   = "));
    let review = |lines: &str| read(&with(lines)).unwrap().grants[0].review;
    for (lines, above_nano, hold, words) in [
        ("", None, false, "nothing"),
        ("hold = false", None, false, "nothing"),
        ("review = \"required\"", Some(0), false, "every question before it is answered"),
        (
            "review_above = 0.25",
            Some(250_000_000),
            false,
            "every question above epsilon 0.25 before it is answered",
        ),
        ("hold = true", None, true, "every answer before it leaves"),
        (
            "review = \"required\"\nhold = true",
            Some(0),
            true,
            "every question before it is answered, and every answer before it leaves",
        ),
    ] {
        let found = review(lines);
        assert_eq!((found, found.to_string().as_str()), (crate::Review { above_nano, hold }, words));
    }
    let dear = review("review_above = 0.25");
    assert_eq!(
        [0, 250_000_000, 250_000_001].map(|epsilon| dear.is_of_question(epsilon)),
        [false, false, true]
    );
    for (lines, said) in [
        ("review = \"never\"", "error[unknown-word]"),
        ("review_above = 0", "error[epsilon]"),
        ("hold = \"yes\"", "error[wrong-type]"),
        ("review = \"required\"\nreview_above = 0.5", "error[contradiction]"),
    ] {
        let document = Document::new("gha.toml", with(lines));
        let wrong = PolicySet::read(&[document]).unwrap_err().to_string();
        assert!(wrong.contains(said), "{lines}: {wrong}");
    }
}

#[test]
fn a_grant_says_which_figures_are_shown() {
    let with = |lines: &str| GOOD.replacen("publish", &format!("{lines}\npublish"), 1);
    let rule = |lines: &str| read(&with(lines)).unwrap().grants[0].shown_if;
    assert_eq!(rule(""), None);
    for (written, expected) in [
        ("{ count = 20 }", "count 20"),
        ("{ relative_error = 0.30 }", "relative_error 0.3"),
        ("{ count = 1, relative_error = 2 }", "count 1 relative_error 2"),
    ] {
        assert_eq!(rule(&format!("shown_if = {written}")), Some(expected.parse().unwrap()), "{written}");
    }
    for (written, code, said) in [
        ("{}", "shown-if", "write `shown_if = { count = 20 }`, `{ relative_error = 0.3 }`, or both"),
        ("{ count = 0 }", "shown-if", "every figure is made of 0 or more"),
        ("{ relative_error = 0 }", "shown-if", "a relative error is above 0"),
        ("{ relative_error = 0.0000000001 }", "shown-if", "no finer than a billionth"),
        ("{ count = -1 }", "out-of-range", ""),
        ("{ most = 3 }", "unknown-key", "`most`"),
        ("20", "wrong-type", ""),
    ] {
        let document = Document::new("gha.toml", with(&format!("shown_if = {written}")));
        let wrong = PolicySet::read(&[document]).unwrap_err().to_string();
        assert!(wrong.contains(&format!("error[{code}]")) && wrong.contains(said), "{written}: {wrong}");
    }
}

#[test]
fn a_rule_on_figures_judges_every_measure_that_the_grant_has() {
    let with = |measures: &str, rule: &str| {
        let text = GOOD.replacen("publish", &format!("shown_if = {{ {rule} }}\npublish"), 1);
        let (before, after) = text.split_once("measures").unwrap();
        let (_, after) = after.split_once('\n').unwrap();
        read(&format!("{before}measures = [{measures}]\n{after}"))
    };
    let every = "\"persons\", \"rows\", \"mean(income)\", \"share(sex)\", \"histogram(age)\"";
    assert!(with(every, "count = 20, relative_error = 0.3").is_ok());
    assert!(with("\"sum(income)\"", "relative_error = 0.3").is_ok());
    for (measure, rule, said) in [
        (
            "sum(income)",
            "count = 20",
            "`shown_if.count` cannot judge `sum(income)`: a sum has no count of its own",
        ),
        ("median(income)", "count = 20", "`shown_if.count` cannot judge `median(income)`"),
        ("median(income)", "relative_error = 0.3", "`shown_if.relative_error` cannot judge `median(income)`"),
    ] {
        let wrong = with(&format!("\"persons\", \"{measure}\""), rule).unwrap_err().join("\n");
        assert!(wrong.contains(said) && wrong.contains("grant it in a rule of its own"), "{wrong}");
    }
}

#[test]
fn what_names_no_purpose_is_allowed_where_it_could_be_asked_for_one() {
    let purposes = "purpose   = [\"official-statistics\", \"academic-research\"]";
    let refusal = |purposes: &str| format!("\n[[refusal]]\nid = \"no\"\npurpose = [{purposes}]\n");
    let granted = |refused: &str| {
        let text = GOOD.replace("purpose   = [\"official-statistics\"]", purposes) + &refusal(refused);
        let set = read(&text).unwrap();
        let principal = awa();
        let asked = AccessRequest { principal: &principal, purpose: None, on: None, epsilon_nano: None };
        let query =
            "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.5\n".parse().unwrap();
        set.authorize(&asked, &query).map(|granted| granted.grant.id.clone()).map_err(|denial| denial.rule)
    };
    assert_eq!(granted("\"official-statistics\""), Ok("regional-analysts".to_owned()));
    let both = "\"dpv:ProvideOfficialStatistics\", \"https://w3id.org/dpv#AcademicResearch\"";
    assert_eq!(granted(both), Err(Some("no".to_owned())));
}
