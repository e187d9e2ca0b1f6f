//! The six stops of a question, from the signed bytes to the signed release.

use std::time::Instant;

use lango_identity::{Kind, Role, digest};
use lango_ledger::{Account, Holder, Limit};
use lango_policy::{Asked, Granted};
use lango_privacy::{Basis, Loss, Measured, Plan, Price, Query, compile, measure, restore};
use lango_source::Secret;
use lango_store::{Charge, Decision, ReleaseKey, Reserve, Reserved, Settled, Stored};
use lango_wire::{Cells, Question, Refusal, answer::Statement, pb};

use crate::{
    Gateway,
    authenticate::Request,
    refuse::{FREE, Known, Refused},
    secret::{SecretError, bounding_secret, random},
};

/// A question that the policy allows, and the key of its release.
pub(crate) struct Allowed<'a> {
    pub query: Query,
    pub granted: Granted<'a>,
    pub key: ReleaseKey,
    pub known: Known,
}

impl Gateway {
    /// Answers a question, or says why not.
    pub(crate) async fn release(&self, request: &Request<Question>) -> Result<pb::Release, Refused> {
        let begun = Instant::now();
        let question = self.admit(request, Role::Analyst)?;
        let allowed = self.allow(request, &question)?;
        let Allowed { granted, key, known, .. } = &allowed;

        // Whoever asked the same first is waited for; then its answer is here, and free.
        let _flight = self.flights.take(key).await;
        if let Some(stored) = self.found(key, known).await? {
            return self.repeat(request, stored, &allowed, FREE, begun).await;
        }

        let plan = self.plan(request, &allowed).await?;
        self.bear(request, &allowed, &plan.loss)?;
        let secret = self.secret(&allowed).await?;

        let source =
            self.sources.get(&granted.dataset.source).ok_or_else(|| Refused::failed(known, false))?;
        let session = source.open().await.map_err(|error| {
            tracing::error!(%error, dataset = %granted.dataset.name, "the source cannot be opened");
            Refused::failed(known, false)
        })?;

        let (plan, charged, reservation_id) = match self.reserve(request, &allowed, plan).await? {
            Some(held) => held,
            None => return self.repeat_other(request, &allowed, FREE, begun).await,
        };

        let reading = Instant::now();
        let counted = session.fetch(plan.clone(), secret).await;
        let sql = reading.elapsed();
        let counted = match counted {
            Ok(counted) => counted,
            Err(error) => {
                tracing::error!(dataset = %granted.dataset.name, rows_were_read = error.rows_were_read, "the source failed");
                return Err(self.fail(request, known, reservation_id, error.rows_were_read).await);
            }
        };

        // Drawing noise is arithmetic on big integers: long work for many cells, so not on the thread that serves.
        let noisy =
            tokio::task::spawn_blocking(move || measure(&plan, counted).map(|measured| (plan, measured)))
                .await;
        let (plan, Measured { layout, integers }) = match noisy {
            Ok(Ok(noisy)) => noisy,
            Ok(Err(_)) | Err(_) => {
                tracing::error!("the noise could not be drawn");
                return Err(self.fail(request, known, reservation_id, true).await);
            }
        };

        let release = Stored {
            release_id: release_id(request.came_at).map_err(|_| Refused::failed(known, false))?,
            dataset_version: key.dataset_version.clone(),
            query: question.query.clone(),
            plan: plan.text().to_string(),
            layout: layout.to_string(),
            cells: integers,
            loss: plan.loss,
        };
        let mut record = self.record(request, known, Decision::Released);
        (record.charged, record.release_id) = (charged, Some(release.release_id));
        self.hold(request, release.release_id);
        let settled = self.store.settle(reservation_id, &release, &record).await.map_err(|error| {
            tracing::error!(%error, "a release could not be stored; its charge stands and a retry resumes it");
            Refused::failed(known, false)
        })?;
        if settled == Settled::Earlier {
            return self.repeat_other(request, &allowed, charged, begun).await;
        }
        tracing::info!(
            request = %hex::encode(request.digest), principal = %request.principal, cells = release.cells.len(),
            sql_us = micros(sql), total_us = micros(begun.elapsed()), "released"
        );
        let earlier = self.earlier(request, &release, known).await?;
        Ok(self.sign(request, release, charged, false, granted, earlier))
    }

    /// Stops 1 and 2: what is asked, and whether the policy allows it.
    pub(crate) fn allow(
        &self,
        request: &Request<Question>,
        question: &Question,
    ) -> Result<Allowed<'_>, Refused> {
        let query_digest = Some(digest(Kind::Text, question.query.as_bytes()));
        let mut known = Known { purpose: question.purpose.clone(), query_digest, ..Known::default() };
        let query = Query::from_canonical(&question.query).map_err(|error| Refused::new(error, &known))?;
        known.dataset = Some(query.dataset.to_string());
        if question.mode != 1 {
            let message =
                "this office publishes its own figures, so none of its answers can be hidden in a region's";
            return Err(Refused::new(Refusal::new("published", message), &known));
        }
        let principal = request.principal.to_string();
        let asked = Asked {
            principal: &principal,
            purpose: Some(&question.purpose),
            on: Some(self.today()),
            epsilon_nano: None,
        };
        let granted = self.policy.authorize(&asked, &query).map_err(|denial| {
            known.rule.clone_from(&denial.rule);
            Refused::new(denial, &known)
        })?;
        known.rule = Some(granted.grant.id.clone());
        request.pace.authorised(self.policy.answer_grids.get(&query.dataset));
        let terms = granted.dataset.terms(query.columns(), &granted.budget.account);
        let key = ReleaseKey {
            query_digest: digest(Kind::Text, question.query.as_bytes()),
            dataset_version: granted.dataset.version.to_string(),
            terms_digest: digest(Kind::Terms, terms.as_bytes()),
        };
        Ok(Allowed { query, granted, key, known })
    }

    /// Stop 3: what answers the question. Nothing but released counts is looked at.
    pub(crate) async fn plan<T>(&self, request: &Request<T>, allowed: &Allowed<'_>) -> Result<Plan, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let released = self.released(request, allowed).await?;
        let basis = Basis {
            account: &granted.budget.account,
            delta_e18: granted.grant.delta_per_query_e18,
            terms_digest: key.terms_digest,
            released: &released,
        };
        compile(query, granted.dataset, &basis).map_err(|refusal| Refused::new(refusal, known))
    }

    /// A price by precision is known only with the plan, or with the stored answer: whether the policy allows it to one
    /// question is decided again, where everything is decided.
    pub(crate) fn bear<T>(
        &self,
        request: &Request<T>,
        allowed: &Allowed<'_>,
        loss: &Loss,
    ) -> Result<(), Refused> {
        let Allowed { query, granted, known, .. } = allowed;
        if let Price::Epsilon(_) = query.price {
            return Ok(());
        }
        let decided = self.open_to(request, query, &known.purpose, loss);
        let decided = decided.map_err(|denial| Refused::new(denial, known))?;
        // Another grant may bear the price, but then its share must be charged: the question is refused rather than charged
        // to one that does not allow it.
        if decided.grant.id == granted.grant.id {
            return Ok(());
        }
        let message =
            format!("grant `{}` allows no question at this price: name the epsilon", granted.grant.id);
        Err(Refused::new(Refusal::new("epsilon-per-query-exceeded", message), known))
    }

    /// What orders the rows of a unit: random, made once for each version of a dataset.
    async fn secret(&self, allowed: &Allowed<'_>) -> Result<Secret, Refused> {
        let Allowed { known, granted, .. } = allowed;
        bounding_secret(&self.store, granted.dataset, self.now()).await.map_err(|error| {
            tracing::error!(%error, "there is no secret to order rows by");
            Refused::failed(known, false)
        })
    }

    /// The pool of the dataset and the grant's share of it, with their limits under the policy in force.
    pub(crate) fn accounts(&self, granted: &Granted<'_>, known: &Known) -> Result<[Charge; 2], Refused> {
        let renews = granted.budget.renews;
        let (period, since) = (renews.period(self.today()), renews.since(self.today()));
        let charge = |holder, epsilon_nano| -> Result<Charge, Refused> {
            let account =
                Account { dataset: granted.dataset.name.to_string(), holder, period: period.clone(), since };
            let limit = Limit::of_epsilon(granted.budget.account, epsilon_nano);
            Ok(Charge { account, limit: limit.map_err(|_| Refused::failed(known, false))? })
        };
        let share = Holder::Grant(granted.grant.id.clone());
        Ok([
            charge(Holder::Pool, granted.budget.epsilon_nano)?,
            charge(share, granted.grant.epsilon_total_nano)?,
        ])
    }

    /// Stop 4: the ledger refuses or reserves. `None` where the answer has been stored meanwhile.
    async fn reserve(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        plan: Plan,
    ) -> Result<Option<(Plan, Loss, i64)>, Refused> {
        let Allowed { query, granted, key, known } = allowed;
        let [pool, share] = self.accounts(granted, known)?;
        let offered = plan.text();
        let reserve = Reserve {
            key: key.clone(),
            query: query.to_string(),
            plan: offered.to_string(),
            loss: plan.loss,
            pool,
            share,
        };
        let mut record = self.record(request, known, Decision::Reserved);
        record.charged = plan.loss;
        let reserved = self.store.reserve(&reserve, &record).await.map_err(|error| {
            tracing::error!(%error, "the ledger failed");
            Refused::failed(known, false)
        })?;
        match reserved {
            Reserved::Stored => Ok(None),
            Reserved::Refused(refusal) => {
                let message = format!("{refusal}; it renews with the calendar period that the policy names");
                Err(Refused::new(Refusal::new(refusal.code(), message), known))
            }
            Reserved::Held(held) if held.plan == reserve.plan => Ok(Some((plan, held.charged, held.id))),
            Reserved::Held(held) => {
                let restored =
                    held.plan.parse().ok().and_then(|text| restore(query, granted.dataset, &text, held.loss));
                let restored = restored.ok_or_else(|| {
                    tracing::error!(reservation = held.id, "the stored plan of a reservation cannot be read");
                    Refused::failed(known, false)
                })?;
                Ok(Some((restored, held.charged, held.id)))
            }
        }
    }

    async fn found(&self, key: &ReleaseKey, known: &Known) -> Result<Option<Stored>, Refused> {
        self.store.find(key).await.map_err(|error| {
            tracing::error!(%error, "the store failed");
            Refused::failed(known, false)
        })
    }

    /// What another gateway on the same store has answered meanwhile: one question has one draw of noise, theirs. `charged` is
    /// what this request had been charged by then.
    async fn repeat_other(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        charged: Loss,
        begun: Instant,
    ) -> Result<pb::Release, Refused> {
        let Allowed { key, known, .. } = allowed;
        let stored = self.found(key, known).await?.ok_or_else(|| Refused::failed(known, false))?;
        self.repeat(request, stored, allowed, charged, begun).await
    }

    /// A stored release again: recorded, in a new envelope, and free unless this request had been charged for it.
    async fn repeat(
        &self,
        request: &Request<Question>,
        stored: Stored,
        allowed: &Allowed<'_>,
        charged: Loss,
        begun: Instant,
    ) -> Result<pb::Release, Refused> {
        let Allowed { granted, known, .. } = allowed;
        self.bear(request, allowed, &stored.loss)?;
        let earlier = self.earlier(request, &stored, known).await?;
        let mut record = self.record(request, known, Decision::Repeated);
        (record.charged, record.release_id) = (charged, Some(stored.release_id));
        self.store.append(&record).await.map_err(|error| {
            tracing::error!(%error, "a repeated answer could not be recorded");
            Refused::failed(known, false)
        })?;
        let total_us = micros(begun.elapsed());
        tracing::info!(request = %hex::encode(request.digest), principal = %request.principal, total_us, "repeated");
        Ok(self.sign(request, stored, charged, true, granted, earlier))
    }

    async fn fail(
        &self,
        request: &Request<Question>,
        known: &Known,
        reservation_id: i64,
        rows_were_read: bool,
    ) -> Refused {
        let mut record = self.record(request, known, Decision::Failed);
        record.reason = Refusal::unavailable().code.to_owned();
        let recorded = self.store.fail(reservation_id, rows_were_read, &record).await;
        if let Err(error) = &recorded {
            tracing::error!(%error, "a failure could not be recorded; the charge stands");
        }
        Refused::failed(known, recorded.is_ok())
    }

    /// Stop 6: the office's signature under what leaves.
    pub(crate) fn sign<T>(
        &self,
        request: &Request<T>,
        stored: Stored,
        charged: Loss,
        repeated: bool,
        granted: &Granted<'_>,
        earlier: Vec<pb::Release>,
    ) -> pb::Release {
        let statement = Statement {
            request_digest: request.digest,
            query_digest: digest(Kind::Text, stored.query.as_bytes()),
            office: self.office.clone(),
            dataset_version: stored.dataset_version,
            policy_digest: self.policy_digest,
            plan_digest: digest(Kind::Plan, stored.plan.as_bytes()),
            layout_digest: digest(Kind::Layout, stored.layout.as_bytes()),
            cells_digest: Cells(&stored.cells).digest(),
            loss: stored.loss,
            release_id: stored.release_id,
            time: u64::try_from(request.came_at).unwrap_or_default(),
        };
        pb::Release {
            envelope: Some(self.signer.sign(Kind::Release, statement.encode()).into()),
            plan: stored.plan,
            layout: stored.layout,
            cells: stored.cells,
            charged: Some(charged.into()),
            repeated,
            account: Some(granted.budget.account.into()),
            earlier,
        }
    }
}

/// The identifier of a new release: the day on which it was asked for, in two bytes, and fourteen random ones. The store's index of
/// them grows at its end then, which costs a store of a million releases a tenth less. Not the second: others who are told the
/// release learn no more of its first asker than the day.
fn release_id(came_at: i64) -> Result<[u8; 16], SecretError> {
    let mut id: [u8; 16] = random()?;
    let [first, second, ..] = &mut id;
    [*first, *second] = u16::try_from(came_at.div_euclid(86_400)).unwrap_or_default().to_be_bytes();
    Ok(id)
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
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
