//! Stop 6: the release is stored, recorded and signed; only then does it leave.

use lango_identity::{PayloadType, digest};
use lango_policy::Granted;
use lango_privacy::{Loss, Measured, PlanText, Query};
use lango_store::{Decision, Settled, Step, Stored};
use lango_wire::{
    Basics, Cells, Charged, FREE, Question, Refusal, Reviewed, SignedPrice, SignedRelease, kept, pb,
    sealed::in_one_field,
};

use crate::{
    Gateway,
    authenticate::Request,
    authorize::Allowed,
    hide::hidden,
    measure::Noisy,
    refuse::{Known, Refused},
    release_key::stored_key,
    reserve::{EarlierRelease, Reservation},
    secret::{SecretError, random},
};

impl Gateway {
    /// Spends what was set aside, stores the release and records the access in one transaction, and signs it.
    pub(crate) async fn settle<'a>(
        &self,
        request: &'a Request<Question>,
        allowed: Allowed<'a>,
        reservation: Reservation<'_>,
        noisy: Noisy,
    ) -> Result<pb::Release, Refused> {
        let Reservation { earlier, .. } = reservation;
        let Allowed { query, granted, key, known } = &allowed;
        let Noisy { plan, measured: Measured { layout, integers }, sql_us } = noisy;
        let release_id = release_id(request.came_at);
        let release = Stored {
            release_id: release_id.map_err(|error| known.unavailable("a release cannot be named", &error))?,
            dataset_version: key.dataset_version.clone(),
            query: query.to_string(),
            plan: plan.text().to_string(),
            layout: layout.to_string(),
            cells: integers,
            loss: plan.loss,
        };
        let is_held = granted.grant.review.hold;
        let decision = if is_held { Decision::Drawn } else { Decision::Released };
        let mut record = self.record(request, known, decision);
        (record.charged, record.release_id) = (reservation.charged, Some(release.release_id));
        record.version = Some(release.dataset_version.clone());
        // Signed before it is stored: the same bytes are what a request that is sent again gets. What is held is signed when it
        // may leave.
        let signed = if is_held {
            None
        } else {
            let earlier = self.sign_earlier(request, earlier, known)?;
            let charged = (reservation.charged, false);
            Some(self.sign(request, release.clone(), charged, granted, earlier, known)?)
        };
        if let Some(signed) = &signed {
            record.release_envelope = envelope_digest(signed);
            record.request = request.step(Step::Answered(kept::release(query.dataset.as_str(), signed)));
        }
        self.withhold(request, release.release_id);
        let settled = self.store.settle(reservation.id, &release, &record).await;
        let settled = settled.map_err(|error| {
            known.unavailable(
                "a release could not be stored; its charge stands and a retry resumes it",
                &error,
            )
        })?;
        let signed = match (settled, signed) {
            (Settled::Stored, Some(signed)) => signed,
            // As if it had been there before: it leaves when the office has approved it.
            (Settled::Stored, None) => {
                return self.repeat(request, allowed, release, reservation.charged).await;
            }
            (Settled::Earlier, _) => return self.repeat_other(request, allowed, reservation.charged).await,
            (Settled::Answered, _) => return Err(known.answered_elsewhere()),
        };
        tracing::info!(
            request = %hex::encode(request.digest), principal = %request.principal, cells = release.cells.len(),
            sql_us, total_us = request.pace.elapsed_us(), "released"
        );
        Ok(signed)
    }

    /// The stored release of a question's key.
    pub(crate) async fn stored(&self, allowed: &Allowed<'_>) -> Result<Option<Stored>, Refused> {
        let found = self.store.find(&allowed.key).await;
        found.map_err(|error| allowed.known.unavailable("the store failed", &error))
    }

    /// What another gateway on the same store has answered meanwhile: one question has one draw of noise, theirs. `charged` is
    /// what this request had been charged by then.
    pub(crate) async fn repeat_other<'a>(
        &self,
        request: &'a Request<Question>,
        allowed: Allowed<'a>,
        charged: Loss,
    ) -> Result<pb::Release, Refused> {
        let stored = self.stored(&allowed).await?;
        let stored = stored
            .ok_or_else(|| allowed.known.unavailable("a stored release is gone", &"settled elsewhere"))?;
        self.repeat(request, allowed, stored, charged).await
    }

    /// A stored release again: recorded, in a new envelope, and free unless this request had been charged for it.
    pub(crate) async fn repeat<'a>(
        &self,
        request: &'a Request<Question>,
        allowed: Allowed<'a>,
        stored: Stored,
        charged: Loss,
    ) -> Result<pb::Release, Refused> {
        let allowed = self.at_price(request, allowed, &stored.loss)?;
        let Allowed { query, granted, known, .. } = &allowed;
        self.review_question(request, &allowed, &stored.loss).await?;
        self.review_answer(request, &allowed, &stored.loss).await?;
        let earlier = self.earlier_of(request, &stored, known).await?;
        let earlier = self.sign_earlier(request, earlier, known)?;
        let mut record = self.record(request, known, Decision::Repeated);
        (record.charged, record.release_id) = (charged, Some(stored.release_id));
        record.version = Some(stored.dataset_version.clone());
        let signed = self.sign(request, stored, (charged, true), granted, earlier, known)?;
        record.release_envelope = envelope_digest(&signed);
        record.request = request.step(Step::Answered(kept::release(query.dataset.as_str(), &signed)));
        self.append(request, &record, known).await?;
        let total_us = request.pace.elapsed_us();
        tracing::info!(request = %hex::encode(request.digest), principal = %request.principal, total_us, "repeated");
        Ok(signed)
    }

    /// The releases that a stored release divides by, as its plan names them.
    pub(crate) async fn earlier_of<'a, T>(
        &self,
        request: &'a Request<T>,
        release: &Stored,
        known: &Known,
    ) -> Result<Vec<EarlierRelease<'a>>, Refused> {
        let plan: PlanText = release.plan.parse().map_err(|()| {
            let what = "the stored plan of a release cannot be read";
            known.unavailable(what, &hex::encode(release.release_id))
        })?;
        self.earlier(request, &plan.earlier, known).await
    }

    /// The releases that an answer divides by, each open to the principal: whether they are is decided before any row is read.
    pub(crate) async fn earlier<'a, T>(
        &self,
        request: &'a Request<T>,
        ids: &[[u8; 16]],
        known: &Known,
    ) -> Result<Vec<EarlierRelease<'a>>, Refused> {
        let mut earlier = Vec::new();
        for id in ids {
            let unreadable = |what: &'static str| known.unavailable(what, &hex::encode(id));
            let stored = self.store.release(id).await;
            let stored = stored.map_err(|error| known.unavailable("the store failed", &error))?;
            let stored =
                stored.ok_or_else(|| unreadable("a release that another divides by is not stored"))?;
            let query: Query = stored
                .query
                .parse()
                .map_err(|_| unreadable("the stored question of a release cannot be read"))?;
            let granted = self.open_to(request, &query, &known.purpose, &stored.loss);
            let granted = granted.map_err(|denial| Refused::new(denial, known))?;
            let key = stored_key(&stored)
                .ok_or_else(|| unreadable("the stored plan of a release cannot be read"))?;
            if !self.is_reviewed(request, &granted, (&key, &stored.loss), known).await? {
                return Err(Refused::new(Refusal::ReleaseUnknown, known));
            }
            earlier.push(EarlierRelease { stored, granted });
        }
        Ok(earlier)
    }

    /// Earlier releases, signed for the same request.
    pub(crate) fn sign_earlier<T>(
        &self,
        request: &Request<T>,
        earlier: Vec<EarlierRelease<'_>>,
        known: &Known,
    ) -> Result<Vec<pb::Release>, Refused> {
        let sign = |EarlierRelease { stored, granted }| {
            self.sign(request, stored, (FREE, true), &granted, Vec::new(), known)
        };
        earlier.into_iter().map(sign).collect()
    }

    /// The office's signature under what leaves, without what the grant does not show; `charged` is what the request was charged,
    /// and whether the values had been released before.
    pub(crate) fn sign<T>(
        &self,
        request: &Request<T>,
        mut stored: Stored,
        (charged, repeated): (Loss, bool),
        granted: &Granted<'_>,
        earlier: Vec<pb::Release>,
        known: &Known,
    ) -> Result<pb::Release, Refused> {
        let hidden = match granted.grant.shown_if {
            None => None,
            Some(rule) => {
                let hidden = hidden(self.office.name(), &mut stored, &earlier, rule);
                let unread = "what a grant does not show of a stored release cannot be found";
                Some(hidden.ok_or_else(|| known.unavailable(unread, &hex::encode(stored.release_id)))?)
            }
        };
        let (hidden, bits) = hidden.unzip();
        let charged = Charged { loss: charged, repeated, account: granted.budget.account };
        let answered =
            Answered { query: &stored.query, dataset_version: &stored.dataset_version, loss: stored.loss };
        let signed = SignedRelease {
            basics: self.basics(request, &answered, &stored.plan, &stored.layout),
            cells_digest: Cells(&stored.cells).digest(),
            release_id: stored.release_id,
            charged: Some(charged),
            agreement: granted.grant.agreement.clone(),
            hidden,
        };
        Ok(pb::Release {
            envelope: Some(self.signer.sign(PayloadType::Release, signed.encode()).into()),
            plan: stored.plan,
            layout: stored.layout,
            cells: stored.cells,
            charged: Some(charged.loss.into()),
            repeated,
            account: Some(charged.account.into()),
            earlier: in_one_field(&earlier),
            hidden: bits.unwrap_or_default(),
            receipt: None,
        })
    }

    /// The office's signature under a price.
    pub(crate) fn sign_price<T>(
        &self,
        request: &Request<T>,
        answered: &Answered<'_>,
        (plan, layout): (String, String),
        charged: Charged,
        (queries_left, bounds_drop): (u64, String),
        granted: &Granted<'_>,
    ) -> pb::Estimate {
        let basics = self.basics(request, answered, &plan, &layout);
        let reviewed = Reviewed::of(granted, &answered.loss);
        let shown_if = granted.grant.shown_if;
        let signed = SignedPrice { basics, charged, queries_left, bounds_drop, reviewed, shown_if };
        pb::Estimate {
            office: self.office.to_string(),
            plan,
            layout,
            loss: Some(answered.loss.into()),
            charged: Some(charged.loss.into()),
            account: Some(charged.account.into()),
            queries_left,
            repeated: charged.repeated,
            dataset_version: answered.dataset_version.to_owned(),
            envelope: Some(self.signer.sign(PayloadType::Price, signed.encode()).into()),
            bounds_drop: signed.bounds_drop,
        }
    }

    fn basics<T>(&self, request: &Request<T>, answered: &Answered<'_>, plan: &str, layout: &str) -> Basics {
        Basics {
            request_digest: request.digest,
            query_digest: digest(PayloadType::Text, answered.query.as_bytes()),
            office: self.office.clone(),
            dataset_version: answered.dataset_version.to_owned(),
            policy_digest: request.policy.digest,
            plan_digest: digest(PayloadType::Plan, plan.as_bytes()),
            layout_digest: digest(PayloadType::Layout, layout.as_bytes()),
            loss: answered.loss,
            time: u64::try_from(request.came_at).unwrap_or_default(),
        }
    }
}

/// The digest of a release's envelope, as the log names it.
pub(crate) fn envelope_digest(release: &pb::Release) -> Option<[u8; 32]> {
    release.envelope.as_ref().map(lango_wire::envelope_digest)
}

/// What is answered, at what loss.
pub(crate) struct Answered<'a> {
    /// The question's text.
    pub query: &'a str,
    /// The dataset's version.
    pub dataset_version: &'a str,
    /// What the release costs.
    pub loss: Loss,
}

/// The identifier of a new release: the day on which it was asked for, in two bytes, and fourteen random ones. The store's index
/// of them grows at its end then, which costs a store of a million releases a tenth less. Not the second: others who receive the
/// release learn no more of its first asker than the day.
fn release_id(came_at: i64) -> Result<[u8; 16], SecretError> {
    let mut id: [u8; 16] = random()?;
    let [first, second, ..] = &mut id;
    [*first, *second] = u16::try_from(came_at.div_euclid(86_400)).unwrap_or_default().to_be_bytes();
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::{SecretError, release_id};

    #[test]
    fn releases_of_a_day_begin_alike_and_come_after_those_of_the_day_before() -> Result<(), SecretError> {
        let midnight = 20_000 * 86_400;
        let before = release_id(midnight - 1)?;
        let (first, last) = (release_id(midnight)?, release_id(midnight + 86_399)?);
        assert!(before < first && before < last);
        assert_eq!((first[..2].to_vec(), last[..2].to_vec()), (vec![0x4E, 0x20], vec![0x4E, 0x20]));
        assert_ne!(first[2..], last[2..]);
        assert_ne!(release_id(midnight)?, first);
        Ok(())
    }
}
