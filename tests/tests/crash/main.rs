//! A gateway as a process of its own: killed at the worst moment, wrongly configured, talkative.

mod kills;
mod memory;
mod process;
#[path = "../support/program.rs"]
mod program;
mod stopping;

use std::{collections::BTreeMap, time::Duration};

use lango_identity::PayloadType;
use lango_testkit::{Office, Person, Policy, Register, TestGrant, TestLedger, TestRegion, persons, table};
use process::Process;
use rusqlite::Connection;

const BODY: &str = "by age,country_of_birth,education,sex";
/// Enough that counting them takes seconds: the time between reservation and settlement.
const ROWS: u64 = 2_000_000;

/// Fills the register with persons whose values run through every declared one.
fn fill(office: &Office) {
    fill_as(office, "INTEGER PRIMARY KEY");
}

/// The same with identifiers of this SQL type. Those that are no key are ranked, which takes several times as long.
fn fill_as(office: &Office, unit: &str) {
    Connection::open(office.register())
        .unwrap()
        .execute_batch(&format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             DROP TABLE residents;
             CREATE TABLE residents (person_id {unit}, country_of_birth TEXT, sex TEXT, age INTEGER,
                                     education TEXT, arrival_year INTEGER, income INTEGER);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS} - 1)
             INSERT INTO residents SELECT i, substr('BENGHANGATGO', 1 + 3 * (i % 4), 3), substr('FM', 1 + i % 2, 1),
                                          i % 110, 'primary', 2020, i FROM n;"
        ))
        .unwrap();
}

/// One question of 30 is all that anybody has.
fn policy() -> Policy {
    Policy::of("GHA")
        .budget("accounting = \"pure\"\nepsilon = 30\nrenews = \"never\"")
        .grants([TestGrant::of("30", "30")])
}

pub(crate) async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(120), async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("waited too long: {what}"));
}

#[tokio::test]
async fn a_gateway_killed_between_reservation_and_settlement_comes_back_with_the_charge_counted() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &policy(), &Register::default());
    fill(&office);
    let config = office.write_config(&world);
    let analyst = world.analyst();
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);

    let question = analyst.question(&[&office.id], &persons(BODY, "30"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let pending = async {
        until("a pending reservation", || TestLedger::read(&office.store()).reservations == ["pending"])
            .await;
        drop(gateway.kill());
    };
    let (answer, ()) = tokio::join!(analyst.send(&office, &envelope), pending);
    assert!(answer.is_err(), "nothing leaves before it is settled");

    let charged = office.ledger();
    assert_eq!(
        (charged.pure_nano(""), charged.pure_nano("regional-analysts")),
        (30_000_000_000, 30_000_000_000)
    );
    assert_eq!((charged.reservations.as_slice(), charged.releases), (&["pending".to_owned()][..], 0));

    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    // A caller who asks something else finds the budget spent.
    let other = analyst.ask(&office, &persons("by sex", "1")).await.unwrap_err();
    assert_eq!(other.refusal(), "budget-exceeded");
    assert_eq!(analyst.estimate(&office, &persons("by sex", "1")).await.unwrap().queries_left, 0);
    assert_eq!(office.ledger(), charged);

    // The retry is answered from the same reservation, at no second charge.
    let retried = analyst.send(&office, &envelope).await.unwrap();
    assert_eq!((retried.repeated, retried.charged.pure_nano), (false, Some(0)));
    let settled = office.ledger();
    assert_eq!(settled.accounts, charged.accounts);
    assert_eq!((settled.reservations.as_slice(), settled.releases), (&["spent".to_owned()][..], 1));
    let counted: BTreeMap<String, i64> = table(&retried);
    assert_eq!(counted.values().sum::<i64>(), i64::try_from(ROWS).unwrap());
    let decisions: Vec<String> = office.records().into_iter().map(|record| record.decision).collect();
    assert_eq!(decisions, ["reserved", "refused", "estimated", "released"]);

    // Killed once more, it still has the answer: the request's first one, to the byte.
    gateway.kill();
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let again = analyst.send(&office, &envelope).await.unwrap();
    assert_eq!(again, retried);
    assert_eq!(office.ledger(), settled);
    gateway.kill();
}

#[tokio::test]
async fn a_configuration_or_policy_that_is_wrong_ends_the_process_with_its_line() {
    let world = TestRegion::new();
    let office = Office::prepare(&world, "GHA", &policy(), &Register::sample(1));
    let config = office.write_config(&world);
    let right = std::fs::read_to_string(&config).unwrap();
    for (what, wrong, expected) in [
        (
            "an unknown key",
            right.replace("policies", "polices"),
            "a gateway's configuration has no key `polices`",
        ),
        (
            "an unknown source",
            right.replace("source.register", "source.archive"),
            "names the source `register`",
        ),
        ("no such folder", right.replace("\"identity\"", "\"nowhere\""), "nowhere/"),
        ("no such authority", right.replace("authority.pem", "missing.pem"), "missing.pem"),
        (
            "a public purpose",
            right.replace("1.3.6.1.4.1.32473.1.1", "1.3.6.1.5.5.7.3.36"),
            "1.3.6.1.5.5.7.3.36",
        ),
    ] {
        std::fs::write(&config, wrong).unwrap();
        let (code, stderr) = process::fails(&config);
        assert_eq!(code, Some(1), "{what}: {stderr}");
        assert!(stderr.contains(expected), "{what}: {stderr}");
    }
    std::fs::write(&config, right).unwrap();
    std::fs::write(
        office.folder().join("policies/policy.toml"),
        policy().text().replace("by_at_most", "by_most"),
    )
    .unwrap();
    let (code, stderr) = process::fails(&config);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("policy.toml:") && stderr.contains("did you mean `by_at_most`?"), "{stderr}");
}

#[tokio::test]
async fn a_talkative_log_says_why_an_envelope_fails_and_holds_no_count_and_no_identifier() {
    const COUNT: usize = 104_729;
    let world = TestRegion::new();
    let person = Person { sex: Some("F"), ..Person::default() };
    let mut office = Office::prepare(&world, "GHA", &policy(), &Register::default().with(COUNT, person));
    let gateway = Process::start_logging(&office.write_config(&world), "trace");
    office.listens_at(gateway.address);
    let analyst = world.analyst();
    let answer = analyst.ask(&office, &persons("by sex", "30")).await.unwrap();
    assert_eq!(table(&answer)["F"], i64::try_from(COUNT).unwrap());

    // A price enquiry as a question: the caller learns nothing, the log says it.
    let question = analyst.question(&[&office.id], &persons("by sex", "1"));
    let replayed = analyst.sign(PayloadType::Estimate, question.encode());
    let failed = analyst.send(&office, &replayed).await.unwrap_err();
    assert_eq!((failed.code, failed.status.details()), (tonic::Code::Unauthenticated, &[][..]));

    let log = gateway.kill();
    assert!(log.contains("TRACE") && log.contains(" released"), "{log}");
    assert!(log.contains("of type `application/vnd.lango.estimate.v1` instead of"), "{log}");
    let key = office.identity.signing.key_pem.lines().nth(1).unwrap().to_owned();
    for secret in [&COUNT.to_string(), &format!("p{}", COUNT - 1), "PRIVATE KEY", &key] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "`{secret}` stands in the log: {lines:?}");
    }
}
