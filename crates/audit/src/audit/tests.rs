use lango_access_log::{LogEntry, LogEvent, RequestDecision};

use super::*;
use crate::{LedgerBalance, fixture::*};

/// A log of the policy: two answers, one of them repeated, a failure that is given back, refusals.
fn log(policy: &[u8]) -> Vec<LogEntry> {
    let (sex, other) = (question("sex", "0.5"), question("sex", "0.25"));
    let none = loss(0);
    let with = |decision, asked, more: fn(&mut DecidedRequest)| request(policy, decision, asked, more);
    let failed = request(policy, RequestDecision::Failed, (2, &other), |request| {
        request.reason = Some("unavailable".to_owned());
        request.given_back = Some(given_back(loss(5), loss_of("0.25")));
    });
    vec![
        activated(policy, &[]),
        start(policy),
        reserved(policy, (1, &sex), charge(none, loss(5))),
        answered(policy, RequestDecision::Released, (1, &sex), 1),
        reserved(policy, (2, &other), charge(loss(5), loss_of("0.25"))),
        failed,
        answered(policy, RequestDecision::Repeated, (3, &sex), 1),
        with(RequestDecision::Estimated, (4, &other), |_| {}),
        refused(policy, (5, &question("age", "0.5")), "dimension-not-granted"),
        refused(policy, (6, &question("sex", "1.5")), "epsilon-per-query-exceeded"),
        refused(policy, (7, &question("sex", "0.75")), "budget-exceeded"),
        with(RequestDecision::Refused, (8, "no question"), |request| {
            request.reason = Some("malformed".to_owned());
            (request.dataset, request.rule) = (None, None);
        }),
    ]
}

fn loss_of(epsilon: &str) -> lango_access_log::LoggedLoss {
    assert_eq!(epsilon, "0.25");
    let mut loss = loss(5);
    loss.pure_nano = Some(lango_access_log::Amount(250_000_000));
    loss.rho_nano = lango_access_log::Amount(31_250_000);
    loss
}

fn of(entry: &mut LogEntry) -> &mut DecidedRequest {
    let LogEvent::Request(request) = &mut entry.event else { panic!("no request") };
    request
}

/// What the ledger holds after the log.
fn balances(size: u64, charged: lango_access_log::LoggedLoss) -> LedgerBalances {
    let of = |grant: Option<&str>| LedgerBalance {
        pool: "residents".to_owned(),
        grant: grant.map(str::to_owned),
        period: "2026".to_owned(),
        charged,
    };
    LedgerBalances { size, balances: vec![of(None), of(Some("analysts"))] }
}

#[test]
fn a_log_that_follows_is_proven() {
    let policy = policy("sex", "1.0");
    let log = log(&policy);
    let size = log.len() as u64;
    let report = audited(&log, std::slice::from_ref(&policy), Some(balances(size, loss(5))));
    assert!(report.holds(), "{report:?}");
    let counts: Vec<_> = report.claims().map(|(name, claim)| (name, claim.proven, claim.of)).collect();
    let expected =
        [("charges", 3, 3), ("policies", 1, 1), ("decisions", 9, 9), ("releases", 2, 2), ("balances", 2, 2)];
    assert_eq!(counts, expected, "{report:?}");
    assert_eq!(report.apart, BTreeMap::from([("requests at fault", 1)]));
    assert_eq!((report.open, report.opened, report.earlier), (0, 0, 0));
}

/// Each way in which a log may not follow: what is changed, the claim that fails, the entry that is named, and why.
#[test]
fn what_does_not_follow_is_named() {
    let policy = policy("sex", "1.0");
    type Change = fn(&mut Vec<LogEntry>);
    let cases: &[(&str, Change, &str, u64, &str)] = &[
        (
            "a charge is gone",
            |log| drop(log.remove(2)),
            "charges",
            3,
            "held epsilon 0 (rho 0) by the entries before",
        ),
        (
            "an answer was never reserved",
            |log| drop(log.remove(2)),
            "releases",
            2,
            "no entry before it set its price",
        ),
        (
            "charges are in another order",
            |log| log.swap(2, 4),
            "charges",
            2,
            "held epsilon 0 (rho 0) by the entries before",
        ),
        (
            "a charge comes twice",
            |log| log.insert(3, log[2].clone()),
            "charges",
            3,
            "held epsilon 0.5 (rho 0.125) by",
        ),
        (
            "less is given back",
            |log| of(&mut log[5]).given_back = Some(given_back(loss(5), loss(1))),
            "charges",
            5,
            "it gives back another amount than entry 4 charged",
        ),
        (
            "what nobody charged is given back",
            |log| of(&mut log[5]).request.0 = [99; 32],
            "charges",
            5,
            "it gives back a charge that no entry before it made",
        ),
        (
            "an answer is released twice",
            |log| log.insert(4, log[3].clone()),
            "releases",
            4,
            "was released before",
        ),
        (
            "a release is repeated that was never made",
            |log| of(&mut log[6]).release = release(7),
            "releases",
            6,
            "which no entry before it released",
        ),
        (
            "a release is repeated for another question",
            |log| {
                let other = of(&mut log[4]).question.clone();
                of(&mut log[6]).question = other;
            },
            "releases",
            6,
            "which answered another question",
        ),
        (
            "a policy would not have granted",
            |log| {
                let asked = of(&mut log[8]).question.clone();
                of(&mut log[2]).question = asked.clone();
                of(&mut log[3]).question = asked;
            },
            "decisions",
            2,
            "it was granted by `analysts`, and the policy denies it: dimension `age` is not granted",
        ),
        (
            "another rule is named",
            |log| of(&mut log[7]).rule = Some("others".to_owned()),
            "decisions",
            7,
            "it was granted by `others`, and the policy decides by `analysts`",
        ),
        (
            "a policy would have granted",
            |log| {
                let asked = of(&mut log[2]).question.clone();
                of(&mut log[8]).question = asked;
            },
            "decisions",
            8,
            "it was refused as `dimension-not-granted`, and the policy grants it by `analysts`",
        ),
        (
            "a refusal has another reason",
            |log| of(&mut log[8]).reason = Some("forbidden".to_owned()),
            "decisions",
            8,
            "and the policy refuses it as `dimension-not-granted`",
        ),
        (
            "budget was there",
            |log| {
                let asked = of(&mut log[7]).question.clone();
                log[10].at += 86_400;
                of(&mut log[10]).question = asked;
            },
            "decisions",
            10,
            "and both accounts cover it",
        ),
        (
            "more was charged than the grant has",
            |log| {
                let sex = question("sex", "1");
                log.push(reserved(
                    &crate::fixture::policy("sex", "1.0"),
                    (20, &sex),
                    charge(loss(5), loss(10)),
                ));
            },
            "decisions",
            12,
            "it was charged, and the grant `analysts` of pool `residents` does not cover it",
        ),
        (
            "less was charged than the question costs",
            |log| {
                of(&mut log[2]).charge = Some(charge(loss(0), loss(1)));
                log.truncate(4);
            },
            "decisions",
            2,
            "it was charged epsilon 0.1 (rho 0.005), and its question costs epsilon 0.5 (rho 0.125)",
        ),
        (
            "a question is said to be too long",
            |log| of(&mut log[2]).question.as_mut().unwrap().left_out = lango_access_log::Amount(9),
            "decisions",
            2,
            "its question's text is cut short where an entry holds more",
        ),
        (
            "an answer is of no question",
            |log| of(&mut log[6]).question = None,
            "decisions",
            6,
            "it is an answer without `question`",
        ),
        (
            "a question is for no purpose",
            |log| of(&mut log[2]).purpose = String::new(),
            "decisions",
            2,
            "it was granted by `analysts`, and the policy denies it: purpose `` is not granted",
        ),
        (
            "charges move out of a pool that stays",
            |log| log.push(activated(&crate::fixture::policy("sex", "1.0"), &[("residents", "others")])),
            "charges",
            12,
            "it moves the charges of the pool `residents` to `others`, which its policy does not allow",
        ),
        (
            "a charge is of another period",
            |log| of(&mut log[2]).charge.as_mut().unwrap().pool.since = 0,
            "decisions",
            2,
            "it was charged to other accounts, or to other periods",
        ),
        (
            "a period begins in a month",
            |log| of(&mut log[2]).charge.as_mut().unwrap().pool.since = YEAR + 1,
            "charges",
            2,
            "no period of a budget begins at 1767225601",
        ),
        (
            "a question has another text",
            |log| of(&mut log[2]).question.as_mut().unwrap().text = question("age", "0.5"),
            "decisions",
            2,
            "the question's text does not have the question's digest",
        ),
        (
            "a question of a digest has another text the second time",
            |log| of(&mut log[3]).question.as_mut().unwrap().text = question("age", "0.5"),
            "decisions",
            3,
            "the question's text does not have the question's digest",
        ),
        (
            "another dataset is named",
            |log| of(&mut log[2]).dataset = Some("others".to_owned()),
            "decisions",
            2,
            "it names another dataset than its question",
        ),
        (
            "a policy never came into force",
            |log| log.splice(..2, []).for_each(drop),
            "decisions",
            0,
            "came into force",
        ),
        (
            "a policy is not held",
            |log| log[7].policy = Some(lango_access_log::Hex([8; 32])),
            "policies",
            7,
            "the policy 0808080808080808080808080808080808080808080808080808080808080808 is not known",
        ),
    ];
    for (what, change, name, entry, why) in cases {
        let mut log = log(&policy);
        change(&mut log);
        let report = audited(&log, std::slice::from_ref(&policy), None);
        let (_, claim) = report.claims().find(|(found, _)| found == name).unwrap();
        let first = claim.first.as_ref().unwrap_or_else(|| panic!("{what}: {report:?}"));
        assert!(!report.holds() && claim.proven < claim.of, "{what}");
        let said = first.fault.to_string();
        assert!(first.entry == Some(*entry) && said.contains(why), "{what}: {:?}: {said}", first.entry);
    }
}

#[test]
fn a_ledger_that_holds_something_else_is_named() {
    let policy = policy("sex", "1.0");
    let log = log(&policy);
    let size = log.len() as u64;
    let mut strange = balances(size, loss(5));
    strange.balances[1].period = "2026-13".to_owned();
    let mut lacking = balances(4, loss(5));
    lacking.balances.pop();
    for (balances, proven, why) in [
        (
            balances(size, loss(4)),
            0,
            "the ledger's pool `residents` holds epsilon 0.4 (rho 0.08), and the log comes to",
        ),
        (balances(4, loss(5)), 2, ""),
        (balances(3, loss(5)), 2, ""),
        (balances(2, loss(5)), 0, "and the log comes to epsilon 0 (rho 0)"),
        (balances(size + 1, loss(5)), 0, "the balances are of 13 entries, and the log has 12"),
        (strange, 1, "`2026-13` is no period of a budget"),
        (
            lacking,
            1,
            "the ledger has no balance of the grant `analysts` of pool `residents` for the period `2026`",
        ),
    ] {
        let report = audited(&log, std::slice::from_ref(&policy), Some(balances));
        let claim = report.balances.unwrap();
        let said = claim.first.map(|first| first.fault.to_string()).unwrap_or_default();
        assert!(claim.proven == proven && said.contains(why), "{proven}: {said}");
    }
}

/// Records from before the log have charged accounts that no entry vouches for: what they hold is believed once, and counted.
#[test]
fn a_balance_from_before_the_log_is_opened_once() {
    let policy = policy("sex", "4.0");
    let (sex, other) = (question("sex", "0.5"), question("sex", "0.25"));
    let log = |second: lango_access_log::LoggedLoss| {
        vec![
            earlier(&policy, &other, "reserved", loss(10)),
            earlier(&policy, &other, "released", loss(10)),
            activated(&policy, &[]),
            answered(&policy, RequestDecision::Repeated, (1, &other), 90),
            reserved(&policy, (2, &sex), charge(loss(10), loss(5))),
            answered(&policy, RequestDecision::Released, (2, &sex), 1),
            reserved(&policy, (3, &sex), charge(second, loss(5))),
        ]
    };
    let report = audited(&log(loss(10).plus(&loss(5))), std::slice::from_ref(&policy), None);
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.opened, report.earlier, report.charges.of), (2, 2, 2));
    let report = audited(&log(loss(10)), std::slice::from_ref(&policy), None);
    let first = report.charges.first.unwrap();
    assert_eq!(first.entry, Some(6));
    assert!(first.fault.to_string().contains("held epsilon 1.5 "), "{}", first.fault);
}

/// Else an office could write down as earlier what it gave without a charge.
#[test]
fn a_record_from_before_the_log_stands_at_its_beginning() {
    let (policy, sex) = (policy("sex", "4.0"), question("sex", "0.5"));
    let log = [
        activated(&policy, &[]),
        earlier(&policy, &sex, "reserved", loss(0)),
        answered(&policy, RequestDecision::Released, (91, &sex), 1),
    ];
    let report = audited(&log, std::slice::from_ref(&policy), None);
    let first = report.charges.first.unwrap();
    assert_eq!((first.entry, first.fault), (Some(1), LogFault::NotEarlier));
    assert_eq!(report.earlier, 0);
    assert!(report.releases.proven < report.releases.of, "{:?}", report.releases);
}

#[test]
fn charges_follow_their_rows_into_another_pool() {
    let policy = policy("sex", "4.0");
    let sex = question("sex", "0.5");
    let moved = |moved: &[(&str, &str)]| {
        let mut first = charge(loss(0), loss(5));
        first.pool.name = "people".to_owned();
        let log = [
            activated(&policy, &[]),
            reserved(&policy, (1, &sex), first),
            activated(&policy, moved),
            reserved(&policy, (2, &sex), charge(loss(5), loss(5))),
        ];
        audited(&log, std::slice::from_ref(&policy), None).charges
    };
    assert_eq!(moved(&[("people", "residents")]).first, None);
    assert_eq!(moved(&[]).first.unwrap().entry, Some(3));
}

/// A dataset that gets another name takes its charges with it, whatever the entry says of it.
#[test]
fn charges_stay_with_their_rows() {
    let text = crate::fixture::policy_text("sex", "4.0");
    let renamed =
        text.replace("dataset.residents", "dataset.people").replace("budget.residents", "budget.people");
    let renamed = renamed.replace("dataset = \"residents\"", "dataset = \"people\"");
    // The rows are another dataset's, and a dataset over other rows has the name.
    let end = text.find("[[grant]]").unwrap();
    let parted = format!("{renamed}{}", text[..end].replace("table = \"residents\"", "table = \"others\""));
    let parted = parted.replacen("policy = 2\noffice = \"GHA\"", "", 2);
    let parted = format!("policy = 2\noffice = \"GHA\"\n{parted}");
    let policies = [&text, &renamed, &parted].map(|text| crate::fixture::policy_of(text));
    let [before, renamed, parted] = &policies;
    let sex = question("sex", "0.5");
    let to_people: &[_] = &[("residents", "people")];
    for (after, moved, said) in [
        (renamed, to_people, ""),
        (renamed, &[], "the charges of the pool `residents` belong to `people` under its policy"),
        (renamed, &[("residents", "others")], "it moves the charges of the pool `residents` to `others`"),
        (renamed, &[("residents", "people"), ("residents", "people")], ""),
        (parted, &[], "no gateway takes its policy: dataset `people` would draw on the pool `people`"),
        (parted, to_people, "it moves the charges of the pool `residents` to `people`, which"),
    ] {
        let reserved = reserved(before, (1, &sex), charge(loss(0), loss(5)));
        let log = [activated(before, &[]), reserved, activated(after, moved)];
        let report = audited(&log, &policies, None);
        assert!(report.policies.holds(), "{report:?}");
        let first = report.charges.first.map(|first| (first.entry, first.fault.to_string()));
        let expected = (!said.is_empty()).then_some(Some(2));
        assert_eq!(first.as_ref().map(|first| first.0), expected, "{said}: {first:?}");
        assert!(first.is_none_or(|first| first.1.contains(said)), "{said}");
    }
}

/// Else an office could show the rules that it announced, and go on by those of before.
#[test]
fn a_decision_is_by_the_policy_in_force() {
    let policies = ["4.0", "2.0"].map(|of_all| policy("sex", of_all));
    let [before, after] = &policies;
    let sex = question("sex", "0.5");
    let later = |seconds: i64, entry: LogEntry| LogEntry { at: entry.at + seconds, ..entry };
    let audited = |seconds: i64, again: &[Vec<u8>]| {
        let mut log = vec![activated(before, &[]), start(before), activated(after, &[]), start(before)];
        log.extend(again.iter().map(|policy| activated(policy, &[])));
        log.push(later(seconds, reserved(before, (1, &sex), charge(loss(0), loss(5)))));
        audited(&log, &policies, None).decisions.first.map(|first| (first.entry, first.fault.to_string()))
    };
    assert_eq!(audited(WAITS_S, &[]), None, "a gateway may take it a little later");
    let (entry, said) = audited(WAITS_S + 1, &[]).unwrap();
    assert!(entry == Some(4) && said.starts_with("another policy had come into force"), "{said}");
    assert_eq!(audited(WAITS_S + 1, std::slice::from_ref(before)), None, "it came into force again");
}

/// A pool that records from before the log alone have charged moves its charges too: what it held is believed once, and counted.
#[test]
fn charges_from_before_the_log_move_as_well() {
    let policy = policy("sex", "4.0");
    let (sex, other) = (question("sex", "0.5"), question("sex", "0.25"));
    let held = loss(10).plus(&loss(5)).plus(&loss(7));
    let log = [
        earlier(&policy, &other, "reserved", loss(17)),
        activated(&policy, &[]),
        reserved(&policy, (1, &sex), charge(loss(10), loss(5))),
        activated(&policy, &[("people", "residents")]),
        reserved(&policy, (2, &sex), charge(held, loss(5))),
    ];
    let report = audited(&log, std::slice::from_ref(&policy), None);
    assert!(report.charges.holds(), "{:?}", report.charges);
    assert_eq!(report.opened, 4);
}
