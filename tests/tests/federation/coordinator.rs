//! One question to several offices: who answered, and what the answers add up to.

use std::{collections::BTreeMap, time::Duration};

use lango_identity::{PayloadType, Role};
use lango_testkit::{
    Federation, Mode, Office, Person, Policy, Register, Relayed, TestCoordinator, TestGrant, TestRegion,
    persons,
};
use lango_wire::pb::{self, member_answer, member_estimate};
use tonic::Code;

/// Longer than any answer here takes.
const PATIENT: Duration = Duration::from_secs(60);

/// A table's values by its keys joined by spaces.
fn cells(table: &pb::Table) -> BTreeMap<String, i64> {
    let mut keys: Vec<Vec<&str>> = vec![Vec::new()];
    for axis in &table.axes {
        let extended = keys
            .iter()
            .flat_map(|key| axis.codes.iter().map(|code| [key.as_slice(), &[code.as_str()]].concat()));
        keys = extended.collect();
    }
    assert_eq!(keys.len(), table.values.len());
    // Counts are whole and far below 2^53.
    let counts = table.values.iter().map(|value| *value as i64);
    keys.iter().map(|key| key.join(" ")).zip(counts).collect()
}

fn named(absent: &[pb::Absent]) -> Vec<(&str, &str)> {
    absent.iter().map(|absent| (absent.office.as_str(), absent.reason.as_str())).collect()
}

fn release<'a>(relayed: &'a Relayed, office: &str) -> &'a pb::Release {
    let member = relayed.members.iter().find(|member| member.office == office).unwrap();
    match member.outcome.as_ref().unwrap() {
        member_answer::Outcome::Release(release) => release,
        other => panic!("{office}: {other:?}"),
    }
}

async fn offices<const N: usize>(world: &TestRegion, names: [&str; N]) -> Vec<Office> {
    let mut offices = Vec::new();
    for (size, name) in names.into_iter().enumerate() {
        offices.push(Office::start(world, &Policy::of(name), &Register::sample(size + 1)).await);
    }
    offices
}

#[tokio::test]
async fn one_question_costs_once_however_it_is_laid_out() {
    let world = TestRegion::new();
    let federation = Federation::start(&world, offices(&world, ["BEN", "GHA", "TGO"]).await, PATIENT).await;
    let analyst = world.analyst();
    // Exact counts: the noise is 0 but once in 10^12 draws.
    let question = analyst.question(&federation.audience(), &persons("by country_of_birth,sex", "30"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());

    let summed = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();
    let by_office = analyst.relay(&federation.coordinator, &envelope, true).await.unwrap();
    // Under another identifier it is another request, and the same question.
    let question = analyst.question(&federation.audience(), &question.query);
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let asked_anew = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();

    for relayed in [&summed, &by_office] {
        let coverage = relayed.result.coverage.as_ref().unwrap();
        assert_eq!(coverage.asked, ["BEN", "GHA", "TGO"]);
        assert_eq!(coverage.answered, coverage.asked);
        assert_eq!((named(&coverage.refused), named(&coverage.missing)), (vec![], vec![]));
        assert_eq!(relayed.members.len(), 3);
    }
    let registers = [1, 2, 3].map(Register::sample);
    let tables = registers.map(|register| register.table(&["country_of_birth", "sex"], |_| true));
    let mut sum: BTreeMap<String, i64> = BTreeMap::new();
    let mut side_by_side: BTreeMap<String, i64> = BTreeMap::new();
    for (office, table) in ["BEN", "GHA", "TGO"].into_iter().zip(tables) {
        for (key, value) in table {
            *sum.entry(key.clone()).or_default() += value;
            side_by_side.insert(format!("{office} {key}"), value);
        }
    }
    assert_eq!(cells(&summed.result.tables[0]), sum);
    assert_eq!(cells(&by_office.result.tables[0]), side_by_side);
    assert_eq!(by_office.result.tables[0].axes[0].dimension, "office");

    for office in &federation.offices {
        assert_eq!(office.ledger().pure_nano(""), 30_000_000_000);
        assert_eq!(office.ledger().reservations, ["spent"]);
        let of = |relayed| release(relayed, office.id.name());
        let (first, again, anew) = (of(&summed), of(&by_office), of(&asked_anew));
        assert_eq!(first, again, "the same request has the same answer");
        assert_eq!((first.repeated, anew.repeated), (false, true));
        assert_eq!(first.cells, anew.cells);
        // The record is of the analyst, never of the coordinator.
        assert!(office.records().iter().all(|record| record.principal == analyst.id.to_string()));
    }
}

#[tokio::test]
async fn sums_are_of_the_releases_and_their_intervals_hold_them() {
    let world = TestRegion::new();
    let federation = Federation::start(&world, offices(&world, ["BEN", "GHA", "TGO"]).await, PATIENT).await;
    let analyst = world.analyst();
    let question = analyst.question(&federation.audience(), &persons("by age,sex", "0.5"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let relayed = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();

    let mut sums = vec![0; 14 * 4];
    let mut variance = 0.0;
    for office in &federation.offices {
        let answer = analyst.send(office, &envelope).await.unwrap();
        assert_eq!(release(&relayed, office.id.name()).cells, answer.cells);
        sums.iter_mut().zip(&answer.cells).for_each(|(sum, cell)| *sum += cell);
        variance += answer.plan.margins[0].measurement.noise().unwrap().variance();
    }
    let [table] = relayed.result.tables.as_slice() else { panic!("one margin") };
    assert_eq!(table.values, sums.iter().map(|sum| *sum as f64).collect::<Vec<_>>());
    holds(table, |std_err| (std_err * std_err - variance).abs() < 1e-6 * variance);
}

/// Intervals as wide as such standard errors make them.
fn holds(table: &pb::Table, is: impl Fn(f64) -> bool) {
    for ((status, value), std_err) in table.statuses.iter().zip(&table.values).zip(&table.std_errs) {
        // Persons: none is below 0.
        let is_unreliable = *std_err > 1.0 && 3.0 * std_err > *value;
        assert_eq!(status, if is_unreliable { "U" } else { "A" }, "{value} {std_err}");
    }
    let ends = table.lower.iter().zip(&table.upper);
    for ((value, std_err), (lower, upper)) in table.values.iter().zip(&table.std_errs).zip(ends) {
        assert!(is(*std_err), "{std_err}");
        assert!(((value - lower) - (upper - value)).abs() < 1e-6);
        assert!((1.5..2.6).contains(&((upper - value) / std_err)), "{value} {upper} {std_err}");
    }
}

#[tokio::test]
async fn margins_of_a_cube_add_up_over_all_offices() {
    let world = TestRegion::new();
    let federation = Federation::start(&world, offices(&world, ["BEN", "GHA", "TGO"]).await, PATIENT).await;
    let analyst = world.analyst();
    let question = analyst.question(&federation.audience(), &persons("by\nby sex\nby age,sex", "0.5"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let relayed = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();
    let [total, by_sex, finest] = relayed.result.tables.as_slice() else { panic!("three margins") };
    let whole: f64 = total.values[0];
    for table in [by_sex, finest] {
        assert!((table.values.iter().sum::<f64>() - whole).abs() < 1e-9 * whole.abs().max(1.0));
    }
    for (sex, found) in by_sex.values.iter().enumerate() {
        let summed: f64 = finest.values.iter().skip(sex).step_by(4).sum();
        assert!((summed - found).abs() < 1e-9 * whole.abs().max(1.0), "{sex} {summed} {found}");
    }
    // No cell is worse than its own margin as measured.
    let mut measured = [0.0; 3];
    for office in &federation.offices {
        let answer = analyst.send(office, &envelope).await.unwrap();
        for (variance, margin) in measured.iter_mut().zip(&answer.plan.margins) {
            *variance += margin.measurement.noise().unwrap().variance();
        }
    }
    for (table, variance) in relayed.result.tables.iter().zip(measured) {
        holds(table, |std_err| std_err * std_err <= variance * (1.0 + 1e-9));
    }
}

#[tokio::test]
async fn the_coverage_names_who_is_down_who_refuses_and_who_is_slow() {
    let world = TestRegion::new();
    let mut offices = offices(&world, ["BEN", "GHA", "NGA", "SLE", "TGO"]).await;
    // Nigeria grants less than is asked, Sierra Leone is down, Togo never answers, and nobody knows Mali.
    let poor = TestGrant { by: r#"["age"]"#.into(), ..TestGrant::default() };
    let granted_less = Policy::of("NGA").grants([poor]);
    offices[2].restart(&granted_less).await;
    offices[4].gate.set(Mode::Shut);
    let mali = world.id(Role::Office, "MLI");
    let mut federation = Federation::start(&world, offices, Duration::from_secs(5)).await;
    federation.offices[3].down().await;

    let analyst = world.analyst();
    let audience: Vec<_> = federation.audience().into_iter().chain([&mali]).collect();
    let question = analyst.question(&audience, &persons("by sex", "30"));
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let relayed = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();
    let coverage = relayed.result.coverage.as_ref().unwrap();
    assert_eq!(coverage.asked, ["BEN", "GHA", "MLI", "NGA", "SLE", "TGO"]);
    assert_eq!(coverage.answered, ["BEN", "GHA"]);
    assert_eq!(named(&coverage.refused), [("NGA", "dimension-not-granted")]);
    assert_eq!(
        named(&coverage.missing),
        [("MLI", "not-a-member"), ("SLE", "unreachable"), ("TGO", "deadline")]
    );
    assert_eq!(relayed.members.len(), 6);
    let all: fn(&Person) -> bool = |_| true;
    let (one, two) = (Register::sample(1).table(&["sex"], all), Register::sample(2).table(&["sex"], all));
    let sum: BTreeMap<String, i64> = one.iter().map(|(key, value)| (key.clone(), value + two[key])).collect();
    assert_eq!(cells(&relayed.result.tables[0]), sum);

    // The refusal is the office's own, signed.
    let refusal = relayed.members.iter().find(|member| member.office == "NGA").unwrap();
    let Some(member_answer::Outcome::Refusal(refusal)) = &refusal.outcome else { panic!("{refusal:?}") };
    let digest = lango_identity::digest(PayloadType::Query, &envelope.payload);
    let signed = refusal.envelope.clone().unwrap().into();
    let nigeria = &federation.offices[2].id;
    let signed = analyst.inquiry(&digest, None).refusal_in(&signed, nigeria);
    assert_eq!(signed.unwrap().code, "dimension-not-granted");

    // Once everybody is back the same signed question has its answer from all who had not given one: Nigeria's stands.
    federation.offices[4].gate.set(Mode::Open);
    federation.offices[2].restart(&Policy::of("NGA")).await;
    federation.offices[3].up().await.unwrap();
    let Federation { offices, coordinator } = federation;
    coordinator.stop().await;
    let federation = Federation::start(&world, offices, PATIENT).await;
    let relayed = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();
    let coverage = relayed.result.coverage.unwrap();
    assert_eq!(coverage.answered, ["BEN", "GHA", "SLE", "TGO"]);
    assert_eq!(named(&coverage.refused), [("NGA", "dimension-not-granted")]);
    // The same question in a new request is answered by all, and charged once in all.
    let question = analyst.question(&federation.audience(), &question.query);
    let envelope = analyst.sign(PayloadType::Query, question.encode());
    let relayed = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap();
    assert_eq!(relayed.result.coverage.unwrap().answered, ["BEN", "GHA", "NGA", "SLE", "TGO"]);
    for office in &federation.offices {
        assert_eq!(office.ledger().pure_nano(""), 30_000_000_000, "{}", office.id);
    }
}

#[tokio::test]
async fn an_estimate_names_every_members_price() {
    let world = TestRegion::new();
    let mut federation =
        Federation::start(&world, offices(&world, ["BEN", "GHA", "TGO"]).await, PATIENT).await;
    federation.offices[2].down().await;
    federation.offices[1].gate.set(Mode::Fail { rows_were_read: true });
    let analyst = world.analyst();
    let question = analyst.question(&federation.audience(), &persons("by sex", "30"));
    let estimate = Some(analyst.sign(PayloadType::Estimate, question.encode()));
    let mut client = analyst.coordinator(&federation.coordinator).await;
    let request = pb::CoordinatorServiceEstimateRequest { estimate };
    let mut events = client.estimate(request).await.unwrap().into_inner();
    let mut members = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        members.push(event.member.unwrap());
    }
    // They come as they come.
    members.sort_by(|a, b| a.office.cmp(&b.office));
    let left: Vec<_> = members
        .iter()
        .map(|member| match member.outcome.as_ref().unwrap() {
            member_estimate::Outcome::Estimate(price) => {
                (member.office.as_str(), format!("{} left", price.queries_left))
            }
            member_estimate::Outcome::Refusal(refusal) => (member.office.as_str(), refusal.reason.clone()),
            member_estimate::Outcome::Missing(missing) => (member.office.as_str(), missing.reason.clone()),
        })
        .collect();
    assert_eq!(left, [("BEN", "3 left".into()), ("GHA", "3 left".into()), ("TGO", "unreachable".to_owned())]);
    for office in &federation.offices[..2] {
        assert!(office.ledger().accounts.is_empty());
    }
}

#[tokio::test]
async fn a_coordinator_relays_questions_of_analysts_of_its_region_only() {
    let (world, stranger) = (TestRegion::new(), TestRegion::new());
    let federation = Federation::start(&world, offices(&world, ["GHA"]).await, PATIENT).await;
    let (analyst, auditor) = (world.analyst(), world.caller(Role::Auditor, "zainab"));
    let text = persons("by sex", "1");
    let question = analyst.question(&federation.audience(), &text);
    let sign = |kind| analyst.sign(kind, question.encode());
    let foreign = stranger.analyst().sign(PayloadType::Query, question.encode());
    let audited = auditor.sign(PayloadType::Query, auditor.question(&federation.audience(), &text).encode());
    let garbled = analyst.sign(PayloadType::Query, vec![0xff; 9]);
    for (what, envelope, code, reason) in [
        ("a price enquiry", sign(PayloadType::Estimate), Code::Unauthenticated, None),
        ("another authority's", foreign, Code::Unauthenticated, None),
        ("an auditor's", audited, Code::PermissionDenied, Some("role")),
        ("garbage", garbled, Code::InvalidArgument, Some("malformed")),
    ] {
        let status = analyst.relay(&federation.coordinator, &envelope, false).await.unwrap_err();
        assert_eq!(status.code(), code, "{what}");
        assert_eq!(lango_wire::status::reason(&status).as_deref(), reason, "{what}");
        assert_eq!(status.details().is_empty(), reason.is_none(), "{what}");
    }
    assert!(federation.offices[0].records().is_empty());
    analyst.relay(&federation.coordinator, &sign(PayloadType::Query), false).await.unwrap();
}

#[tokio::test]
async fn members_are_listed_page_by_page() {
    let world = TestRegion::new();
    let federation = Federation::start(&world, offices(&world, ["BEN", "GHA", "TGO"]).await, PATIENT).await;
    let mut client = world.analyst().coordinator(&federation.coordinator).await;
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::CoordinatorServiceListMembersRequest { page_size: 2, page_token };
        let page = client.list_members(request).await.unwrap().into_inner();
        assert!(page.members.len() <= 2);
        names.extend(page.members.into_iter().map(|member| member.office));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["BEN", "GHA", "TGO"]);
}

#[tokio::test]
async fn a_coordinator_starts_without_its_members() {
    let world = TestRegion::new();
    let address = "https://127.0.0.1:1".parse().unwrap();
    let coordinator =
        TestCoordinator::start(&world, vec![(world.id(Role::Office, "GHA"), address)], PATIENT).await;
    let analyst = world.analyst();
    let gha = world.id(Role::Office, "GHA");
    let envelope =
        analyst.sign(PayloadType::Query, analyst.question(&[&gha], &persons("by sex", "1")).encode());
    let relayed = analyst.relay(&coordinator, &envelope, false).await.unwrap();
    assert_eq!(named(&relayed.result.coverage.unwrap().missing), [("GHA", "unreachable")]);
    assert!(relayed.result.tables.is_empty());
}
