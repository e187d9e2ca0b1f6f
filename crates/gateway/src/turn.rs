//! A9: a request is kept durably before any work, worked on once at a time, and answered once. Sent again, by a coordinator that lost the
//! answer or by one that wishes to have the analyst charged twice, it gets the bytes of its first answer.

use std::time::Duration;

use lango_identity::Role;
use lango_ledger::Claimed;
use lango_store::{Claiming, OfRequest, Record, Recorded, Seen, Step, Stored};
use lango_wire::{
    Refusal, TimeFault,
    kept::{self, Filling, Kept},
};
use tokio::time::Instant;

use crate::{
    Gateway,
    authenticate::{CLOCK_SKEW_S, Request, Signed},
    lease::{LEASE, Turn},
    refuse::{Known, Refused},
};

/// How often another gateway's work is asked after.
const POLL: Duration = Duration::from_millis(100);

/// What A9 finds.
pub(crate) enum Found<T> {
    /// It is to be worked on.
    Fresh(T),
    /// It has its answer.
    Kept(Kept),
}

impl<T> Request<T> {
    /// The request as its record names it; none before its turn.
    pub(crate) fn step(&self, step: Step) -> Option<OfRequest> {
        self.turn.get().map(|turn| OfRequest { id: turn.id, step })
    }
}

impl Gateway {
    /// Checks A5 to A9.
    pub(crate) async fn take_turn<T: Signed>(&self, request: &Request<T>) -> Result<Found<T>, Refused> {
        let signed = self.admit(request, Role::Analyst)?;
        let (id, (_, expires_at)) = (signed.request_id(), signed.life());
        let claiming = Claiming {
            principal: request.principal.to_string(),
            id,
            digest: request.digest,
            expires_at: i64::try_from(expires_at).unwrap_or(i64::MAX),
            forget_before: self.now().saturating_sub(i64::try_from(CLOCK_SKEW_S).unwrap_or_default()),
        };
        // An earlier one in this gateway is waited for until its answer has left: what is shown of it does not show when it was ready.
        let alone = self.requests.take(&(request.principal.clone(), id)).await;
        match self.claim(&claiming).await? {
            Some(answer) => Ok(Found::Kept(self.restore(request, &answer).await?)),
            None => {
                // A request takes its turn once.
                let _ = request.turn.set(Turn::begin(self.store.clone(), claiming.principal, id, alone));
                Ok(Found::Fresh(signed))
            }
        }
    }

    /// Claims a request, waiting for another gateway that is at work on it as long as that lives; its answer where it has one.
    async fn claim(&self, claiming: &Claiming) -> Result<Option<Vec<u8>>, Refused> {
        let failed = |error| {
            Known::default().unavailable("a request cannot be kept", &error as &dyn std::fmt::Display)
        };
        let mut claimed = self.store.claim(claiming, None).await.map_err(failed)?;
        let mut seen: Option<(Seen, Instant)> = None;
        loop {
            match claimed {
                Claimed::Fresh | Claimed::Free => return Ok(None),
                Claimed::Answered(answer) => return Ok(Some(answer)),
                Claimed::Reused => {
                    return Err(Refusal::RequestIdReused.into());
                }
                Claimed::Forgotten => return Err(Refusal::Time(TimeFault::Expired).into()),
                Claimed::UnderWay { holder, beat } => {
                    let now = Seen { holder, beat };
                    let (_, since) = *match &mut seen {
                        Some(seen) if seen.0 == now => seen,
                        other => other.insert((now, Instant::now())),
                    };
                    tokio::time::sleep(POLL).await;
                    claimed = if since.elapsed() < LEASE {
                        self.store.claimed(claiming).await.map_err(failed)?
                    } else {
                        self.store.claim(claiming, Some(now)).await.map_err(failed)?
                    };
                    // What is free now is taken by a claim alone.
                    if let Claimed::Fresh | Claimed::Free = claimed
                        && since.elapsed() < LEASE
                    {
                        claimed = self.store.claim(claiming, None).await.map_err(failed)?;
                    }
                }
            }
        }
    }

    /// The first answer's bytes, whole again.
    async fn restore<T>(&self, request: &Request<T>, answer: &[u8]) -> Result<Kept, Refused> {
        self.replayed_lines.line(|| {
            tracing::info!(request = %hex::encode(request.digest), principal = %request.principal, "sent again");
        });
        let known = Known::default();
        let damaged = |what: &'static str| known.unavailable("an answer that was kept cannot be read", &what);
        let mut kept = kept::read(answer).ok_or_else(|| damaged("it is damaged"))?;
        let dataset = kept.dataset.as_ref();
        let grids = self.policy.answer_grids.iter();
        let grid = grids.filter(|(name, _)| dataset.is_some_and(|dataset| name.as_str() == dataset.as_str()));
        request.pace.authorised(grid.map(|(_, step)| step).next());
        let mut fillings = Vec::new();
        for id in kept.left_out().ok_or_else(|| damaged("its release has no identifier"))? {
            let stored = self.store.release(&id).await;
            let stored = stored.map_err(|error| known.unavailable("the store failed", &error))?;
            let Stored { plan, layout, cells, .. } = stored.ok_or_else(|| damaged("its release is gone"))?;
            fillings.push(Filling { plan, layout, cells });
        }
        kept.fill(fillings);
        Ok(kept)
    }

    /// Records an answer and keeps it for its request, in one transaction.
    pub(crate) async fn append(&self, record: &Record, known: &Known) -> Result<(), Refused> {
        match self.store.append(record).await {
            Ok(Recorded::Now) => Ok(()),
            Ok(Recorded::Answered(_)) => Err(known.answered_elsewhere()),
            Err(error) => Err(known.unavailable("an answer could not be recorded", &error)),
        }
    }
}

impl Known {
    /// Another gateway took this one for dead and has answered meanwhile. Sent again, the request gets that answer.
    pub(crate) fn answered_elsewhere(&self) -> Refused {
        let refused = self.unavailable("another gateway has answered this request", &"this one was too slow");
        Refused { recorded: true, ..refused }
    }
}
