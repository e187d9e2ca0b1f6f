//! A store whose disk is full or may not be written, and a clock that jumps: nothing is answered that is not charged, nothing
//! that was charged is lost, and the log goes on.

use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use rusqlite::Connection;

use crate::{log::verified, process::Process};

const DAY_S: i64 = 86_400;

/// Questions whose prices differ.
fn question(number: u32) -> String {
    persons("by age,country_of_birth,education", &format!("0.0100{number:03}1"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_answers_nothing_uncharged_and_loses_nothing() {
    let world = TestRegion::new();
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    let config = office.write_config(&world);
    let gateway = Process::start_within_file_size(&config, 2_000);
    office.listens_at(gateway.address);
    let awa = world.analyst();
    let (mut answered, mut failed) = (Vec::new(), Vec::new());
    for number in 0..400 {
        match awa.ask(&office, &question(number)).await {
            Ok(answer) => answered.push((question(number), answer)),
            Err(refused) => {
                assert_eq!(refused.reason.as_deref(), Some("unavailable"), "{refused:?}");
                failed.push(question(number));
            }
        }
        if failed.len() > 5 {
            break;
        }
    }
    assert!(failed.len() > 5 && answered.len() > 3, "{} {}", failed.len(), answered.len());
    let log = gateway.kill();
    assert!(!log.contains("panicked"), "{log}");

    // There is room again.
    let gateway = Process::start(&config);
    office.listens_at(gateway.address);
    let charged = office.ledger().pure_nano("");
    let least: i64 = answered.iter().map(|(_, answer)| nano(answer.charged.pure_nano)).sum();
    assert!(least <= charged, "{least} of {charged} are lost");
    for (question, answer) in &answered {
        let again = awa.ask(&office, question).await.unwrap();
        assert_eq!((again.repeated, &again.cells), (true, &answer.cells));
    }
    for question in &failed {
        awa.ask(&office, question).await.unwrap();
    }
    let asked = i64::try_from(answered.len() + failed.len()).unwrap();
    let prices: i64 = (0..asked).map(|number| 10_000_010 + 100 * number).sum();
    assert_eq!(office.ledger().pure_nano(""), prices, "each question once");
    let (_, ended, log) = gateway.stop();
    assert!(ended, "{log}");
    verified(&config);
}

fn nano(charged: Option<u64>) -> i64 {
    i64::try_from(charged.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_may_not_be_written_answers_nothing_and_goes_on_when_it_may() {
    let world = TestRegion::new();
    let mut office = Office::start(&world, &Policy::of("GHA"), &Register::sample(5)).await;
    let awa = world.analyst();
    awa.ask(&office, &persons("by sex", "0.25")).await.unwrap();
    let before = office.ledger();
    // Every table refuses every write, as a store does whose file system was mounted anew for reading alone.
    let store = Connection::open(office.store()).unwrap();
    let tables = ["account", "access_record", "release", "request", "reservation"];
    for table in tables {
        for act in ["INSERT", "UPDATE"] {
            let deny = format!(
                "CREATE TRIGGER deny_{table}_{act} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, 'read only'); END"
            );
            store.execute_batch(&deny).unwrap();
        }
    }
    for question in [persons("by age", "0.25"), persons("by sex", "0.25"), persons("by village", "0.25")] {
        let refused = awa.ask(&office, &question).await.unwrap_err();
        assert_eq!(refused.reason.as_deref(), Some("unavailable"), "{question}: {refused:?}");
    }
    assert_eq!(office.ledger(), before);
    for table in tables {
        for act in ["INSERT", "UPDATE"] {
            store.execute_batch(&format!("DROP TRIGGER deny_{table}_{act}")).unwrap();
        }
    }
    drop(store);
    assert_eq!(
        awa.ask(&office, &persons("by age", "0.25")).await.unwrap().charged.pure_nano,
        Some(250_000_000)
    );
    assert!(awa.ask(&office, &persons("by sex", "0.25")).await.unwrap().repeated);
    let config = office.write_config(&world);
    office.down().await;
    verified(&config);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_goes_back_and_forth_over_a_periods_end_gives_no_budget_twice() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").budget("accounting = \"pure\"\nepsilon = 1\nrenews = \"monthly\"");
    let policy = policy.grants([TestGrant::of("1", "1")]);
    let mut office = Office::start(&world, &policy, &Register::sample(5)).await;
    let awa = world.analyst();
    let ask = async |by: &str| {
        let answer = awa.ask(&office, &persons(&format!("by {by}"), "1")).await;
        answer.map(|answer| answer.charged.pure_nano.unwrap()).map_err(|refused| refused.refusal().to_owned())
    };
    const ALL: u64 = 1_000_000_000;
    let spent = || Err("budget-exceeded".to_owned());
    assert_eq!(ask("sex").await, Ok(ALL));
    assert_eq!(ask("age").await, spent());
    world.clock.advance(32 * DAY_S);
    assert_eq!(ask("age").await, Ok(ALL));
    assert_eq!(ask("education").await, spent());
    // Back in the month before, whose budget is spent, and forth again.
    for _ in 0..2 {
        world.clock.advance(-32 * DAY_S);
        assert_eq!(ask("education").await, spent());
        assert_eq!(ask("sex").await, Ok(0), "what is stored stays free");
        world.clock.advance(32 * DAY_S);
        assert_eq!(ask("education").await, spent());
        assert_eq!(ask("age").await, Ok(0));
    }
    let accounts = office.ledger().accounts;
    let pools: Vec<_> = accounts.iter().filter(|account| account.holder.is_empty()).collect();
    assert!(pools.iter().all(|pool| pool.pure_nano <= Some(1_000_000_000)), "{pools:?}");
    // Before its certificate nobody is believed.
    world.clock.advance(-64 * DAY_S);
    let failed = awa.ask(&office, &persons("by education", "1")).await.unwrap_err();
    assert_eq!((failed.code, failed.signed), (tonic::Code::Unauthenticated, None));
    world.clock.advance(64 * DAY_S);
    let config = office.write_config(&world);
    office.down().await;
    verified(&config);
}
