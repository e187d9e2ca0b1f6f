//! Columns made of another column's codes, from their tables in a policy file.

use std::collections::{BTreeMap, BTreeSet};

use lango_document::DiagnosticCode;
use lango_privacy::{Code, Column, DatasetError, Domain, Reading};
use toml::Spanned;

use super::Columns;
use crate::{communities, file::DerivedTable, lists, within::In};

/// The built-in grouping by regional economic communities.
const AFRICA_REC: &str = "africa-rec";

impl In<'_> {
    /// A dimension made of another column's codes: each of that column's texts means the group of its code.
    pub(super) fn derived(&self, at: &Spanned<DerivedTable>, columns: &Columns) -> Option<Column> {
        let from = &at.get_ref().from;
        if columns.wrong.contains(from.get_ref()) {
            return None;
        }
        let base = columns.declared.iter();
        let base =
            base.clone().find(|(name, column)| name.as_str() == from.get_ref() && !column.is_derived());
        let Some((name, base)) = base else {
            let names = columns.declared.iter().filter(|(_, column)| !column.is_derived());
            return self.unknown("column", from.span(), from.get_ref(), names.map(|(name, _)| name.as_str()));
        };
        let Domain::Codes(codes) = &base.domain else {
            let message = format!("column `{name}` is not one of `codes`: only those are grouped");
            return self.refuse(DiagnosticCode::Derived, from, message);
        };
        let groups = self.groups(at, codes)?;
        let mut listed: Vec<Code> = Vec::new();
        let mut seen = BTreeSet::new();
        for (_, group) in &groups {
            if seen.insert(group) {
                listed.push(group.clone());
            }
        }
        let group_of: BTreeMap<&str, &Code> =
            groups.iter().map(|(code, group)| (code.as_str(), group)).collect();
        let grouped = base.texts().into_iter().filter_map(|(text, position)| {
            let group = group_of.get(codes.get(position)?.as_str())?;
            Some((text, (*group).clone()))
        });
        let reading = Reading {
            from: Some(base.stored_name(name).to_owned()),
            recode: grouped.collect(),
            derived_from: Some(name.clone()),
            ..base.reading.clone()
        };
        let column = Domain::codes(listed).and_then(|domain| Column::from(domain).with_reading(reading));
        let refused =
            |error: DatasetError| self.refuse(DiagnosticCode::Derived, &at.get_ref().map, error.to_string());
        column.map_or_else(refused, Some)
    }

    /// The group of each code that is in one, in the order of the list: a file beside the policy, or one that is built in.
    fn groups(&self, at: &Spanned<DerivedTable>, codes: &[Code]) -> Option<Vec<(String, Code)>> {
        let map = &at.get_ref().map;
        let declared = |code: &str| codes.iter().any(|declared| declared.as_str() == code);
        if let Some(pairs) = self.built_in(at)? {
            let parsed = |(code, group): (String, String)| Some((code, group.parse().ok()?));
            let pairs: Vec<(String, Code)> = pairs.into_iter().filter_map(parsed).collect();
            return Some(pairs.into_iter().filter(|(code, _)| declared(code)).collect());
        }
        let list = self.list(map.span(), map.get_ref())?;
        let pairs = lists::pairs(&list)?;
        match pairs.iter().find(|(code, _)| !declared(code)) {
            Some((code, _)) => {
                let begin = list.reader.document.text.find(code.as_str()).unwrap_or_default();
                let what = format!("column `{}`", at.get_ref().from.get_ref());
                list.lacks(&what, begin..begin + code.len(), code, codes.iter().map(Code::as_str))
            }
            None => Some(pairs),
        }
    }

    /// A built-in grouping of countries; none where `map` names a file.
    fn built_in(&self, at: &Spanned<DerivedTable>) -> Option<Option<Vec<(String, String)>>> {
        let DerivedTable { map, communities, on, .. } = at.get_ref();
        match (map.get_ref().as_str(), communities, on) {
            (AFRICA_REC, Some(named), Some(on)) if !named.get_ref().is_empty() => {
                let pairs = communities::communities(named.get_ref(), on.get_ref().0);
                let refused = |error: communities::CommunitiesError| {
                    self.refuse(DiagnosticCode::Derived, named, error.to_string())
                };
                pairs.map_or_else(refused, |pairs| Some(Some(pairs)))
            }
            (AFRICA_REC, ..) => {
                let words = (
                    "`map = \"africa-rec\"` needs the communities and the day",
                    "write `communities = [\"ECOWAS\"], on = 2024-07-01`",
                );
                self.refuse(DiagnosticCode::Derived, map, words)
            }
            (_, None, None) => Some(lists::grouping(map.get_ref())),
            _ => self.refuse(
                DiagnosticCode::Derived,
                map,
                "`communities` and `on` go with `map = \"africa-rec\"`",
            ),
        }
    }
}
