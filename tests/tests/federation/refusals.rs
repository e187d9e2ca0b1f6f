//! Refusals: a status, a reason, a signature under it, a record, and nothing charged.

use lango_identity::{PayloadType, Role, digest};
use lango_testkit::{Caller, FailedCall, Office, Policy, Register, TestGrant, TestRegion, persons};
use lango_wire::{Question, pb};
use tonic::Code;

/// Sends a payload as a question and as a price enquiry, and finds both refused alike.
async fn refused(caller: &Caller, office: &Office, payload: &[u8]) -> FailedCall {
    let mut gateway = caller.gateway(office).await;
    let estimate = Some(caller.sign(PayloadType::Estimate, payload.to_vec()));
    let status = gateway.estimate(pb::GatewayServiceEstimateRequest { estimate }).await.unwrap_err();
    let price = caller.failed(status, &office.id, &digest(PayloadType::Estimate, payload));
    // Each request has an identifier of its own, where it gets as far as that.
    let renewed = Question::decode(payload, &caller.id).map(|question| {
        let request_id = question.request_id.map(|byte| !byte);
        Question { request_id, ..question }.encode()
    });
    let payload = &renewed.unwrap_or_else(|_| payload.to_vec());
    let query = Some(caller.sign(PayloadType::Query, payload.to_vec()));
    let status = gateway.query(pb::GatewayServiceQueryRequest { query }).await.unwrap_err();
    let failed = caller.failed(status, &office.id, &digest(PayloadType::Query, payload));
    assert_eq!((price.refusal(), price.code), (failed.refusal(), failed.code));
    failed
}

#[tokio::test]
async fn every_refusal_is_signed_recorded_and_free() {
    let world = TestRegion::new();
    let grant = TestGrant {
        to: "spiffe://ecowas.example/analyst/awa".into(),
        by: r#"["age", "country_of_birth", "sex"]"#.into(),
        by_at_most: 2,
        ..TestGrant::of("1", "2")
    };
    let over = TestGrant {
        id: "over".into(),
        to: "spiffe://ecowas.example/analyst/ama".into(),
        more: "valid = { from = 2001-01-01, until = 2001-12-31 }".into(),
        ..TestGrant::of("1", "1")
    };
    let office = Office::start(&world, &Policy::of("GHA").grants([grant, over]), &Register::sample(5)).await;
    let analyst = world.analyst();
    let (auditor, administrator) =
        (world.caller(Role::Auditor, "zainab"), world.caller(Role::Administrator, "yaw"));
    let (ungranted, lapsed) = (world.caller(Role::Analyst, "kofi"), world.caller(Role::Analyst, "ama"));
    let good = persons("by sex", "1");
    let of = |caller: &Caller, text: &str| caller.question(&[&office.id], text);
    let ask = |text: &str| of(&analyst, text).encode();
    let body = |body: &str| ask(&persons(body, "1"));
    let with = |change: &dyn Fn(&mut Question)| {
        let mut question = of(&analyst, &good);
        change(&mut question);
        question.encode()
    };
    let now = u64::try_from(world.clock.get()).unwrap();
    let elsewhere = world.id(Role::Office, "TGO");
    let measure = |measure: &str| ask(&good.replace("persons", measure));
    let priced = |price: &str| ask(&good.replace("epsilon 1", price));
    let mut padded = of(&analyst, &good).encode();
    padded.extend([0x78, 0x00]);

    let (denied, invalid, failed) = (Code::PermissionDenied, Code::InvalidArgument, Code::FailedPrecondition);
    for (what, caller, payload, code, reason) in [
        ("an auditor", &auditor, of(&auditor, &good).encode(), denied, "role"),
        ("an administrator", &administrator, of(&administrator, &good).encode(), denied, "role"),
        ("garbage", &analyst, vec![0xff; 40], invalid, "malformed"),
        ("nothing", &analyst, vec![], invalid, "malformed"),
        ("an unknown field", &analyst, padded, invalid, "malformed"),
        ("another's question", &analyst, of(&ungranted, &good).encode(), invalid, "malformed"),
        ("no audience", &analyst, with(&|q| q.audience.clear()), invalid, "malformed"),
        ("mode 3", &analyst, with(&|q| q.mode = 3), invalid, "malformed"),
        ("no purpose", &analyst, with(&|q| q.purpose.clear()), invalid, "malformed"),
        ("a roster in mode 1", &analyst, with(&|q| q.roster_digest = vec![0; 32]), invalid, "malformed"),
        (
            "to another office",
            &analyst,
            with(&|q| q.audience = vec![elsewhere.clone()]),
            denied,
            "not-addressed",
        ),
        ("expired", &analyst, with(&|q| q.expires_at = now), invalid, "time"),
        ("from the future", &analyst, with(&|q| q.issued_at = now + 301), invalid, "time"),
        (
            "too long a life",
            &analyst,
            with(&|q| q.expires_at = q.issued_at + 8 * 86_400 + 1),
            invalid,
            "time",
        ),
        (
            "an end before its beginning",
            &analyst,
            with(&|q| (q.issued_at, q.expires_at) = (now + 300, now + 200)),
            invalid,
            "time",
        ),
        ("not canonical", &analyst, body("by sex,age"), invalid, "malformed"),
        ("a space too many", &analyst, body("by  sex"), invalid, "malformed"),
        ("`office` as a dimension", &analyst, body("by office"), invalid, "malformed"),
        ("SQL for a name", &analyst, body("by sex; DROP TABLE residents"), invalid, "malformed"),
        ("a line too many", &analyst, ask(&(good.clone() + "where sex = F\n")), invalid, "malformed"),
        ("mode 2", &analyst, with(&|q| q.mode = 2), failed, "published"),
        (
            "an unknown dataset",
            &analyst,
            ask(&good.replace("residents", "visas")),
            Code::NotFound,
            "dataset-unknown",
        ),
        ("an ungranted analyst", &ungranted, of(&ungranted, &good).encode(), denied, "principal-not-granted"),
        ("a grant that is over", &lapsed, of(&lapsed, &good).encode(), denied, "grant-not-valid"),
        (
            "another purpose",
            &analyst,
            with(&|q| q.purpose = "marketing".into()),
            denied,
            "purpose-not-granted",
        ),
        ("an ungranted measure", &analyst, measure("sum(age)"), denied, "measure-not-granted"),
        ("another unit", &analyst, measure("households"), denied, "measure-not-granted"),
        (
            "a measure of a column that is none",
            &analyst,
            measure("mean(wage)"),
            denied,
            "measure-not-granted",
        ),
        ("a measure that is none", &analyst, measure("variance(income)"), invalid, "malformed"),
        ("a quantile above 1", &analyst, measure("quantile(income,1.5)"), invalid, "quantile-out-of-range"),
        ("a quantile below 0", &analyst, measure("quantile(income,-0.5)"), invalid, "quantile-out-of-range"),
        ("quantiles that descend", &analyst, measure("quantile(income,0.5,0.25)"), invalid, "malformed"),
        ("a quantile of nothing", &analyst, measure("quantile(income)"), invalid, "quantile-out-of-range"),
        ("a median by another name", &analyst, measure("median(income)"), invalid, "malformed"),
        ("a share by itself", &analyst, measure("share(sex)"), invalid, "share-by-itself"),
        ("an ungranted dimension", &analyst, body("by education"), denied, "dimension-not-granted"),
        ("a dimension that is none", &analyst, body("by village"), denied, "dimension-not-granted"),
        (
            "an ungranted condition",
            &analyst,
            body("by sex\nwhere education = none"),
            denied,
            "filter-not-granted",
        ),
        (
            "three dimensions of two",
            &analyst,
            body("by age,country_of_birth,sex"),
            denied,
            "too-many-dimensions",
        ),
        (
            "two and a condition",
            &analyst,
            body("by age,sex\nwhere country_of_birth = TGO"),
            denied,
            "too-many-dimensions",
        ),
        (
            "a condition beyond the codes",
            &analyst,
            body("by sex\nwhere sex = X"),
            invalid,
            "filter-out-of-range",
        ),
        (
            "a condition beyond the bounds",
            &analyst,
            body("by sex\nwhere age from 0 to 111"),
            invalid,
            "filter-out-of-range",
        ),
        ("SQL for a code", &analyst, body("by sex\nwhere sex = '--"), invalid, "filter-out-of-range"),
        ("too dear", &analyst, ask(&persons("by sex", "1.000000001")), denied, "epsilon-per-query-exceeded"),
        ("for nothing", &analyst, ask(&persons("by sex", "0")), invalid, "epsilon-out-of-range"),
        (
            "finer than a billionth",
            &analyst,
            ask(&persons("by sex", "0.0000000001")),
            invalid,
            "epsilon-out-of-range",
        ),
        ("a negative epsilon", &analyst, priced("epsilon -1"), invalid, "malformed"),
        ("no number", &analyst, priced("epsilon NaN"), invalid, "malformed"),
        ("an endless epsilon", &analyst, priced("epsilon inf"), invalid, "malformed"),
        ("a huge epsilon", &analyst, priced("epsilon 99999999999999"), denied, "epsilon-per-query-exceeded"),
        (
            "a precision on another margin",
            &analyst,
            priced("precision 9 at 0.95 on persons by"),
            invalid,
            "malformed",
        ),
        (
            "a precision of nothing",
            &analyst,
            priced("precision 0 at 0.95 on persons by sex"),
            invalid,
            "precision-out-of-range",
        ),
        (
            "a certain precision",
            &analyst,
            priced("precision 9 at 1 on persons by sex"),
            invalid,
            "precision-out-of-range",
        ),
        (
            "a precision that is too dear",
            &analyst,
            priced("precision 1 at 0.95 on persons by sex"),
            denied,
            "epsilon-per-query-exceeded",
        ),
        (
            "another version",
            &analyst,
            ask(&good.replace("residents\n", "residents\nversion 2023-07-01\n")),
            failed,
            "version-not-live",
        ),
    ] {
        let before = (office.ledger(), office.records().len());
        let failed = refused(caller, &office, &payload).await;
        assert_eq!((failed.refusal(), failed.code), (reason, code), "{what}: {}", failed.status.message());
        assert!(!failed.status.message().is_empty(), "{what}");
        let records = office.records();
        assert_eq!((office.ledger(), records.len()), (before.0, before.1 + 2), "{what}");
        for record in &records[before.1..] {
            let found = (record.decision.as_str(), record.reason.as_str(), &record.principal);
            assert_eq!(found, ("refused", reason, &caller.id.to_string()), "{what}");
            assert_eq!((record.pure_nano, record.rho_nano), (Some(0), 0), "{what}");
        }
    }
    assert_eq!(office.gate.fetches(), 0);
    assert!(office.ledger().accounts.is_empty());

    // At the edge of each rule a question is answered.
    for question in [
        with(&|q| q.issued_at = now + 300),
        with(&|q| q.expires_at = now + 1),
        with(&|q| q.expires_at = q.issued_at + 8 * 86_400),
        with(&|q| q.audience.push(elsewhere.clone())),
    ] {
        analyst.send(&office, &analyst.sign(PayloadType::Query, question)).await.unwrap();
    }
    assert_eq!(office.ledger().pure_nano(""), 1_000_000_000);
}

#[tokio::test]
async fn a_budget_that_is_spent_refuses_and_stays_usable() {
    let world = TestRegion::new();
    let pool = |epsilon: &str| format!("accounting = \"pure\"\nepsilon = {epsilon}\nrenews = \"yearly\"");
    let kofi = TestGrant {
        id: "kofi".into(),
        to: "spiffe://ecowas.example/analyst/kofi".into(),
        ..TestGrant::of("1", "2")
    };
    let awa = || TestGrant { to: "spiffe://ecowas.example/analyst/awa".into(), ..TestGrant::of("1", "2") };
    for (what, policy, of) in [
        ("the grant's share", Policy::of("GHA").grants([awa(), kofi.clone()]), "grant regional-analysts"),
        ("the pool", Policy::of("GHA").budget(&pool("2")).grants([awa(), kofi]), "pool"),
    ] {
        let office = Office::start(&world, &policy, &Register::sample(5)).await;
        let analyst = world.analyst();
        let first = analyst.ask(&office, &persons("by sex", "1")).await.unwrap();
        if of == "pool" {
            world.caller(Role::Analyst, "kofi").ask(&office, &persons("by education", "0.5")).await.unwrap();
        } else {
            analyst.ask(&office, &persons("by education", "0.5")).await.unwrap();
        }
        let before = office.ledger();
        let failed = analyst.ask(&office, &persons("by age", "0.500000001")).await.unwrap_err();
        assert_eq!((failed.refusal(), failed.code), ("budget-exceeded", Code::ResourceExhausted), "{what}");
        let left = format!("the {of} of `residents` has 0.5 left of 2 in its currency");
        assert!(failed.status.message().starts_with(&left), "{what}: {}", failed.status.message());
        assert_eq!(office.ledger(), before, "{what}");
        assert_eq!(office.records().last().unwrap().reason, "budget-exceeded");
        // What is left can be spent to the last billionth, and what was paid for is still free.
        analyst.ask(&office, &persons("by age", "0.5")).await.unwrap();
        assert_eq!(
            analyst.ask(&office, &persons("by", "0.000000001")).await.unwrap_err().refusal(),
            "budget-exceeded"
        );
        assert_eq!(analyst.ask(&office, &persons("by sex", "1")).await.unwrap().cells, first.cells);
        assert_eq!(analyst.estimate(&office, &persons("by", "1")).await.unwrap().queries_left, 0);
    }
}
