//! A grant, from its table in a policy file: every part is held against what is declared, whatever became of the others.

use std::str::FromStr;

use lango_document::DiagnosticCode;
use lango_privacy::{Dataset, Measure, Name, ShownIf};
use toml::Spanned;

use crate::{
    agreement::{Agreement, AgreementError},
    check::Draft,
    file::{GrantTable, Publish, Quantity, ShownIfTable},
    grant::{Grant, GrantPlaces, Review, Validity},
    within::{In, each},
};

impl Draft {
    pub(crate) fn grant(&mut self, at: &In<'_>, written: &Spanned<GrantTable>) {
        if let Some((grant, places)) = self.read_grant(at, written) {
            self.rule_names.insert(grant.id.clone());
            self.set.grants.push(grant);
            self.set.places.push(places);
        }
    }

    fn read_grant(&mut self, at: &In<'_>, written: &Spanned<GrantTable>) -> Option<(Grant, GrantPlaces)> {
        let table = written.get_ref();
        let id = table.id.as_ref().and_then(|id| at.rule_name("grant", id, &self.rule_names));
        let to = table.to.as_ref().and_then(|to| each(to.get_ref().iter().map(|to| at.principal(to))));
        let empty = |list: &Spanned<Vec<String>>| list.get_ref().is_empty();
        let nobody = table.to.as_ref().filter(|to| to.get_ref().is_empty()).map(Spanned::span);
        if let Some(span) =
            nobody.or(table.purpose.as_ref().filter(|purpose| empty(purpose)).map(Spanned::span))
        {
            let words = (
                "the grant names no principal or no purpose: it would allow nothing",
                "name one, or take the grant out",
            );
            at.reader.refuse::<()>(DiagnosticCode::GrantsNothing, span, words);
        }
        if let Some(publish) = table.publish.as_ref().filter(|publish| *publish.get_ref() == Publish::Region)
        {
            let words =
                ("`publish = \"region\"` is not supported by this version", "write `publish = \"office\"`");
            at.refuse::<(), _>(DiagnosticCode::Publication, publish, words);
        }
        let valid = table.valid.as_ref().and_then(|valid| match valid {
            Some(written) => validity(at, written).map(Some),
            None => Some(None),
        });
        let agreement = table.agreement.as_ref().and_then(|agreement| match agreement {
            Some(written) => named(at, written).map(Some),
            None => Some(None),
        });
        let per_query = table.epsilon_per_query.as_ref().and_then(|epsilon| at.epsilon(epsilon));
        let total = table.epsilon_total.as_ref().and_then(|epsilon| at.epsilon(epsilon));
        let dataset = table.dataset.as_ref().and_then(|name| self.known_dataset(at, name))?;
        self.affordable(at, table, &dataset.name, total);
        let delta = self.delta(at, table, &dataset.name);
        let review = review(at, table);
        let shown_if = shown_if(at, table);
        let wrong = self.wrong_columns.get(&dataset.name);
        let is_wrong =
            |name: &str| wrong.is_some_and(|wrong| wrong.iter().any(|of| of.eq_ignore_ascii_case(name)));
        let column = |name: &Spanned<String>| {
            let known = || dataset.columns.keys();
            let found = known().find(|known| known.as_str() == name.get_ref()).cloned();
            let excused = is_wrong(name.get_ref());
            found.or_else(|| match excused {
                true => None,
                false => {
                    let others = wrong.into_iter().flatten().map(String::as_str);
                    at.unknown("column", name.span(), name.get_ref(), known().map(Name::as_str).chain(others))
                }
            })
        };
        let by = table.by.as_ref().and_then(|by| {
            each(by.get_ref().iter().map(|name| {
                let found = column(name)?;
                let keyless = dataset.columns.get(&found).is_some_and(|of| of.domain.keyset().is_none());
                if keyless {
                    let message =
                        format!("column `{found}` has no keys to group by: it is an `amount`, or `open`");
                    let help = "take it out of `by`; conditions on it go into `where`";
                    return at.refuse(DiagnosticCode::NoKeys, name, (message, help));
                }
                Some(found)
            }))
        });
        let filters = table.filters.as_ref().and_then(|filters| match filters {
            Some(names) => each(names.get_ref().iter().map(column)),
            None => Some(Vec::new()),
        });
        let without_unit = self.without_unit.contains(&dataset.name);
        let measures = table.measures.as_ref().and_then(|measures| {
            each(measures.get_ref().iter().map(|text| {
                let measure = measure(at, text)?;
                let excused = measure.column().is_some_and(|column| is_wrong(column.as_str()))
                    || (without_unit && matches!(measure, Measure::Units(_)));
                if excused {
                    return None;
                }
                admitted(at, &dataset, text, measure, delta)
            }))
        });
        let grant = Grant {
            id: id?,
            to: to?,
            purposes: at.purposes(table.purpose.as_ref()?.get_ref()),
            measures: measures?,
            by: by?,
            by_at_most: *table.by_at_most.as_ref()?.get_ref(),
            filters: filters?,
            epsilon_per_query_nano: per_query?,
            epsilon_total_nano: total?,
            delta_per_query_e18: delta?,
            review: review?,
            shown_if: shown_if?,
            valid: valid?,
            agreement: agreement?,
            dataset: dataset.name,
        };
        let place = |span| at.reader.place(span);
        let places = GrantPlaces {
            id: place(table.id.as_ref()?.span()),
            to: place(table.to.as_ref()?.span()),
            principals: table.to.as_ref()?.get_ref().iter().map(|to| place(to.span())).collect(),
            purpose: place(table.purpose.as_ref()?.span()),
            measures: place(table.measures.as_ref()?.span()),
            by: place(table.by.as_ref()?.span()),
            filters: table.filters.iter().flatten().next().map(|filters| place(filters.span())),
            by_at_most: place(table.by_at_most.as_ref()?.span()),
            epsilon_per_query: place(table.epsilon_per_query.as_ref()?.span()),
            epsilon_total: place(table.epsilon_total.as_ref()?.span()),
            valid: table.valid.iter().flatten().next().map(|valid| place(valid.span())),
            agreement: table.agreement.iter().flatten().next().map(|agreement| place(agreement.span())),
        };
        Some((grant, places))
    }

    pub(crate) fn known_dataset(&self, at: &In<'_>, name: &Spanned<String>) -> Option<Dataset> {
        if self.wrong_datasets.contains(name.get_ref()) {
            return None;
        }
        let known = || self.set.datasets.iter();
        let found = known().find(|(known, _)| known.as_str() == name.get_ref());
        match found {
            Some((_, dataset)) => Some(dataset.clone()),
            None => {
                at.unknown("dataset", name.span(), name.get_ref(), known().map(|(known, _)| known.as_str()))
            }
        }
    }

    /// Keeps that a grant's dataset has no budget, or a smaller one.
    fn affordable(&mut self, at: &In<'_>, table: &GrantTable, dataset: &Name, total: Option<u64>) {
        if self.without_budget.contains(dataset) {
            return;
        }
        let pool = self.set.pool(dataset).map_or(dataset, |pool| &pool.name).clone();
        match (self.set.budget(dataset), total, &table.dataset) {
            (None, _, Some(name)) if !at.reader.findings.is_lost(pool.as_str()) => {
                let message = format!("dataset `{dataset}` has no budget");
                at.refuse::<(), _>(
                    DiagnosticCode::NoBudget,
                    name,
                    (message, format!("add `[budget.{pool}]`")),
                );
                self.without_budget.insert(dataset.clone());
            }
            (Some(budget), Some(total), _) if total > budget.epsilon_nano => {
                let most = lango_privacy::nano(budget.epsilon_nano);
                let message = format!("`epsilon_total` is above the budget of `{dataset}`");
                let words =
                    (message, format!("write at most {most}, or raise `epsilon` of `[budget.{pool}]`"));
                if let Some(written) = &table.epsilon_total {
                    at.refuse::<(), _>(DiagnosticCode::AboveBudget, written, words);
                }
            }
            (None | Some(_), ..) => {}
        }
    }

    fn delta(&self, at: &In<'_>, table: &GrantTable, dataset: &Name) -> Option<u64> {
        let delta = table.delta_per_query.as_ref()?.as_ref();
        at.delta_per_query(delta, self.set.budget(dataset).map(|budget| &budget.account))
    }
}

/// What of the grant's questions the office reviews: all, those above a price, or none; and their answers.
fn review(at: &In<'_>, table: &GrantTable) -> Option<Review> {
    let above_nano = match (table.review.as_ref()?, table.review_above.as_ref()?) {
        (None, None) => None,
        (Some(_), None) => Some(0),
        (None, Some(above)) => Some(at.epsilon(above)?),
        (Some(_), Some(above)) => {
            let words = (
                "`review = \"required\"` is for questions at every price",
                "take out this line, or `review`",
            );
            return at.refuse(DiagnosticCode::Contradiction, above, words);
        }
    };
    Some(Review { above_nano, hold: table.hold?.unwrap_or(false) })
}

/// Which figures the grant shows; all, where it says nothing. Every measure that it grants can be judged by it.
fn shown_if(at: &In<'_>, table: &GrantTable) -> Option<Option<ShownIf>> {
    let Some(written) = table.shown_if.as_ref()? else { return Some(None) };
    let ShownIfTable { count, relative_error } = written.get_ref();
    let (count, relative_error) = (count.as_ref()?.as_ref(), relative_error.as_ref()?.as_ref());
    let nano = |written: &Spanned<Quantity>| {
        let nano = written.get_ref().0.scaled(9).and_then(|nano| u64::try_from(nano).ok());
        nano.filter(|nano| *nano > 0).or_else(|| {
            let message = "a relative error is above 0 and no finer than a billionth";
            at.refuse(DiagnosticCode::ShownIf, written, (message, "write a share of the figure: 0.3 is 30 %"))
        })
    };
    let relative_error_nano = relative_error.map(|written| nano(written).ok_or(())).transpose().ok()?;
    if let Some(none) = count.filter(|count| *count.get_ref() == 0) {
        let words = ("every figure is made of 0 or more", "write the least count, or take the key out");
        return at.refuse(DiagnosticCode::ShownIf, none, words);
    }
    let rule = ShownIf::new(count.map(|count| *count.get_ref()), relative_error_nano).or_else(|| {
        let words = (
            "`shown_if` names no rule",
            "write `shown_if = { count = 20 }`, `{ relative_error = 0.3 }`, or both",
        );
        at.refuse(DiagnosticCode::ShownIf, written, words)
    })?;
    let mut judged = true;
    for text in table.measures.iter().flat_map(|measures| measures.get_ref()) {
        let (key, why) = match Measure::from_str(text.get_ref()) {
            Ok(Measure::Sum(_)) if rule.count().is_some() => ("count", "a sum has no count of its own"),
            Ok(Measure::Quantile(..)) if rule.count().is_some() => {
                ("count", "a quantile has no count of its own")
            }
            Ok(Measure::Quantile(..)) => ("relative_error", "a chosen quantile has no standard error"),
            Ok(_) | Err(_) => continue,
        };
        let message = format!("`shown_if.{key}` cannot judge `{}`: {why}", text.get_ref());
        let help = format!("grant it in a rule of its own, without `{key}`");
        at.refuse::<(), _>(DiagnosticCode::ShownIf, text, (message, help));
        judged = false;
    }
    judged.then_some(Some(rule))
}

fn validity(at: &In<'_>, written: &Spanned<crate::file::ValidTable>) -> Option<Validity> {
    let (from, until) = (written.get_ref().from.0, written.get_ref().until.0);
    if from > until {
        return at.refuse(
            DiagnosticCode::DaysReversed,
            written,
            ("`valid` ends before it begins", "exchange the two days"),
        );
    }
    Some(Validity { from, until })
}

/// The agreement that a grant cites.
fn named(at: &In<'_>, written: &Spanned<String>) -> Option<Agreement> {
    let refused = |error: AgreementError| {
        let help = "write how the office finds it, such as `agreement = \"MoU-2026-14\"`";
        at.refuse(DiagnosticCode::NotAName, written, (error.to_string(), help))
    };
    written.get_ref().parse().map_or_else(refused, Some)
}

fn measure(at: &In<'_>, text: &Spanned<String>) -> Option<Measure> {
    let refused =
        |error: lango_privacy::MeasureError| at.refuse(DiagnosticCode::NoMeasure, text, error.to_string());
    Measure::from_str(text.get_ref()).map_or_else(refused, Some)
}

/// A measure that the dataset can answer: a grant of what can never be answered would promise nothing.
fn admitted(
    at: &In<'_>,
    dataset: &Dataset,
    text: &Spanned<String>,
    measure: Measure,
    delta: Option<u64>,
) -> Option<Measure> {
    let undeclared = measure.column().filter(|column| !dataset.columns.contains_key(*column));
    if let Some(column) = undeclared {
        let known = dataset.columns.keys().map(Name::as_str);
        return at.unknown("column", text.span(), column.as_str(), known);
    }
    if let Err(refusal) = dataset.admits(&measure) {
        return at.refuse(DiagnosticCode::NoMeasure, text, refusal.to_string());
    }
    if let (Measure::Keys(_), Some(0)) = (&measure, delta) {
        let words = (format!("`{measure}` spends delta"), "say how much with `delta_per_query`");
        return at.refuse(DiagnosticCode::Delta, text, words);
    }
    Some(measure)
}
