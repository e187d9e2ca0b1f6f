//! Two registers that differ by one person, asked alike: whatever no mechanism made is the same, field for field.

use lango_testkit::{Caller, FailedCall, Office, Policy, Register, TestGrant, TestRegion, persons, unsigned};

/// What an asker sees before an answer, for nothing: prices, descriptions and refusals, as they came.
async fn free(analyst: &Caller, office: &Office) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    for datasets in [analyst.describe(office, None).await, analyst.describe(office, Some("residents")).await]
    {
        seen.push(("describe".to_owned(), format!("{:?}", datasets.unwrap())));
    }
    for text in [
        persons("by sex", "0.5"),
        persons("by age,country_of_birth,sex", "1"),
        measure("mean(income)", "by sex"),
        measure("quantile(income,0.5)", "by sex"),
        measure("histogram(income)", "by"),
        measure("share(sex)", "by education"),
        measure("sum(income)", "by\nwhere age from 20 to 39"),
        // Refused by the policy, by the plan and by the grant's limits.
        persons("by village", "0.5"),
        measure("keys(sex)", "by"),
        persons("by sex", "100.5"),
    ] {
        let shown = match analyst.estimate(office, &text).await {
            // Every field of the message, those that are added later too.
            Ok(estimate) => format!("{:?}", unsigned(estimate)),
            Err(refusal) => words(&refusal),
        };
        seen.push((text, shown));
    }
    seen
}

pub(crate) fn measure(measure: &str, body: &str) -> String {
    persons(body, "0.5").replace("measure persons", &format!("measure {measure}"))
}

/// A refusal without its signature and the request that it names.
fn words(refusal: &FailedCall) -> String {
    let code = refusal.signed.as_ref().map(|signed| signed.code.clone());
    format!("{:?} {:?} {code:?} {}", refusal.code, refusal.reason, refusal.status.message())
}

/// An office whose table has no key, or one; in one of them one more person stands, on two rows or on one.
pub(crate) fn offices(world: &TestRegion, key: bool) -> [Office; 2] {
    let mut register = Register::sample(3);
    register.unit = if key { "TEXT PRIMARY KEY" } else { "TEXT" };
    let policy = Policy::of("GHA").grants([TestGrant::of("100", "100")]);
    [1, 2].map(|which| {
        let office = Office::prepare(world, "GHA", &policy, &register);
        if which == 2 {
            let row = || register.rows().next().unwrap().into_iter().skip(1);
            let one = || std::iter::once("victim".into()).chain(row()).collect();
            office.database.insert("residents", std::iter::repeat_with(one).take(if key { 1 } else { 2 }));
        }
        office
    })
}

#[tokio::test]
async fn an_estimate_says_the_same_for_both_neighbours() {
    for key in [true, false] {
        let world = TestRegion::new();
        let [mut without, mut with] = offices(&world, key);
        without.up().await.unwrap();
        with.up().await.unwrap();
        let analyst = world.analyst();
        let seen = free(&analyst, &without).await;
        assert_eq!(seen, free(&analyst, &with).await, "key: {key}");
        // Nor does it show how the source would be read, or that it can be read at all.
        with.database.away();
        assert_eq!(seen, free(&analyst, &with).await, "key: {key}");
        with.database.back();
        assert!(with.ledger().accounts.is_empty(), "prices are free");

        // After an answer, all but its cells is the same, and so is what is left.
        let question = persons("by age,sex", "2");
        let mut after = Vec::new();
        for office in [&without, &with] {
            let answer = analyst.ask(office, &question).await.unwrap();
            let size = answer.cells.len();
            let shown =
                (answer.plan.to_string(), answer.layout.to_string(), size, answer.charged, answer.repeated);
            let refused = analyst.ask(office, &persons("by sex", "99")).await.unwrap_err();
            after.push((shown, words(&refused), free(&analyst, office).await));
        }
        assert_eq!(after[0], after[1], "key: {key}");
    }
}
