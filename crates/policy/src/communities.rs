//! Which countries are in which of Africa's regional economic communities on a day.
//!
//! The eight communities that the African Union recognises, with the changes of their members that the communities have announced
//! themselves. A member that is suspended stays one.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, macros::date};

/// The first day that the list is right for.
const FIRST: Date = date!(2010 - 01 - 01);
/// The last one.
const LAST: Date = date!(2025 - 06 - 30);

/// `community,alpha_3,from,until`: both days included, blank where it was a member before, or is one on the last day.
const MEMBERS: &str = include_str!("codelists/africa-rec.csv");

/// Why communities do not group countries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommunitiesError {
    /// It is no community of the list.
    #[error("there is no community `{name}`: there are {}", known().into_iter().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// What is named.
        name: String,
    },
    /// The list is of other days.
    #[error(
        "the members are known from {FIRST} to {LAST}: for another day write a file `value,code` and name it as `map`"
    )]
    OtherDay,
    /// A country would have two groups.
    #[error(
        "`{country}` is in {first} and in {second} on that day, and a dimension gives it one code: make a dimension for each community"
    )]
    InTwo {
        /// The country, alpha-3.
        country: String,
        /// The community that is named first.
        first: String,
        /// The other one.
        second: String,
    },
}

/// The countries of these communities on a day, alpha-3, each with its community, in the order in which those are named.
pub(crate) fn communities(named: &[String], on: Date) -> Result<Vec<(String, String)>, CommunitiesError> {
    if !(FIRST..=LAST).contains(&on) {
        return Err(CommunitiesError::OtherDay);
    }
    // Days in this form are in the order of their texts.
    let on = on.to_string();
    let (mut pairs, mut seen) = (Vec::new(), BTreeMap::new());
    for name in named {
        if !known().contains(name.as_str()) {
            return Err(CommunitiesError::Unknown { name: name.clone() });
        }
        for [community, country, from, until] in members() {
            let is_member = *from <= *on && (until.is_empty() || *on <= *until);
            if community != name || !is_member {
                continue;
            }
            if let Some(first) = seen.insert(country, community).filter(|first| *first != community) {
                let [country, first, second] = [country, first, community].map(str::to_owned);
                return Err(CommunitiesError::InTwo { country, first, second });
            }
            pairs.push((country.to_owned(), community.to_owned()));
        }
    }
    Ok(pairs)
}

fn known() -> BTreeSet<&'static str> {
    members().map(|[community, ..]| community).collect()
}

fn members() -> impl Iterator<Item = [&'static str; 4]> {
    MEMBERS.lines().skip(1).filter_map(|line| line.split(',').collect::<Vec<_>>().try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(named: &[&str], on: Date) -> Result<String, CommunitiesError> {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let pairs = communities(&named, on)?;
        Ok(pairs
            .into_iter()
            .map(|(country, community)| format!("{country}={community}"))
            .collect::<Vec<_>>()
            .join(" "))
    }

    #[test]
    fn a_community_has_the_members_of_the_day() {
        let count = |name, on| of(&[name], on).unwrap().split(' ').count();
        let (before, after) = (date!(2025 - 01 - 28), date!(2025 - 01 - 29));
        for (name, on, expected) in [
            ("ECOWAS", before, 15),
            ("ECOWAS", after, 12),
            ("EAC", date!(2016 - 09 - 04), 5),
            ("EAC", date!(2016 - 09 - 05), 6),
            ("EAC", date!(2024 - 03 - 04), 8),
            ("AMU", FIRST, 5),
            ("CEN-SAD", LAST, 29),
            ("COMESA", LAST, 21),
            ("ECCAS", LAST, 11),
            ("IGAD", LAST, 8),
            ("SADC", LAST, 16),
        ] {
            assert_eq!(count(name, on), expected, "{name} on {on}");
        }
        let maghreb = "DZA=AMU LBY=AMU MAR=AMU MRT=AMU TUN=AMU";
        assert_eq!(of(&["AMU"], LAST).unwrap(), maghreb);
        assert!(
            of(&["SADC", "AMU"], LAST).unwrap().ends_with(&format!(" {maghreb}")),
            "in the order of the names"
        );
    }

    #[test]
    fn every_member_is_a_country_and_every_line_has_its_fields() {
        let countries: BTreeSet<&str> = crate::lists::alpha_3().collect();
        assert_eq!(members().count(), MEMBERS.lines().count() - 1);
        for [community, country, from, until] in members() {
            assert!(countries.contains(country), "{community} {country}");
            assert!(
                [from, until].iter().all(|day| day.is_empty() || day.len() == 10),
                "{community} {country}"
            );
        }
        assert_eq!(known().len(), 8);
    }

    #[test]
    fn what_does_not_group_countries_is_refused() {
        let name = |text: &str| text.to_owned();
        for (named, on, expected) in [
            (&["ECOWAS", "EU"][..], LAST, CommunitiesError::Unknown { name: name("EU") }),
            (&["ECOWAS"], date!(2009 - 12 - 31), CommunitiesError::OtherDay),
            (&["ECOWAS"], date!(2025 - 07 - 01), CommunitiesError::OtherDay),
            (
                &["EAC", "SADC"],
                LAST,
                CommunitiesError::InTwo { country: name("COD"), first: name("EAC"), second: name("SADC") },
            ),
        ] {
            assert_eq!(of(named, on), Err(expected), "{named:?} {on}");
        }
        assert!(
            of(&["EAC", "SADC"], date!(2013 - 01 - 01)).unwrap_err().to_string().contains("`TZA` is in EAC")
        );
    }
}
