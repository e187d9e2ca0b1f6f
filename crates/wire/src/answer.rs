//! Releases: how an office signs one, and how whoever holds it verifies that it answers this question.

use lango_identity::{EnvelopeLimits, PayloadType, Region, Role, SpiffeId, Unauthenticated, digest, verify};
use lango_privacy::{Accounting, Layout, Loss, PlanText};
use prost::Message;

use crate::{
    pb,
    question::{Malformed, sized, strict, version},
};

/// Cells as their digest takes them: little-endian 64-bit words.
pub struct Cells<'a>(pub &'a [i64]);

impl Cells<'_> {
    /// `D(vector, cells)`.
    pub fn digest(&self) -> [u8; 32] {
        let words: Vec<u8> = self.0.iter().flat_map(|cell| cell.to_le_bytes()).collect();
        digest(PayloadType::Vector, &words)
    }
}

/// What an office signs of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The request that it answers.
    pub request_digest: [u8; 32],
    /// The question's text.
    pub query_digest: [u8; 32],
    /// Who answers.
    pub office: SpiffeId,
    /// The dataset's version.
    pub dataset_version: String,
    /// The policy in force.
    pub policy_digest: [u8; 32],
    /// How it was made.
    pub plan_digest: [u8; 32],
    /// How it is laid out.
    pub layout_digest: [u8; 32],
    /// The noisy integers.
    pub cells_digest: [u8; 32],
    /// What the release cost.
    pub loss: Loss,
    /// The same for every answer with the same values.
    pub release_id: [u8; 16],
    /// When the request came, in Unix seconds.
    pub time: u64,
}

impl Statement {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::ReleasePayload {
            version: 1,
            request_digest: self.request_digest.to_vec(),
            query_digest: self.query_digest.to_vec(),
            office: self.office.to_string(),
            dataset_version: self.dataset_version.clone(),
            policy_digest: self.policy_digest.to_vec(),
            plan_digest: self.plan_digest.to_vec(),
            layout_digest: self.layout_digest.to_vec(),
            cells_digest: self.cells_digest.to_vec(),
            pure_nano: self.loss.pure_nano.unwrap_or(0),
            rho_nano: self.loss.rho_nano,
            delta_e18: self.loss.delta_e18,
            release_id: self.release_id.to_vec(),
            time: self.time,
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::ReleasePayload = strict(bytes)?;
        version(payload.version)?;
        if payload.office != signer.to_string() {
            return Err(crate::question::malformed("office", "is not the certificate's URI"));
        }
        Ok(Self {
            request_digest: sized("request_digest", &payload.request_digest)?,
            query_digest: sized("query_digest", &payload.query_digest)?,
            office: signer.clone(),
            dataset_version: payload.dataset_version,
            policy_digest: sized("policy_digest", &payload.policy_digest)?,
            plan_digest: sized("plan_digest", &payload.plan_digest)?,
            layout_digest: sized("layout_digest", &payload.layout_digest)?,
            cells_digest: sized("cells_digest", &payload.cells_digest)?,
            loss: Loss {
                pure_nano: (payload.pure_nano != 0).then_some(payload.pure_nano),
                rho_nano: payload.rho_nano,
                delta_e18: payload.delta_e18,
            },
            release_id: sized("release_id", &payload.release_id)?,
            time: payload.time,
        })
    }
}

/// A release that has been verified: every part of it is what its office signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the office signed.
    pub statement: Statement,
    /// How it was made.
    pub plan: PlanText,
    /// How it is laid out.
    pub layout: Layout,
    /// The noisy integers.
    pub cells: Vec<i64>,
    /// What this request was charged, as the office says.
    pub charged: Loss,
    /// Whether the values had been released before, as the office says.
    pub repeated: bool,
    /// The account that was charged, as the office says.
    pub account: Option<Accounting>,
    /// The earlier releases that its means are divided by, in the plan's order; without earlier ones of their own.
    pub earlier: Vec<Answer>,
}

/// Why a release proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A part is missing.
    #[error("the release has no {0}")]
    Absent(&'static str),
    /// The signature or its certificates are not good.
    #[error("the release is not signed: {0}")]
    Unauthenticated(#[from] Unauthenticated),
    /// It was signed by somebody else.
    #[error("the release is signed by {0}")]
    Signer(SpiffeId),
    /// It is not encoded as it should be.
    #[error("the release is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// A part is not what was signed, or not of this question.
    #[error("the release's {0} is not what was signed or asked")]
    Differs(&'static str),
}

/// Verifies that `office` signed this release as an answer to this request, and that every part is what it signed, the
/// earlier releases that it names included.
///
/// `query_digest` is left out where a release is fetched by its identifier.
pub fn verify_release(
    mut release: pb::Release,
    office: &SpiffeId,
    region: &Region,
    now: i64,
    request_digest: &[u8; 32],
    query_digest: Option<&[u8; 32]>,
) -> Result<Answer, AnswerError> {
    let signed = Signed { office, region, now, request_digest };
    let earlier = std::mem::take(&mut release.earlier);
    let mut answer = signed.verify(release)?;
    differs("question", query_digest.is_none_or(|digest| answer.statement.query_digest == *digest))?;
    differs("earlier releases", earlier.len() == answer.plan.earlier.len())?;
    for (release, id) in earlier.into_iter().zip(&answer.plan.earlier) {
        differs("earlier releases", release.earlier.is_empty())?;
        let earlier = signed.verify(release)?;
        let Statement { release_id, dataset_version, .. } = &earlier.statement;
        let named = release_id == id && *dataset_version == answer.statement.dataset_version;
        differs("earlier releases", named)?;
        answer.earlier.push(earlier);
    }
    Ok(answer)
}

/// Whose signature a release must bear, and on what.
struct Signed<'a> {
    office: &'a SpiffeId,
    region: &'a Region,
    now: i64,
    request_digest: &'a [u8; 32],
}

impl Signed<'_> {
    /// Verifies one release by itself.
    fn verify(&self, release: pb::Release) -> Result<Answer, AnswerError> {
        let envelope = release.envelope.ok_or(AnswerError::Absent("envelope"))?.into();
        let verified =
            verify(&envelope, PayloadType::Release, self.region, self.now, EnvelopeLimits::default())?;
        if verified.principal != *self.office || self.office.role() != Role::Office {
            return Err(AnswerError::Signer(verified.principal));
        }
        let statement = Statement::decode(&verified.payload, self.office)?;
        differs("request", statement.request_digest == *self.request_digest)?;
        differs("plan", statement.plan_digest == digest(PayloadType::Plan, release.plan.as_bytes()))?;
        differs("layout", statement.layout_digest == digest(PayloadType::Layout, release.layout.as_bytes()))?;
        differs("cells", statement.cells_digest == Cells(&release.cells).digest())?;
        let (plan, layout) = read_texts(&release.plan, &release.layout)?;
        differs("number of cells", layout.integers() == release.cells.len())?;
        let charged: Loss = release.charged.map(Into::into).unwrap_or_default();
        differs(
            "charge",
            charged == statement.loss
                || (charged.pure_nano.unwrap_or(0), charged.rho_nano, charged.delta_e18) == (0, 0, 0),
        )?;
        let account: Option<Accounting> = release.account.and_then(|account| account.try_into().ok());
        let of_currency = match account {
            None => true,
            Some(Accounting::Pure) => statement.loss.pure_nano.is_some(),
            // A policy may declare a delta of a thousandth at most.
            Some(Accounting::Zcdp { delta_e18 }) => (1..=1_000_000_000_000_000).contains(&delta_e18),
        };
        differs("account", of_currency)?;
        let (cells, repeated) = (release.cells, release.repeated);
        Ok(Answer { statement, plan, layout, cells, charged, repeated, account, earlier: Vec::new() })
    }
}

/// Reads the two texts of a release or of an estimate, which speak of the same margins.
pub fn read_texts(plan: &str, layout: &str) -> Result<(PlanText, Layout), AnswerError> {
    let plan: PlanText = plan.parse().map_err(|()| AnswerError::Differs("plan"))?;
    let layout: Layout = layout.parse().map_err(|_| AnswerError::Differs("layout"))?;
    let planned: Vec<_> =
        plan.margins.iter().map(|margin| (margin.measure.clone(), margin.by.clone())).collect();
    differs("margins", layout.is_of(&planned))?;
    Ok((plan, layout))
}

fn differs(part: &'static str, same: bool) -> Result<(), AnswerError> {
    if same { Ok(()) } else { Err(AnswerError::Differs(part)) }
}

impl From<Loss> for pb::Loss {
    fn from(loss: Loss) -> Self {
        let Loss { pure_nano, rho_nano, delta_e18 } = loss;
        Self { pure_nano, rho_nano, delta_e18 }
    }
}

impl From<pb::Loss> for Loss {
    fn from(loss: pb::Loss) -> Self {
        let pb::Loss { pure_nano, rho_nano, delta_e18 } = loss;
        Self { pure_nano, rho_nano, delta_e18 }
    }
}

impl From<Accounting> for pb::Account {
    fn from(account: Accounting) -> Self {
        match account {
            Accounting::Pure => Self { accounting: pb::Accounting::Pure.into(), delta_e18: 0 },
            Accounting::Zcdp { delta_e18 } => Self { accounting: pb::Accounting::Zcdp.into(), delta_e18 },
        }
    }
}

impl TryFrom<pb::Account> for Accounting {
    type Error = Malformed;
    fn try_from(account: pb::Account) -> Result<Self, Malformed> {
        match account.accounting() {
            pb::Accounting::Pure => Ok(Self::Pure),
            pb::Accounting::Zcdp => Ok(Self::Zcdp { delta_e18: account.delta_e18 }),
            pb::Accounting::Unspecified => {
                Err(crate::question::malformed("account", "the currency is not said"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
