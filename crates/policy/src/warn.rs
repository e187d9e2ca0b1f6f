//! What is legal in a policy and unwise.

use std::collections::HashMap;

use lango_document::{Diagnostic, DiagnosticCode, TextPlace};
use lango_principal::{PrincipalPattern, Role};
use lango_privacy::{Dataset, Domain, Name, nano};
use time::Date;

use crate::{
    explain::covers,
    grant::{Grant, GrantPlaces},
    purpose,
    set::{DatasetPlaces, PolicySet},
};

/// Above this a question's answer may be e^5, about 150, times as likely with a person as without.
const EPSILON_PER_QUERY_WISE_NANO: u64 = 5_000_000_000;
/// Above this a period's answers together protect hardly anybody.
const EPSILON_POOL_WISE_NANO: u64 = 20_000_000_000;
/// The greatest whole number of 32 bits: who writes it, or more, copies a type and knows no bounds.
const WHOLE_WISE: u64 = i32::MAX as u64;
/// A million millions of a currency: no person's amount.
const AMOUNT_WISE: u64 = 1_000_000_000_000;

impl PolicySet {
    /// Everything that is legal and unwise, on a day and in a region where they are known.
    pub fn warnings(&self, today: Option<Date>, region: Option<&str>) -> Vec<Diagnostic> {
        let mut found = self.unwise.clone();
        for (grant, places) in self.grants.iter().zip(&self.places) {
            if let (Some(today), Some(valid), Some(place)) = (today, grant.valid, &places.valid)
                && valid.until < today
            {
                let message = format!("grant `{}` is over since {}", grant.id, valid.until);
                let help = "write a later day, or take the grant out";
                found.push(Diagnostic::warning(DiagnosticCode::GrantExpired, place.clone(), (message, help)));
            }
            misspelt(&format!("grant `{}`", grant.id), &grant.purposes, &places.purpose, &mut found);
            for (pattern, place) in grant.to.iter().zip(&places.principals) {
                if let Some((why, help)) = unreachable(pattern, region) {
                    let message = format!("grant `{}` is to `{pattern}`: {why}", grant.id);
                    let code = DiagnosticCode::GrantUnreachable;
                    found.push(Diagnostic::warning(code, place.clone(), (message, help)));
                }
            }
        }
        for (rule, places) in self.prohibitions.iter().zip(&self.prohibition_places) {
            misspelt(&format!("refusal `{}`", rule.id), &rule.purposes, &places.id, &mut found);
            for pattern in &rule.to {
                if let Some((why, help)) = unreachable(pattern, region) {
                    let message = format!("refusal `{}` refuses `{pattern}`: {why}", rule.id);
                    let code = DiagnosticCode::GrantUnreachable;
                    found.push(Diagnostic::warning(code, places.id.clone(), (message, help)));
                }
            }
        }
        found
    }

    /// What is unwise on every day and in every region.
    pub(crate) fn unwise(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (name, dataset) in &self.datasets {
            if let Some(places) = self.dataset_places.get(name) {
                self.dataset_unwise(dataset, places, &mut found);
            }
        }
        let mut earlier = Earlier::default();
        for (at, (grant, places)) in self.grants.iter().zip(&self.places).enumerate() {
            self.grant_unwise(grant, places, &mut found);
            if let Some(first) = earlier.shadow(grant) {
                let message =
                    format!("grant `{}` never decides: `{}` above allows all of it", grant.id, first.id);
                let help = "put the narrower grant first, or take it out";
                found.push(Diagnostic::warning(
                    DiagnosticCode::GrantShadowed,
                    places.id.clone(),
                    (message, help),
                ));
            }
            earlier.add(at, grant);
        }
        found
    }

    fn grant_unwise(&self, grant: &Grant, places: &GrantPlaces, found: &mut Vec<Diagnostic>) {
        let (per_query, total) = (grant.epsilon_per_query_nano, grant.epsilon_total_nano);
        let Some(budget) = self.budget(&grant.dataset) else { return };
        let [asked, all, pool] = [per_query, total, budget.epsilon_nano].map(nano);
        let warning = if per_query > total {
            let message = format!("a question may cost {asked}, and the grant has {all} in all");
            (
                DiagnosticCode::AboveTotal,
                message,
                format!("write at most {all}: a dearer one is always refused"),
            )
        } else if per_query >= budget.epsilon_nano && total <= budget.epsilon_nano {
            let message = format!("one question may spend the whole pool of `{}`, {pool}", grant.dataset);
            (
                DiagnosticCode::PoolInOne,
                message,
                "write less, so that there is something left for the next one".to_owned(),
            )
        } else if per_query > EPSILON_PER_QUERY_WISE_NANO {
            let message = format!("an epsilon of {asked} for one question protects hardly anybody");
            let help =
                "write 1 or less; above 5 an answer may be 150 times as likely with a person as without";
            (DiagnosticCode::WeakProtection, message, help.to_owned())
        } else if budget.epsilon_nano > EPSILON_POOL_WISE_NANO {
            let message = format!(
                "the pool of `{}` has an epsilon of {pool} in a period, which protects hardly anybody",
                grant.dataset
            );
            (DiagnosticCode::WeakProtection, message, "write 10 or less in the budget".to_owned())
        } else {
            return self.keyset_unwise(grant, places, found);
        };
        let (code, message, help) = warning;
        found.push(Diagnostic::warning(code, places.epsilon_per_query.clone(), (message, help)));
        self.keyset_unwise(grant, places, found);
    }

    /// Columns of more keys than the share can carry: were all of it spent on one table by them, the noise would be more than the
    /// rows.
    fn keyset_unwise(&self, grant: &Grant, places: &GrantPlaces, found: &mut Vec<Diagnostic>) {
        let Some((dataset, rows)) =
            self.datasets.get(&grant.dataset).and_then(|dataset| Some((dataset, dataset.rows_below?)))
        else {
            return;
        };
        for name in &grant.by {
            let keys =
                dataset.columns.get(name).and_then(|column| column.domain.key_count()).unwrap_or_default();
            let noise = f64::from(dataset.cells_at_most()) * 1e9 / grant.epsilon_total_nano as f64;
            if keys as f64 * noise > rows as f64 {
                let message = format!(
                    "`{name}` has {keys} keys, and the table has fewer than {rows} rows: even at {} the noise is more than the rows",
                    nano(grant.epsilon_total_nano)
                );
                let help = "group its values: wider `bands`, or a derived column";
                found.push(Diagnostic::warning(
                    DiagnosticCode::KeysetTooFine,
                    places.by.clone(),
                    (message, help),
                ));
            }
        }
    }

    fn dataset_unwise(&self, dataset: &Dataset, places: &DatasetPlaces, found: &mut Vec<Diagnostic>) {
        for (name, column) in &dataset.columns {
            let (is_wide, most) = match &column.domain {
                Domain::Integer { low, high, .. } => {
                    (low.unsigned_abs().max(high.unsigned_abs()) >= WHOLE_WISE, "2,147,483,647")
                }
                Domain::Amount { low, high, scale, .. } => {
                    let unit = 10_u64.checked_pow(*scale).unwrap_or(u64::MAX);
                    (low.unsigned_abs().max(high.unsigned_abs()) / unit >= AMOUNT_WISE, "a million millions")
                }
                Domain::Codes(_) | Domain::Date { .. } | Domain::Open => (false, ""),
            };
            if let Some(place) = places.columns.get(name).filter(|_| is_wide) {
                let message =
                    format!("the bounds of `{name}` reach {most}: those of a type, and not of its values");
                let help = "write the bounds of what people have: the noise of a sum grows with them";
                found.push(Diagnostic::warning(DiagnosticCode::WideBounds, place.clone(), (message, help)));
            }
            let is_unit = column.stored_name(name).eq_ignore_ascii_case(&dataset.unit.column);
            if let (Domain::Codes(codes), true, false, Some(unit)) =
                (&column.domain, is_unit, column.is_derived(), &places.unit)
            {
                let message = format!(
                    "the {} is identified by `{name}`, a column of {} codes: that protects codes, and nobody",
                    dataset.unit.noun,
                    codes.len()
                );
                let help = "name the column of identifiers, which is unique to each unit";
                found.push(Diagnostic::warning(
                    DiagnosticCode::UnitIsDimension,
                    unit.clone(),
                    (message, help),
                ));
            }
        }
    }
}

/// Warns of purposes that are misspelt.
fn misspelt(rule: &str, purposes: &[String], place: &TextPlace, found: &mut Vec<Diagnostic>) {
    for purpose in purposes {
        if let Some(meant) = purpose::meant(purpose) {
            let message = format!("purpose `{purpose}` of {rule} is no term of the vocabulary");
            let help = format!("did you mean `{meant}`? An office's own words may be any others");
            let code = DiagnosticCode::PurposeUnknown;
            found.push(Diagnostic::warning(code, place.clone(), (message, help)));
        }
    }
}

/// Why no question can come from those whom a pattern means, and what to do.
fn unreachable(pattern: &PrincipalPattern, region: Option<&str>) -> Option<(String, &'static str)> {
    match (region, pattern.role()) {
        (Some(region), _) if pattern.trust_domain() != region => {
            let why = format!("the gateway's region is `{region}`, and nobody of another one can ask");
            Some((why, "name analysts of the region, or take the line out"))
        }
        (_, Role::Analyst) => None,
        (_, role @ (Role::Office | Role::Coordinator | Role::Auditor | Role::Administrator)) => {
            let why = format!("only analysts ask questions, and no {role} does");
            Some((why, "write `/analyst/` in the place of the role, or take the line out"))
        }
    }
}

/// Grants by dataset and by those whom they are to, with their places.
#[derive(Default)]
struct Earlier<'a>(HashMap<(&'a Name, &'a PrincipalPattern), Vec<(usize, &'a Grant)>>);

impl<'a> Earlier<'a> {
    fn add(&mut self, at: usize, grant: &'a Grant) {
        for to in &grant.to {
            self.0.entry((&grant.dataset, to)).or_default().push((at, grant));
        }
    }

    /// The first that allows all that a grant does: all whom the grant is to are among those whom that one is to, and so is the
    /// first of them, by itself or with all of its role.
    fn shadow(&self, grant: &Grant) -> Option<&'a Grant> {
        let to = grant.to.first()?;
        let every = PrincipalPattern::Every { trust_domain: to.trust_domain().to_owned(), role: to.role() };
        let first = |to: &PrincipalPattern| {
            let earlier = self.0.get(&(&grant.dataset, to)).into_iter().flatten();
            earlier.copied().find(|(_, first)| shadows(first, grant))
        };
        first(to).into_iter().chain(first(&every)).min_by_key(|(at, _)| *at).map(|(_, first)| first)
    }
}

/// Whether every question that a grant allows is allowed by an earlier one.
fn shadows(first: &Grant, later: &Grant) -> bool {
    let to = |pattern: &PrincipalPattern| {
        first.to.iter().any(|other| match (other, pattern) {
            (PrincipalPattern::Every { trust_domain, role }, _) => {
                pattern.trust_domain() == trust_domain && pattern.role() == *role
            }
            (PrincipalPattern::One(other), PrincipalPattern::One(one)) => other == one,
            (PrincipalPattern::One(_), PrincipalPattern::Every { .. }) => false,
        })
    };
    let days = match (first.valid, later.valid) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(first), Some(later)) => first.from <= later.from && later.until <= first.until,
    };
    first.dataset == later.dataset
        && later.by_at_most <= first.by_at_most
        && later.epsilon_per_query_nano <= first.epsilon_per_query_nano
        && days
        && later.to.iter().all(to)
        && later.purposes.iter().all(|purpose| first.purposes.contains(purpose))
        && later.measures.iter().all(|measure| first.measures.iter().any(|granted| allows(granted, measure)))
        && later.by.iter().all(|name| first.by.contains(name))
        && later.filters.iter().all(|name| first.by.contains(name) || first.filters.contains(name))
}

/// Whether a granted measure allows all that another one allows: one that leaves the shares of a quantile open allows any.
fn allows(granted: &lango_privacy::Measure, other: &lango_privacy::Measure) -> bool {
    granted == other || (covers(granted, other) && !is_open(other))
}

fn is_open(measure: &lango_privacy::Measure) -> bool {
    matches!(measure, lango_privacy::Measure::Quantile(_, shares) if shares.is_empty())
}
