//! A9: a request is kept durably before any work, worked on once at a time, and answered once. Sent again, by a coordinator that
//! lost the answer or by one that wishes to have the analyst charged twice, it gets the bytes of its first answer.

use std::time::Duration;

use lango_ledger::Claimed;
use lango_store::{Claiming, OfRequest, Record, Recorded, Seen, Step, StoreError, Stored};
use lango_transport::Demand;
use lango_wire::{
    CLOCK_SKEW_S, Refusal, SignedRequest, TimeFault,
    kept::{self, Filling, Kept},
};
use tokio::time::Instant;

use crate::{
    Gateway,
    authenticate::Request,
    flights::Place,
    lease::{BEAT, LEASE, Turn},
    refuse::{Known, Refused},
};

/// How often another gateway's work is asked after.
const POLL: Duration = Duration::from_millis(100);
/// A request waits no longer than this for another gateway: far longer than a question takes.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// A request that passed A5 to A8, in its place among its copies.
pub(crate) struct Admitted<T> {
    signed: T,
    claiming: Claiming,
    place: Place,
    /// What the store knew of it when it came.
    claimed: Result<Claimed, StoreError>,
}

impl<T> Admitted<T> {
    /// Whether it has not come before. Only its principal can make another such one.
    pub(crate) fn asks_for_work(&self) -> bool {
        self.place.is_first() && matches!(self.claimed, Ok(Claimed::Fresh))
    }
}

/// What becomes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// This gateway has it.
    Held,
    /// The request has its answer.
    Answered,
}

/// What A9 finds.
pub(crate) enum Found<T> {
    /// It is to be worked on.
    Fresh(T),
    /// It has its answer.
    Kept(Kept),
}

impl<T> Request<T> {
    /// What claims it, where it has its turn and is not claimed yet.
    pub(crate) fn unclaimed(&self) -> Option<&Claiming> {
        self.turn.get().filter(|turn| !turn.is_claimed()).map(|turn| &turn.claiming)
    }

    /// The request as its record names it; none before its turn.
    pub(crate) fn step(&self, step: Step) -> Option<OfRequest> {
        self.turn.get().map(|turn| OfRequest { id: turn.claiming.id, step })
    }
}

impl Gateway {
    /// Checks A5 to A8, takes the request's place among its copies, and looks up whether it has come before.
    pub(crate) async fn admitted<T: SignedRequest>(
        &self,
        request: &Request<T>,
    ) -> Result<Admitted<T>, Refusal> {
        let signed = self.admit(request)?;
        // It is read once.
        let _ = request.id.set(signed.request_id());
        let claiming = Claiming {
            principal: request.principal.to_string(),
            id: signed.request_id(),
            digest: request.digest,
            expires_at: i64::try_from(signed.life().1).unwrap_or(i64::MAX),
            forget_before: self.now().saturating_sub(i64::try_from(CLOCK_SKEW_S).unwrap_or_default()),
        };
        self.may_go_on(&claiming, &request.principal)?;
        let place = self.requests.place(&(request.principal.clone(), claiming.id));
        let claimed = self.store.claimed(&claiming).await;
        Ok(Admitted { signed, claiming, place, claimed })
    }

    /// Checks A9. A request that has not come before is claimed by the record of its answer, in one transaction with it, or by
    /// [`Gateway::begin_work`], whichever comes first. `demand` is what a copy counts as that turns out to be worked on.
    pub(crate) async fn take_turn<T: SignedRequest>(
        &self,
        request: &Request<T>,
        admitted: Result<Admitted<T>, Refusal>,
        demand: Demand,
    ) -> Result<Found<T>, Refused> {
        let Admitted { signed, claiming, place, claimed } = admitted?;
        let is_first = place.is_first();
        // An earlier one in this gateway is waited for until its answer has left: what is shown of it does not show when it was
        // ready.
        let alone = place.wait().await;
        let claimed = if is_first {
            claimed
        } else {
            // The earlier one may have failed.
            self.may_go_on(&claiming, &request.principal)?;
            self.store.claimed(&claiming).await
        };
        let is_claimed = claimed.map_err(unkept)? != Claimed::Fresh;
        if !is_claimed {
            if !is_first {
                // The one before was refused before it was claimed; this one came as its copy.
                self.take_share(request, demand)?;
            }
            self.may_keep(&claiming).await?;
        }
        if is_claimed && self.claim(&claiming).await? == Claim::Answered {
            // Its copies need not wait until it has left.
            drop(alone);
            return Ok(Found::Kept(self.restore(request, &claiming).await?));
        }
        let turn = Turn::new(claiming, alone);
        if is_claimed {
            turn.begin(&self.store);
        }
        // A request takes its turn once.
        let _ = request.turn.set(turn);
        Ok(Found::Fresh(signed))
    }

    /// Claims a request durably before anything is done for it that is worth not to be done twice.
    pub(crate) async fn begin_work<T>(&self, request: &Request<T>, known: &Known) -> Result<(), Refused> {
        let Some(turn) = request.turn.get().filter(|turn| !turn.is_claimed()) else { return Ok(()) };
        if self.claim(&turn.claiming).await? == Claim::Answered {
            return Err(known.answered_elsewhere());
        }
        turn.begin(&self.store);
        Ok(())
    }

    /// Claims a request, waiting for another gateway that is at work on it as long as that lives, the request has not expired,
    /// and [`WAIT_MAX`] allows.
    async fn claim(&self, claiming: &Claiming) -> Result<Claim, Refused> {
        let mut claimed = self.store.claim(claiming, None).await.map_err(unkept)?;
        let began = Instant::now();
        let mut seen: Option<(Seen, Instant)> = None;
        loop {
            match claimed {
                Claimed::Fresh | Claimed::Free => return Ok(Claim::Held),
                Claimed::Answered => return Ok(Claim::Answered),
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
                    if self.now() >= claiming.expires_at {
                        return Err(Refusal::Time(TimeFault::Expired).into());
                    }
                    if began.elapsed() >= WAIT_MAX {
                        let what = "another gateway has been at work on a request for too long";
                        return Err(Known::default().unavailable(what, &hex::encode(holder)));
                    }
                    tokio::time::sleep(POLL).await;
                    let may_live = since.elapsed() < LEASE && !self.silent.holds(&holder);
                    claimed = if may_live {
                        self.store.claimed(claiming).await.map_err(unkept)?
                    } else {
                        // Changes nothing, since the claim is another's, and waits for the lock that its holder may be waiting
                        // for.
                        self.store.beat(&claiming.principal, claiming.id).await.map_err(unkept)?;
                        tokio::time::sleep(BEAT + POLL).await;
                        let claimed = self.store.claim(claiming, Some(now)).await.map_err(unkept)?;
                        self.silent.take(holder, &claimed);
                        claimed
                    };
                    // What is free now is taken by a claim alone.
                    if let Claimed::Fresh | Claimed::Free = claimed
                        && may_live
                    {
                        claimed = self.store.claim(claiming, None).await.map_err(unkept)?;
                    }
                }
            }
        }
    }

    /// The answer that another gateway has given to a request at work here.
    pub(crate) async fn first_answer<T>(&self, request: &Request<T>) -> Result<Kept, Refused> {
        match request.turn.get() {
            Some(turn) => self.restore(request, &turn.claiming).await,
            None => Err(Known::default().unavailable("a request was answered before its turn", &"")),
        }
    }

    /// The first answer's bytes, whole again. They are read when there is memory for them.
    async fn restore<T>(&self, request: &Request<T>, claiming: &Claiming) -> Result<Kept, Refused> {
        self.replayed_lines.line(|| {
            tracing::info!(request = %hex::encode(request.digest), principal = %request.principal, "sent again");
        });
        self.make_kept_answer_room(request).await;
        let answer = self.store.first_answer(claiming).await.map_err(unkept)?;
        let known = Known::default();
        let damaged = |what: &'static str| known.unavailable("an answer that was kept cannot be read", &what);
        let answer = answer.ok_or_else(|| damaged("it is gone"))?;
        let mut kept = kept::read(&answer).ok_or_else(|| damaged("it is damaged"))?;
        let dataset = kept.dataset.as_ref();
        let grids = request.policy.set.answer_grids.iter();
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

    /// Records an answer and keeps it for its request, which it claims where that is not claimed yet: all in one transaction.
    pub(crate) async fn append<T>(
        &self,
        request: &Request<T>,
        record: &Record,
        known: &Known,
    ) -> Result<(), Refused> {
        match self.store.append(record, request.unclaimed()).await {
            Ok(Recorded::Now) => {
                self.has_kept(request, record);
                Ok(())
            }
            Ok(Recorded::Answered) => Err(known.answered_elsewhere()),
            Ok(Recorded::Reused) => Err(Refused::new(Refusal::RequestIdReused, known)),
            Ok(Recorded::Forgotten) => Err(Refused::new(Refusal::Time(TimeFault::Expired), known)),
            Err(error) => Err(known.unavailable("an answer could not be recorded", &error)),
        }
    }
}

fn unkept(error: StoreError) -> Refused {
    Known::default().unavailable("a request cannot be kept", &error)
}

impl Known {
    /// Another gateway has answered the request meanwhile.
    pub(crate) fn answered_elsewhere(&self) -> Refused {
        Refused { answered_elsewhere: true, ..Refused::new(Refusal::Unavailable, self) }
    }
}
