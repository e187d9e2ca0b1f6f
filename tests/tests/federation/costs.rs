//! Questions that would take more of a gateway than one question may: refused before anything is charged or counted.

use lango_testkit::{Caller, Office, Policy, Register, TestRegion, persons};
use tonic::Code;

/// Quantiles of a column, each a measure of its own, under these margins.
fn quantiles(column: &str, count: usize, by: &str) -> String {
    let share = |at: usize| format!("{:.6}", at as f64 / 1e6).trim_end_matches('0').to_owned();
    let mut measures: Vec<String> =
        (1..=count).map(|at| format!("quantile({column},{})", share(at))).collect();
    measures.sort();
    measures.iter().map(|measure| format!("measure {measure}\n{by}\n")).collect()
}

fn question(measures: &str) -> String {
    format!("lango-query 1\ndataset residents\n{measures}price epsilon 0.001\n")
}

/// Refused as a price enquiry and as a question, for free, without a row read, however often it is asked.
async fn refused(analyst: &Caller, office: &Office, text: &str, reason: &str) {
    for _ in 0..2 {
        for failed in
            [analyst.estimate(office, text).await.unwrap_err(), analyst.ask(office, text).await.unwrap_err()]
        {
            assert_eq!(
                (failed.refusal(), failed.code),
                (reason, Code::InvalidArgument),
                "{}",
                failed.status.message()
            );
        }
    }
    assert!(office.ledger().reservations.is_empty(), "{reason}");
    assert_eq!(office.gate.fetches(), 0, "{reason}");
}

#[tokio::test]
async fn a_question_of_many_quantiles_is_refused_by_its_cost() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").of_all_countries();
    let office = Office::start(&world, &policy, &Register::sample(5)).await;
    let analyst = world.analyst();
    let by_country = "by country_of_birth";
    let by_four = "by age,arrival_year,country_of_birth,education\n";
    let nine = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9";
    for (measures, reason) in [
        // 48 KB that needed 17 GB.
        (quantiles("income", 900, by_country), "malformed"),
        // 251 countries by twice 501 candidates and one, 60 times.
        (quantiles("income", 60, by_country), "too-many-cells"),
        (
            format!(
                "measure quantile(income,{nine})\nby age\nby country_of_birth\nby age,country_of_birth\n"
            ),
            "too-many-selections",
        ),
        (format!("measure histogram(income)\n{by_four}"), "too-many-cells"),
        (format!("measure mean(income)\n{by_four}measure sum(income)\n{by_four}"), "too-many-cells"),
        (format!("measure rows\n{}", "by\n".repeat(130)), "malformed"),
    ] {
        refused(&analyst, &office, &question(&measures), reason).await;
    }
    // Others are served, before and after.
    analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
}
