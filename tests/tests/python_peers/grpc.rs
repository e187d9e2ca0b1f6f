//! gRPC's own packages for Python at a gateway and a coordinator: reflection, health, and refusals with all their details.

use std::{fs, time::Duration};

use lango_identity::{PayloadType, Role};
use lango_testkit::{Caller, Office, Policy, Register, TestCoordinator, TestGrant, TestRegion, persons};
use lango_wire::{Act, Audit, AuditLookup, Object, Question, envelope_bytes, pb};
use serde_json::{Value, json};

use crate::{program::said, python::python};

const GATEWAY: &str = "lango.v1.GatewayService";
const COORDINATOR: &str = "lango.v1.CoordinatorService";

/// Questions of one principal in a minute.
const QUESTIONS_MOST: u32 = 20;

/// What is sent, and what Python has to find in what came: its status, its reason, and the types of its details.
struct Case {
    name: &'static str,
    service: &'static str,
    method: &'static str,
    envelope: pb::Envelope,
    code: &'static str,
    reason: &'static str,
    details: &'static [&'static str],
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Case {
    fn call(&self) -> Value {
        let envelope = hex(&envelope_bytes(self.envelope.clone().into()));
        json!({ "name": self.name, "service": self.service, "method": self.method, "envelope": envelope })
    }
}

/// The details of a refusal that names a field, of one of the budget, and of one that says when to come back.
const PLAIN: &[&str] = &["google.rpc.ErrorInfo"];
const FIELD: &[&str] = &["google.rpc.BadRequest", "google.rpc.ErrorInfo"];
const QUOTA: &[&str] = &["google.rpc.ErrorInfo", "google.rpc.QuotaFailure"];
const RETRY: &[&str] = &["google.rpc.ErrorInfo", "google.rpc.RetryInfo"];

fn cases(world: &TestRegion, office: &Office) -> Vec<Case> {
    let awa = world.analyst();
    let good = persons("by sex", "1");
    let with = |change: &dyn Fn(&mut Question)| {
        let mut question = awa.question(&[&office.id], &good);
        change(&mut question);
        awa.sign(PayloadType::Query, question.encode())
    };
    let ask = |caller: &Caller, text: &str| {
        caller.sign(PayloadType::Query, caller.question(&[&office.id], text).encode())
    };
    let of = |name, envelope, code, reason, details| Case {
        name,
        service: GATEWAY,
        method: "Query",
        envelope,
        code,
        reason,
        details,
    };
    let (denied, invalid) = ("PERMISSION_DENIED", "INVALID_ARGUMENT");
    let mut flipped = with(&|_| {});
    flipped.signature[5] ^= 1;
    let answered = with(&|_| {});
    let mut reused = Question::decode(&answered.payload, &awa.id).unwrap();
    reused.query = persons("by age", "1");
    let reused = awa.sign(PayloadType::Query, reused.encode());
    let now = awa.now();
    let auditor = world.caller(Role::Auditor, "ina");
    let act = awa.sign(PayloadType::Administration, awa.act(&office.id, Act::Policy).encode());
    let audit = Audit {
        request_id: [7; 16],
        auditor: awa.id.clone(),
        log: office.id.clone(),
        lookup: AuditLookup::Head,
        issued_at: now,
        expires_at: now + 600,
    };
    let audit = awa.sign(PayloadType::Audit, audit.encode());
    let release = awa.lookup(&[&office.id], Object::Release([9; 16]));
    let release = awa.sign(PayloadType::Lookup, release.encode());
    vec![
        of("answered", answered.clone(), "OK", "", &[]),
        of("its identifier for another question", reused, invalid, "request-id-reused", FIELD),
        of("a changed signature", flipped, "UNAUTHENTICATED", "", &[]),
        of("an auditor asks", ask(&auditor, &good), denied, "role", PLAIN),
        of("no purpose", with(&|question| question.purpose.clear()), invalid, "malformed", FIELD),
        of("no question", ask(&awa, "what?\n"), invalid, "malformed", FIELD),
        of("expired", with(&|question| question.expires_at = now), invalid, "time", PLAIN),
        of(
            "to another office",
            with(&|question| question.audience = vec![world.id(Role::Office, "TGO")]),
            denied,
            "not-addressed",
            PLAIN,
        ),
        of(
            "nobody's grant",
            ask(&world.caller(Role::Analyst, "kofi"), &good),
            denied,
            "principal-not-granted",
            PLAIN,
        ),
        of(
            "no such dataset",
            ask(&awa, &good.replace("residents", "births")),
            "NOT_FOUND",
            "dataset-unknown",
            PLAIN,
        ),
        of(
            "an ungranted column",
            ask(&awa, &persons("by education", "1")),
            denied,
            "dimension-not-granted",
            PLAIN,
        ),
        of("too dear", ask(&awa, &persons("by age", "1.5")), denied, "epsilon-per-query-exceeded", PLAIN),
        of(
            "nothing is left",
            ask(&awa, &persons("by age", "1")),
            "RESOURCE_EXHAUSTED",
            "budget-exceeded",
            QUOTA,
        ),
        Case {
            method: "GetRelease",
            ..of("no such release", release, "NOT_FOUND", "release-unknown", PLAIN)
        },
        Case {
            service: "lango.v1.AdministrationService",
            method: "Administer",
            ..of("no administrator", act, denied, "not-administrator", PLAIN)
        },
        Case {
            service: "lango.v1.AuditService",
            method: "Audit",
            ..of("no auditor", audit, denied, "not-auditor", PLAIN)
        },
        of(
            "once too often",
            ask(&world.caller(Role::Analyst, "esi"), &good),
            "RESOURCE_EXHAUSTED",
            "too-many-requests",
            RETRY,
        ),
    ]
}

/// Of a coordinator, which decides little.
fn relayed(world: &TestRegion, office: &Office) -> Vec<Case> {
    let awa = world.analyst();
    let ask = |caller: &Caller, text: &str| {
        caller.sign(PayloadType::Query, caller.question(&[&office.id], text).encode())
    };
    let of = |name, envelope, code, reason, details| Case {
        name,
        service: COORDINATOR,
        method: "Query",
        envelope,
        code,
        reason,
        details,
    };
    let mut flipped = ask(&awa, &persons("by sex", "1"));
    flipped.payload[5] ^= 1;
    let mut late = awa.question(&[&office.id], &persons("by sex", "1"));
    late.expires_at = awa.now();
    vec![
        of("a changed payload", flipped, "UNAUTHENTICATED", "", &[]),
        of(
            "an auditor asks",
            ask(&world.caller(Role::Auditor, "ina"), &persons("by sex", "1")),
            "PERMISSION_DENIED",
            "role",
            PLAIN,
        ),
        of("no question", ask(&awa, "what?\n"), "INVALID_ARGUMENT", "malformed", FIELD),
        of("expired", awa.sign(PayloadType::Query, late.encode()), "INVALID_ARGUMENT", "time", PLAIN),
    ]
}

fn check(found: &Value, service: &str, cases: &[Case], office: Option<&Office>) {
    let services = found["services"].as_array().unwrap();
    for expected in [service, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"] {
        assert!(services.iter().any(|name| name == expected), "{services:?}");
    }
    // The protocol is described whole; what of it a server serves, its health says.
    let is_served = |name: &str| name.is_empty() || (name == COORDINATOR) == (service == COORDINATOR);
    for (name, health) in found["health"].as_object().unwrap() {
        let expected = if name != "nothing" && is_served(name) { "SERVING" } else { "NOT_FOUND" };
        assert_eq!(health, expected, "{name} at {service}");
    }
    assert_eq!(found["stranger"], "UNAVAILABLE", "a caller without a certificate");
    for case in cases {
        let came = &found["calls"][case.name];
        assert_eq!(came["code"], case.code, "{}: {came}", case.name);
        if case.code == "OK" {
            let signed = &came["answers"][0];
            assert_eq!(signed["type"], "application/vnd.lango.release.v1", "{came}");
            assert_eq!(signed["by"][0], office.unwrap().id.to_string(), "{came}");
            continue;
        }
        let details = came["details"].as_array().unwrap();
        let mut types: Vec<&str> = details.iter().map(|detail| detail["type"].as_str().unwrap()).collect();
        types.sort_unstable();
        assert_eq!(types, case.details, "{}: {came}", case.name);
        let of = |name: &str| details.iter().find(|detail| detail["type"] == name).unwrap_or(&Value::Null);
        let info = of("google.rpc.ErrorInfo");
        if case.reason.is_empty() {
            assert_eq!(came["signed"], Value::Null, "{came}");
            continue;
        }
        assert_eq!((&info["reason"], &info["domain"]), (&case.reason.into(), &"lango".into()), "{came}");
        assert!(!came["message"].as_str().unwrap().is_empty(), "{came}");
        // An office signs what it refuses; a coordinator signs nothing.
        if let Some(office) = office {
            let signed = &came["signed"];
            assert_eq!(signed["reason"], case.reason, "{}: {came}", case.name);
            assert_eq!(signed["by"][0], office.id.to_string(), "{came}");
        }
        if case.details == RETRY {
            assert!(
                of("google.rpc.RetryInfo")["retryDelay"].as_str().is_some_and(|delay| delay.ends_with('s')),
                "{came}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_reads_services_health_and_every_kind_of_refusal_over_mutual_tls() {
    let world = TestRegion::new();
    let grant = TestGrant {
        to: "spiffe://ecowas.example/analyst/awa".into(),
        by: r#"["age", "sex"]"#.into(),
        ..TestGrant::of("1", "1")
    };
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA").grants([grant]), &Register::sample(5));
    office.limits.shares.questions_per_minute = QUESTIONS_MOST;
    office.up().await.unwrap();
    let members = vec![(office.id.clone(), office.address())];
    let coordinator = TestCoordinator::start(&world, members, Duration::from_secs(20)).await;

    let (direct, through) = (cases(&world, &office), relayed(&world, &office));
    let of = |address: String, service: &str, cases: &[Case]| {
        let calls: Vec<Value> = cases.iter().map(Case::call).collect();
        json!({ "address": address, "service": service, "calls": calls })
    };
    let gateway = office.address().to_string().replace("https://127.0.0.1", "localhost");
    let relay = format!("localhost:{}", coordinator.address().port());
    let mut at_gateway = of(gateway, GATEWAY, &direct);
    // The last one is sent far more often than it may be, and then once more.
    let (often, esi) = (direct.last().unwrap(), world.caller(Role::Analyst, "esi"));
    let calls = at_gateway["calls"].as_array_mut().unwrap();
    let last = calls.pop().unwrap();
    calls.extend((0..3 * QUESTIONS_MOST).map(|number| {
        let question = esi.question(&[&office.id], &persons("by sex", "1"));
        let envelope = esi.sign(PayloadType::Query, question.encode());
        let mut call = often.call();
        call["name"] = format!("before, {number}").into();
        call["envelope"] = hex(&envelope_bytes(envelope.into())).into();
        call
    }));
    calls.push(last);
    let all = json!([at_gateway, of(relay, COORDINATOR, &through)]);
    let folder = tempfile::tempdir().unwrap();
    let own = world.identity(Role::Analyst, "awa");
    own.save(folder.path());
    fs::write(folder.path().join("authority.pem"), world.authority.to_pem().certificate_pem).unwrap();
    fs::write(folder.path().join("calls.json"), all.to_string()).unwrap();
    let path = folder.path().to_owned();
    let output =
        tokio::task::spawn_blocking(move || python("grpc_peer.py", &[path.as_path()])).await.unwrap();
    let (code, stdout, stderr) = said(&output);
    assert_eq!(code, Some(0), "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    check(&found[0], GATEWAY, &direct, Some(&office));
    check(&found[1], COORDINATOR, &through, None);
    // One question was answered and charged, and nothing else.
    assert_eq!(office.ledger().pure_nano(""), 1_000_000_000);
    assert_eq!(office.ledger().reservations, ["spent"]);
}
