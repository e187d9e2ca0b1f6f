//! The log of an office: each answer comes with the proof of its entry, auditors read all of it, and one that was changed or cut
//! back keeps its gateway from starting.

use lango_access_log::{
    Checkpoint, LogEntry, LogEvent, NoteKey, RequestDecision, SignatureType, SignedCheckpoint, TileEdge,
    TreeHash, log_origin,
};
use lango_gateway::{LogError, OpenError};
use lango_identity::{PayloadType, Role, digest};
use lango_testkit::{Caller, FailedCall, Office, Policy, Register, TestRegion, persons};
use lango_wire::{
    Act, Audit, AuditLookup, Inquiry, client::AuditClient, pb, pb::audit_service_audit_response::Found,
};

use crate::replays::{query, question, signed};

async fn started(world: &TestRegion) -> Office {
    let mut office = Office::prepare(world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.auditors = vec![world.id(Role::Auditor, "ina")];
    office.up().await.unwrap();
    office
}

fn lookup(caller: &Caller, office: &Office, lookup: AuditLookup) -> pb::Envelope {
    let audit = Audit {
        request_id: caller.act(&office.id, Act::Policy).request_id,
        auditor: caller.id.clone(),
        log: office.id.clone(),
        lookup,
        issued_at: caller.now(),
        expires_at: caller.now() + 600,
    };
    caller.sign(PayloadType::Audit, audit.encode())
}

async fn send(caller: &Caller, office: &Office, envelope: &pb::Envelope) -> Result<Found, FailedCall> {
    let client = AuditClient::new(caller.connect(office).await);
    let request_digest = digest(PayloadType::Audit, &envelope.payload);
    let found = client.audit(envelope.clone()).await;
    let found = found.map_err(|status| caller.failed(status, &office.id, &request_digest))?;
    Ok(found.found.unwrap())
}

async fn found(caller: &Caller, office: &Office, object: AuditLookup) -> Found {
    send(caller, office, &lookup(caller, office, object)).await.unwrap()
}

async fn entries(caller: &Caller, office: &Office) -> Vec<Vec<u8>> {
    let Found::Entries(page) = found(caller, office, AuditLookup::Entries { first: 0, most: 1_000 }).await
    else {
        panic!("entries")
    };
    page.entries
}

async fn head(caller: &Caller, office: &Office) -> (Checkpoint, NoteKey) {
    let Found::Head(head) = found(caller, office, AuditLookup::Head).await else { panic!("head") };
    let checkpoint: SignedCheckpoint = head.checkpoint.parse().unwrap();
    let certificate = lango_identity::Facts::read(&head.certificates[0]).unwrap();
    let origin = log_origin(&office.id.to_string()).unwrap();
    let key = NoteKey::new(&origin, SignatureType::Ed25519, certificate.ed25519.unwrap()).unwrap();
    (checkpoint.verify(&key).unwrap().clone(), key)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_with_the_proof_of_its_entry_and_no_other_proof_is_taken_for_it() {
    let world = TestRegion::new();
    let office = started(&world).await;
    let analyst = world.analyst();
    let asked = signed(&analyst, &office, &question());
    let first = query(&analyst, &office, &asked).await.unwrap();
    let again = signed(&analyst, &office, &question());
    let repeated = query(&analyst, &office, &again).await.unwrap();
    let verify = |asked: &pb::Envelope, release: &pb::Release| {
        let request_digest = digest(PayloadType::Query, &asked.payload);
        let inquiry = Inquiry {
            region: &analyst.region,
            now: world.clock.get(),
            request_digest: &request_digest,
            question: None,
        };
        inquiry.release(release.clone(), &office.id)
    };
    for (asked, release, decision) in
        [(&asked, &first, RequestDecision::Released), (&again, &repeated, RequestDecision::Repeated)]
    {
        let receipt = verify(asked, release).unwrap().receipt.expect("a receipt");
        let entry = LogEntry::read(&receipt.entry).unwrap();
        let LogEvent::Request(request) = entry.event else { panic!() };
        assert_eq!((request.decision, entry.actor.principal), (decision, analyst.id.to_string()));
        assert_eq!(receipt.proof.checkpoint.unverified().size, receipt.proof.index + 1);
    }
    // The same answer again has the same receipt, whatever was asked meanwhile.
    analyst.ask(&office, &persons("by sex", "0.25")).await.unwrap();
    assert_eq!(query(&analyst, &office, &asked).await.unwrap(), first);

    let of = |receipt: &pb::Receipt| pb::Release { receipt: Some(receipt.clone()), ..first.clone() };
    let (own, other) = (first.receipt.clone().unwrap(), repeated.receipt.clone().unwrap());
    let altered = |alter: fn(&mut pb::Receipt)| {
        let mut receipt = own.clone();
        alter(&mut receipt);
        receipt
    };
    for (what, receipt) in [
        ("another answer's", other.clone()),
        ("another entry", pb::Receipt { entry: other.entry.clone(), ..own.clone() }),
        ("another proof", pb::Receipt { proof: other.proof, ..own.clone() }),
        ("a changed entry", altered(|receipt| receipt.entry[20] ^= 1)),
        (
            "a changed proof",
            altered(|receipt| receipt.proof = receipt.proof.replacen("index ", "index 1", 1)),
        ),
        ("no proof", altered(|receipt| receipt.proof.clear())),
        ("too much", altered(|receipt| receipt.entry = vec![b' '; 100_000])),
    ] {
        let error = verify(&asked, &of(&receipt)).unwrap_err().to_string();
        assert!(error.contains("receipt"), "{what}: {error}");
    }
    let without = verify(&asked, &pb::Release { receipt: None, ..first.clone() }).unwrap();
    assert_eq!(without.receipt, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_auditors_that_are_listed_read_all_of_the_log_and_nobody_else_reads_any() {
    let world = TestRegion::new();
    let mut office = started(&world).await;
    let (ina, analyst) = (world.caller(Role::Auditor, "ina"), world.analyst());
    let released = analyst.ask(&office, &question()).await.unwrap();
    analyst.ask(&office, &persons("by village", "0.5")).await.unwrap_err();
    let title = Policy { title: "Another".into(), ..Policy::of("GHA") };
    office.restart(&title).await;
    analyst.ask(&office, &persons("by sex", "0.25")).await.unwrap();

    let (checkpoint, _) = head(&ina, &office).await;
    let all = entries(&ina, &office).await;
    let mut edge = TileEdge::default();
    let size = usize::try_from(checkpoint.size).unwrap();
    all[..size].iter().for_each(|entry| edge.append(TreeHash::of_leaf(entry), &mut Vec::new()));
    assert_eq!(edge.root(), checkpoint.root);

    let read: Vec<LogEntry> = all.iter().map(|entry| LogEntry::read(entry).unwrap()).collect();
    let kinds: Vec<String> = read
        .iter()
        .map(|entry| match &entry.event {
            LogEvent::Request(request) => request.decision.word().to_owned(),
            LogEvent::Policy(policy) => format!("policy of {}", policy.signers.len()),
            LogEvent::Start(_) => "start".to_owned(),
            LogEvent::Stop(_) => "stop".to_owned(),
            LogEvent::Inspection(inspection) => inspection.object.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "start",
            "policy of 0",
            "reserved",
            "released",
            "refused",
            "stop",
            "start",
            "policy of 0",
            "reserved",
            "released",
            "log",
            "log entries 0 to 999",
        ]
    );
    // What the analyst holds of the log is what the auditor reads.
    let receipt = released.receipt.unwrap();
    assert_eq!(all[usize::try_from(receipt.proof.index).unwrap()], receipt.entry);

    let policy = read[3].policy.unwrap();
    let Found::Policy(text) = found(&ina, &office, AuditLookup::Policy { digest: policy.0 }).await else {
        panic!("policy")
    };
    assert_eq!(digest(PayloadType::Policy, &text.files), policy.0);
    let Found::Policy(text) = found(&ina, &office, AuditLookup::Policy { digest: [7; 32] }).await else {
        panic!("policy")
    };
    assert!(text.files.is_empty());
    let Found::Balances(balances) = found(&ina, &office, AuditLookup::Balances).await else {
        panic!("balances")
    };
    let charged: Vec<_> = balances
        .balances
        .iter()
        .map(|balance| (balance.grant.is_some(), balance.charged.unwrap().pure_nano))
        .collect();
    assert_eq!(charged, [(false, Some(750_000_000)), (true, Some(750_000_000))]);

    let sent = lookup(&ina, &office, AuditLookup::Balances);
    send(&ina, &office, &sent).await.unwrap();
    assert_eq!(send(&ina, &office, &sent).await.unwrap_err().refusal(), "act-done");
    for caller in [world.caller(Role::Auditor, "eve"), world.caller(Role::Administrator, "ina"), analyst] {
        let refused = send(&caller, &office, &lookup(&caller, &office, AuditLookup::Head)).await;
        assert_eq!(refused.unwrap_err().refusal(), "not-auditor", "{}", caller.id);
    }
    // And an auditor asks nothing.
    assert_eq!(ina.ask(&office, &question()).await.unwrap_err().refusal(), "role");
}

/// What somebody did to the leaves of a store, each with its record's number.
type Damage = fn(&mut Vec<(i64, Vec<u8>)>);

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cut_back_or_changed_is_not_served_from() {
    let world = TestRegion::new();
    let cases: [(&str, bool, Damage); 5] = [
        ("nothing", true, |_| {}),
        ("the last entry deleted", false, |leaves| drop(leaves.pop())),
        ("one byte flipped", false, |leaves| leaves[2].1[60] ^= 1),
        ("an entry in place of another", false, |leaves| leaves[3].1 = leaves[2].1.clone()),
        ("two entries exchanged", false, |leaves| {
            let (two, three) = (leaves[2].1.clone(), leaves[3].1.clone());
            (leaves[2].1, leaves[3].1) = (three, two);
        }),
    ];
    for (what, is_good, damage) in cases {
        let mut office = started(&world).await;
        world.analyst().ask(&office, &question()).await.unwrap();
        office.down().await;
        let store = rusqlite::Connection::open(office.store()).unwrap();
        let mut statement =
            store.prepare("SELECT sequence, leaf FROM access_record ORDER BY sequence").unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let mut leaves: Vec<(i64, Vec<u8>)> =
            statement.query_map([], row).unwrap().map(Result::unwrap).collect();
        drop(statement);
        damage(&mut leaves);
        let last = leaves.last().unwrap().0;
        store.execute("DELETE FROM access_record WHERE sequence > ?", [last]).unwrap();
        for (sequence, leaf) in leaves {
            store.execute("UPDATE access_record SET leaf = ? WHERE sequence = ?", (leaf, sequence)).unwrap();
        }
        drop(store);
        match office.up().await {
            Ok(()) => assert!(is_good, "{what}"),
            Err(OpenError::Log(LogError::CutBack { found: 4, signed: 5 })) => {
                assert_eq!(what, "the last entry deleted");
            }
            Err(OpenError::Log(LogError::Changed { signed: 5 })) => assert!(!is_good, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}
