//! All that a principal may ask of a policy, in plain sentences.

use std::collections::BTreeSet;

use lango_identity::SpiffeId;
use lango_policy::{Budget, Grant, GrantPart, OpenGrant, PolicySet, Prohibition, Renewal, Review};
use lango_privacy::{
    Accounting, Basis, Dataset, Decimal, Level, Margin, Measure, Name, Price, Query, compile, nano,
};
use lango_statistics::{Planned, foresee};
use serde_json::{Value, json};
use time::Date;

use super::quoted::{lines_json, spot, wrapped};
use crate::{
    analyst::prices,
    output::{counted, either, grouped, listed},
};

/// What is open to a principal on a day.
pub struct MayAsk<'a> {
    pub set: &'a PolicySet,
    pub principal: &'a SpiffeId,
    pub on: Date,
}

impl<'a> MayAsk<'a> {
    fn grants_on(&self, dataset: &Name) -> Vec<&'a Grant> {
        self.set.grants_to(self.principal).filter(|grant| grant.dataset == *dataset).collect()
    }

    pub fn text(&self) -> String {
        let grants = self.set.grants_to(self.principal);
        let left: Vec<bool> = grants.map(|grant| self.left_of(grant).is_some()).collect();
        let (office, principal) = (&self.set.office, self.principal);
        let head = match (left.len(), left.iter().filter(|is_left| **is_left).count()) {
            (0, _) => {
                let head = format!("No grant of office {office} is to {principal}: it may ask nothing.");
                return wrapped(&head, "");
            }
            (_, 0) => {
                format!(
                    "Refusals of office {office} forbid all that is granted to {principal}: it may ask nothing."
                )
            }
            (_, open) => format!("{principal} may ask office {office} under {}.", counted(open, "grant")),
        };
        let mut text = wrapped(&head, "") + "\n";
        for (name, dataset) in &self.set.datasets {
            let grants = self.grants_on(name);
            let (false, Some(budget)) = (grants.is_empty(), self.set.budget(name)) else { continue };
            text += &format!("\n{}\n", wrapped(&format!("{name}: {}", dataset.title), ""));
            for grant in grants {
                text += &self.grant_text(grant, dataset, budget);
            }
        }
        for (at, rule) in self.set.prohibitions_to(self.principal).enumerate() {
            if at == 0 {
                text += "\nRefused, whatever is granted:\n";
            }
            let place = self.set.prohibition_place(rule).map(|(id, _)| id);
            text += &format!("\n  {} ({})\n", rule.id, spot(place));
            text += &format!("{}\n", wrapped(&refused(rule), "    "));
        }
        text
    }

    /// What refusals leave of a grant.
    fn left_of(&self, grant: &'a Grant) -> Option<OpenGrant<'a>> {
        self.set.left_of(self.principal, grant)
    }

    fn grant_text(&self, grant: &'a Grant, dataset: &Dataset, budget: &Budget) -> String {
        let spot = spot(self.set.grant_place(grant, GrantPart::Id));
        let mut text = format!("\n  {} ({spot})\n", grant.id);
        for sentence in self.sentences(grant, dataset, budget) {
            text += &format!("{}\n", wrapped(&sentence, "    "));
        }
        text
    }

    fn sentences(&self, grant: &'a Grant, dataset: &Dataset, budget: &Budget) -> Vec<String> {
        let Some(open) = self.left_of(grant) else {
            return vec!["Nothing: what is refused below forbids all of it.".to_owned()];
        };
        let measures: Vec<String> = open.measures.iter().map(ToString::to_string).collect();
        let purposes: Vec<String> = open.purposes.iter().map(ToString::to_string).collect();
        let mut sentences = vec![format!("For {}: {}.", either(&purposes), listed(&measures)), by(&open)];
        if let Some(valid) = grant.valid {
            let today = match (self.on < valid.from, self.on > valid.until) {
                (true, _) => ": not yet",
                (_, true) => ": over",
                (false, false) => "",
            };
            sentences.push(format!("From {} to {}{today}.", valid.from, valid.until));
        }
        if let Some(agreement) = &grant.agreement {
            sentences.push(format!("Under the agreement {agreement}."));
        }
        let price = format!(
            "A question costs epsilon {} at most. All questions under this grant may cost {} {}, and everyone's {}: {}.",
            nano(grant.epsilon_per_query_nano),
            nano(grant.epsilon_total_nano),
            in_period(budget.renews),
            nano(budget.epsilon_nano),
            questions(grant, budget)
        );
        sentences.push(price);
        if grant.review != Review::default() {
            sentences.push(format!("The office reviews {}.", grant.review));
        }
        if let Some(rule) = grant.shown_if {
            sentences.push(format!("A figure is shown if {}.", rule.in_words()));
        }
        sentences.extend(precision(&open, dataset, &budget.account));
        sentences
    }

    pub fn json(&self) -> Value {
        let datasets = self.set.datasets.iter().filter_map(|(name, dataset)| {
            let (grants, budget) = (self.grants_on(name), self.set.budget(name)?);
            let grant_json = |grant: &&'a Grant| {
                let open = self.left_of(grant);
                let words =
                    |of: &dyn Fn(&OpenGrant<'a>) -> Vec<String>| open.as_ref().map(of).unwrap_or_default();
                json!({
                    "open": open.is_some(),
                    "id": grant.id,
                    "place": spot(self.set.grant_place(grant, GrantPart::Id)),
                    "purposes": words(&|open| strings(&open.purposes)),
                    "measures": words(&|open| strings(&open.measures)),
                    "by": words(&|open| strings(&open.by)),
                    "where": words(&|open| strings(&open.filters)),
                    "by_at_most": grant.by_at_most,
                    "from": grant.valid.map(|valid| valid.from.to_string()),
                    "until": grant.valid.map(|valid| valid.until.to_string()),
                    "agreement": grant.agreement.as_ref().map(ToString::to_string),
                    "shown_if": grant.shown_if.map(|rule| rule.to_string()),
                    "epsilon_per_query": nano(grant.epsilon_per_query_nano),
                    "epsilon_total": nano(grant.epsilon_total_nano),
                    "questions": budget.questions_of(grant, grant.epsilon_per_query_nano),
                    "sentences": self.sentences(grant, dataset, budget),
                })
            };
            let grants: Vec<Value> = grants.iter().map(grant_json).collect();
            (!grants.is_empty())
                .then(|| json!({ "name": name.as_str(), "title": dataset.title, "grants": grants }))
        });
        let refusals = self.set.prohibitions_to(self.principal).map(|rule| {
            let lines = self.set.prohibition_place(rule).map(|(_, parts)| lines_json(parts));
            json!({ "id": rule.id, "sentence": refused(rule), "lines": lines })
        });
        json!({
            "principal": self.principal.to_string(),
            "office": self.set.office,
            "on": self.on.to_string(),
            "datasets": datasets.collect::<Vec<_>>(),
            "refusals": refusals.collect::<Vec<_>>(),
        })
    }
}

/// By what a grant allows to group, and on what conditions may be.
fn by(open: &OpenGrant<'_>) -> String {
    let columns: BTreeSet<&Name> = open.by.iter().chain(&open.filters).copied().collect();
    let most = match open.grant.by_at_most as usize {
        most if most >= columns.len() => String::new(),
        most => format!("; {} at once at most, conditions included", counted(most, "column")),
    };
    let further: Vec<&Name> = open.filters.iter().filter(|name| !open.by.contains(name)).copied().collect();
    match (open.by.is_empty(), further.is_empty()) {
        (_, _) if open.grant.by_at_most == 0 => "In total alone.".to_owned(),
        (true, true) => "In total alone.".to_owned(),
        (true, false) => format!("In total, with conditions on {}{most}.", either(&strings(&further))),
        (false, true) => format!("By {}, in conditions too{most}.", either(&strings(&open.by))),
        (false, false) => format!(
            "By {}, in conditions too; conditions also on {}{most}.",
            either(&strings(&open.by)),
            either(&strings(&further))
        ),
    }
}

fn strings(of: &[impl ToString]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

/// What a prohibition refuses, in a sentence.
fn refused(rule: &Prohibition) -> String {
    let words = |names: Vec<String>| listed(&names);
    let mut parts = Vec::new();
    let columns: Vec<String> = rule.columns.iter().map(ToString::to_string).collect();
    match columns.as_slice() {
        [] => {}
        [one] => parts.push(format!("that use {one}")),
        _ => parts.push(format!("that use {} together", words(columns))),
    }
    for (column, codes) in &rule.codes {
        let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
        parts.push(format!("that show {} of {column}", either(&codes)));
    }
    if !rule.purposes.is_empty() {
        parts.push(format!("for {}", either(&rule.purposes)));
    }
    let of = rule.dataset.as_ref().map(|dataset| format!(" of {dataset}")).unwrap_or_default();
    format!(
        "All questions{of}{}.",
        if parts.is_empty() { String::new() } else { format!(" {}", parts.join(", ")) }
    )
}

/// How many questions there are in a period.
fn questions(grant: &Grant, budget: &Budget) -> String {
    let half = grant.epsilon_per_query_nano / 2;
    let at = |epsilon: u64| {
        let count = budget.questions_of(grant, epsilon)?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let noun = if count == 1 { "question" } else { "questions" };
        Some(format!("{} {noun} at {}", grouped(count), nano(epsilon)))
    };
    let counts: Vec<String> = [grant.epsilon_per_query_nano, half].into_iter().filter_map(at).collect();
    counts.join(", or ")
}

/// How precise each measure is at the highest price, as a total.
fn precision(open: &OpenGrant<'_>, dataset: &Dataset, account: &Accounting) -> Vec<String> {
    let grant = open.grant;
    let each = open.measures.iter().filter_map(|measure| {
        let measure: Measure = match measure {
            Measure::Quantile(column, shares) if shares.is_empty() => {
                Measure::Quantile(column.clone(), vec![Decimal::minimal("0.5")?])
            }
            Measure::Quantile(..) | Measure::Units(_) | Measure::Rows | Measure::RowsOf(_) => {
                (*measure).clone()
            }
            Measure::Sum(_) | Measure::Mean(_) | Measure::Share(_) => (*measure).clone(),
            Measure::Histogram(_) | Measure::Keys(_) => (*measure).clone(),
        };
        let query = Query {
            dataset: dataset.name.clone(),
            version: None,
            measures: [(measure.clone(), [Margin::default()].into())].into(),
            filters: Vec::new(),
            price: Price::Epsilon(Decimal::minimal(&nano(grant.epsilon_per_query_nano))?),
        };
        let basis =
            Basis { account, delta_e18: grant.delta_per_query_e18, terms_digest: [0; 32], released: &[] };
        let plan = compile(&query, dataset, &basis).ok()?;
        let planned = Planned { plan: &plan.text(), layout: &plan.layout };
        let foreseen = foresee(&[planned], Level::USUAL).into_iter().next().flatten()?;
        Some(format!("{measure} {}", prices::for_people(Some(&foreseen)).1))
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() {
        return Vec::new();
    }
    let price = nano(grant.epsilon_per_query_nano);
    vec![format!(
        "A question for one of them at {price} has in each cell, with 95 % confidence: {}.",
        each.join("; ")
    )]
}

/// How long an account lasts: `a year`.
pub fn in_period(renews: Renewal) -> &'static str {
    match renews {
        Renewal::Never => "for good",
        Renewal::Monthly => "a month",
        Renewal::Quarterly => "a quarter",
        Renewal::Yearly => "a year",
    }
}
