//! A declared column as the table stores it, and its text as SQL reads it: trimmed, the day alone where it is of days, NULL where
//! it is missing.

use std::collections::BTreeSet;

use lango_privacy::{Column, Domain, Name};

use super::{Binds, CatalogueTable, ColumnType, Dialect, OrderField};

/// A declared column of a table, of which an engine's expressions are made.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) dialect: &'a dyn Dialect,
    pub(super) table: &'a CatalogueTable,
    pub(super) name: &'a Name,
    pub(super) column: &'a Column,
}

impl Stored<'_> {
    /// What stands for it in an expression.
    pub(super) fn plain(&self) -> &str {
        self.table.plain(self.name)
    }

    /// How it is declared in the catalogue.
    pub(super) fn kind(&self) -> ColumnType {
        self.table.kind(self.name)
    }

    /// Its text as it stands.
    pub(super) fn text(&self) -> String {
        self.dialect.text(self.plain(), self.kind())
    }

    /// What is made of it, and the stand-in for a text that is too long to be read.
    pub(super) fn short(&self, made: String) -> String {
        self.table.short(self.dialect, self.name, made)
    }

    /// Its text without blanks around it, and the day alone where it is of days; as it is where it is missing.
    pub(super) fn normal_text(&self) -> String {
        self.normal_text_or(&self.dialect.too_long())
    }

    /// The same, and something else in place of a text that is too long to be read.
    fn normal_text_or(&self, long: &str) -> String {
        let text = self.text();
        let made = match (self.kind().is_text(), &self.column.domain) {
            (false, _) => return text,
            (true, Domain::Date { .. }) => self.dialect.day_of(&self.dialect.trimmed(&text)),
            (true, Domain::Codes(_) | Domain::Open | Domain::Integer { .. } | Domain::Amount { .. }) => {
                self.dialect.trimmed(&text)
            }
        };
        self.table.unless_long(self.dialect, self.name, made, long)
    }

    /// That its text is neither blank nor said to be missing; `None` where NULL alone is missing.
    pub(super) fn is_present(&self, binds: &mut Binds) -> Option<String> {
        let kind = self.kind();
        let not_blank = kind.is_text().then(|| {
            let not_blank = self.dialect.not_blank(self.plain(), kind);
            self.table.unless_long(self.dialect, self.name, not_blank, "TRUE")
        });
        let missing = self.missing_among(&self.normal_text(), binds);
        let conditions = not_blank.into_iter().chain(missing.map(|missing| format!("NOT ({missing})")));
        let conditions: Vec<String> = conditions.collect();
        (!conditions.is_empty()).then(|| conditions.join(" AND "))
    }

    /// Its text where there is any, else NULL.
    pub(super) fn present_text(&self, binds: &mut Binds) -> String {
        let OrderField { text, present } = self.field(&self.dialect.too_long(), binds);
        match present {
            Some(present) => format!("CASE WHEN {present} THEN {text} END"),
            None => text,
        }
    }

    /// Its text in the row order, where one that is too long to be read stands as `_O`.
    pub(super) fn ordered_text(&self, binds: &mut Binds) -> OrderField {
        self.field("'_O'", binds)
    }

    /// Its text, NULL by itself where that spares asking whether there is one.
    fn field(&self, long: &str, binds: &mut Binds) -> OrderField {
        let text = self.normal_text_or(long);
        let present = self.is_present(binds);
        match (self.stands_as_declared(binds), present) {
            (Some((plain, declared)), Some(present)) => OrderField {
                text: format!(
                    "CASE WHEN {declared} THEN {plain} ELSE CASE WHEN {present} THEN {text} END END"
                ),
                present: None,
            },
            (_, present) => OrderField { text, present },
        }
    }

    /// Its text as it stands, and that it is one of those that mean a code, which have no blanks around them and are never
    /// missing; `None` where that says nothing, or costs more than reading the text.
    fn stands_as_declared(&self, binds: &mut Binds) -> Option<(String, String)> {
        if !(matches!(self.kind(), ColumnType::Text { .. }) && matches!(self.column.domain, Domain::Codes(_)))
        {
            return None;
        }
        let plain = self.text();
        let texts: Vec<String> = self.column.texts().keys().map(|text| binds.text(text)).collect();
        self.dialect.is_among(&plain, &texts).map(|declared| (plain, declared))
    }

    /// That a trimmed text says that the value is missing; `None` where no text does.
    pub(super) fn missing_among(&self, text: &str, binds: &mut Binds) -> Option<String> {
        let missing = self.column.missing_texts();
        let folded = self.folded(text, missing.iter());
        let same = missing.iter().map(|missing| self.dialect.same(&folded, &binds.text(missing)));
        let same: Vec<String> = same.collect();
        (!same.is_empty()).then(|| same.join(" OR "))
    }

    /// A text as it is compared with others: in small letters where the case of letters does not matter.
    pub(super) fn folded<'b>(&self, text: &str, others: impl Iterator<Item = &'b String>) -> String {
        if !self.column.reading.ignores_case {
            return text.to_owned();
        }
        let letters: BTreeSet<char> =
            others.flat_map(|other| other.chars()).filter(char::is_ascii_lowercase).collect();
        self.dialect.folded(text, &letters.into_iter().collect::<String>())
    }
}
