//! `lango policy explain`: whether a question is permitted, by which lines, and what would have to change.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lango_document::TextPlace;
use lango_identity::SpiffeId;
use lango_policy::{
    AccessRequest, Denial, Grant, GrantPart, Granted, Judged, Objection, PolicySet, Prohibition, Verdict,
};
use lango_privacy::{Loss, PlanRefusal, Query, nano};
use lango_wire::Reviewed;
use serde_json::{Value, json};
use time::Date;

use super::{
    named, open,
    quoted::{lines, lines_json, quoted, spot, wrapped},
};
use crate::{
    analyst::question,
    clock::{day, today},
    failure::Failure,
    output::{self, counted, listed},
};

#[derive(Debug, Args)]
pub struct PolicyExplain {
    /// The folder with the policy files, or one of them; what the configuration names by default, else `policies`.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The gateway's configuration, which says where the policy files are.
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    config: Option<PathBuf>,
    /// Who asks: spiffe://REGION/analyst/NAME.
    #[arg(long, value_name = "URI")]
    principal: SpiffeId,
    /// A query file, as `lango query run` takes it. Without one, all that the principal may ask is explained.
    #[arg(long, value_name = "FILE")]
    query: Option<PathBuf>,
    /// What the answer is for, where the query file does not say it; official-statistics by default.
    #[arg(long, value_name = "PURPOSE", requires = "query")]
    purpose: Option<String>,
    /// The day (UTC) on which it is asked, such as 2026-12-31; today by default.
    #[arg(long, value_name = "DAY", value_parser = day)]
    on: Option<Date>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

/// How sentences are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// Sentences, for people.
    Text,
    /// Stable field names, for programs.
    Json,
}

impl PolicyExplain {
    pub fn run(&self) -> Result<(), Failure> {
        let set = named(self.folder.as_deref(), self.config.as_deref())?;
        let on = self.on.map_or_else(today, Ok)?;
        let Some(file) = &self.query else {
            let may_ask = open::MayAsk { set: &set, principal: &self.principal, on };
            return match self.format {
                TextFormat::Text => output::print(&may_ask.text()),
                TextFormat::Json => output::print_json(&may_ask.json()),
            };
        };
        let draft = question::read_file(file).map_err(|failure| Failure::Usage(failure.to_string()))?;
        let purpose = self.purpose.as_deref().or(draft.purpose.as_deref()).unwrap_or("official-statistics");
        let asked = AccessRequest {
            principal: &self.principal,
            purpose: Some(purpose),
            on: Some(on),
            epsilon_nano: None,
        };
        let explained = Explained::of(&set, &asked, &draft.query);
        match self.format {
            TextFormat::Text => output::print(&explained.text())?,
            TextFormat::Json => output::print_json(&explained.json())?,
        }
        match explained.decision {
            Decision::Permitted(..) => Ok(()),
            Decision::Unplanned(..) | Decision::Forbidden(_) | Decision::NotGranted { .. } => {
                Err(Failure::Failed("the question is refused".to_owned()))
            }
        }
    }
}

/// A question, and what a policy says of it.
struct Explained<'a> {
    set: &'a PolicySet,
    asked: AccessRequest<'a>,
    query: &'a Query,
    decision: Decision<'a>,
}

enum Decision<'a> {
    /// Permitted, at a loss.
    Permitted(Granted<'a>, Loss),
    /// Permitted, but no plan answers it.
    Unplanned(Granted<'a>, PlanRefusal),
    /// Refused by rules that win over every grant.
    Forbidden(Vec<&'a Prohibition>),
    /// Allowed by no grant.
    NotGranted {
        /// The stable word for it.
        code: &'static str,
        /// What is not granted.
        reason: String,
        /// Grants to the principal with what they do not allow, the one that came nearest first; where none is to the principal,
        /// those to others.
        grants: Vec<(&'a Grant, Vec<Objection<'a>>)>,
        /// Whether they are to others.
        to_others: bool,
    },
}

impl<'a> Explained<'a> {
    fn of(set: &'a PolicySet, asked: &AccessRequest<'a>, query: &'a Query) -> Self {
        let mut asked = *asked;
        let decision = match set.judge(&asked, query) {
            Judged::Permitted { granted, loss } => Decision::Permitted(granted, loss),
            Judged::Unplanned { granted, refusal } => Decision::Unplanned(granted, refusal),
            Judged::Denied { denial, epsilon_nano } => {
                asked.epsilon_nano = epsilon_nano;
                Self::denied(set, &asked, query, &denial)
            }
        };
        Self { set, asked, query, decision }
    }

    fn denied(
        set: &'a PolicySet,
        asked: &AccessRequest<'a>,
        query: &'a Query,
        denial: &Denial,
    ) -> Decision<'a> {
        let forbidding: Vec<_> = set.forbidding(asked, query).collect();
        if !forbidding.is_empty() {
            return Decision::Forbidden(forbidding);
        }
        let objections = |verdict: Verdict<'a, 'a>| (verdict.grant, verdict.objections().collect::<Vec<_>>());
        let mut grants: Vec<_> = set.explain(asked, query).map(objections).collect();
        // One that allows the price of a precision is not charged where another one allows the rest first.
        grants.retain(|(_, objections)| !objections.is_empty());
        grants.sort_by_key(|(grant, _)| denial.rule.as_ref() != Some(&grant.id));
        let to_others = grants.is_empty();
        if to_others {
            grants = set.explain_others(asked, query).map(objections).collect();
            grants.sort_by_key(|(_, objections)| objections.len());
        }
        let (code, reason) = (denial.code().as_str(), denial.reason.to_string());
        Decision::NotGranted { code, reason, grants, to_others }
    }

    fn place(&self, grant: &Grant, part: GrantPart) -> Option<&TextPlace> {
        self.set.grant_place(grant, part)
    }

    /// The lines of a grant that decide that it allows the question.
    fn deciding(&self, grant: &Grant) -> Vec<&TextPlace> {
        let conditions = !self.query.filters.is_empty();
        let parts = [
            GrantPart::Id,
            GrantPart::To,
            GrantPart::Purpose,
            GrantPart::Measures,
            GrantPart::By,
            GrantPart::ByAtMost,
            GrantPart::EpsilonPerQuery,
            GrantPart::EpsilonTotal,
            GrantPart::Valid,
            GrantPart::Agreement,
        ];
        let parts = parts.into_iter().chain(conditions.then_some(GrantPart::Where));
        parts.filter_map(|part| self.place(grant, part)).collect()
    }

    /// The lines of a grant that keep the question away.
    fn hindering(&self, grant: &Grant, objection: &Objection<'_>) -> Option<&TextPlace> {
        // A grant without `where` has conditions on its dimensions alone.
        self.place(grant, objection.part()).or_else(|| self.place(grant, GrantPart::By))
    }

    fn forbidding_lines(&self, prohibition: &Prohibition) -> Vec<&TextPlace> {
        let place = self.set.prohibition_place(prohibition);
        place.into_iter().flat_map(|(id, parts)| std::iter::once(id).chain(parts)).collect()
    }

    fn text(&self) -> String {
        match &self.decision {
            Decision::Permitted(granted, loss) => {
                let cost = granted.epsilon_nano(loss).map(nano).unwrap_or_default();
                let share = nano(granted.grant.epsilon_total_nano);
                let under = match &granted.grant.agreement {
                    Some(agreement) => format!(", under the agreement {agreement}"),
                    None => String::new(),
                };
                let reviewed = reviewed(granted, loss);
                let head = format!(
                    "permitted: grant `{}` allows all of it{under}. It costs epsilon {cost} of the {share} that the grant has \
                     {}, if as much is left there and in the pool of `{}`.{reviewed}",
                    granted.grant.id,
                    open::in_period(granted.budget.renews),
                    granted.pool.name
                );
                format!("{}\n\n{}", wrapped(&head, ""), quoted(self.deciding(granted.grant)))
            }
            Decision::Unplanned(granted, refusal) => {
                let head = format!(
                    "refused: grant `{}` allows it, but the dataset cannot answer it: {refusal}. Ask another question; no grant \
                     changes this.",
                    granted.grant.id
                );
                format!("{}\n\n{}", wrapped(&head, ""), quoted(self.deciding(granted.grant)))
            }
            Decision::Forbidden(rules) => {
                let mut text = String::new();
                for rule in rules {
                    let head = format!("forbidden: the refusal `{}` wins over every grant.", rule.id);
                    text += &format!("{}\n\n{}\n", wrapped(&head, ""), quoted(self.forbidding_lines(rule)));
                }
                let allows = self
                    .set
                    .explain(&self.asked, self.query)
                    .find(|verdict| verdict.objections().next().is_none());
                let rest = match allows {
                    Some(verdict) => {
                        format!("Without it, grant `{}` would allow the question.", verdict.grant.id)
                    }
                    None => "Without it, no grant would allow the question either.".to_owned(),
                };
                text + &wrapped(&rest, "")
            }
            Decision::NotGranted { reason, grants, to_others, .. } => {
                self.not_granted(reason, grants, *to_others)
            }
        }
    }

    fn not_granted(&self, reason: &str, grants: &[(&Grant, Vec<Objection<'_>>)], to_others: bool) -> String {
        let mut text = wrapped(&format!("not granted: {reason}."), "") + "\n";
        for (at, (grant, objections)) in grants.iter().take(GRANTS_SHOWN).enumerate() {
            let spot = spot(self.place(grant, GrantPart::Id));
            let head = match (at, to_others) {
                (_, true) => format!("grant `{}` ({spot}) is to others:", grant.id),
                (0, false) => format!("grant `{}` ({spot}) came nearest:", grant.id),
                (_, false) => format!("grant `{}` ({spot}):", grant.id),
            };
            text += &format!("\n{}\n", wrapped(&head, ""));
            if to_others {
                text += &lines(self.place(grant, GrantPart::To));
                text += &change(&format!("add {:?} to `to`", self.asked.principal.to_string()));
            }
            for objection in objections {
                if to_others {
                    text += &wrapped(&format!("{}:", objection.reason()), "  ");
                    text.push('\n');
                } else if at > 0 || objections.len() > 1 {
                    text += &format!("{}\n", wrapped(&format!("{}:", objection.reason()), "  "));
                }
                text += &lines(self.hindering(grant, objection));
                text += &change(&remedy(grant, objection));
            }
        }
        if let Some(more) = grants.len().checked_sub(GRANTS_SHOWN).filter(|more| *more > 0) {
            text += &format!("\nand {} that allow it no more\n", counted(more, "grant"));
        }
        if grants.is_empty() && self.set.datasets.contains_key(&self.query.dataset) {
            text += "\nNo grant is on this dataset.\n";
        } else if grants.is_empty() {
            let names: Vec<String> = self.set.datasets.keys().map(ToString::to_string).collect();
            text += &format!("\nThe office has {}.\n", listed(&names));
        }
        text
    }

    fn json(&self) -> Value {
        let grant_json =
            |grant: &Grant| json!({ "id": grant.id, "place": spot(self.place(grant, GrantPart::Id)) });
        let (decision, code, message, rule, lines) = match &self.decision {
            Decision::Permitted(granted, _) => {
                let lines = lines_json(self.deciding(granted.grant));
                ("permitted", None, None, Some(&granted.grant.id), lines)
            }
            Decision::Unplanned(granted, refusal) => {
                let lines = lines_json(self.deciding(granted.grant));
                let message = Some(refusal.to_string());
                ("not-answerable", Some(refusal.code()), message, Some(&granted.grant.id), lines)
            }
            Decision::Forbidden(rules) => {
                let lines = lines_json(rules.iter().flat_map(|rule| self.forbidding_lines(rule)));
                let rule = rules.first().map(|rule| &rule.id);
                let message = rule.map(|rule| format!("the refusal `{rule}` wins over every grant"));
                ("forbidden", Some("forbidden"), message, rule, lines)
            }
            Decision::NotGranted { code, reason, grants, to_others } => {
                let nearest = grants.first().filter(|_| !to_others);
                let lines = nearest.into_iter().flat_map(|(grant, objections)| {
                    objections.iter().filter_map(|objection| self.hindering(grant, objection))
                });
                let rule = nearest.map(|(grant, _)| &grant.id);
                ("not-granted", Some(*code), Some(reason.clone()), rule, lines_json(lines))
            }
        };
        let agreement = match &self.decision {
            Decision::Permitted(granted, _) => granted.grant.agreement.as_ref().map(ToString::to_string),
            Decision::Unplanned(..) | Decision::Forbidden(_) | Decision::NotGranted { .. } => None,
        };
        let terms = match &self.decision {
            Decision::Permitted(granted, loss) => {
                let Reviewed { question, answer } = Reviewed::of(granted, loss);
                json!({
                    "question_reviewed": question,
                    "answer_reviewed": answer,
                    "shown_if": granted.grant.shown_if.map(|rule| rule.to_string()),
                })
            }
            Decision::Unplanned(..) | Decision::Forbidden(_) | Decision::NotGranted { .. } => Value::Null,
        };
        let changes: Vec<Value> = match &self.decision {
            Decision::NotGranted { grants, to_others, .. } => {
                let each = grants.iter().map(|(grant, objections)| {
                    let add = to_others.then(|| format!("add {:?} to `to`", self.asked.principal.to_string()));
                    let remedies = objections.iter().map(|objection| remedy(grant, objection));
                    json!({ "grant": grant_json(grant), "changes": add.into_iter().chain(remedies).collect::<Vec<_>>() })
                });
                each.collect()
            }
            Decision::Permitted(..) | Decision::Unplanned(..) | Decision::Forbidden(_) => Vec::new(),
        };
        json!({
            "principal": self.asked.principal.to_string(),
            "purpose": self.asked.purpose,
            "on": self.asked.on.map(|on| on.to_string()),
            "query": self.query.to_string(),
            "decision": decision,
            "code": code,
            "message": message,
            "rule": rule,
            "agreement": agreement,
            "terms": terms,
            "lines": lines,
            "nearest": changes,
        })
    }
}

/// The most grants that are explained.
const GRANTS_SHOWN: usize = 5;
/// What the office does beside: what it reviews at this price, and which figures it hides.
fn reviewed(granted: &Granted<'_>, loss: &Loss) -> String {
    let waits = Reviewed::of(granted, loss).in_words().map(|words| format!(" The office {words}."));
    let rule = granted.grant.shown_if;
    let hides = rule.map(|rule| format!(" A figure is shown if {}.", rule.in_words()));
    waits.into_iter().chain(hides).collect()
}

fn change(remedy: &str) -> String {
    wrapped(&format!("to permit it, {remedy}"), "    ") + "\n"
}

/// What would have to change in a grant for it to allow what it does not.
fn remedy(grant: &Grant, objection: &Objection<'_>) -> String {
    match objection {
        Objection::Purpose(purpose) => format!("add {purpose:?} to `purpose`"),
        Objection::Day(_) => "let `valid` hold this day".to_owned(),
        Objection::Measure(measure) => format!("add \"{measure}\" to `measures`"),
        Objection::Dimension(name) => format!("add \"{name}\" to `by`"),
        Objection::Filter(name) if grant.filters.is_empty() => format!("write `where = [\"{name}\"]`"),
        Objection::Filter(name) => format!("add \"{name}\" to `where`"),
        Objection::Dimensions { asked, .. } => {
            format!("write `by_at_most = {asked}`, or ask by fewer columns")
        }
        Objection::Epsilon { asked_nano, offered, granted_nano } => {
            let asked = asked_nano.map(nano).or(offered.map(ToString::to_string)).unwrap_or_default();
            let granted = nano(*granted_nano);
            format!("write `epsilon_per_query = {asked}`, or ask at epsilon {granted} or less")
        }
    }
}
