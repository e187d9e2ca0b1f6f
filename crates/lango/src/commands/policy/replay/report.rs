//! A replay as text, JSON and CSV: what would be decided otherwise, and what was not decided again and why.

use std::collections::BTreeMap;

use lango_policy::{GrantPart, Judged, PolicySet, ReplayChange};
use lango_privacy::{Price, Query, nano};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};

use super::{Changed, Replay, Unreplayed};
use crate::{
    commands::policy::quoted::{spot, wrapped},
    failure::Failure,
    output::{self, Format, counted, foreign, grouped},
};

/// The most askers, and the most records that are not decided again, that are named.
const NAMED_MOST: usize = 4;

/// A replay to be shown.
pub struct ReplayReport<'r, 'a>(&'r Replay<'a>);

impl<'r, 'a> ReplayReport<'r, 'a> {
    pub fn of(replay: &'r Replay<'a>) -> Self {
        Self(replay)
    }

    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Table => output::print(&self.text()),
            Format::Json => output::print_json(&self.json()),
            Format::Csv => {
                // The rows have no place for what is not decided again.
                output::say(self.head().trim_end());
                output::print(&self.csv())
            }
        }
    }

    /// How many questions are decided otherwise: `2 refused, 1 allowed`.
    pub fn counts(&self) -> String {
        let some = self.0.counts().filter(|(_, count)| *count > 0);
        let some: Vec<String> =
            some.map(|(change, count)| format!("{} {}", thousands(count), words(change).0)).collect();
        if some.is_empty() { "none".to_owned() } else { some.join(", ") }
    }

    /// What was replayed, and what was not.
    fn head(&self) -> String {
        let Replay { questions, asked, on, unreplayed, gone, left_out, is_in_force, .. } = self.0;
        let of = match asked {
            Some((first, last)) => format!(" asked from {} to {}", output::day(*first), output::day(*last)),
            None => String::new(),
        };
        let noun = if *questions == 1 { "question" } else { "questions" };
        let head = format!(
            "{} {noun}{of}, decided again as if asked on {on}: otherwise {}; as before {}",
            thousands(*questions),
            self.counts(),
            thousands(self.0.alike())
        );
        let mut lines = vec![head];
        lines.extend(unreplayed.iter().map(|(why, records)| not_decided(*why, records)));
        lines.extend(gone.iter().map(|(dataset, count)| {
            let of = counted(*count, "question");
            format!("{of} of `{dataset}`, a dataset that the proposed policy does not have")
        }));
        if *left_out > 0 {
            let count = usize::try_from(*left_out).unwrap_or(usize::MAX);
            lines.push(format!("not on record: {}, for there were too many", counted(count, "refusal")));
        }
        if !is_in_force {
            lines.push(
                "what was before is what the policy in the gateway's folder says; the last request was decided by another one"
                    .to_owned(),
            );
        }
        lines.iter().map(|line| wrapped(line, "") + "\n").collect()
    }

    fn text(&self) -> String {
        let mut text = self.head();
        for kind in ReplayChange::ALL {
            let of_kind: Vec<_> = self.0.changed.iter().filter(|changed| changed.change == kind).collect();
            // Of those alike, the newest comes first.
            let mut alike: BTreeMap<[String; 3], Vec<&Changed<'_>>> = BTreeMap::new();
            for changed in of_kind {
                let (before, now) = self.rulings(changed);
                alike.entry([changed.query.dataset.to_string(), before, now]).or_default().push(changed);
            }
            for (at, ([dataset, before, now], changed)) in alike.iter().enumerate() {
                if at == 0 {
                    text += &format!("\n{}\n", words(kind).1);
                }
                let head =
                    format!("{dataset}: {} of {}", counted(changed.len(), "question"), askers(changed));
                text += &format!("\n{}\n", wrapped(&head, "  "));
                text += &format!("{}\n", wrapped(&format!("before: {before}"), "    "));
                text += &format!("{}\n", wrapped(&format!("now: {now}"), "    "));
                if let Some(newest) = changed.first() {
                    text += &such_as(newest);
                }
            }
        }
        text
    }

    /// What both policies say, in words.
    fn rulings(&self, changed: &Changed<'_>) -> (String, String) {
        let replayed = &changed.replayed;
        (ruling(self.0.before, &replayed.before), ruling(self.0.proposed, &replayed.now))
    }

    fn json(&self) -> Value {
        let Replay { questions, asked, on, unreplayed, gone, left_out, is_in_force, .. } = self.0;
        let counts: Map<String, Value> =
            self.0.counts().map(|(change, count)| (key(change).to_owned(), count.into())).collect();
        let not_decided: Vec<Value> = unreplayed
            .iter()
            .map(|(why, records)| json!({ "reason": reason(*why), "records": records }))
            .collect();
        json!({
            "questions": questions,
            "from": asked.map(|(first, _)| moment(first)),
            "until": asked.map(|(_, last)| moment(last)),
            "on": on.to_string(),
            "counts": counts,
            "as_before": self.0.alike(),
            "not_decided": not_decided,
            "datasets_gone": gone,
            "not_recorded": left_out,
            "before_is_in_force": is_in_force,
            "changes": self.0.changed.iter().map(|changed| self.row(changed)).collect::<Vec<_>>(),
        })
    }

    fn row(&self, changed: &Changed<'_>) -> Value {
        let Changed { entry, query, replayed, change } = changed;
        json!({
            "change": key(*change),
            "sequence": entry.sequence,
            "at": moment(entry.at),
            "principal": entry.principal,
            "purpose": entry.purpose,
            "dataset": query.dataset.as_str(),
            "question": query.to_string(),
            "recorded": entry.decision,
            "recorded_reason": entry.reason,
            "before": side(self.0.before, query, &replayed.before),
            "now": side(self.0.proposed, query, &replayed.now),
        })
    }

    fn csv(&self) -> String {
        let names = [
            "change",
            "sequence",
            "at",
            "principal",
            "purpose",
            "dataset",
            "question",
            "recorded",
            "recorded_reason",
        ];
        let sides = ["decision", "code", "rule", "epsilon"];
        let of_side = |of: &str| sides.map(|name| format!("{of}_{name}"));
        let header = names.map(str::to_owned).into_iter().chain(of_side("before")).chain(of_side("now"));
        let mut lines = vec![header.collect::<Vec<_>>().join(",")];
        for changed in &self.0.changed {
            let row = self.row(changed);
            let own = names.iter().map(|name| row.get(name));
            let of = |of: &'static str| {
                let side = row.get(of);
                sides.iter().map(move |name| side?.get(name)).collect::<Vec<_>>()
            };
            let cells = own.chain(of("before")).chain(of("now"));
            let cells = cells.map(|cell| output::cell(cell.unwrap_or(&Value::Null)));
            lines.push(cells.collect::<Vec<_>>().join(","));
        }
        lines.join("\n")
    }
}

/// The verb for a change, and the heading of questions of which it is.
fn words(change: ReplayChange) -> (&'static str, &'static str) {
    match change {
        ReplayChange::Refused => ("refused", "would be refused"),
        ReplayChange::Allowed => ("allowed", "would be allowed"),
        ReplayChange::Dearer => ("dearer", "would cost more"),
        ReplayChange::Cheaper => ("cheaper", "would cost less"),
        ReplayChange::ChargedElsewhere => ("charged elsewhere", "would be charged to another grant or pool"),
        ReplayChange::AnsweredAnew => {
            ("answered anew", "would not be free again: stored answers are of other terms")
        }
    }
}

fn key(change: ReplayChange) -> &'static str {
    match change {
        ReplayChange::Refused => "refused",
        ReplayChange::Allowed => "allowed",
        ReplayChange::Dearer => "dearer",
        ReplayChange::Cheaper => "cheaper",
        ReplayChange::ChargedElsewhere => "charged-elsewhere",
        ReplayChange::AnsweredAnew => "answered-anew",
    }
}

fn reason(why: Unreplayed) -> &'static str {
    match why {
        Unreplayed::TooLong => "too-long",
        Unreplayed::NotKept => "not-kept",
        Unreplayed::Unread => "unread",
    }
}

fn not_decided(why: Unreplayed, records: &[i64]) -> String {
    let why = match why {
        Unreplayed::TooLong => "too long for its text to be kept whole",
        Unreplayed::NotKept => "recorded before texts were kept",
        Unreplayed::Unread => "in no text that this version reads",
    };
    let mut named: Vec<String> = records.iter().take(NAMED_MOST).map(ToString::to_string).collect();
    if let Some(more) = records.len().checked_sub(NAMED_MOST).filter(|more| *more > 0) {
        named.push(format!("{} more", thousands(more)));
    }
    let noun = if records.len() == 1 { "record" } else { "records" };
    format!("not decided again: {}, {why} ({noun} {})", counted(records.len(), "question"), named.join(", "))
}

/// What a policy says, with the rule that decides.
fn ruling(set: &PolicySet, judged: &Judged<'_>) -> String {
    let by = |rule: &str| match place(set, rule) {
        Some(place) => format!("`{rule}` ({place})"),
        None => format!("`{rule}`"),
    };
    match judged {
        Judged::Permitted { granted, .. } => format!("permitted by {}", by(&granted.grant.id)),
        Judged::Unplanned { granted, refusal } => {
            format!("permitted by {}, but refused: {refusal}", by(&granted.grant.id))
        }
        Judged::Denied { denial, .. } => match &denial.rule {
            Some(rule) => format!("refused by {}: {}", by(rule), denial.reason),
            None => format!("refused: {}", denial.reason),
        },
    }
}

/// The epsilon of a question that is permitted: as it offers it, or what its precision costs.
fn epsilon(query: &Query, judged: &Judged<'_>) -> Option<String> {
    let Judged::Permitted { granted, loss } = judged else { return None };
    match &query.price {
        Price::Epsilon(epsilon) => Some(epsilon.to_string()),
        Price::Precision { .. } => granted.epsilon_nano(loss).map(nano),
    }
}

/// Where a rule of a policy stands.
fn place(set: &PolicySet, rule: &str) -> Option<String> {
    let grant = set.grants.iter().find(|grant| grant.id == rule);
    let of_grant = grant.and_then(|grant| set.grant_place(grant, GrantPart::Id));
    let prohibition = set.prohibitions.iter().find(|prohibition| prohibition.id == rule);
    let of_prohibition = prohibition.and_then(|found| set.prohibition_place(found)).map(|(id, _)| id);
    of_grant.or(of_prohibition).map(|place| spot(Some(place)))
}

fn side(set: &PolicySet, query: &Query, judged: &Judged<'_>) -> Value {
    let (decision, code, rule) = match judged {
        Judged::Permitted { granted, .. } => ("permitted", None, Some(&granted.grant.id)),
        Judged::Unplanned { granted, refusal } => {
            ("not-answerable", Some(refusal.code()), Some(&granted.grant.id))
        }
        Judged::Denied { denial, .. } => ("refused", Some(denial.code().as_str()), denial.rule.as_ref()),
    };
    json!({
        "decision": decision,
        "code": code,
        "rule": rule,
        "place": rule.and_then(|rule| place(set, rule)),
        "epsilon": epsilon(query, judged),
    })
}

fn askers(changed: &[&Changed<'_>]) -> String {
    let all = Replay::askers(changed);
    // The region is that of all.
    let own = all.iter().take(NAMED_MOST).map(|who| foreign(who.splitn(4, '/').nth(3).unwrap_or(who)));
    let mut named: Vec<String> = own.collect();
    if let Some(more) = all.len().checked_sub(NAMED_MOST).filter(|more| *more > 0) {
        named.push(format!("{} more", thousands(more)));
    }
    named.join(", ")
}

fn such_as(changed: &Changed<'_>) -> String {
    let Changed { entry, query, replayed, .. } = changed;
    let came = match entry.reason.as_str() {
        "" => entry.decision.clone(),
        reason => format!("{} ({reason})", entry.decision),
    };
    let purpose = match entry.purpose.as_str() {
        "" => String::new(),
        purpose => format!(" for {}", foreign(purpose)),
    };
    let costs = match (epsilon(query, &replayed.before), epsilon(query, &replayed.now)) {
        (Some(before), Some(now)) if before != now => format!(", at epsilon {before} before and {now} now"),
        _ => String::new(),
    };
    let head = format!("such as record {}, {}{purpose}, {came}{costs}:", entry.sequence, moment(entry.at));
    let lines = query.to_string();
    let lines = lines.lines().skip(1).map(|line| wrapped(&foreign(line), "      ") + "\n");
    format!("{}\n{}", wrapped(&head, "    "), lines.collect::<String>())
}

/// A Unix time in minutes (UTC): `2026-11-30 08:12`.
fn moment(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at).ok();
    let time =
        time.and_then(|time| time.format(format_description!("[year]-[month]-[day] [hour]:[minute]")).ok());
    time.unwrap_or_else(|| at.to_string())
}

fn thousands(count: usize) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}
