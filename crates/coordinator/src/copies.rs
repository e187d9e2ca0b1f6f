//! Which requests have come before: a copy takes nothing of what its analyst may ask, and one identifier stands for one payload.
//!
//! In memory and bounded: a coordinator that forgets costs an analyst a part of a share and nobody any privacy, for the gateways
//! remember durably.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use lango_identity::SpiffeId;
use lango_wire::{Refusal, SignedRequest};

/// At most this number of requests is remembered; above it those that expire first are forgotten.
const REQUESTS_MOST: usize = 20_000;

type Requests = HashMap<(SpiffeId, [u8; 16]), Remembered>;

/// What is remembered of a request, by its principal and identifier.
#[derive(Debug, Default)]
pub(crate) struct Copies(Mutex<Requests>);

#[derive(Debug, Clone, Copy)]
struct Remembered {
    request_digest: [u8; 32],
    expires_at: u64,
}

impl Copies {
    /// Whether an admitted request has come before, and was let in.
    ///
    /// # Errors
    /// Its identifier stands for another payload.
    pub(crate) fn has_come(
        &self,
        principal: &SpiffeId,
        request: &impl SignedRequest,
        request_digest: [u8; 32],
        now: i64,
    ) -> Result<bool, Refusal> {
        let key = (principal.clone(), request.request_id());
        let now = u64::try_from(now).unwrap_or_default();
        match self.lock().get(&key).filter(|known| known.expires_at > now) {
            Some(known) if known.request_digest == request_digest => Ok(true),
            Some(_) => Err(Refusal::RequestIdReused),
            None => Ok(false),
        }
    }

    /// Remembers a request that is let in.
    pub(crate) fn remember(
        &self,
        principal: &SpiffeId,
        request: &impl SignedRequest,
        request_digest: [u8; 32],
        now: i64,
    ) {
        let key = (principal.clone(), request.request_id());
        let mut requests = self.lock();
        if requests.len() >= REQUESTS_MOST {
            forget(&mut requests, u64::try_from(now).unwrap_or_default());
        }
        requests.insert(key, Remembered { request_digest, expires_at: request.life().1 });
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what has expired, and where that is little, the half that expires first.
fn forget(requests: &mut Requests, now: u64) {
    requests.retain(|_, known| known.expires_at > now);
    if requests.len() > REQUESTS_MOST / 2 {
        let mut ends: Vec<u64> = requests.values().map(|known| known.expires_at).collect();
        let (_, middle, _) = ends.select_nth_unstable(REQUESTS_MOST / 2);
        let middle = *middle;
        requests.retain(|_, known| known.expires_at > middle);
    }
}

#[cfg(test)]
mod tests {
    use lango_wire::Question;

    use super::*;

    fn question(id: u32, expires_at: u64) -> Question {
        let mut request_id = [0; 16];
        request_id[..4].copy_from_slice(&id.to_be_bytes());
        Question {
            request_id,
            blind: [2; 32],
            analyst: "spiffe://lango.example/analyst/awa".parse().unwrap(),
            audience: vec![],
            query: String::new(),
            purpose: String::new(),
            mode: 1,
            min_members: 0,
            roster_digest: vec![],
            issued_at: 0,
            expires_at,
        }
    }

    #[test]
    fn an_identifier_stands_for_one_payload_until_it_expires() {
        let copies = Copies::default();
        let id = |name: &str| format!("spiffe://lango.example/analyst/{name}").parse().unwrap();
        let (awa, kofi) = (id("awa"), id("kofi"));
        for (whose, number, digest, now, expected) in [
            (&awa, 1, [1; 32], 0, Ok(false)),
            (&awa, 1, [1; 32], 9, Ok(true)),
            (&awa, 1, [2; 32], 9, Err("request-id-reused")),
            (&kofi, 1, [2; 32], 9, Ok(false)),
            (&awa, 2, [1; 32], 9, Ok(false)),
            (&awa, 1, [2; 32], 10, Ok(false)),
        ] {
            let question = question(number, 10);
            let found = || copies.has_come(whose, &question, digest, now).map_err(|refusal| refusal.code());
            assert_eq!(found(), expected, "{whose} {number} {now}");
            if expected == Ok(false) {
                // Refused, it has not come.
                assert_eq!(found(), expected, "{whose} {number} {now}");
                copies.remember(whose, &question, digest, now);
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_expires_last_stays() {
        let copies = Copies::default();
        let awa = "spiffe://lango.example/analyst/awa".parse().unwrap();
        for number in 0..30_000 {
            let question = question(number, 100 + u64::from(number));
            assert!(!copies.has_come(&awa, &question, [1; 32], 0).unwrap());
            copies.remember(&awa, &question, [1; 32], 0);
        }
        assert!(copies.0.lock().unwrap().len() <= REQUESTS_MOST);
        assert!(copies.has_come(&awa, &question(29_999, 30_099), [1; 32], 0).unwrap());
    }
}
