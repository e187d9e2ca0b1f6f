//! A comparison of ordinary policies is complete, and one of policies that were made to have no end has one.

use super::*;

/// A policy on one dataset of many columns of two codes, with these rules.
fn wide(columns: usize, rules: &str) -> PolicySet {
    let mut text = HEAD.to_owned();
    for at in 0..columns {
        text += &format!("c{at} = {{ codes = [\"A\", \"B\"] }}\n");
    }
    text += "[budget.d]\naccounting = \"pure\"\nepsilon = 8.0\nrenews = \"yearly\"\n";
    text += rules;
    PolicySet::read(&[Document::new("p.toml", text)]).unwrap_or_else(|error| panic!("{error}"))
}

fn columns(places: impl Iterator<Item = usize>) -> String {
    places.map(|at| format!("\"c{at}\"")).collect::<Vec<_>>().join(", ")
}

/// A grant of persons with what is written last in it.
fn grant(id: usize, to: &str, purposes: &str, rest: &str) -> String {
    format!(
        "[[grant]]\nid = \"g{id}\"\nto = [{to}]\npurpose = [{purposes}]\ndataset = \"d\"\nepsilon_per_query = 1.0\n\
         epsilon_total = 4.0\npublish = \"office\"\n{rest}\n"
    )
}

/// Two policies of 200 grants as a large office may have them, the second edited: analysts by name and all of them, three
/// purposes, a period of its own for each, and columns and measures as each agreement has them.
fn ordinary() -> [PolicySet; 2] {
    [false, true].map(|is_edited| {
        let draws = &mut Draws(7);
        let rules: String = (0..200)
            .filter_map(|id| {
                let to = match id % 3 {
                    0 => "\"spiffe://r.example/analyst/*\"".to_owned(),
                    _ => format!("\"spiffe://r.example/analyst/a{}\"", draws.below(40)),
                };
                let purpose = format!("{:?}", ["p", "q", "s"][draws.below(3)]);
                let by: BTreeSet<usize> = (0..2 + draws.below(4)).map(|_| draws.below(20)).collect();
                let filters: BTreeSet<usize> = (0..draws.below(4)).map(|_| draws.below(20)).collect();
                let measures = quoted(&or_first(draws.some(&GRANTED[..4], 2), "persons"));
                let (month, day) = (1 + draws.below(12), 1 + draws.below(28));
                let mut at_most = 1 + draws.below(3);
                if is_edited && id % 20 == 3 {
                    return None;
                }
                at_most += usize::from(is_edited && id % 7 == 0);
                let rest = format!(
                    "measures = [{measures}]\nby = [{}]\nwhere = [{}]\nby_at_most = {at_most}\n\
                     valid = {{ from = 2026-{month:02}-{day:02}, until = 2027-{month:02}-{day:02} }}",
                    columns(by.into_iter()),
                    columns(filters.into_iter()),
                );
                Some(grant(id, &to, &purpose, &rest))
            })
            .collect();
        let refusal = "[[refusal]]\nid = \"r\"\ncolumns = [\"c1\", \"c2\"]\n";
        wide(20, &format!("{rules}{refusal}"))
    })
}

#[test]
fn two_hundred_grants_are_compared_to_the_end() {
    let alike = |total| {
        many(200, |id, rule| {
            rule.purposes = vec![PURPOSES[id % 2]];
            rule.total = total;
            if id % 3 == 0 && total == "3.0" {
                rule.by.push("b");
            }
        })
    };
    for (name, old, new, comparison) in [
        ("alike", alike("4.0"), alike("3.0"), Comparison::MorePermissive),
        ("the same", ordinary()[0].clone(), ordinary()[0].clone(), Comparison::Equivalent),
        ("edited", ordinary()[0].clone(), ordinary()[1].clone(), Comparison::Incomparable),
    ] {
        let diff = old.diff(&new, day(5, 1));
        assert_eq!((diff.comparison(), diff.unfinished.len()), (comparison, 0), "{name}");
    }
}

/// Pairs of which each question of the second policy must have one, with fewer places than it takes to have one of each: the
/// edges of a graph and their covers.
fn covers(at_most: usize) -> [PolicySet; 2] {
    let all = |without: &[usize]| columns((0..60).filter(|at| !without.contains(at)));
    let to = "\"spiffe://r.example/analyst/*\"";
    let one = |id, without: &[usize]| {
        let rest =
            format!("measures = [\"persons\"]\nby = []\nwhere = [{}]\nby_at_most = {at_most}", all(without));
        grant(id, to, "\"p\"", &rest)
    };
    let draws = &mut Draws(3);
    let edges = (0..150).map(|id| one(id, &[draws.below(60), draws.below(60)]));
    let old: String = edges.collect();
    [wide(60, &old), wide(60, &one(200, &[]))]
}

/// Many who ask for many purposes, each in periods of its own.
fn crowd() -> [PolicySet; 2] {
    let purposes: Vec<String> = (0..200).map(|at| format!("\"p{at}\"")).collect();
    let purposes = purposes.join(", ");
    ["1", "2"].map(|at_most| {
        let rules: String = (0..400)
            .map(|id| {
                let to = format!("\"spiffe://r.example/analyst/a{id}\", \"spiffe://r.example/analyst/*\"");
                let (month, day) = (1 + id / 28 % 12, 1 + id % 28);
                let rest = format!(
                    "measures = [\"persons\"]\nby = [{}]\nby_at_most = {at_most}\n\
                     valid = {{ from = 2026-{month:02}-{day:02}, until = 2027-{month:02}-{day:02} }}",
                    columns([id % 60, id % 59, id % 53].into_iter())
                );
                grant(id, &to, &purposes, &rest)
            })
            .collect();
        wide(60, &rules)
    })
}

/// Refusals of codes, each of which a question may meet or avoid in its own way.
fn mazes() -> [PolicySet; 2] {
    let draws = &mut Draws(5);
    let rest = format!("measures = [\"persons\"]\nby = []\nwhere = [{}]\nby_at_most = 30", columns(0..40));
    let rule = grant(0, "\"spiffe://r.example/analyst/*\"", "\"p\"", &rest);
    let refusals: String = (0..120)
        .map(|id| {
            let code = |at: usize, code| format!("c{at} = [\"{code}\", \"_U\", \"_O\"]");
            let first = draws.below(20);
            let codes = [code(first, "A"), code(first + 1 + draws.below(19), "B")].join(", ");
            format!("[[refusal]]\nid = \"r{id}\"\ncodes = {{ {codes} }}\n")
        })
        .collect();
    let last = format!("[[refusal]]\nid = \"last\"\ncolumns = [{}]\n", columns(0..30));
    [wide(40, &format!("{rule}{refusals}{last}")), wide(40, &format!("{rule}{refusals}"))]
}

/// Quantiles, each at shares of its own.
fn quantiles() -> [PolicySet; 2] {
    ["1", "2"].map(|at_most| {
        let rules: String = (0..200)
            .map(|id| {
                let shares: Vec<String> = (0..9).map(|at| format!("0.{:04}1", id * 17 + at * 7)).collect();
                let rest = format!(
                    "measures = [\"quantile(e,{})\"]\nby = [\"a\", \"b\"]\nby_at_most = {at_most}",
                    shares.join(",")
                );
                grant(id, "\"spiffe://r.example/analyst/*\"", "\"p\"", &rest)
            })
            .collect();
        wide(1, &rules)
    })
}

#[test]
fn a_comparison_without_end_is_given_up_and_is_never_called_equivalent() {
    for (name, [old, new]) in
        [("covers", covers(25)), ("crowd", crowd()), ("mazes", mazes()), ("quantiles", quantiles())]
    {
        for (old, new) in [(&old, &new), (&new, &old)] {
            let diff = old.diff(new, day(5, 1));
            for Difference { example, change, .. } in &diff.differences {
                let Example { principal, purpose, on, query } = example;
                let asked =
                    AccessRequest { principal, purpose: Some(purpose), on: Some(*on), epsilon_nano: None };
                let shown = became(decided(old, &asked, query), decided(new, &asked, query));
                assert_eq!(shown, Some(grants_of(change)), "{name}");
            }
        }
        let either = [old.diff(&new, day(5, 1)), new.diff(&old, day(5, 1))];
        assert!(either.iter().any(|diff| !diff.unfinished.is_empty()), "{name}");
        let is_given_up = |diff: &&PolicyDiff| !diff.unfinished.is_empty();
        assert!(either.iter().filter(is_given_up).all(|diff| diff.comparison() == Comparison::Incomparable));
    }
}

#[test]
fn a_dataset_that_is_not_compared_fully_leaves_the_others_their_part() {
    let [old, new] = covers(25);
    let other = "[dataset.d2]\ntitle = \"D\"\nkind = \"stock\"\nsource = \"register\"\ntable = \"d2\"\n\
                 version = \"1\"\nunit = { column = \"id\", noun = \"person\", rows_at_most = 1 }\n\
                 [dataset.d2.column]\na = { codes = [\"A\"] }\n[budget.d2]\naccounting = \"pure\"\nepsilon = 8.0\n\
                 renews = \"yearly\"\n";
    let rule = |at_most: usize| {
        format!(
            "[[grant]]\nid = \"of-d2\"\nto = [\"spiffe://r.example/analyst/*\"]\npurpose = [\"p\"]\ndataset = \"d2\"\n\
             measures = [\"persons\"]\nby = [\"a\"]\nby_at_most = {at_most}\nepsilon_per_query = 1.0\nepsilon_total = 4.0\n\
             publish = \"office\"\n"
        )
    };
    let with = |set: &PolicySet, at_most| {
        let text = format!("policy = 2\noffice = \"GHA\"\n{other}{}", rule(at_most));
        let mut further = PolicySet::read(&[Document::new("d2.toml", text)]).unwrap();
        let mut set = set.clone();
        set.grants.append(&mut further.grants);
        set.datasets.append(&mut further.datasets);
        set.pools.append(&mut further.pools);
        set.budgets.append(&mut further.budgets);
        set
    };
    let diff = with(&old, 0).diff(&with(&new, 1), day(5, 1));
    assert_eq!(diff.unfinished, ["d".parse().unwrap()]);
    assert!(diff.differences.iter().any(|difference| difference.dataset.as_str() == "d2"), "{diff:?}");
}
