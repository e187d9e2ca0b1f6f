//! A policy's document while it is read: mistakes at their places, and values out of their words.

use std::{collections::HashSet, ops::Range};

use lango_document::{DiagnosticCode, Document, Reader, Words, foreign_letter, nearest};
use lango_principal::{PrincipalPattern, SpiffeError};
use lango_privacy::{Accounting, Code, Name, NameError};
use toml::Spanned;

use crate::{
    budget::Budget,
    file::{AccountingWord, BudgetTable, ColumnTable, File, Number, Points, Quantity},
    purpose,
};

/// A document whose mistakes are being found, and the lists in the files beside it.
#[derive(Clone, Copy)]
pub(crate) struct In<'a> {
    pub reader: Reader<'a>,
    pub lists: &'a [&'a Document],
}

/// Every one of them, read whatever became of the others; nothing where one is wrong.
pub(crate) fn each<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = read.collect();
    read.into_iter().collect()
}

impl<'a> In<'a> {
    /// Keeps a mistake, and returns nothing.
    pub(crate) fn refuse<T, U>(
        &self,
        code: DiagnosticCode,
        at: &Spanned<U>,
        words: impl Into<Words>,
    ) -> Option<T> {
        self.reader.refuse(code, at.span(), words)
    }

    /// The list of a file beside the policy.
    pub(crate) fn list(&self, at: Range<usize>, name: &str) -> Option<In<'a>> {
        if let Some(list) = self.lists.iter().find(|list| file_name(list) == name) {
            return Some(In { reader: Reader::new(list, self.reader.findings), ..*self });
        }
        let is_path = name.contains(['/', '\\']) || name.starts_with('.');
        let help = match meant(name, self.lists.iter().map(|list| file_name(list))) {
            Some(near) => near,
            None if is_path => {
                "name a file beside the policy, without a folder, such as `sex.csv`".to_owned()
            }
            None if !name.ends_with(".csv") => {
                "name a file beside the policy that ends in `.csv`, or a list that is built in".to_owned()
            }
            None => "put it beside the policy, with the columns `value,code`".to_owned(),
        };
        let message = format!("there is no file `{name}` beside the policy");
        self.reader.refuse(DiagnosticCode::NoSuchFile, at, (message, help))
    }

    /// As [`In::unknown`], of what is not declared but known.
    pub(crate) fn unknown_of<'n, T>(
        &self,
        what: &str,
        at: Range<usize>,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Option<T> {
        let help = meant(name, known).unwrap_or_default();
        self.reader.refuse(DiagnosticCode::NotDeclared, at, (format!("there is no {what} `{name}`"), help))
    }

    /// Keeps that a column has no such code.
    pub(crate) fn lacks<'n, T>(
        &self,
        what: &str,
        at: Range<usize>,
        code: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Option<T> {
        let help = meant(code, known).unwrap_or_default();
        self.reader.refuse(DiagnosticCode::NotDeclared, at, (format!("{what} has no code `{code}`"), help))
    }

    /// Keeps that a name is not declared; not where its declaration may be in lines that cannot be read.
    pub(crate) fn unknown<'n, T>(
        &self,
        what: &str,
        at: Range<usize>,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Option<T> {
        if self.reader.findings.is_lost(name) {
            return None;
        }
        let help = meant(name, known).unwrap_or_default();
        self.reader.refuse(
            DiagnosticCode::NotDeclared,
            at,
            (format!("{what} `{name}` is not declared"), help),
        )
    }

    /// Checks the version of the format; of the earlier one the message says what to write instead.
    pub(crate) fn version(&self, file: &File) {
        let Some(version) = &file.policy else { return };
        let (message, help) = match *version.get_ref() {
            2 => return,
            1 => {
                let tables = file.dataset.iter().flat_map(|(dataset, table)| {
                    let columns = table.iter().flat_map(|table| table.column.iter().flatten());
                    columns.filter_map(move |(name, column)| {
                        let written = scaled_down(column.as_ref()?.get_ref())?;
                        let (name, dataset) = (name.get_ref(), dataset.get_ref());
                        Some(format!("`{name} = {{ {written} }}` in `[dataset.{dataset}.column]`"))
                    })
                });
                let tables: Vec<String> = tables.collect();
                let edits = if tables.is_empty() {
                    "nothing else changes in this file".to_owned()
                } else {
                    format!("amounts are written in the column's own unit now: write {}", tables.join(", "))
                };
                let help = format!(
                    "write `policy = 2`; {edits}. Registers that `lango dataset import` made of amounts with decimals are \
                     imported again"
                );
                ("this is the earlier format".to_owned(), help)
            }
            other => {
                (format!("this version reads `policy = 2`, not {other}"), "write `policy = 2`".to_owned())
            }
        };
        self.refuse::<(), _>(DiagnosticCode::FormatVersion, version, (message, help));
    }

    /// An office's code.
    pub(crate) fn office(&self, office: &Spanned<String>) -> Option<String> {
        let name = office.get_ref();
        if name.len() == 3 && name.bytes().all(|c| c.is_ascii_uppercase()) {
            return Some(name.clone());
        }
        let message = format!("office `{name}` is no ISO 3166-1 alpha-3 code");
        let help = "write the code of the country in the gateway's certificates, such as `GHA`";
        self.refuse(DiagnosticCode::Office, office, (message, help))
    }

    /// Purposes as they are compared.
    pub(crate) fn purposes(&self, written: &[String]) -> Vec<String> {
        written.iter().map(|purpose| purpose::short(purpose).to_owned()).collect()
    }

    /// The `id` of a rule: no other one has it.
    pub(crate) fn rule_name(
        &self,
        what: &str,
        id: &Spanned<String>,
        taken: &HashSet<String>,
    ) -> Option<String> {
        let name = id.get_ref();
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_graphic()) {
            let message = format!("a {what}'s `id` is printable ASCII without spaces");
            return self.refuse(DiagnosticCode::NotAName, id, message);
        }
        if taken.contains(name) {
            let message = format!("{what} `{name}` is declared twice");
            let help = format!("give each {what} an `id` of its own");
            return self.refuse(DiagnosticCode::DeclaredTwice, id, (message, help));
        }
        Some(name.clone())
    }

    /// A name as questions hold them.
    pub(crate) fn name(&self, text: &Spanned<String>) -> Option<Name> {
        let refused = |error: NameError| {
            let help = foreign_letter(text.get_ref()).unwrap_or_default();
            self.refuse(DiagnosticCode::NotAName, text, (error.to_string(), help))
        };
        text.get_ref().parse().map_or_else(refused, Some)
    }

    pub(crate) fn code(&self, at: Range<usize>, text: &str) -> Option<Code> {
        let refused = |error: NameError| {
            let help = "write a code, and what the register holds as `recode = { \"TEXT\" = \"CODE\" }`";
            self.reader.refuse(DiagnosticCode::NotAName, at, (error.to_string(), help))
        };
        text.parse().map_or_else(refused, Some)
    }

    /// A principal of a grant, or all of a role.
    pub(crate) fn principal(&self, written: &Spanned<String>) -> Option<PrincipalPattern> {
        let refused = |error: SpiffeError| {
            let help =
                "write `spiffe://REGION/analyst/NAME`, or `spiffe://REGION/analyst/*` for every analyst";
            self.refuse(DiagnosticCode::Principal, written, (error.to_string(), help))
        };
        written.get_ref().parse().map_or_else(refused, Some)
    }

    pub(crate) fn epsilon(&self, epsilon: &Spanned<Quantity>) -> Option<u64> {
        let nano =
            epsilon.get_ref().0.scaled(9).and_then(|nano| u64::try_from(nano).ok()).filter(|nano| *nano > 0);
        nano.or_else(|| {
            let message = "an epsilon is above 0 and no finer than a billionth";
            self.refuse(DiagnosticCode::Epsilon, epsilon, message)
        })
    }

    /// What a question that searches for keys spends of delta; `account` is the budget's, where it is known.
    pub(crate) fn delta_per_query(
        &self,
        delta: Option<&Spanned<Quantity>>,
        account: Option<&Accounting>,
    ) -> Option<u64> {
        let Some(delta) = delta else { return Some(0) };
        let Accounting::Zcdp { delta_e18: most } = account? else {
            let words = (
                "`delta_per_query` needs `accounting = \"zcdp\"`",
                "a pure account has no delta: take the line out",
            );
            return self.refuse(DiagnosticCode::Delta, delta, words);
        };
        let units = delta.get_ref().0.scaled(18).and_then(|units| u64::try_from(units).ok());
        units.filter(|units| (1..=*most).contains(units)).or_else(|| {
            let message = "`delta_per_query` is above 0 and at most the `delta` of the budget";
            self.refuse(DiagnosticCode::Delta, delta, message)
        })
    }

    pub(crate) fn budget(&self, table: &BudgetTable) -> Option<Budget> {
        let account = self.account(table);
        let epsilon_nano = table.epsilon.as_ref().and_then(|epsilon| self.epsilon(epsilon));
        let (account, epsilon_nano) = (account?, epsilon_nano?);
        if let Err(error) = account.amount_of(epsilon_nano) {
            return self.refuse(DiagnosticCode::Epsilon, table.epsilon.as_ref()?, error.to_string());
        }
        Some(Budget { account, epsilon_nano, renews: table.renews? })
    }

    fn account(&self, table: &BudgetTable) -> Option<Accounting> {
        let accounting = table.accounting.as_ref()?;
        match (accounting.get_ref(), table.delta.as_ref()?) {
            (AccountingWord::Pure, None) => Some(Accounting::Pure),
            (AccountingWord::Pure, Some(delta)) => {
                let words =
                    ("a pure account has no `delta`", "take the line out, or write `accounting = \"zcdp\"`");
                self.refuse(DiagnosticCode::Accounting, delta, words)
            }
            (AccountingWord::Zcdp, None) => {
                let words = ("a zCDP account needs a `delta`", "add `delta = 1e-6`");
                self.refuse(DiagnosticCode::Accounting, accounting, words)
            }
            (AccountingWord::Zcdp, Some(delta)) => {
                let units = delta.get_ref().0.scaled(18).and_then(|units| u64::try_from(units).ok());
                // Above a thousandth, delta says that one person in a thousand may be exposed outright.
                let units = units.filter(|units| (1..=1_000_000_000_000_000).contains(units));
                units.map(|delta_e18| Accounting::Zcdp { delta_e18 }).or_else(|| {
                    self.refuse(DiagnosticCode::Delta, delta, "`delta` is above 0 and at most 0.001")
                })
            }
        }
    }
}

/// The known name that is most like one, as a question; nothing where none is.
fn meant<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let meant = nearest(name, known).map(|meant| format!("did you mean `{meant}`?"));
    match (meant, foreign_letter(name)) {
        (Some(meant), Some(foreign)) => Some(format!("{meant} {foreign}")),
        (meant, foreign) => meant.or(foreign),
    }
}

fn file_name(document: &Document) -> &str {
    document.file.rsplit('/').next().unwrap_or_default()
}

/// What an amount of the earlier format, in units of its last decimal, is in its own unit; `None` where nothing changes.
fn scaled_down(table: &ColumnTable) -> Option<String> {
    let ([low, high], scale) = (table.amount.as_ref()?.get_ref(), *table.scale.as_ref()?.get_ref());
    if !(1..=18).contains(&scale) {
        return None;
    }
    let own = |number: &Number| {
        let units = number.0.as_str();
        let (sign, digits) = units.strip_prefix('-').map_or(("", units), |digits| ("-", digits));
        let digits = format!("{digits:0>width$}", width = scale as usize + 1);
        let (whole, part) = digits.split_at_checked(digits.len() - scale as usize).unwrap_or((&digits, ""));
        format!("{sign}{whole}.{part}")
    };
    let mut written = format!("amount = [{}, {}], scale = {scale}", own(low), own(high));
    if let Some(typical) = &table.typical {
        written += &format!(", typical = {}", own(typical.get_ref()));
    }
    for (key, points) in [("bins", &table.bins), ("candidates", &table.candidates)] {
        match points.as_ref().map(Spanned::get_ref) {
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
