//! What a column may hold, from its table in a policy file.

use std::{ops::Range, sync::Arc};

use lango_document::DiagnosticCode;
use lango_privacy::{Code, DatasetError, Domain, Grid, Span};
use toml::Spanned;

use super::CodeLists;
use crate::{
    file::{Bands, Codes, ColumnTable, Number, Points},
    lists,
    within::{In, each},
};

/// The built-in code list.
pub(super) const ALPHA_3: &str = "iso3166-1-alpha-3";

impl In<'_> {
    pub(super) fn domain(&self, at: &Spanned<ColumnTable>, lists: &CodeLists) -> Option<Domain> {
        let refused = |error: DatasetError| self.refused(at, &error);
        let ColumnTable { codes, integer, bands, amount, scale, currency, date, open, .. } = at.get_ref();
        let money = scale.is_some() || currency.is_some();
        let open = open.as_ref().map(|open| *open.get_ref());
        let domain = match (codes, integer, amount, date, open, bands) {
            (Some(codes), None, None, None, None, None) if !money => {
                Domain::code_list(self.codes(codes, lists)?)
            }
            (None, Some(integer), None, None, None, bands) if !money => {
                let [low, high] = *integer.get_ref();
                match bands.as_ref().map(|bands| (bands, bands.get_ref())) {
                    None => Domain::integer(low, high, 1),
                    Some((_, Bands::Width(width))) => Domain::integer(low, high, *width),
                    Some((_, Bands::Listed(begin))) => Domain::bands(low, high, begin.clone()),
                    Some((bands, Bands::Span(_))) => {
                        let message =
                            "`bands` of whole numbers is a width, or the list of where each band begins";
                        return self.refuse(DiagnosticCode::ColumnForm, bands, message);
                    }
                }
            }
            (None, None, Some(amount), None, None, None) => {
                let Some(scale) = scale.as_ref().filter(|scale| *scale.get_ref() <= 18) else {
                    let words =
                        ("an amount needs a `scale` of 0 to 18 decimals", "write `scale = 2` for cents");
                    return self.reader.refuse(
                        DiagnosticCode::ColumnForm,
                        scale.as_ref().map_or(amount.span(), Spanned::span),
                        words,
                    );
                };
                let ([low, high], scale) = (amount.get_ref(), *scale.get_ref());
                let (low, high) =
                    (self.units(amount.span(), low, scale), self.units(amount.span(), high, scale));
                Domain::amount(low?, high?, scale, currency.clone())
            }
            (None, None, None, Some(date), None, bands) if !money && !is_number_bands(bands.as_ref()) => {
                let by = match bands.as_ref().map(Spanned::get_ref) {
                    Some(Bands::Span(span)) => *span,
                    Some(Bands::Width(_) | Bands::Listed(_)) | None => Span::Day,
                };
                let [from, until] = date.get_ref().map(|day| day.0.to_string());
                Domain::date(from, until, by)
            }
            (None, None, None, None, Some(true), None) if !money => Ok(Domain::Open),
            _ => {
                let words = (
                    "a column is one of `codes`, `integer`, `amount`, `date` and `open`",
                    "write one of `codes = [..]`, `integer = [LOW, HIGH], bands = 5`, `amount = [LOW, HIGH], scale = 2`, \
                     `date = [FIRST, LAST], bands = \"month\"`, `open = true`",
                );
                return self.refuse(DiagnosticCode::ColumnForm, at, words);
            }
        };
        domain.map_err(refused).ok()
    }

    /// A number of the column's own unit, in units of `10^-scale`.
    pub(super) fn units(&self, at: Range<usize>, number: &Number, scale: u32) -> Option<i64> {
        let units = number.0.scaled(scale).and_then(|units| i64::try_from(units).ok());
        units.or_else(|| {
            let message = format!(
                "{} has more decimals than the column keeps ({scale}), or is past 63 bits in units of the last of them",
                number.0
            );
            self.reader.refuse(DiagnosticCode::Bounds, at, message)
        })
    }

    pub(super) fn grid(&self, points: &Spanned<Points>, scale: u32) -> Option<Grid> {
        let units = |number| self.units(points.span(), number, scale);
        Some(match points.get_ref() {
            Points::Every(step) => Grid::Every(units(step)?),
            Points::Listed(points) => {
                Grid::Listed(points.iter().map(units).collect::<Option<Vec<_>>>()?.into())
            }
        })
    }

    fn codes(&self, at: &Spanned<Codes>, declared: &CodeLists) -> Option<Arc<[Code]>> {
        match at.get_ref() {
            Codes::Listed(codes) => {
                let codes = each(codes.iter().map(|code| self.code(code.span(), code.get_ref())));
                codes.map(Arc::from)
            }
            // Of one that is wrong nothing more is said.
            Codes::Named(name) if declared.contains_key(name) => {
                declared.get(name)?.as_ref().map(|list| Arc::clone(&list.codes))
            }
            Codes::Named(name) if name == ALPHA_3 => lists::alpha_3().map(|code| code.parse().ok()).collect(),
            Codes::Named(name) if lists::written_as(name).is_some() => {
                let other = if name.ends_with('2') { "alpha-2" } else { "m49" };
                let help = format!("write `codes = \"{ALPHA_3}\", written_as = \"{other}\"`");
                self.refuse(DiagnosticCode::CodeList, at, ("all offices answer in alpha-3 codes", help))
            }
            Codes::Named(name) => {
                if self.reader.findings.is_lost(name) {
                    return None;
                }
                let message = format!("there is no code list `{name}`");
                let near =
                    lango_document::nearest(name, declared.keys().map(String::as_str).chain([ALPHA_3]));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "write `{ALPHA_3}`, list the codes: `codes = [\"F\", \"M\"]`, or declare `[code_list.{name}]`"
                    ),
                };
                self.refuse(DiagnosticCode::CodeList, at, (message, help))
            }
        }
    }
}

fn is_number_bands(bands: Option<&Spanned<Bands>>) -> bool {
    matches!(bands.map(Spanned::get_ref), Some(Bands::Width(_) | Bands::Listed(_)))
}
