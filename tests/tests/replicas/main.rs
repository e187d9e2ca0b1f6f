//! Two gateways of one office on one ledger in PostgreSQL: together they charge, answer and remember like one.

mod ledger;
#[allow(dead_code)]
#[path = "../crash/process.rs"]
mod process;
#[path = "../support/program.rs"]
mod program;

use std::{collections::BTreeMap, time::Duration};

use lango_testkit::{
    Engine, Mode, Office, Person, Policy, Register, TestDatabase, TestGrant, TestRegion, at_once, persons,
};
use ledger::SharedLedger;
use process::Process;

const NANO: i64 = 1_000_000_000;
const COLUMNS: [&str; 4] = ["age", "country_of_birth", "education", "sex"];

/// A pool that never renews, all of it granted.
fn policy(epsilon: &str) -> Policy {
    Policy::of("GHA")
        .budget(&format!("accounting = \"pure\"\nepsilon = {epsilon}\nrenews = \"never\""))
        .grants([TestGrant::of(epsilon, epsilon)])
}

fn prepare(world: &TestRegion, database: &TestDatabase, policy: &Policy) -> [Office; 2] {
    [(), ()].map(|()| {
        let mut office = Office::prepare(world, "GHA", policy, &Register::sample(7));
        office.keep_in(&database.owner());
        office
    })
}

/// Both in this process, started at once on what may be an empty database.
async fn start(world: &TestRegion, database: &TestDatabase, policy: &Policy) -> [Office; 2] {
    let [mut one, mut other] = prepare(world, database, policy);
    let (first, second) = tokio::join!(one.up(), other.up());
    first.unwrap();
    second.unwrap();
    [one, other]
}

/// Every set of columns: sixteen questions, the total among them.
fn questions() -> Vec<String> {
    let margin = |set: usize| {
        let columns = COLUMNS.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0);
        let columns: Vec<&str> = columns.map(|(_, name)| *name).collect();
        if columns.is_empty() { "by".to_owned() } else { format!("by {}", columns.join(",")) }
    };
    (0..16).map(|set| persons(&margin(set), "1")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_asked_at_once_spend_the_pool_to_the_last_question_and_not_beyond() {
    let (world, database) = (TestRegion::new(), TestDatabase::fresh(Engine::Postgres));
    let offices = start(&world, &database, &policy("10")).await;
    let analyst = world.analyst();
    let questions = questions();
    let asked =
        questions.iter().flat_map(|question| offices.iter().map(move |office| (question.as_str(), office)));
    let analyst = &analyst;
    let ask = |(question, office)| async move { (question, analyst.ask(office, question).await) };
    let answers: Vec<(&str, _)> = at_once(asked.map(ask)).await;

    let mut by_question: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut charged = 0;
    for (question, answer) in answers {
        let answer = match answer {
            Ok(answer) => {
                charged += answer.charged.pure_nano.unwrap();
                Some((answer.statement.release_id, answer.cells))
            }
            Err(refused) => {
                assert_eq!(refused.refusal(), "budget-exceeded");
                None
            }
        };
        by_question.entry(question).or_default().push(answer);
    }
    assert!(
        by_question.values().all(|both| both[0] == both[1]),
        "one question has one answer: {by_question:?}"
    );
    assert_eq!(by_question.values().filter(|both| both[0].is_some()).count(), 10);
    let ledger = SharedLedger::of(&database);
    assert_eq!((ledger.pool, ledger.reserved, ledger.releases), (10 * NANO, 10 * NANO, 10));
    assert_eq!(i64::try_from(charged).unwrap(), 10 * NANO, "each charge is reported to one asker");
    assert_eq!(ledger.states, vec!["spent"; 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_policies_differ_each_gateway_holds_to_its_own_limit_and_counts_what_all_have_charged() {
    let (world, database) = (TestRegion::new(), TestDatabase::fresh(Engine::Postgres));
    let [mut larger, _] = prepare(&world, &database, &policy("5"));
    let [mut smaller, _] = prepare(&world, &database, &policy("3"));
    larger.up().await.unwrap();
    smaller.up().await.unwrap();
    let analyst = world.analyst();
    let questions = questions();
    let mut outcomes = Vec::new();
    for (question, office) in questions.iter().zip([&larger, &smaller].into_iter().cycle()).take(8) {
        outcomes.push(
            analyst.ask(office, question).await.map_err(|refused| refused.refusal().to_owned()).map(drop),
        );
    }
    let refused = || Err("budget-exceeded".to_owned());
    // Three are charged; the smaller limit is reached then, the larger after two more.
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), refused(), Ok(()), refused(), Ok(()), refused()]);
    assert_eq!(analyst.ask(&larger, &questions[8]).await.unwrap_err().refusal(), "budget-exceeded");
    let ledger = SharedLedger::of(&database);
    assert_eq!((ledger.pool, ledger.reserved, ledger.releases), (5 * NANO, 5 * NANO, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_gateways_that_answer_one_question_the_second_repeats_the_first() {
    let (world, database) = (TestRegion::new(), TestDatabase::fresh(Engine::Postgres));
    let offices = start(&world, &database, &policy("1")).await;
    let analyst = world.analyst();
    let question = persons("by sex", "0.01");
    offices.iter().for_each(|office| office.gate.set(Mode::Shut));
    let first = async {
        let (answer, ()) = tokio::join!(analyst.ask(&offices[0], &question), async {
            offices[0].gate.reached().await;
            // The first has reserved and reads; the second resumes, reads too, and is done before.
            let (second, ()) = tokio::join!(analyst.ask(&offices[1], &question), async {
                offices[1].gate.reached().await;
                offices[1].gate.set(Mode::Open);
            });
            let second = second.unwrap();
            assert_eq!((second.repeated, second.charged.pure_nano), (false, Some(0)));
            offices[0].gate.set(Mode::Open);
        });
        answer.unwrap()
    };
    let first = first.await;
    assert_eq!((first.repeated, first.charged.pure_nano), (true, Some(10_000_000)));
    let again = analyst.ask(&offices[1], &question).await.unwrap();
    assert_eq!((again.statement.release_id, &again.cells), (first.statement.release_id, &first.cells));
    assert_eq!(offices.each_ref().map(|office| office.gate.fetches()), [1, 1]);
    let ledger = SharedLedger::of(&database);
    assert_eq!((ledger.pool, ledger.releases), (10_000_000, 1));
    assert_eq!(ledger.decisions, ["reserved", "released", "repeated", "repeated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_given_back_only_if_no_other_gateway_reads_for_it() {
    for resumed in [false, true] {
        let (world, database) = (TestRegion::new(), TestDatabase::fresh(Engine::Postgres));
        let offices = start(&world, &database, &policy("1")).await;
        let analyst = world.analyst();
        let question = persons("by sex", "1");
        offices.iter().for_each(|office| office.gate.set(Mode::Shut));
        let fail = async {
            offices[0].gate.reached().await;
            if resumed {
                let (answer, ()) = tokio::join!(analyst.ask(&offices[1], &question), async {
                    offices[1].gate.reached().await;
                    offices[0].gate.set(Mode::Fail { rows_were_read: false });
                    while !SharedLedger::of(&database).decisions.contains(&"failed".to_owned()) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    offices[1].gate.set(Mode::Open);
                });
                assert_eq!(answer.unwrap().charged.pure_nano, Some(0));
            } else {
                offices[0].gate.set(Mode::Fail { rows_were_read: false });
            }
        };
        let (failed, ()) = tokio::join!(analyst.ask(&offices[0], &question), fail);
        assert_eq!(failed.unwrap_err().refusal(), "unavailable");
        let (pool, states) = if resumed { (NANO, vec!["spent"]) } else { (0, vec!["voided"]) };
        let ledger = SharedLedger::of(&database);
        assert_eq!((ledger.reserved, ledger.states), (pool, states.iter().map(|&s| s.to_owned()).collect()));
        // The gateway that is asked next answers it, and it has been charged once in the end.
        offices[1].gate.set(Mode::Open);
        analyst.ask(&offices[1], &question).await.unwrap();
        let ledger = SharedLedger::of(&database);
        assert_eq!((ledger.pool, ledger.reserved, ledger.releases), (NANO, NANO, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_lost_between_reservation_and_settlement_undercharges_nothing() {
    for gone in [false, true] {
        let (world, database) = (TestRegion::new(), TestDatabase::fresh(Engine::Postgres));
        let offices = start(&world, &database, &policy("1")).await;
        let analyst = world.analyst();
        let question = persons("by sex", "1");
        offices[0].gate.set(Mode::Shut);
        let (answer, ()) = tokio::join!(analyst.ask(&offices[0], &question), async {
            offices[0].gate.reached().await;
            if gone {
                database.admit(false).await;
            }
            database.interrupt().await;
            offices[0].gate.set(Mode::Open);
        });
        match answer {
            // The connection was made anew.
            Ok(answer) if !gone => assert_eq!(answer.charged.pure_nano, Some(1_000_000_000)),
            // Nothing leaves that is not stored; not even why can be recorded.
            Err(failed) if gone => assert_eq!(failed.reason.as_deref(), Some("unavailable")),
            other => panic!("gone {gone}: {other:?}"),
        }
        database.admit(true).await;
        assert_eq!(SharedLedger::of(&database).pool, NANO);
        // The other gateway answers, at no second charge, and has nothing left for another question.
        assert_eq!(analyst.ask(&offices[1], &question).await.unwrap().charged.pure_nano, Some(0));
        let refused = analyst.ask(&offices[1], &persons("by age", "1")).await.unwrap_err();
        assert_eq!(refused.refusal(), "budget-exceeded");
        let ledger = SharedLedger::of(&database);
        assert_eq!((ledger.pool, ledger.reserved, ledger.releases), (NANO, NANO, 1));
    }
}

/// Enough that counting them takes a while: the time between reservation and settlement.
const ROWS: usize = 400_000;

#[tokio::test(flavor = "multi_thread")]
async fn where_one_process_is_killed_the_other_goes_on_with_what_it_had_reserved() {
    let (world, database) = (TestRegion::new(), TestDatabase::fresh(Engine::Postgres));
    let register = Register::default().with(ROWS, Person { sex: Some("F"), ..Person::default() });
    let mut offices = [(), ()].map(|()| {
        let mut office = Office::prepare(&world, "GHA", &policy("30"), &register);
        office.keep_in(&database.owner());
        office
    });
    // Both at once, on an empty database.
    let configs = offices.each_ref().map(|office| office.write_config(&world));
    let [first, second] = configs.map(|config| tokio::task::spawn_blocking(move || Process::start(&config)));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    offices[0].listens_at(first.address);
    offices[1].listens_at(second.address);

    let analyst = world.analyst();
    let question = persons("by age,country_of_birth,education,sex", "30");
    let (answer, ()) = tokio::join!(analyst.ask(&offices[0], &question), async {
        while SharedLedger::of(&database).states != ["pending"] {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(first.kill());
    });
    assert!(answer.is_err(), "nothing leaves before it is settled");
    assert_eq!(SharedLedger::of(&database).pool, 30 * NANO);

    let refused = analyst.ask(&offices[1], &persons("by sex", "1")).await.unwrap_err();
    assert_eq!(refused.refusal(), "budget-exceeded");
    let answer = analyst.ask(&offices[1], &question).await.unwrap();
    assert_eq!((answer.repeated, answer.charged.pure_nano), (false, Some(0)));
    let ledger = SharedLedger::of(&database);
    assert_eq!((ledger.pool, ledger.reserved, ledger.releases), (30 * NANO, 30 * NANO, 1));
    assert_eq!(ledger.decisions, ["reserved", "refused", "released"]);

    // A gateway that takes the dead one's place has the answer too.
    let config = offices[0].write_config(&world);
    let third = tokio::task::spawn_blocking(move || Process::start(&config)).await.unwrap();
    offices[0].listens_at(third.address);
    let again = analyst.ask(&offices[0], &question).await.unwrap();
    assert_eq!((again.repeated, again.cells), (true, answer.cells));
    third.kill();
    second.kill();
}
