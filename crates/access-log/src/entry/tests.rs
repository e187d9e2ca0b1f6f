use serde_json::Value;

use super::*;
use crate::fixture::random;
use rand_core::Rng as _;

fn digest(of: u8) -> Hex<32> {
    Hex([of; 32])
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn loss(pure_nano: u64, rho_nano: u64) -> LoggedLoss {
    LoggedLoss { delta_e18: Amount(0), pure_nano: Some(Amount(pure_nano)), rho_nano: Amount(rho_nano) }
}

fn account(name: &str, before: LoggedLoss) -> LoggedAccount {
    LoggedAccount {
        after: before.plus(&loss(500_000_000, 125_000_000)),
        before,
        name: text(name),
        period: text("2026"),
        since: 1_767_225_600,
    }
}

fn given_back(name: &str) -> LoggedAccount {
    let account = account(name, loss(1, 2));
    LoggedAccount { after: account.before, before: account.after, ..account }
}

fn request(decision: RequestDecision) -> DecidedRequest {
    let charged = [RequestDecision::Reserved, RequestDecision::Released].contains(&decision);
    let charge = charged.then(|| LoggedCharge {
        grant: account("regional-analysts", loss(0, 0)),
        loss: loss(500_000_000, 125_000_000),
        pool: account("residents", loss(2_000_000_000, u64::MAX)),
    });
    let given_back = (decision == RequestDecision::Failed).then(|| LoggedCharge {
        grant: given_back("regional-analysts"),
        loss: loss(500_000_000, 125_000_000),
        pool: given_back("residents"),
    });
    let failed = [RequestDecision::Refused, RequestDecision::Failed].contains(&decision);
    let released =
        [RequestDecision::Released, RequestDecision::Drawn, RequestDecision::Repeated].contains(&decision);
    DecidedRequest {
        agreement: Some(text("ecowas-2026")),
        charge,
        dataset: Some(text("residents")),
        decision,
        envelope: Some(digest(3)),
        given_back,
        purpose: text("official-statistics"),
        question: Some(LoggedQuestion::of(
            [4; 32],
            "lango-query 1\ndataset residents\nmeasure persons\nby\n",
        )),
        reason: failed.then(|| text("budget-exceeded")),
        release: released.then_some(LoggedRelease { envelope: Some(digest(5)), id: Hex([6; 16]) }),
        request: digest(7),
        rule: Some(text("regional-analysts")),
        version: Some(text("2024-07-01")),
    }
}

fn entry(event: LogEvent) -> LogEntry {
    LogEntry {
        actor: Actor {
            certificate: Some(digest(1)),
            principal: text("spiffe://ecowas.example/analyst/awa"),
            role: ActorRole::Analyst,
        },
        at: 1_780_000_000,
        event,
        format: EntryFormat,
        left_out: Amount(0),
        policy: Some(digest(2)),
        trace: Some(Hex([8; 16])),
    }
}

/// One event of each kind, with every field; and one of each decision.
fn events() -> Vec<LogEvent> {
    let decisions = [
        RequestDecision::Reserved,
        RequestDecision::Released,
        RequestDecision::Drawn,
        RequestDecision::Repeated,
        RequestDecision::Estimated,
        RequestDecision::Described,
        RequestDecision::Refused,
        RequestDecision::Failed,
    ];
    let requests = decisions.map(|decision| LogEvent::Request(Box::new(request(decision))));
    let lines = LoggedLines::of(&[text("grant `a`: epsilon_total 4 -> 8")]);
    let earlier = EarlierRecord {
        agreement: Some(text("ecowas-2026")),
        charged: loss(1, 2),
        dataset: Some(text("residents")),
        decision: text("released"),
        purpose: text("official-statistics"),
        question: Some(LoggedQuestion::of([4; 32], "lango-query 1\n")),
        reason: String::new(),
        release: Some(Hex([6; 16])),
        request: digest(7),
        rule: Some(text("a")),
        sequence: Amount(1),
    };
    let house = [
        LogEvent::Start(GatewayStart {
            configuration: digest(1),
            instance: Hex([2; 16]),
            lango: text("0.1.0"),
            store: Hex([3; 16]),
        }),
        LogEvent::Stop(GatewayStop { instance: Hex([2; 16]) }),
        LogEvent::Configuration(ConfigurationChange { changes: lines.clone(), configuration: digest(1) }),
        LogEvent::Policy(ActivatedPolicy {
            before: Some(digest(1)),
            changes: lines,
            digest: digest(2),
            moved: vec![MovedCharges { from: text("residents"), to: text("persons") }],
            signers: vec![text("spiffe://ecowas.example/administrator/efua")],
        }),
        LogEvent::PolicySignature(PolicyApproval { digest: digest(2), envelope: digest(3) }),
        LogEvent::Key(KeyChange {
            fingerprint: digest(1),
            of: text("spiffe://ecowas.example/analyst/awa"),
            step: AccessStep::Revoked,
            used_for: KeyUse::RevocationList,
            valid_from: Some(1_780_000_000),
            valid_until: Some(1_790_000_000),
        }),
        LogEvent::Import(ImportedRegister {
            dataset: text("residents"),
            files: Amount(2),
            version: text("2024-07-01"),
        }),
        LogEvent::Preparation(MadePreparation { dataset: text("residents"), version: text("2024-07-01") }),
        LogEvent::Version(DatasetVersion {
            before: Some(text("2023-07-01")),
            dataset: text("residents"),
            version: text("2024-07-01"),
        }),
        LogEvent::Review(LoggedReview {
            dataset: Some(text("residents")),
            purpose: text("official-statistics"),
            question: Some(digest(1)),
            request: digest(2),
            review: Hex([3; 16]),
            rule: Some(text("a")),
            standing: text("approved"),
            why: text("too fine"),
        }),
        LogEvent::Inspection(LoggedInspection {
            dataset: Some(text("residents")),
            object: text("review 01020304"),
            purpose: String::new(),
            question: Some(digest(1)),
            request: digest(2),
        }),
        LogEvent::Failure(GatewayFailure { code: text("unreachable"), part: text("source") }),
        LogEvent::Relay(Box::new(RelayedRequest {
            audience: LoggedLines::of(&[text("GHA"), text("SEN")]),
            envelope: digest(1),
            kind: RelayedKind::Query,
            purpose: text("official-statistics"),
            question: Some(LoggedQuestion::of([4; 32], "lango-query 1\n")),
            refusal: Some(text("malformed")),
            request: digest(2),
        })),
        LogEvent::Answer(RelayedAnswer {
            envelope: Some(digest(1)),
            office: text("GHA"),
            outcome: MemberOutcome::Refused,
            reason: Some(text("denied")),
            request: digest(2),
        }),
        LogEvent::Earlier(Box::new(earlier)),
    ];
    requests.into_iter().chain(house).collect()
}

/// RFC 8785, written from its text: names sorted by their UTF-16, no spaces, texts with the escapes of its section 3.2.2.2, whole
/// numbers as they are.
fn canonical(value: &Value) -> String {
    match value {
        Value::Null => text("null"),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => {
            assert!(number.as_i64().is_some_and(|number| number.abs() < 1 << 53), "{number}");
            number.to_string()
        }
        Value::String(value) => quoted(value),
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{}:{}", quoted(name), canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '\u{8}' => quoted += "\\b",
            '\t' => quoted += "\\t",
            '\n' => quoted += "\\n",
            '\u{c}' => quoted += "\\f",
            '\r' => quoted += "\\r",
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            c if c < ' ' => quoted += &format!("\\u{:04x}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[test]
fn the_canonical_form_is_that_of_the_standard() {
    // The example of RFC 8785, section 3.2.3, for the order of names; and texts of section 3.2.2.
    let names: Value = serde_json::from_str(
        r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
    )
    .unwrap();
    let expected = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With \
                    Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With \
                    Dagesh\"}";
    assert_eq!(canonical(&names), expected);
    let odd = "\u{20ac}$\u{f}\nA'\u{42}\u{22}\u{5c}\\\"/\u{7f}\u{2028}\u{0}\u{1b}\u{8}\u{c}\r\t";
    assert_eq!(quoted(odd), serde_json::to_string(odd).unwrap());
    let sample = quoted("\u{20ac}$\u{f}\nA'\u{42}\"\\\\\"/");
    assert_eq!(sample, r#""€$\u000f\nA'B\"\\\\\"/""#);
    for c in '\0'..='\u{3000}' {
        assert_eq!(quoted(&c.to_string()), serde_json::to_string(&c.to_string()).unwrap(), "{c:?}");
    }
}

#[test]
fn every_leaf_is_canonical_and_read_as_it_was_written() {
    for event in events() {
        let entry = entry(event);
        let leaf = entry.leaf().unwrap();
        let value: Value = serde_json::from_slice(&leaf).unwrap();
        assert_eq!(String::from_utf8(leaf.clone()).unwrap(), canonical(&value));
        assert_eq!(LogEntry::read(&leaf), Ok(entry));
    }
}

#[test]
fn a_leaf_is_what_auditors_read() {
    let mut entry = entry(LogEvent::Stop(GatewayStop { instance: Hex([2; 16]) }));
    (entry.actor.role, entry.actor.principal) =
        (ActorRole::Office, text("spiffe://ecowas.example/office/GHA"));
    (entry.actor.certificate, entry.policy, entry.trace, entry.left_out) =
        (None, None, None, Amount(u64::MAX));
    let expected = r#"{"actor":{"principal":"spiffe://ecowas.example/office/GHA","role":"office"},"at":1780000000,"event":{"stop":{"instance":"02020202020202020202020202020202"}},"format":1,"left_out":"18446744073709551615"}"#;
    assert_eq!(String::from_utf8(entry.leaf().unwrap()).unwrap(), expected);
}

#[test]
fn what_would_have_been_written_otherwise_is_refused() {
    let leaf =
        String::from_utf8(entry(LogEvent::Stop(GatewayStop { instance: Hex([0xab; 16]) })).leaf().unwrap())
            .unwrap();
    let with = |from: &str, to: &str| {
        assert!(leaf.contains(from), "{from}");
        leaf.replacen(from, to, 1)
    };
    for (leaf, is_spelling) in [
        (with("{", "{ "), true),
        (format!("{leaf}\n"), true),
        (with("\"at\":1780000000,", ""), false),
        (with("\"at\":1780000000", "\"at\":1.78e9"), false),
        (with("\"at\":1780000000", "\"at\":1780000000.0"), false),
        (with("\"at\":1780000000", "\"at\":\"1780000000\""), false),
        (with("\"format\":1", "\"format\":2"), false),
        (with("\"format\":1,", ""), false),
        (with("\"left_out\":\"0\"", "\"left_out\":0"), false),
        (with("\"left_out\":\"0\"", "\"left_out\":\"00\""), false),
        (with("\"left_out\":\"0\"", "\"left_out\":\"+1\""), false),
        (with("\"left_out\":\"0\"", "\"left_out\":\"-1\""), false),
        (with("abab", "ABAB"), false),
        (with("abab", "ab"), false),
        (with("analyst/awa", "analyst\\/awa"), true),
        (with("analyst/awa", "\\u0061nalyst/awa"), true),
        (with("\"stop\"", "\"halt\""), false),
        (with("\"instance\"", "\"more\":1,\"instance\""), false),
        (with("\"at\"", "\"about\":1,\"at\""), false),
        (with("\"at\":1780000000", "\"at\":1780000000,\"at\":1780000000"), false),
        (with("\"format\":1,\"left_out\":\"0\"", "\"left_out\":\"0\",\"format\":1"), true),
        (with("\"policy\":", "\"trace\":null,\"policy\":"), false),
        (with(&format!("\"trace\":\"{}\"", "08".repeat(16)), "\"trace\":null"), true),
        ("null".to_owned(), false),
        (String::new(), false),
        (format!("[{leaf}]"), false),
    ] {
        match LogEntry::read(leaf.as_bytes()) {
            Err(EntryError::Spelling) => assert!(is_spelling, "{leaf}"),
            Err(EntryError::Form(_)) => assert!(!is_spelling, "{leaf}"),
            other => panic!("{leaf}: {other:?}"),
        }
    }
    let unknown = LogEntry::read(with("\"at\"", "\"about\":1,\"at\"").as_bytes()).unwrap_err();
    assert!(unknown.to_string().contains("`about`"), "{unknown}");
}

#[test]
fn an_entry_that_contradicts_itself_is_neither_written_nor_read() {
    let good = || request(RequestDecision::Reserved);
    let wrong = |change: &dyn Fn(&mut DecidedRequest)| {
        let mut request = good();
        change(&mut request);
        let entry = entry(LogEvent::Request(Box::new(request)));
        let error = entry.leaf().unwrap_err();
        assert_eq!(LogEntry::read(&serde_json::to_vec(&entry).unwrap()), Err(error.clone()));
        error
    };
    let charge = |account| EntryError::Charge { account };
    let balance = |request: &mut DecidedRequest, pool: bool, by: u64| {
        let charge = request.charge.as_mut().unwrap();
        let account = if pool { &mut charge.pool } else { &mut charge.grant };
        account.after.pure_nano = Some(Amount(account.after.pure_nano.unwrap().0 + by));
    };
    assert_eq!(wrong(&|request| balance(request, true, 1)), charge("pool"));
    assert_eq!(wrong(&|request| balance(request, false, 1)), charge("grant"));
    assert_eq!(wrong(&|request| request.charge.as_mut().unwrap().loss.pure_nano = None), charge("pool"));
    let since = |request: &mut DecidedRequest| request.charge.as_mut().unwrap().grant.since = 1 << 53;
    assert_eq!(wrong(&since), EntryError::Time { seconds: 1 << 53 });
    let decided = |decision, field| EntryError::Decision { decision, field };
    for (decision, field) in [
        (RequestDecision::Released, "release"),
        (RequestDecision::Drawn, "release"),
        (RequestDecision::Estimated, "charge"),
        (RequestDecision::Described, "charge"),
        (RequestDecision::Refused, "charge"),
        (RequestDecision::Failed, "reason"),
    ] {
        assert_eq!(wrong(&|request| request.decision = decision), decided(decision.word(), field));
    }
    assert_eq!(wrong(&|request| request.charge = None), decided("reserved", "charge"));
    let returned = |request: &mut DecidedRequest| request.given_back = request.charge.clone();
    assert_eq!(wrong(&returned), decided("reserved", "given_back"));
    // What is given back takes from the accounts.
    let added = |request: &mut DecidedRequest| {
        request.given_back = request.charge.take();
        (request.decision, request.reason) = (RequestDecision::Failed, Some(text("unavailable")));
    };
    assert_eq!(wrong(&added), charge("pool"));
    let unexplained = |request: &mut DecidedRequest| {
        (request.decision, request.charge) = (RequestDecision::Refused, None);
    };
    assert_eq!(wrong(&unexplained), decided("refused", "reason"));
    let mut entry = entry(LogEvent::Stop(GatewayStop { instance: Hex([2; 16]) }));
    entry.actor.role = ActorRole::Auditor;
    assert_eq!(entry.leaf(), Err(EntryError::Role));
    (entry.actor.role, entry.at) = (ActorRole::Analyst, -(1 << 53));
    assert_eq!(entry.leaf(), Err(EntryError::Time { seconds: -(1 << 53) }));
}

#[test]
fn what_is_long_is_cut_and_counted() {
    for (long, kept, left_out) in [
        ("a".repeat(20_000), 16_384, 3_616),
        ("\n".repeat(20_000), 8_192, 11_808),
        ("\u{1}".repeat(20_000), 2_730, 17_270),
        ("é".repeat(10_000), 16_384, 3_616),
        ("a".repeat(16_384), 16_384, 0),
    ] {
        let question = LoggedQuestion::of([0; 32], &long);
        assert_eq!((question.text.len(), question.left_out), (kept, Amount(left_out)));
        let mut request = request(RequestDecision::Refused);
        request.question = Some(question);
        let leaf = entry(LogEvent::Request(Box::new(request))).leaf().unwrap();
        assert!(LogEntry::read(&leaf).is_ok());
    }
    let lines: Vec<String> = (0..10_000).map(|number| format!("grant \"{number}\"")).collect();
    let kept = LoggedLines::of(&lines);
    assert_eq!(kept.lines.len() as u64 + kept.left_out.0, 10_000);
    assert!((1_000..2_000).contains(&kept.lines.len()), "{}", kept.lines.len());
    assert_eq!(
        LoggedLines::of(&["x".repeat(40_000)]),
        LoggedLines { left_out: Amount(1), lines: Vec::new() }
    );
    let mut request = request(RequestDecision::Refused);
    request.purpose = "x".repeat(ENTRY_BYTES_MOST);
    let error = entry(LogEvent::Request(Box::new(request))).leaf().unwrap_err();
    assert!(matches!(error, EntryError::Long { bytes } if bytes > ENTRY_BYTES_MOST));
    assert_eq!(LogEntry::read(&vec![b' '; 65_536]), Err(EntryError::Long { bytes: 65_536 }));
}

#[test]
fn changed_bytes_are_refused_or_another_entry() {
    let (mut random, events) = (random(3), events());
    for round in 0..20_000 {
        let leaf = entry(events[round % events.len()].clone()).leaf().unwrap();
        let mut changed = leaf.clone();
        for _ in 0..=random.next_u64() % 2 {
            if changed.is_empty() {
                break;
            }
            let at = (random.next_u64() % changed.len() as u64) as usize;
            match random.next_u64() % 4 {
                0 => changed[at] ^= 1 << (random.next_u64() % 8),
                1 => drop(changed.remove(at)),
                2 => changed.insert(at, b"\" ,:{}0\\"[(random.next_u64() % 8) as usize]),
                _ => changed.truncate(at),
            }
        }
        if let Ok(read) = LogEntry::read(&changed) {
            // Whatever is read has one spelling.
            assert_eq!(read.leaf().unwrap(), changed);
        }
    }
}
