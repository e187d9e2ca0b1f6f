//! A policy's document while it is read: errors at their places, and values out of their words.

use std::str::FromStr;

use lango_document::{Document, DocumentError, nearest};
use lango_principal::{PrincipalPattern, SpiffeError};
use lango_privacy::Accounting;
use toml::Spanned;

use crate::{
    budget::{Budget, Renewal},
    file::{self, AccountingWord, Quantity, RenewsWord},
};

/// A document whose errors are being made.
pub(crate) struct In<'a>(pub &'a Document);

impl In<'_> {
    pub(crate) fn error<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> DocumentError {
        self.0.error(at.span().start, message)
    }

    pub(crate) fn unknown<'a, T>(
        &self,
        what: &str,
        at: &Spanned<T>,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> DocumentError {
        let meant =
            nearest(name, known).map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
        self.error(at, format!("{what} `{name}` is not declared{meant}"))
    }

    pub(crate) fn version(&self, version: &Spanned<u32>) -> Result<(), DocumentError> {
        if *version.get_ref() == 1 {
            Ok(())
        } else {
            Err(self.error(version, "this version reads `policy = 1` only"))
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
