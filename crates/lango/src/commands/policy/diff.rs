//! `lango policy diff`: what one policy permits and another does not, for reviews.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use clap::Args;
use lango_document::TextPlace;
use lango_policy::{
    Askers, Change, Comparison, Difference, Example, GrantPart, PolicyDiff, PolicySet, TermChange,
};
use lango_privacy::{Name, ShownIf, nano};
use serde_json::{Value, json};
use time::Date;

use super::{
    explain::TextFormat,
    loaded,
    open::in_period,
    quoted::{spot, wrapped},
};
use crate::{
    clock::today,
    failure::Failure,
    output::{self, listed},
};

#[derive(Debug, Args)]
pub struct PolicyCompare {
    /// The policy as it is: a folder with policy files, or one file.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The policy as it is to be.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

/// Two policies and what differs between them.
struct Compared {
    old: PolicySet,
    new: PolicySet,
    diff: PolicyDiff,
}

impl PolicyCompare {
    pub fn run(&self) -> Result<(), Failure> {
        let (old, new) = (loaded(&self.old)?, loaded(&self.new)?);
        if old.office != new.office {
            let words = format!(
                "the old policy is of office {}, the new one of {}: no gateway of one takes the other's",
                old.office, new.office
            );
            return Err(Failure::Failed(words));
        }
        let diff = old.diff(&new, today()?);
        let compared = Compared { old, new, diff };
        match self.format {
            TextFormat::Text => output::print(&compared.text())?,
            TextFormat::Json => output::print_json(&compared.json())?,
        }
        let PolicyDiff { differences, unfinished } = &compared.diff;
        match (differences.is_empty(), unfinished.is_empty()) {
            (true, true) => Ok(()),
            (_, true) => Err(Failure::Failed(format!("the policies differ: {}", compared.verdict()))),
            (_, false) => Err(Failure::Failed(format!("the policies may differ: {}", compared.verdict()))),
        }
    }
}

/// The most askers of a difference that are named.
const ASKERS_SHOWN: usize = 4;

impl Compared {
    /// How the policies compare, in the words of those who analyse policies.
    fn verdict(&self) -> String {
        if !self.diff.unfinished.is_empty() {
            return "not compared fully: treat them as incomparable".to_owned();
        }
        match self.diff.comparison() {
            Comparison::Equivalent if self.diff.differences.is_empty() => "equivalent".to_owned(),
            Comparison::Equivalent => {
                let terms = self.diff.differences.iter().flat_map(|difference| terms(&difference.change));
                format!("equivalent in what they permit, {}", all_of(terms))
            }
            Comparison::MorePermissive => "the new one is more permissive".to_owned(),
            Comparison::LessPermissive => "the new one is less permissive".to_owned(),
            Comparison::Incomparable => "incomparable".to_owned(),
        }
    }

    /// What was not compared fully, and why.
    fn unfinished(&self) -> Option<String> {
        let names: Vec<String> = self.diff.unfinished.iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| {
            format!(
                "The grants and refusals of {} overlap in more ways than are gone through: what is listed differs, and more may. \
                 Compare a policy with fewer grants, or with grants that name fewer columns and principals",
                listed(&names)
            )
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.verdict());
        text.extend(self.unfinished().map(|words| format!("\n{}\n", wrapped(&words, "  "))));
        let mut heading = String::new();
        for difference in &self.diff.differences {
            let head = match &difference.change {
                Change::Possible { .. } => "becomes possible".to_owned(),
                Change::Stopped { .. } => "stops".to_owned(),
                Change::OnOtherTerms { .. } => format!("is {}", all_of(terms(&difference.change))),
            };
            if head != heading {
                text += &format!("\n{head}\n");
                heading = head;
            }
            text += &format!("\n{}\n", wrapped(&self.sentence(difference), "  "));
            for who in askers(&difference.askers) {
                text += &format!("{}\n", wrapped(&who, "    "));
            }
            let Example { principal, purpose, on, query } = &difference.example;
            text += &format!("    such as, by {principal} for {purpose} on {on}:\n");
            for line in query.to_string().lines().skip(1) {
                text += &format!("      {line}\n");
            }
            text += &format!("{}\n", wrapped(&self.decisions(&difference.example), "    "));
        }
        text
    }

    /// What becomes of some questions.
    fn sentence(&self, difference: &Difference) -> String {
        let (dataset, what) = (&difference.dataset, difference.what.to_string());
        match &difference.change {
            Change::Possible { grant } => {
                format!("{dataset}: {what}, by grant `{grant}` ({})", place(&self.new, grant))
            }
            Change::Stopped { grant } => {
                format!("{dataset}: {what}, of grant `{grant}` ({})", place(&self.old, grant))
            }
            Change::OnOtherTerms { from, to, changes } => {
                let changes: Vec<String> =
                    changes.iter().map(|change| self.charged(*change, from, to, dataset)).collect();
                format!(
                    "{dataset}: questions under grant `{to}` ({}): {}",
                    place(&self.new, to),
                    changes.join("; ")
                )
            }
        }
    }

    fn charged(&self, change: TermChange, from: &str, to: &str, dataset: &Name) -> String {
        match change {
            TermChange::Grant => format!("the share of `{to}` is charged, and not that of `{from}`"),
            TermChange::Share { from_nano, to_nano } => {
                format!("the share of the grant is {}, and not {}", nano(to_nano), nano(from_nano))
            }
            TermChange::Delta => "a question for keys spends another delta".to_owned(),
            TermChange::Review { from, to } => {
                format!("the office reviews {to}, and not {from}")
            }
            TermChange::ShownIf { from, to } => {
                let rule = |rule: Option<ShownIf>| match rule {
                    None => "always".to_owned(),
                    Some(rule) => format!("if {}", rule.in_words()),
                };
                format!("a figure is shown {}, and not {}", rule(to), rule(from))
            }
            TermChange::Agreement => {
                let cited = |set: &PolicySet, id: &str| {
                    let grant = set.grants.iter().find(|grant| grant.id == id);
                    let agreement = grant.and_then(|grant| grant.agreement.as_ref());
                    agreement.map_or("none".to_owned(), |agreement| format!("`{agreement}`"))
                };
                format!("the agreement that is cited is {}, and not {}", cited(&self.new, to), cited(&self.old, from))
            }
            TermChange::Pool => {
                let name = |set: &PolicySet| set.pool(dataset).map(|pool| pool.name.to_string()).unwrap_or_default();
                format!("the pool `{}` is charged, and not `{}`", name(&self.new), name(&self.old))
            }
            TermChange::Budget => {
                let budget = |set: &PolicySet| {
                    let budget = set.budget(dataset);
                    budget.map(|budget| {
                        let (word, epsilon) = (budget.account.word(), nano(budget.epsilon_nano));
                        format!("{epsilon} {} ({word})", in_period(budget.renews))
                    })
                };
                let [new, old] = [&self.new, &self.old].map(|set| budget(set).unwrap_or_default());
                format!("the pool has epsilon {new}, and not {old}")
            }
            TermChange::AnswerGrid { from, to } => {
                let grid = |grid: Option<Duration>| match grid {
                    None => "when it is ready".to_owned(),
                    Some(step) => format!("on a grid of {} ms", step.as_millis()),
                };
                format!("an answer leaves {}, and not {}", grid(to), grid(from))
            }
            TermChange::Dataset => {
                "the dataset is declared otherwise, so stored answers may not be free, and errors may be others".to_owned()
            }
        }
    }

    /// What both policies say of an example.
    fn decisions(&self, example: &Example) -> String {
        let said = |set: &PolicySet| {
            let asked = lango_policy::AccessRequest {
                principal: &example.principal,
                purpose: Some(&example.purpose),
                on: Some(example.on),
                epsilon_nano: None,
            };
            match set.authorize(&asked, &example.query) {
                Ok(granted) => format!("permitted by `{}`", granted.grant.id),
                Err(denial) => format!("refused: {}", denial.reason),
            }
        };
        format!("before: {}; now: {}", said(&self.old), said(&self.new))
    }

    fn json(&self) -> Value {
        let one = |difference: &Difference| {
            let (change, grant, from) = match &difference.change {
                Change::Possible { grant } => ("possible", grant, None),
                Change::Stopped { grant } => ("stopped", grant, None),
                Change::OnOtherTerms { from, to, .. } => ("terms", to, Some(from)),
            };
            let Example { principal, purpose, on, query } = &difference.example;
            let askers = difference.askers.iter().map(|askers| {
                json!({
                    "principal": askers.who.to_string(),
                    "purpose": askers.purpose,
                    "from": bound(askers.days.from),
                    "until": bound(askers.days.until),
                })
            });
            json!({
                "change": change,
                "dataset": difference.dataset.as_str(),
                "grant": grant,
                "grant_before": from,
                "terms": terms(&difference.change).collect::<BTreeSet<_>>(),
                "sentence": self.sentence(difference),
                "askers": askers.collect::<Vec<_>>(),
                "example": {
                    "principal": principal.to_string(),
                    "purpose": purpose,
                    "on": on.to_string(),
                    "query": query.to_string(),
                },
            })
        };
        let comparison = match self.diff.comparison() {
            Comparison::Equivalent => "equivalent",
            Comparison::MorePermissive => "more-permissive",
            Comparison::LessPermissive => "less-permissive",
            Comparison::Incomparable => "incomparable",
        };
        let differences: Vec<Value> = self.diff.differences.iter().map(one).collect();
        let unfinished: Vec<&str> = self.diff.unfinished.iter().map(Name::as_str).collect();
        json!({ "comparison": comparison, "not_compared_fully": unfinished, "differences": differences })
    }
}

/// What is otherwise of questions that both policies permit, in words.
fn terms(change: &Change) -> impl Iterator<Item = &'static str> {
    let changes = match change {
        Change::Possible { .. } | Change::Stopped { .. } => &[][..],
        Change::OnOtherTerms { changes, .. } => changes.as_slice(),
    };
    changes.iter().map(|change| match change {
        TermChange::Grant
        | TermChange::Share { .. }
        | TermChange::Delta
        | TermChange::Pool
        | TermChange::Budget => "charged otherwise",
        TermChange::Review { .. } => "reviewed otherwise",
        TermChange::ShownIf { .. } => "shown otherwise",
        TermChange::Agreement => "asked under another agreement",
        TermChange::AnswerGrid { .. } => "answered on another grid of time",
        TermChange::Dataset => "answered from what is declared otherwise",
    })
}

/// Words in order, each once.
fn all_of(words: impl Iterator<Item = &'static str>) -> String {
    let words: BTreeSet<&str> = words.collect();
    listed(&words.into_iter().map(str::to_owned).collect::<Vec<_>>())
}

/// Who asks, in lines.
fn askers(askers: &[Askers]) -> Vec<String> {
    let one = |askers: &Askers| {
        let (from, until) = (bound(askers.days.from), bound(askers.days.until));
        let days = match (from, until) {
            (None, None) => String::new(),
            (Some(from), None) => format!(", from {from} on"),
            (None, Some(until)) => format!(", until {until}"),
            (Some(from), Some(until)) => format!(", from {from} to {until}"),
        };
        format!("{} for {}{days}", askers.who, askers.purpose)
    };
    let mut lines: Vec<String> = askers.iter().take(ASKERS_SHOWN).map(one).collect();
    let more = askers.len().saturating_sub(ASKERS_SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn bound(day: Date) -> Option<String> {
    (day != Date::MIN && day != Date::MAX).then(|| day.to_string())
}

fn place(set: &PolicySet, id: &str) -> String {
    let grant = set.grants.iter().find(|grant| grant.id == id);
    let place: Option<&TextPlace> = grant.and_then(|grant| set.grant_place(grant, GrantPart::Id));
    spot(place)
}
