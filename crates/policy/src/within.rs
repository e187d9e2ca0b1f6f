//! A policy's document while it is read: errors at their places, and values out of their words.

use std::str::FromStr;

use lango_document::{Document, DocumentError, nearest};
use lango_principal::{PrincipalPattern, SpiffeError};
use lango_privacy::Accounting;
use toml::Spanned;

use crate::{
    budget::{Budget, Renewal},
    file::{self, AccountingWord, ColumnTable, File, Number, Points, Quantity, RenewsWord},
};

/// A document whose errors are being made, and the lists in the files beside it.
pub(crate) struct In<'a> {
    pub document: &'a Document,
    pub lists: &'a [&'a Document],
}

impl<'a> In<'a> {
    pub(crate) fn error<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> DocumentError {
        self.document.error(at.span().start, message)
    }

    /// The list of a file beside the policy.
    pub(crate) fn list<T>(&self, at: &Spanned<T>, name: &str) -> Result<&'a Document, DocumentError> {
        let found = self.lists.iter().find(|list| file_name(list) == name);
        found.copied().ok_or_else(|| {
            let near = meant(name, self.lists.iter().map(|list| file_name(list)));
            let message = format!("there is no file `{name}` beside the policy (a name that ends in `.csv`, without a folder){near}");
            self.error(at, message)
        })
    }

    /// As [`In::unknown`], of what is not declared but known.
    pub(crate) fn unknown_of<'n, T>(
        &self,
        what: &str,
        at: &Spanned<T>,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> DocumentError {
        self.error(at, format!("there is no {what} `{name}`{}", meant(name, known)))
    }

    pub(crate) fn unknown<'n, T>(
        &self,
        what: &str,
        at: &Spanned<T>,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> DocumentError {
        self.error(at, format!("{what} `{name}` is not declared{}", meant(name, known)))
    }

    /// Checks the version of the format; of the earlier one the error says what to write instead.
    pub(crate) fn version(&self, file: &File) -> Result<(), DocumentError> {
        match *file.policy.get_ref() {
            2 => Ok(()),
            1 => {
                let tables = file.dataset.iter().flat_map(|(dataset, table)| {
                    table.column.iter().filter_map(move |(name, column)| {
                        let written = scaled_down(column.get_ref())?;
                        Some(format!(
                            "`{} = {{ {written} }}` in `[dataset.{}.column]`",
                            name.get_ref(),
                            dataset.get_ref()
                        ))
                    })
                });
                let tables: Vec<String> = tables.collect();
                let edits = if tables.is_empty() {
                    "nothing else changes in this file".to_owned()
                } else {
                    format!("amounts are written in the column's own unit now: write {}", tables.join(", "))
                };
                let message = format!(
                    "this is the earlier format: write `policy = 2`; {edits}. Registers that `lango dataset import` made of \
                     amounts with decimals are imported again"
                );
                Err(self.error(&file.policy, message))
            }
            other => Err(self.error(&file.policy, format!("this version reads `policy = 2`, not {other}"))),
        }
    }

    pub(crate) fn parsed<T: FromStr>(&self, text: &Spanned<String>) -> Result<T, DocumentError>
    where
        T::Err: std::fmt::Display,
    {
        text.get_ref().parse().map_err(|error: T::Err| self.error(text, error.to_string()))
    }

    /// A principal of a grant, or all of a role.
    pub(crate) fn principal(&self, written: &Spanned<String>) -> Result<PrincipalPattern, DocumentError> {
        let text = written.get_ref();
        text.parse().map_err(|error: SpiffeError| {
            let example =
                "write `spiffe://REGION/analyst/NAME`, or `spiffe://REGION/analyst/*` for every analyst";
            self.error(written, format!("{error}: {example}"))
        })
    }

    pub(crate) fn epsilon(&self, epsilon: &Spanned<Quantity>) -> Result<u64, DocumentError> {
        let nano =
            epsilon.get_ref().0.scaled(9).and_then(|nano| u64::try_from(nano).ok()).filter(|nano| *nano > 0);
        nano.ok_or_else(|| self.error(epsilon, "an epsilon is above 0 and no finer than a billionth"))
    }

    pub(crate) fn delta_per_query(
        &self,
        delta: Option<&Spanned<Quantity>>,
        account: &Accounting,
    ) -> Result<u64, DocumentError> {
        let Some(delta) = delta else { return Ok(0) };
        let Accounting::Zcdp { delta_e18: most } = account else {
            return Err(self.error(
                delta,
                "`delta_per_query` needs `accounting = \"zcdp\"`: a pure account has no delta",
            ));
        };
        let units = delta.get_ref().0.scaled(18).and_then(|units| u64::try_from(units).ok());
        units.filter(|units| (1..=*most).contains(units)).ok_or_else(|| {
            self.error(delta, "`delta_per_query` is above 0 and at most the `delta` of the budget")
        })
    }

    pub(crate) fn budget(&self, table: &file::BudgetTable) -> Result<Budget, DocumentError> {
        let account = match (table.accounting.get_ref(), &table.delta) {
            (AccountingWord::Pure, None) => Accounting::Pure,
            (AccountingWord::Pure, Some(delta)) => {
                return Err(self.error(
                    delta,
                    "a pure account has no `delta`: remove it, or set `accounting = \"zcdp\"`",
                ));
            }
            (AccountingWord::Zcdp, None) => {
                return Err(self.error(&table.accounting, "a zCDP account needs a `delta`, such as 1e-6"));
            }
            (AccountingWord::Zcdp, Some(delta)) => {
                let units = delta.get_ref().0.scaled(18).and_then(|units| u64::try_from(units).ok());
                // Above a thousandth, delta says that one person in a thousand may be exposed outright.
                let units = units.filter(|units| (1..=1_000_000_000_000_000).contains(units));
                Accounting::Zcdp {
                    delta_e18: units
                        .ok_or_else(|| self.error(delta, "`delta` is above 0 and at most 0.001"))?,
                }
            }
        };
        let epsilon_nano = self.epsilon(&table.epsilon)?;
        account.amount_of(epsilon_nano).map_err(|error| self.error(&table.epsilon, error.to_string()))?;
        let renews = match table.renews {
            RenewsWord::Never => Renewal::Never,
            RenewsWord::Monthly => Renewal::Monthly,
            RenewsWord::Quarterly => Renewal::Quarterly,
            RenewsWord::Yearly => Renewal::Yearly,
        };
        Ok(Budget { account, epsilon_nano, renews })
    }
}

/// The known name that is most like one, as the end of a message; nothing where none is.
fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    nearest(name, known).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default()
}

fn file_name(document: &Document) -> &str {
    document.file.rsplit('/').next().unwrap_or_default()
}

/// What an amount of the earlier format, in units of its last decimal, is in its own unit; `None` where nothing changes.
fn scaled_down(table: &ColumnTable) -> Option<String> {
    let ([low, high], scale) =
        (table.amount.as_ref()?, table.scale.filter(|scale| (1..=18).contains(scale))?);
    let own = |number: &Number| {
        let units = number.0.as_str();
        let (sign, digits) = units.strip_prefix('-').map_or(("", units), |digits| ("-", digits));
        let digits = format!("{digits:0>width$}", width = scale as usize + 1);
        let (whole, part) = digits.split_at_checked(digits.len() - scale as usize).unwrap_or((&digits, ""));
        format!("{sign}{whole}.{part}")
    };
    let mut written = format!("amount = [{}, {}], scale = {scale}", own(low), own(high));
    if let Some(typical) = &table.typical {
        written += &format!(", typical = {}", own(typical));
    }
    for (key, points) in [("bins", &table.bins), ("candidates", &table.candidates)] {
        match points {
            Some(Points::Every(step)) => written += &format!(", {key} = {}", own(step)),
            Some(Points::Listed(points)) => {
                let points: Vec<String> = points.iter().map(own).collect();
                written += &format!(", {key} = [{}]", points.join(", "));
            }
            None => {}
        }
    }
    Some(written + ", ..")
}
