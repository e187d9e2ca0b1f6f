//! A log for tests: an office's policy, and entries that follow from it.

use lango_access_log::{
    ActivatedPolicy, Actor, ActorRole, Amount, DecidedRequest, EarlierRecord, EntryFormat, GatewayStart, Hex,
    LogEntry, LogEvent, LoggedAccount, LoggedCharge, LoggedLines, LoggedLoss, LoggedQuestion, LoggedRelease,
    MovedCharges, RequestDecision, TreeHash,
};

use crate::{AuditReport, Digests, LedgerBalances, LogAudit};

/// 2026-05-28, in the year that began at [`YEAR`].
pub(crate) const AT: i64 = 1_780_000_000;
pub(crate) const YEAR: i64 = 1_767_225_600;
const NANO: u64 = 1_000_000_000;

/// A policy whose grant allows this dimension, and this much epsilon in all.
pub(crate) fn policy(by: &str, of_all: &str) -> Vec<u8> {
    policy_of(&policy_text(by, of_all))
}

/// The text of its file.
pub(crate) fn policy_text(by: &str, of_all: &str) -> String {
    format!(
        r#"
policy = 2
office = "GHA"

[dataset.residents]
title = "Residents"
kind = "stock"
source = "register"
table = "residents"
version = "2024-07-01"
unit = {{ column = "person_id", noun = "person", rows_at_most = 1 }}

[dataset.residents.column]
sex = {{ codes = ["F", "M"] }}
age = {{ integer = [0, 110], bands = 5 }}

[budget.residents]
accounting = "pure"
epsilon = 8.0
renews = "yearly"

[[grant]]
id = "analysts"
to = ["spiffe://ecowas.example/analyst/*"]
purpose = ["official-statistics"]
dataset = "residents"
measures = ["persons"]
by = ["{by}"]
by_at_most = 1
epsilon_per_query = 1.0
epsilon_total = {of_all}
publish = "office"
"#
    )
}

/// A policy of one file with this text.
pub(crate) fn policy_of(text: &str) -> Vec<u8> {
    let length = |length: usize| (length as u64).to_be_bytes();
    let name = "gha.toml";
    [&length(1)[..], &length(name.len()), name.as_bytes(), &length(text.len()), text.as_bytes()].concat()
}

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    TreeHash::of_leaf(bytes).0
}

pub(crate) fn question(by: &str, epsilon: &str) -> String {
    format!("lango-query 1\ndataset residents\nmeasure persons\nby {by}\nprice epsilon {epsilon}\n")
}

pub(crate) fn loss(tenths: u64) -> LoggedLoss {
    let pure = tenths * NANO / 10;
    let rho = u128::from(pure) * u128::from(pure) / 2 / u128::from(NANO);
    LoggedLoss {
        delta_e18: Amount(0),
        pure_nano: Some(Amount(pure)),
        rho_nano: Amount(u64::try_from(rho).unwrap()),
    }
}

fn account(name: &str, before: LoggedLoss, loss: LoggedLoss) -> LoggedAccount {
    let after = before.plus(&loss);
    LoggedAccount { after, before, name: name.to_owned(), period: "2026".to_owned(), since: YEAR }
}

/// A charge of a loss, where this had been charged before to both accounts.
pub(crate) fn charge(before: LoggedLoss, loss: LoggedLoss) -> LoggedCharge {
    LoggedCharge { grant: account("analysts", before, loss), loss, pool: account("residents", before, loss) }
}

/// The same given back.
pub(crate) fn given_back(before: LoggedLoss, loss: LoggedLoss) -> LoggedCharge {
    let turned =
        |account: LoggedAccount| LoggedAccount { after: account.before, before: account.after, ..account };
    let LoggedCharge { grant, loss, pool } = charge(before, loss);
    LoggedCharge { grant: turned(grant), loss, pool: turned(pool) }
}

pub(crate) fn entry(role: ActorRole, policy: &[u8], event: LogEvent) -> LogEntry {
    let name = if role == ActorRole::Office { "GHA" } else { "awa" };
    let principal = format!("spiffe://ecowas.example/{}/{name}", role.word());
    LogEntry {
        actor: Actor { certificate: None, principal, role },
        at: AT,
        event,
        format: EntryFormat,
        left_out: Amount(0),
        policy: Some(Hex(digest(policy))),
        trace: None,
    }
}

pub(crate) fn start(policy: &[u8]) -> LogEntry {
    let event = GatewayStart {
        configuration: Hex([1; 32]),
        instance: Hex([2; 16]),
        lango: "0.1.0".to_owned(),
        store: Hex([3; 16]),
    };
    entry(ActorRole::Office, policy, LogEvent::Start(event))
}

pub(crate) fn activated(policy: &[u8], moved: &[(&str, &str)]) -> LogEntry {
    let moved =
        moved.iter().map(|(from, to)| MovedCharges { from: (*from).to_owned(), to: (*to).to_owned() });
    let event = ActivatedPolicy {
        before: None,
        changes: LoggedLines::default(),
        digest: Hex(digest(policy)),
        moved: moved.collect(),
        signers: Vec::new(),
    };
    entry(ActorRole::Office, policy, LogEvent::Policy(event))
}

/// A request's entry: of the request of a number, with its question.
pub(crate) fn request(
    policy: &[u8],
    decision: RequestDecision,
    (number, text): (u8, &str),
    more: impl FnOnce(&mut DecidedRequest),
) -> LogEntry {
    let mut request = DecidedRequest {
        agreement: None,
        charge: None,
        dataset: Some("residents".to_owned()),
        decision,
        envelope: None,
        given_back: None,
        purpose: "official-statistics".to_owned(),
        question: Some(LoggedQuestion::of(digest(text.as_bytes()), text)),
        reason: None,
        release: None,
        request: Hex([number; 32]),
        rule: Some("analysts".to_owned()),
        version: None,
    };
    more(&mut request);
    entry(ActorRole::Analyst, policy, LogEvent::Request(Box::new(request)))
}

pub(crate) fn release(id: u8) -> Option<LoggedRelease> {
    Some(LoggedRelease { envelope: None, id: Hex([id; 16]) })
}

pub(crate) fn reserved(policy: &[u8], asked: (u8, &str), charged: LoggedCharge) -> LogEntry {
    request(policy, RequestDecision::Reserved, asked, |request| request.charge = Some(charged))
}

pub(crate) fn answered(policy: &[u8], decision: RequestDecision, asked: (u8, &str), id: u8) -> LogEntry {
    request(policy, decision, asked, |request| request.release = release(id))
}

pub(crate) fn refused(policy: &[u8], asked: (u8, &str), code: &str) -> LogEntry {
    request(policy, RequestDecision::Refused, asked, |request| request.reason = Some(code.to_owned()))
}

/// A record from before the log, of what was reserved then.
pub(crate) fn earlier(policy: &[u8], text: &str, decision: &str, charged: LoggedLoss) -> LogEntry {
    let record = EarlierRecord {
        agreement: None,
        charged,
        dataset: Some("residents".to_owned()),
        decision: decision.to_owned(),
        purpose: "official-statistics".to_owned(),
        question: Some(LoggedQuestion::of(digest(text.as_bytes()), text)),
        reason: String::new(),
        release: (decision == "released").then_some(Hex([90; 16])),
        request: Hex([91; 32]),
        rule: Some("analysts".to_owned()),
        sequence: Amount(1),
    };
    entry(ActorRole::Analyst, policy, LogEvent::Earlier(Box::new(record)))
}

/// What an audit of a log comes to, where these policies are held.
pub(crate) fn audited(
    log: &[LogEntry],
    policies: &[Vec<u8>],
    balances: Option<LedgerBalances>,
) -> AuditReport {
    let texts = |wanted: &[u8; 32]| policies.iter().find(|policy| digest(policy) == *wanted).cloned();
    let mut audit = LogAudit::new(&texts, Digests { question: digest, policy: digest }, balances);
    for entry in log {
        // What a test takes for an entry is one.
        assert!(entry.leaf().is_ok(), "{entry:?}: {:?}", entry.leaf());
        audit.take(entry);
    }
    audit.finish()
}
