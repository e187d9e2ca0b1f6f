//! Currencies and periods.

use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};

#[tokio::test]
async fn a_zcdp_account_is_charged_rho_and_answers_with_gaussian_noise() {
    let world = TestRegion::new();
    let budget = "accounting = \"zcdp\"\ndelta = 1e-6\nepsilon = 8\nrenews = \"yearly\"";
    let policy = Policy::of("GHA").budget(budget).grants([TestGrant::of("1", "4")]);
    let mut office = Office::start(&world, &policy, &Register::sample(50)).await;
    let analyst = world.analyst();
    let price = analyst.estimate(&office, &persons("by age,sex", "1")).await.unwrap();
    let rho = price.loss.unwrap().rho_nano;
    assert_eq!(price.loss.unwrap().pure_nano, None);
    // Tight conversion of epsilon 1 at delta 1e-6 lies between the textbook's lower bound and epsilon^2 / 2.
    assert!((15_000_000..30_000_000).contains(&rho), "{rho}");
    // Four questions of 1 cost far less than 4.
    assert!(price.queries_left > 4, "{}", price.queries_left);

    let answer = analyst.ask(&office, &persons("by age,sex", "1")).await.unwrap();
    assert_eq!(
        answer.plan.margins[0].measurement.noise().unwrap().mechanism,
        lango_privacy::Mechanism::DiscreteGaussian
    );
    assert_eq!((answer.charged.rho_nano, answer.charged.pure_nano), (rho, None));
    assert_eq!(answer.account, lango_privacy::Accounting::Zcdp { delta_e18: 1_000_000_000_000 });
    for account in office.ledger().accounts {
        assert_eq!((account.rho_nano, account.pure_nano), (i64::try_from(rho).unwrap(), None));
    }
    let after = analyst.estimate(&office, &persons("by sex", "1")).await.unwrap();
    assert_eq!(after.queries_left, price.queries_left - 1);
    office.down().await;
    office.up().await.unwrap();
    let again = analyst.ask(&office, &persons("by age,sex", "1")).await.unwrap();
    assert_eq!((again.cells, again.repeated), (answer.cells, true));
}

#[tokio::test]
async fn a_zcdp_account_is_spent_to_its_limit_and_not_beyond() {
    let world = TestRegion::new();
    let budget = "accounting = \"zcdp\"\ndelta = 1e-6\nepsilon = 8\nrenews = \"never\"";
    let policy = Policy::of("GHA").budget(budget).grants([TestGrant::of("2", "2")]);
    let office = Office::start(&world, &policy, &Register::sample(1)).await;
    let analyst = world.analyst();
    let left = analyst.estimate(&office, &persons("by sex", "1")).await.unwrap().queries_left;
    for age in 0..left {
        let body = format!("by sex\nwhere age = {age}");
        analyst.ask(&office, &persons(&body, "1")).await.unwrap();
    }
    let failed = analyst.ask(&office, &persons("by sex", "1")).await.unwrap_err();
    assert_eq!(failed.refusal(), "budget-exceeded");
}

#[tokio::test]
async fn a_budget_renews_with_its_calendar_period() {
    const DAY_S: i64 = 86_400;
    for (renews, days, renewed) in
        [("yearly", 366, true), ("quarterly", 92, true), ("monthly", 31, true), ("never", 366, false)]
    {
        let world = TestRegion::new();
        let budget = format!("accounting = \"pure\"\nepsilon = 1\nrenews = \"{renews}\"");
        let policy = Policy::of("GHA").budget(&budget).grants([TestGrant::of("1", "1")]);
        let mut office = Office::start(&world, &policy, &Register::sample(5)).await;
        let analyst = world.analyst();
        let first = analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
        assert_eq!(
            analyst.ask(&office, &persons("by age", "1")).await.unwrap_err().refusal(),
            "budget-exceeded"
        );
        assert_eq!(analyst.estimate(&office, &persons("by age", "1")).await.unwrap().queries_left, 0);

        world.clock.advance(days * DAY_S);
        let left = analyst.estimate(&office, &persons("by age", "1")).await.unwrap().queries_left;
        assert_eq!(left, u64::from(renewed), "{renews}");
        let asked = analyst.ask(&office, &persons("by age", "1")).await;
        assert_eq!(asked.is_ok(), renewed, "{renews}");
        // A stored release stays free in every period.
        let again = analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
        assert_eq!((again.cells, again.repeated), (first.cells, true), "{renews}");
        let ledger = office.ledger();
        assert_eq!(ledger.reservations.len(), 1 + usize::from(renewed), "{renews}");
        assert_eq!(ledger.pure_nano(""), 1_000_000_000, "{renews}: the sum of the period that it is");
        office.down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_waits_over_a_renewal_is_charged_in_the_period_in_which_it_came() {
    let world = TestRegion::new();
    let policy = Policy::of("GHA").budget("accounting = \"pure\"\nepsilon = 2\nrenews = \"monthly\"");
    let policy = policy.grants([TestGrant::of("1", "2")]);
    let office = Office::start(&world, &policy, &Register::sample(5)).await;
    let analyst = world.analyst();
    analyst.ask(&office, &persons("by sex", "0.5")).await.unwrap();
    let pool =
        |office: &Office| office.ledger().accounts.into_iter().find(|account| account.holder.is_empty());
    let before = pool(&office).unwrap();

    // Nobody writes to the store meanwhile, so the question waits.
    let lock = rusqlite::Connection::open(office.store()).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let question = persons("by age", "1");
    let (asked, ()) = tokio::join!(analyst.ask(&office, &question), async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        world.clock.advance(32 * 86_400);
        lock.execute_batch("ROLLBACK").unwrap();
    });
    asked.unwrap();
    let after = pool(&office).unwrap();
    assert_eq!((after.period, after.pure_nano), (before.period, Some(1_500_000_000)));
    let left = analyst.estimate(&office, &persons("by age,sex", "1")).await.unwrap().queries_left;
    assert_eq!(left, 2, "the new period has its whole budget");
}
