//! `lango review` as an administrator runs it, beside the gateway that runs.

use std::path::Path;

use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use serde_json::Value;

use crate::{ledger::ledger, prepare::lango, process::Process, program::said};

fn review(words: &[&str], config: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    said(&lango(&[&["review"], words].concat(), config, more))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_seen_and_decided_while_the_gateway_runs() {
    let world = TestRegion::new();
    let lines = "review = \"required\"\nhold = true";
    let grant = TestGrant { more: lines.to_owned(), ..TestGrant::of("1", "4") };
    let policy = Policy::of("GHA").grants([grant]);
    let mut office = Office::prepare(&world, "GHA", &policy, &Register::sample(5));
    let config = office.write_config(&world);
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let awa = world.analyst();
    let question = persons("by sex", "0.5");
    let ask = async |expected: &str| {
        let failed = awa.ask(&office, &question).await.unwrap_err();
        assert_eq!(failed.refusal(), expected);
        failed.signed.unwrap().arguments.get("review").unwrap().to_owned()
    };

    let (code, stdout, _) = review(&["list"], &config, &[]);
    assert_eq!((code, stdout.as_str()), (Some(0), "nothing waits for the office\n"));
    let name = ask("review-waiting").await;
    let (code, stdout, stderr) = review(&["list"], &config, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with(&format!("{name}  waiting  ")), "{stdout}");
    assert!(stdout.contains("analyst/awa for official-statistics  epsilon 0.5\n"), "{stdout}");
    assert!(
        stdout.contains("\n      dataset residents; measure persons; by sex; price epsilon 0.5\n"),
        "{stdout}"
    );

    // Neither a name that is too short, nor one that is none, nor what cannot be.
    for (words, said) in
        [(["approve", "abc"], "is no name of a review"), (["show", "ffffffff"], "is the name of no review")]
    {
        let (code, _, stderr) = review(&words, &config, &[]);
        assert!(code == Some(1) && stderr.contains(said), "{stderr}");
    }
    let (code, _, stderr) = review(&["reject", &name], &config, &["--why", "two\nlines"]);
    assert!(code == Some(2) && stderr.contains("one line, without control characters"), "{stderr}");

    let (code, _, stderr) = review(&["approve", &name[..4]], &config, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains(" is approved: the question is answered when it is asked again"), "{stderr}");
    assert_eq!(ask("answer-held").await, name);
    let (_, stdout, _) = review(&["show", &name], &config, &[]);
    for said in
        ["state     held: the answer is drawn and charged, and waits for the office\n", "std err", "\n F "]
    {
        assert!(stdout.contains(said), "{said}: {stdout}");
    }
    let (_, stdout, _) = review(&["show", &name], &config, &["--format", "json"]);
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&shown["review"]["state"], &shown["lapses_because"]), (&"held".into(), &Value::Null));
    let (code, _, stderr) = review(&["reject", &name], &config, &["--why", "not in this form"]);
    assert!(code == Some(0) && stderr.contains(" is withheld: "), "{stderr}");
    ask("answer-withheld").await;
    let (code, _, stderr) = review(&["reject", &name], &config, &["--why", "again"]);
    assert!(code == Some(1) && stderr.contains("a review that is withheld cannot be rejected"), "{stderr}");
    let (code, _, stderr) = review(&["approve", &name], &config, &[]);
    assert!(
        code == Some(1) && stderr.contains("let it leave with `lango review approve --answer`"),
        "{stderr}"
    );
    let (code, _, stderr) = review(&["approve", &name], &config, &["--answer"]);
    assert!(code == Some(0) && stderr.contains(" is shown"), "{stderr}");
    assert!(awa.ask(&office, &question).await.unwrap().repeated);
    let (_, stdout, _) = review(&["list"], &config, &["--all", "--format", "csv"]);
    assert!(stdout.starts_with("name,state,asked_at,principal,") && stdout.contains(",shown,"), "{stdout}");
    let (_, stdout, _) = ledger("history", &config, &[]);
    for step in ["waiting", "approved", "held", "withheld", "shown"] {
        assert!(
            stdout.contains(&format!("reviewed   by regional-analysts\n      {step}\n"))
                || stdout.contains(&format!("reviewed  by regional-analysts\n      {step}\n")),
            "{step}: {stdout}"
        );
    }
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
}
