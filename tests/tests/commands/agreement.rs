//! The agreement that a grant cites, from the policy to the answer and to the record.

use std::time::Duration;

use lango_identity::Role;
use lango_testkit::{Federation, Office, Policy, Register, TestGrant, TestRegion, persons};
use serde_json::{Value, json};

use crate::{folder, lango, ledger::ledger, program, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_an_answer_and_of_the_record_see_the_agreement() {
    tokio::task::spawn_blocking(program::lango).await.unwrap();
    let world = TestRegion::new();
    let citing =
        |agreement: &str| TestGrant { more: format!("agreement = \"{agreement}\""), ..TestGrant::default() };
    let policy = |name: &str, grant: TestGrant| Policy::of(name).grants([grant]);
    let mut offices = Vec::new();
    for (name, grant) in
        [("BEN", citing("MoU-2026-14")), ("GHA", citing("MoU-2026-14")), ("TGO", TestGrant::default())]
    {
        offices.push(Office::start(&world, &policy(name, grant), &Register::sample(2)).await);
    }
    let federation = Federation::start(&world, offices, Duration::from_secs(30)).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let done = lango(&federation, identity.path(), &run(&["--format", "json"])).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let offices = printed["privacy"]["offices"].as_array().unwrap();
    let cited: Vec<_> = offices.iter().map(|office| office["agreement"].clone()).collect();
    assert_eq!(cited, [json!("MoU-2026-14"), json!("MoU-2026-14"), Value::Null]);
    let table = lango(&federation, identity.path(), &run(&[])).await;
    assert!(table.stdout.contains("\nagreement MoU-2026-14 (BEN, GHA)\n"), "{}", table.stdout);

    // Of another agreement, the same values are the same release.
    let gha = &federation.offices[1];
    gha.change(&policy("GHA", citing("MoU-2027-1")).text()).await.unwrap();
    let analyst = world.analyst();
    let question = persons("by sex", "1");
    let first = analyst.ask(gha, &question).await.unwrap();
    let again = analyst.ask(gha, &question).await.unwrap();
    assert_eq!(first.statement.agreement, Some("MoU-2027-1".parse().unwrap()));
    assert_eq!(again.statement.release_id, first.statement.release_id);
    analyst.ask(gha, &persons("by village", "1")).await.unwrap_err();
    let config = gha.write_config(&world);
    let (code, stdout, stderr) = ledger("history", &config, &["--format", "json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let kept: Value = serde_json::from_str(&stdout).unwrap();
    let kept: Vec<_> = kept
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["decision"] != "described")
        .map(|line| (line["decision"].clone(), line["agreement"].clone()))
        .collect();
    let line = |decision: &str, agreement: Value| (json!(decision), agreement);
    assert_eq!(
        kept[..5],
        [
            line("refused", Value::Null),
            line("repeated", json!("MoU-2027-1")),
            line("released", json!("MoU-2027-1")),
            line("reserved", json!("MoU-2027-1")),
            line("activated", Value::Null),
        ]
    );
    let of_before = |(decision, agreement): &(Value, Value)| match decision.as_str() {
        Some("started" | "activated") => agreement.is_null(),
        _ => *agreement == "MoU-2026-14",
    };
    assert!(kept[5..].iter().all(of_before), "{kept:?}");
    let (_, stdout, _) = ledger("history", &config, &[]);
    assert!(stdout.contains("\n      under MoU-2027-1\n"), "{stdout}");
}
