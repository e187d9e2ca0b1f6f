//! Who is in the federation, and which of them a question is for.

use std::collections::{BTreeMap, btree_map::Entry};

use lango_identity::{Role, SpiffeId};
use lango_wire::pb;

/// As many as a page holds when nothing is said, and at most.
const PAGE: usize = 100;
const PAGE_MOST: usize = 1_000;

/// The federation in order of its offices, with what it takes to reach each of them.
#[derive(Debug)]
pub(crate) struct Members<C>(BTreeMap<SpiffeId, C>);

/// Why a list is no federation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembersError {
    /// One office stands twice.
    #[error("member `{0}` stands twice")]
    Twice(SpiffeId),
    /// Not an office.
    #[error("member `{0}` is not an office")]
    NotAnOffice(SpiffeId),
    /// An office of another region.
    #[error("member `{0}` is not of the region")]
    Stranger(SpiffeId),
}

/// One place in a question's audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat<C> {
    /// The office's short name.
    pub office: String,
    /// Whose signature counts.
    pub uri: SpiffeId,
    /// How to reach it; nothing where it is not a member.
    pub reach: Option<C>,
}

impl<C: Clone> Members<C> {
    pub fn new(
        members: impl IntoIterator<Item = (SpiffeId, C)>,
        trust_domain: &str,
    ) -> Result<Self, MembersError> {
        let mut known = BTreeMap::new();
        for (uri, reach) in members {
            if uri.role() != Role::Office {
                return Err(MembersError::NotAnOffice(uri));
            }
            if uri.trust_domain() != trust_domain {
                return Err(MembersError::Stranger(uri));
            }
            match known.entry(uri) {
                Entry::Vacant(place) => drop(place.insert(reach)),
                Entry::Occupied(place) => return Err(MembersError::Twice(place.key().clone())),
            }
        }
        Ok(Self(known))
    }

    /// A seat for everyone in the audience, in its order. Office names are unique in it, for it is of one region.
    pub fn seats(&self, audience: &[SpiffeId]) -> Vec<Seat<C>> {
        let seat = |uri: &SpiffeId| Seat {
            office: uri.name().to_owned(),
            uri: uri.clone(),
            reach: self.0.get(uri).cloned(),
        };
        audience.iter().map(seat).collect()
    }

    /// At most `size` members (0: as many as is usual) after the office `token`, and the token of the next page, which
    /// is empty on the last.
    pub fn page(&self, size: u32, token: &str) -> pb::CoordinatorServiceListMembersResponse {
        let size = match usize::try_from(size) {
            Ok(0) => PAGE,
            Ok(size) => size.min(PAGE_MOST),
            Err(_) => PAGE_MOST,
        };
        let mut after = self.0.keys().filter(|uri| token.is_empty() || uri.name() > token);
        let member = |uri: &SpiffeId| pb::Member { office: uri.name().to_owned(), uri: uri.to_string() };
        let members: Vec<_> = after.by_ref().take(size).map(member).collect();
        let last = members.last().map(|member| member.office.clone()).unwrap_or_default();
        let next_page_token = after.next().map(|_| last).unwrap_or_default();
        pb::CoordinatorServiceListMembersResponse { members, next_page_token }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(name: &str) -> SpiffeId {
        SpiffeId::new("lango.example", Role::Office, name).unwrap()
    }

    fn federation(names: &[&str]) -> Members<u8> {
        Members::new(names.iter().map(|name| (office(name), 7)), "lango.example").unwrap()
    }

    #[test]
    fn pages_hold_every_member_once_in_order() {
        let members = federation(&["TGO", "BEN", "NGA", "GHA", "SEN"]);
        for (size, expected) in [
            (0, vec![vec!["BEN", "GHA", "NGA", "SEN", "TGO"]]),
            (1, vec![vec!["BEN"], vec!["GHA"], vec!["NGA"], vec!["SEN"], vec!["TGO"]]),
            (2, vec![vec!["BEN", "GHA"], vec!["NGA", "SEN"], vec!["TGO"]]),
            (5, vec![vec!["BEN", "GHA", "NGA", "SEN", "TGO"]]),
            (u32::MAX, vec![vec!["BEN", "GHA", "NGA", "SEN", "TGO"]]),
        ] {
            let (mut pages, mut token) = (Vec::new(), String::new());
            loop {
                let page = members.page(size, &token);
                pages.push(page.members.into_iter().map(|member| member.office).collect::<Vec<_>>());
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(pages, expected, "{size}");
        }
        let page = members.page(0, "GHB");
        assert_eq!(
            page.members[0].uri, "spiffe://lango.example/office/NGA",
            "a member that left is passed over"
        );
        assert_eq!(members.page(0, "ZZZ"), pb::CoordinatorServiceListMembersResponse::default());
        assert_eq!(federation(&[]).page(0, ""), pb::CoordinatorServiceListMembersResponse::default());
    }

    #[test]
    fn everyone_in_the_audience_has_a_seat_and_only_members_are_reached() {
        let members = federation(&["TGO", "BEN"]);
        let seats = members.seats(&[office("BEN"), office("GHA")]);
        let seat = |name: &str, reach| Seat { office: name.to_owned(), uri: office(name), reach };
        assert_eq!(seats, [seat("BEN", Some(7)), seat("GHA", None)]);
    }

    #[test]
    fn a_list_that_is_no_federation_is_refused() {
        let analyst = SpiffeId::new("lango.example", Role::Analyst, "awa").unwrap();
        let stranger = SpiffeId::new("other.example", Role::Office, "GHA").unwrap();
        for (uris, expected) in [
            (vec![office("GHA"), office("GHA")], MembersError::Twice(office("GHA"))),
            (vec![analyst.clone()], MembersError::NotAnOffice(analyst)),
            (vec![stranger.clone()], MembersError::Stranger(stranger)),
        ] {
            let refused = Members::new(uris.into_iter().map(|uri| (uri, ())), "lango.example");
            assert_eq!(refused.err(), Some(expected));
        }
    }
}
