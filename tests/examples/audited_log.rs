//! Lays out a log of invented questions as `lango audit fetch` would, so that `lango audit verify` proves it whole.
//!
//! Usage: cargo run --release --package lango-tests --example audited_log FOLDER [ENTRIES]
//!
//! Of ENTRIES (1,000,000) every second reserves the price of a question and the next releases its answer; all follow from one
//! policy. Two million are the most that its budget covers.

// What a measurement needs and does not get is its failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use lango_access_log::{
    ActivatedPolicy, Actor, ActorRole, Amount, Checkpoint, DecidedRequest, EntryFormat, Hex, LogEntry,
    LogEvent, LoggedAccount, LoggedCharge, LoggedLines, LoggedLoss, LoggedQuestion, LoggedRelease, NoteKey,
    RequestDecision, SignatureType, TileEdge, TileId, TileLevel, TreeHash, append_entry, log_origin,
};
use lango_document::Document;
use lango_identity::{PayloadType, Role, digest};
use lango_policy::canonical_bytes;
use lango_testkit::TestRegion;

const WIDTH: u64 = 256;
const QUESTION: &str = "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.0001\n";
const POLICY: &str = r#"
policy = 2
office = "GHA"

[dataset.residents]
title = "Residents"
kind = "stock"
source = "register"
table = "residents"
version = "2024-07-01"
unit = { column = "person_id", noun = "person", rows_at_most = 1 }

[dataset.residents.column]
sex = { codes = ["F", "M"] }

[budget.residents]
accounting = "pure"
epsilon = 100.0
renews = "yearly"

[[grant]]
id = "analysts"
to = ["spiffe://ecowas.example/analyst/*"]
purpose = ["official-statistics"]
dataset = "residents"
measures = ["persons"]
by = ["sex"]
by_at_most = 1
epsilon_per_query = 1.0
epsilon_total = 100.0
publish = "office"
"#;

fn loss(questions: u64) -> LoggedLoss {
    LoggedLoss {
        delta_e18: Amount(0),
        pure_nano: Some(Amount(questions * 100_000)),
        rho_nano: Amount(questions * 5),
    }
}

/// When all of it happened, and the year of that.
struct Moment {
    at: i64,
    year: i32,
    since: i64,
}

fn charge(before: u64, moment: &Moment) -> LoggedCharge {
    let account = |name: &str| LoggedAccount {
        after: loss(before + 1),
        before: loss(before),
        name: name.to_owned(),
        period: moment.year.to_string(),
        since: moment.since,
    };
    LoggedCharge { grant: account("analysts"), loss: loss(1), pool: account("residents") }
}

fn entry(number: u64, policy: [u8; 32], moment: &Moment) -> LogEntry {
    let actor = |role: ActorRole, name: &str| Actor {
        certificate: Some(Hex([1; 32])).filter(|_| role == ActorRole::Analyst),
        principal: format!("spiffe://ecowas.example/{}/{name}", role.word()),
        role,
    };
    let (actor, event) = if number == 0 {
        let event = ActivatedPolicy {
            before: None,
            changes: LoggedLines::default(),
            digest: Hex(policy),
            moved: Vec::new(),
            signers: Vec::new(),
        };
        (actor(ActorRole::Office, "GHA"), LogEvent::Policy(event))
    } else {
        let question = (number - 1) / 2;
        let is_price = number % 2 == 1;
        let mut of_request = [7; 32];
        of_request[..8].copy_from_slice(&question.to_be_bytes());
        let mut id = [5; 16];
        id[..8].copy_from_slice(&question.to_be_bytes());
        let request = DecidedRequest {
            agreement: None,
            charge: is_price.then(|| charge(question, moment)),
            dataset: Some("residents".to_owned()),
            decision: if is_price { RequestDecision::Reserved } else { RequestDecision::Released },
            envelope: Some(Hex(of_request)),
            given_back: None,
            purpose: "official-statistics".to_owned(),
            question: Some(LoggedQuestion::of(digest(PayloadType::Text, QUESTION.as_bytes()), QUESTION)),
            reason: None,
            release: (!is_price).then_some(LoggedRelease { envelope: Some(Hex(of_request)), id: Hex(id) }),
            request: Hex(of_request),
            rule: Some("analysts".to_owned()),
            version: Some("2024-07-01".to_owned()),
        };
        (actor(ActorRole::Analyst, "awa"), LogEvent::Request(Box::new(request)))
    };
    let policy = Some(Hex(policy));
    LogEntry { actor, at: moment.at, event, format: EntryFormat, left_out: Amount(0), policy, trace: None }
}

fn write(path: PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn write_tile(folder: &Path, id: TileId, bytes: &[u8]) {
    write(folder.join(id.to_string()), bytes);
}

fn main() {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().expect("a folder"));
    let size: u64 = words.next().map_or(1_000_000, |number| number.parse().expect("a number"));
    let world = TestRegion::new();
    let at = world.clock.get();
    let year = time::OffsetDateTime::from_unix_timestamp(at).unwrap().year();
    let first = time::Date::from_ordinal_date(year, 1).unwrap();
    let moment = Moment { at, year, since: first.midnight().assume_utc().unix_timestamp() };
    let policy = canonical_bytes(&[Document::new("gha.toml", POLICY)]);
    let policy_digest = digest(PayloadType::Policy, &policy);
    let (mut edge, mut bundle) = (TileEdge::default(), Vec::new());
    for number in 0..size {
        let leaf = entry(number, policy_digest, &moment).leaf().unwrap();
        append_entry(&mut bundle, &leaf).unwrap();
        let mut full = Vec::new();
        edge.append(TreeHash::of_leaf(&leaf), &mut full);
        let is_end = number + 1 == size;
        if (number + 1) % WIDTH == 0 || is_end {
            write_tile(&folder, TileId::at(TileLevel::Entries, number / WIDTH, number + 1).unwrap(), &bundle);
            bundle.clear();
        }
        full.iter().for_each(|(id, hashes)| write_tile(&folder, *id, hashes));
    }
    edge.partial().for_each(|(id, hashes)| write_tile(&folder, id, &hashes));

    let office = world.identity(Role::Office, "GHA");
    let signer = office.signer();
    let origin = log_origin(&office.id.to_string()).unwrap();
    let key = NoteKey::new(&origin, SignatureType::Ed25519, signer.public_key()).unwrap();
    let checkpoint = Checkpoint::new(&origin, size, edge.root());
    let note = checkpoint.sign(&key, |message| signer.sign_message(message)).unwrap().to_string();
    write(folder.join("checkpoint"), note.as_bytes());
    write(folder.join(format!("checkpoints/{size}")), note.as_bytes());
    write(folder.join(format!("policies/{}", Hex(policy_digest))), &policy);
    write(folder.join("certificates/office.pem"), office.signing.certificate_pem.as_bytes());
    write(folder.join("authority.pem"), world.authority.to_pem().certificate_pem.as_bytes());
    let region = format!(
        "[region]\nname = \"{}\"\nauthority = \"authority.pem\"\nsigning_eku = \"{}\"\n",
        world.region.trust_domain(),
        world.region.signing_eku()
    );
    write(folder.join("region.toml"), region.as_bytes());
}
