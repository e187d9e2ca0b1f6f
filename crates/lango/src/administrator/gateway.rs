//! An office's gateway, as its administrators reach it: each act is signed for that office alone.

use std::{cmp::Reverse, path::Path};

use lango_gateway::{AccountStanding, PolicyStanding, ReviewFound, Travels};
use lango_identity::{PayloadType, Role, SpiffeId};
use lango_store::{Entry, HistoryFilter, StoredReview};
use lango_wire::{
    Act, Administration, PAGE_MOST, ReviewChoice, client::AdministrationClient,
    pb::administration_service_administer_response::Found, review_range,
};

use crate::{
    failure::Failure,
    reach::{OfficeDoor, ServerAt, Stamp},
};

/// A connection to an office's gateway, and who signs.
pub struct OfficeGateway {
    door: OfficeDoor,
    service: AdministrationClient,
}

impl OfficeGateway {
    /// Connects, finds out which office it is, and says so; one that is not the expected one is sent nothing.
    pub async fn open(address: &str, identity: &Path, expected: Option<&str>) -> Result<Self, Failure> {
        let door =
            OfficeDoor::open(ServerAt::gateway(address), identity, Role::Administrator, expected).await?;
        let service = AdministrationClient::new(door.channel.clone());
        Ok(Self { door, service })
    }

    /// The gateway's own, as its certificate says.
    pub fn office(&self) -> &SpiffeId {
        &self.door.office
    }

    /// How the accounts of the policy in force stand.
    pub async fn accounts(&self) -> Result<Vec<AccountStanding>, Failure> {
        let Found::Accounts(found) = self.administer(Act::Ledger).await? else { return Err(self.astray()) };
        all(found.accounts)
    }

    /// The access records that meet a filter, newest first.
    pub async fn records(&self, filter: HistoryFilter) -> Result<Vec<Entry>, Failure> {
        let HistoryFilter { since, before, dataset, principal, most } = filter;
        let ask = async |last: Option<&Entry>, most| {
            let before = last.map(|entry| entry.sequence).or(before);
            let (dataset, principal) = (dataset.clone(), principal.clone());
            let act = Act::Records { since, before, dataset, principal, most };
            let Found::Records(page) = self.administer(act).await? else { return Err(self.astray()) };
            Ok(Page { found: all(page.records)?, more: page.more })
        };
        let place = |entry: &Entry| Reverse(entry.sequence);
        pages(most, before.map(Reverse), place, ask).await?.ok_or_else(|| self.astray())
    }

    /// The last reviews, newest first: those that wait for the office, or all.
    pub async fn reviews(&self, decided_too: bool, most: u32) -> Result<Vec<StoredReview>, Failure> {
        let ask = async |last: Option<&StoredReview>, most| {
            let after = last.map(|review| review.subject.id);
            let act = Act::Reviews { all: decided_too, most, after };
            let Found::Reviews(page) = self.administer(act).await? else { return Err(self.astray()) };
            Ok(Page { found: all(page.reviews)?, more: page.more })
        };
        let place = |review: &StoredReview| (Reverse(review.asked_at), review.subject.id);
        pages(most, None, place, ask).await?.ok_or_else(|| self.astray())
    }

    /// The reviews that a name, or the beginning of one, may mean: two at most.
    pub async fn reviews_named(&self, name: &str) -> Result<Vec<ReviewFound>, Failure> {
        let act = Act::Review { name: name.to_owned() };
        let Found::FoundReviews(found) = self.administer(act).await? else { return Err(self.astray()) };
        let found = all::<ReviewFound>(found.reviews)?;
        let is_named = |found: &ReviewFound| {
            review_range(name).is_some_and(|(low, high)| (low..=high).contains(&found.review.subject.id))
        };
        if found.len() > 2 || !found.iter().all(is_named) {
            return Err(self.astray());
        }
        Ok(found)
    }

    /// Decides on a review.
    pub async fn decide(
        &self,
        review: [u8; 16],
        choice: ReviewChoice,
        why: String,
    ) -> Result<StoredReview, Failure> {
        let act = Act::Decide { review, choice, why };
        let Found::Decided(decided) = self.administer(act).await? else { return Err(self.astray()) };
        let decided = StoredReview::of_message(decided)?;
        if decided.subject.id == review { Ok(decided) } else { Err(self.astray()) }
    }

    /// How the policy stands.
    pub async fn policy(&self) -> Result<PolicyStanding, Failure> {
        self.standing(Act::Policy).await
    }

    /// Signs a policy, by its digest; how the policy stands then.
    pub async fn sign(&self, policy: [u8; 32]) -> Result<PolicyStanding, Failure> {
        self.standing(Act::Sign { policy }).await
    }

    async fn standing(&self, act: Act) -> Result<PolicyStanding, Failure> {
        let Found::Policy(standing) = self.administer(act).await? else { return Err(self.astray()) };
        Ok(PolicyStanding::of_message(standing)?)
    }

    /// Signs an act and has the gateway do it.
    async fn administer(&self, act: Act) -> Result<Found, Failure> {
        let Stamp { request_id, issued_at, expires_at } = self.door.stamp()?;
        let administrator = self.door.credentials.signer.principal().clone();
        let office = self.door.office.clone();
        let act = Administration { request_id, administrator, office, act, issued_at, expires_at };
        let send = async |envelope| self.service.administer(envelope).await;
        let done = self.door.ask(PayloadType::Administration, act.encode(), send).await?;
        done.found.ok_or_else(|| self.astray())
    }

    fn astray(&self) -> Failure {
        self.door.astray()
    }
}

fn all<T: Travels>(messages: Vec<T::Message>) -> Result<Vec<T>, Failure> {
    Ok(messages.into_iter().map(T::of_message).collect::<Result<_, _>>()?)
}

/// What comes at once of what is listed.
struct Page<T> {
    found: Vec<T>,
    /// Whether there is more, as the gateway says.
    more: bool,
}

/// What is listed, page by page, `most` at most. Each is at a later place than the one before, the first at a later one than
/// `begin`, and no page has more than was asked for; nothing where the gateway sends what is otherwise. `ask` asks for the page
/// after the last one that came, and for how many.
async fn pages<T, Place: PartialOrd>(
    most: u32,
    begin: Option<Place>,
    place: impl Fn(&T) -> Place,
    ask: impl AsyncFn(Option<&T>, u32) -> Result<Page<T>, Failure>,
) -> Result<Option<Vec<T>>, Failure> {
    let (mut all, mut last) = (Vec::new(), begin);
    while let Some(most) = left(most, all.len()) {
        let Page { found, more } = ask(all.last(), most).await?;
        let is_last = found.is_empty() || !more;
        if found.len() > most as usize {
            return Ok(None);
        }
        for one in found {
            let here = place(&one);
            if last.is_some_and(|last| here <= last) {
                return Ok(None);
            }
            last = Some(here);
            all.push(one);
        }
        if is_last {
            break;
        }
    }
    Ok(Some(all))
}

/// The number of what is asked for next, where some is left.
fn left(most: u32, there: usize) -> Option<u32> {
    let left = most.saturating_sub(u32::try_from(there).unwrap_or(u32::MAX)).min(PAGE_MOST);
    (left > 0).then_some(left)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What comes of these pages, each with whether there is more, and what was asked for.
    async fn come(
        most: u32,
        begin: Option<i64>,
        sent: &[(&[i64], bool)],
    ) -> (Option<Vec<i64>>, Vec<(Option<i64>, u32)>) {
        let asked = RefCell::new(Vec::new());
        let ask = async |last: Option<&i64>, most: u32| {
            let (found, more) = sent[asked.borrow().len()];
            asked.borrow_mut().push((last.copied(), most));
            Ok(Page { found: found.to_vec(), more })
        };
        let came = pages(most, begin.map(Reverse), |one| Reverse(*one), ask).await.unwrap();
        (came, asked.into_inner())
    }

    #[tokio::test]
    async fn pages_fall_and_have_no_more_than_was_asked_for() {
        for (most, begin, sent, expected) in [
            (4, None, &[(&[9, 7][..], true), (&[6], false)][..], Some(&[9, 7, 6][..])),
            (3, None, &[(&[9, 7], true), (&[6], true)], Some(&[9, 7, 6])),
            (4, Some(9), &[(&[8], false)], Some(&[8])),
            // There is no more, whatever the gateway says.
            (4, None, &[(&[9], true), (&[], true)], Some(&[9])),
            (4, None, &[(&[], true)], Some(&[])),
            (2, None, &[(&[9, 8, 7], false)], None),
            (3, None, &[(&[9, 8], true), (&[7, 6], false)], None),
            (4, None, &[(&[8, 9], false)], None),
            (4, None, &[(&[9, 9], false)], None),
            (4, None, &[(&[9, 8], true), (&[8], true)], None),
            (4, None, &[(&[9, 8], true), (&[9], true)], None),
            (4, Some(9), &[(&[9], false)], None),
        ] {
            let (came, asked) = come(most, begin, sent).await;
            assert_eq!(came.as_deref(), expected, "{sent:?}");
            assert_eq!(asked.len(), sent.len(), "{sent:?}");
        }
        let (_, asked) = come(4, None, &[(&[9, 7], true), (&[6], false)]).await;
        assert_eq!(asked, [(None, 4), (Some(7), 2)]);
        assert_eq!((left(5_000, 0), left(5_000, 5_000)), (Some(PAGE_MOST), None));
    }
}
