//! A prohibition, from its table in a policy file.

use std::collections::{BTreeMap, BTreeSet};

use lango_document::DiagnosticCode;
use lango_privacy::{Code, Domain, Name};
use toml::Spanned;

use crate::{
    check::Draft,
    file::RefusalTable,
    prohibition::{Prohibition, ProhibitionPlaces},
    within::{In, each},
};

impl Draft {
    pub(crate) fn prohibition(&mut self, at: &In<'_>, written: &Spanned<RefusalTable>) {
        if let Some((prohibition, places)) = self.read_prohibition(at, written) {
            self.rule_names.insert(prohibition.id.clone());
            self.set.prohibitions.push(prohibition);
            self.set.prohibition_places.push(places);
        }
    }

    fn read_prohibition(
        &self,
        at: &In<'_>,
        written: &Spanned<RefusalTable>,
    ) -> Option<(Prohibition, ProhibitionPlaces)> {
        let RefusalTable { id, to, purpose, dataset, columns, codes } = written.get_ref();
        let name = id.as_ref().and_then(|id| at.rule_name("refusal", id, &self.rule_names));
        for empty in [
            to.iter().flatten().find(|list| list.get_ref().is_empty()).map(Spanned::span),
            purpose.iter().flatten().find(|list| list.get_ref().is_empty()).map(Spanned::span),
            columns.iter().flatten().find(|list| list.get_ref().is_empty()).map(Spanned::span),
        ] {
            let words = (
                "an empty list refuses nothing",
                "name something, or take the key out: without it everything is meant",
            );
            empty.and_then(|span| at.reader.refuse::<()>(DiagnosticCode::RefusesNothing, span, words));
        }
        let patterns = to.as_ref().and_then(|to| match to {
            Some(to) => each(to.get_ref().iter().map(|to| at.principal(to))),
            None => Some(Vec::new()),
        });
        let of = dataset.as_ref().and_then(|dataset| match dataset {
            Some(name) => self.known_dataset(at, name).map(|dataset| Some(dataset.name)),
            None => Some(None),
        });
        let of = of?;
        let names = columns.as_ref().and_then(|columns| match columns {
            Some(names) => each(names.get_ref().iter().map(|name| self.column_of(at, of.as_ref(), name))),
            None => Some(Vec::new()),
        });
        let shown = codes.as_ref().and_then(|codes| match codes {
            Some(codes) => self.codes(at, of.as_ref(), codes.get_ref()),
            None => Some(BTreeMap::new()),
        });
        let place = |span| at.reader.place(span);
        let parts = [
            to.iter().flatten().next().map(Spanned::span),
            purpose.iter().flatten().next().map(Spanned::span),
            dataset.iter().flatten().next().map(Spanned::span),
            columns.iter().flatten().next().map(Spanned::span),
            codes.iter().flatten().next().map(Spanned::span),
        ];
        let places = ProhibitionPlaces {
            id: place(id.as_ref()?.span()),
            parts: parts.into_iter().flatten().map(place).collect(),
        };
        let prohibition = Prohibition {
            id: name?,
            to: patterns?,
            purposes: purpose
                .as_ref()?
                .as_ref()
                .map(|written| at.purposes(written.get_ref()))
                .unwrap_or_default(),
            dataset: of,
            columns: names?.into_iter().collect(),
            codes: shown?,
        };
        Some((prohibition, places))
    }

    /// A column of the dataset, or where none is named, of any.
    fn column_of(&self, at: &In<'_>, of: Option<&Name>, name: &Spanned<String>) -> Option<Name> {
        let datasets =
            || self.set.datasets.values().filter(move |dataset| of.is_none_or(|of| *of == dataset.name));
        let known = || datasets().flat_map(|dataset| dataset.columns.keys());
        if let Some(found) = known().find(|known| known.as_str() == name.get_ref()) {
            return Some(found.clone());
        }
        let mut wrong = datasets().filter_map(|dataset| self.wrong_columns.get(&dataset.name)).flatten();
        if wrong.any(|wrong| wrong.eq_ignore_ascii_case(name.get_ref())) || !self.wrong_datasets.is_empty() {
            return None;
        }
        at.unknown("column", name.span(), name.get_ref(), known().map(Name::as_str))
    }

    fn codes(
        &self,
        at: &In<'_>,
        of: Option<&Name>,
        written: &BTreeMap<Spanned<String>, Option<Vec<Spanned<String>>>>,
    ) -> Option<BTreeMap<Name, BTreeSet<Code>>> {
        let read = written.iter().map(|(name, codes)| {
            let column = self.column_of(at, of, name)?;
            let codes = codes.as_ref()?;
            if codes.is_empty() {
                let words = ("an empty list of codes refuses nothing", "name a code, or take the line out");
                return at.refuse(DiagnosticCode::RefusesNothing, name, words);
            }
            let datasets =
                self.set.datasets.values().filter(|dataset| of.is_none_or(|of| *of == dataset.name));
            let domains = datasets.filter_map(|dataset| Some(&dataset.columns.get(&column)?.domain));
            let listed = domains.filter(|domain| matches!(domain, Domain::Codes(_)));
            let keysets: Vec<_> = listed.filter_map(Domain::keyset).collect();
            if keysets.is_empty() {
                let message = format!("column `{column}` is not one of `codes`: it has none to refuse");
                let help = "name the column in `columns`";
                return at.refuse(DiagnosticCode::RefusesNothing, name, (message, help));
            }
            let known = || keysets.iter().flat_map(|keyset| keyset.codes());
            let read = codes.iter().map(|code| {
                let found = known().find(|known| known.as_str() == code.get_ref()).cloned();
                let what = format!("column `{column}`");
                found.or_else(|| at.lacks(&what, code.span(), code.get_ref(), known().map(Code::as_str)))
            });
            Some((column.clone(), each(read)?.into_iter().collect()))
        });
        Some(each(read)?.into_iter().collect())
    }
}
