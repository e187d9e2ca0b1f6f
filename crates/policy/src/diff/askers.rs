//! Who asks, and on which days: one of all whom, and one of all days that, two policies treat alike.

use std::collections::BTreeSet;

use lango_principal::{PrincipalPattern, SpiffeId};
use time::Date;

use crate::grant::Grant;

/// The first year in which anybody asks; a policy file names no day before it.
const FIRST_YEAR: i32 = 0;

/// The first day on which anybody asks.
pub(super) fn first_day() -> Date {
    Date::from_ordinal_date(FIRST_YEAR, 1).unwrap_or(Date::MIN)
}

/// The days on which something begins or is over, from the first day on.
pub(super) fn first_days<'a>(grants: impl Iterator<Item = &'a Grant>) -> Vec<Date> {
    let valid = grants.filter_map(|grant| grant.valid);
    let days = valid.flat_map(|valid| [Some(valid.from), valid.until.next_day()]).flatten();
    let days: BTreeSet<Date> = days.filter(|day| *day > first_day()).chain([Date::MIN]).collect();
    days.into_iter().collect()
}

/// A principal that a pattern means: of those of a role, one that no other pattern names. The patterns are in order.
pub(super) fn representative(pattern: &PrincipalPattern, named: &[PrincipalPattern]) -> Option<SpiffeId> {
    let (trust_domain, role) = match pattern {
        PrincipalPattern::One(one) => return Some(one.clone()),
        PrincipalPattern::Every { trust_domain, role } => (trust_domain, *role),
    };
    let names = std::iter::once("any-other".to_owned()).chain((2..).map(|at| format!("any-other-{at}")));
    let others = names.take(named.len() + 1).filter_map(|name| SpiffeId::new(trust_domain, role, &name).ok());
    others.into_iter().find(|other| named.binary_search(&PrincipalPattern::One(other.clone())).is_err())
}
