//! Stop 5: the office's database counts, and noise is added. What is exact goes no further than this file.

use std::time::Instant;

use lango_privacy::{Measured, Plan, measure};
use lango_source::{Secret, Session};
use lango_wire::Question;

use crate::{
    Gateway, authenticate::Request, authorize::Allowed, refuse::Refused, reserve::Reservation,
    secret::bounding_secret,
};

/// An open source, and the secret by which it orders the rows of a unit.
pub(crate) struct Reading {
    session: Box<dyn Session>,
    secret: Secret,
}

/// Noisy integers under their plan.
pub(crate) struct Noisy {
    pub plan: Plan,
    pub measured: Measured,
    /// How long the database took, in microseconds.
    pub sql_us: u64,
}

impl Gateway {
    /// Opens the dataset's source before anything is charged: a source that is down costs nothing.
    pub(crate) async fn open_source(&self, allowed: &Allowed<'_>) -> Result<Reading, Refused> {
        let Allowed { granted, known, .. } = allowed;
        let dataset = granted.dataset;
        let source = self.sources.get(&dataset.source);
        let source =
            source.ok_or_else(|| known.unavailable("the dataset's source is not open", &dataset.source))?;
        let secret = bounding_secret(&self.store, source.as_ref(), dataset, self.now()).await;
        let secret =
            secret.map_err(|error| known.unavailable("there is no secret to order rows by", &error))?;
        let session = source.open().await;
        let session = session.map_err(|error| known.unavailable("the source cannot be opened", &error))?;
        Ok(Reading { session, secret })
    }

    /// Counts and adds the noise. A failure is recorded, and what was set aside stays charged if rows may have been read.
    pub(crate) async fn measure(
        &self,
        request: &Request<Question>,
        allowed: &Allowed<'_>,
        mut reading: Reading,
        reservation: &Reservation<'_>,
    ) -> Result<Noisy, Refused> {
        let Reservation { id, plan, accounts, .. } = reservation;
        if let Some(trace) = request.trace {
            reading.session.carry(trace);
        }
        let begun = Instant::now();
        let counted = match reading.session.fetch(plan.clone(), reading.secret).await {
            Ok(counted) => counted,
            Err(error) => {
                let rows_were_read = error.rows_were_read;
                tracing::error!(dataset = %allowed.granted.dataset.name, rows_were_read, "the source failed");
                return Err(self.fail(request, &allowed.known, (*id, accounts), rows_were_read).await);
            }
        };
        let sql_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Drawing noise is arithmetic on big integers: long work for many cells, so not on the thread that serves.
        let plan = plan.clone();
        let drawn =
            tokio::task::spawn_blocking(move || measure(&plan, counted).map(|measured| (plan, measured)));
        match drawn.await {
            Ok(Ok((plan, measured))) => Ok(Noisy { plan, measured, sql_us }),
            Ok(Err(_)) | Err(_) => {
                tracing::error!("the noise could not be drawn");
                Err(self.fail(request, &allowed.known, (*id, accounts), true).await)
            }
        }
    }
}
