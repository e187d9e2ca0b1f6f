//! Verifying what came: whether an office signed it as an answer to this request, and whether every part is what it signed.

use lango_identity::{Envelope, PayloadType, Region, Role, SpiffeId, digest, verify};
use lango_privacy::{Accounting, CELLS_MOST, Layout, Loss, Margin, Measure, PlanText};
use lango_statistics::Hidden;
use prost::bytes::Bytes;

use crate::{
    currency::FREE,
    description::{self, VerifiedDescription},
    limits::{DATASETS_BYTES_MAX, EarlierSize, LAYOUT_BYTES_MAX, OFFICE_LIMITS, PLAN_BYTES_MAX},
    pb,
    sealed::{SealedDescription, SealedPrice, SealedRelease, opened, text, unpacked},
    signed::{
        Basics, Cells, Charged, SignedDescription, SignedHidden, SignedPrice, SignedRefusal, SignedRelease,
    },
};

pub use error::AnswerError;
pub use receipt::VerifiedReceipt;

mod error;
mod receipt;

/// What was asked, for those who verify what comes back.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// The region whose offices are believed.
    pub region: &'a Region,
    /// Unix seconds.
    pub now: i64,
    /// The digest of the signed request.
    pub request_digest: &'a [u8; 32],
    /// The question; nothing where a release is fetched by its identifier.
    pub question: Option<Wanted<'a>>,
}

/// The question that an answer must be of.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The digest of its text.
    pub query_digest: &'a [u8; 32],
    /// Its margins, in their order.
    pub margins: &'a [(Measure, Margin)],
}

/// A release that has been verified: every part of it is what its office signed, and it can stand in a table beside others.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedRelease {
    /// What the office signed.
    pub statement: SignedRelease,
    /// What the request was charged.
    pub charged: Loss,
    /// Whether the values had been released before.
    pub repeated: bool,
    /// The account that was charged.
    pub account: Accounting,
    /// How it was made.
    pub plan: PlanText,
    /// How it is laid out.
    pub layout: Layout,
    /// The noisy integers; 0 where one is hidden.
    pub cells: Vec<i64>,
    /// Which of them the office hides; `None` where its grant shows all.
    pub hidden: Option<Hidden>,
    /// The earlier releases that its means are divided by, in the plan's order; without earlier ones of their own.
    pub earlier: Vec<VerifiedRelease>,
    /// That the office's log has an entry of the answer; `None` where it came without.
    pub receipt: Option<VerifiedReceipt>,
}

/// A price that has been verified: every part of it is what its office signed.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedPrice {
    /// What the office signed.
    pub statement: SignedPrice,
    /// How the answer would be made.
    pub plan: PlanText,
    /// How it would be laid out.
    pub layout: Layout,
}

impl VerifiedRelease {
    /// The release as statistics take it.
    pub fn side_by_side(&self) -> lango_statistics::OfficeRelease<'_> {
        lango_statistics::OfficeRelease {
            office: self.statement.basics.office.name(),
            layout: &self.layout,
            plan: &self.plan,
            cells: &self.cells,
            hidden: self.hidden.as_ref(),
            earlier: self.earlier.iter().map(Self::side_by_side).collect(),
        }
    }
}

impl Inquiry<'_> {
    /// Verifies that `office` signed this release as an answer, the earlier releases that its plan names included: sizes,
    /// signature, digests of the texts, the texts, and only then the integers and the earlier releases.
    pub fn release(
        &self,
        release: impl Into<SealedRelease>,
        office: &SpiffeId,
    ) -> Result<VerifiedRelease, AnswerError> {
        let mut release = release.into();
        let mut verified = self.alone(&release, office, self.question)?;
        let mut size = EarlierSize::default();
        for index in 0..verified.plan.earlier.len() {
            let earlier = release.next_earlier()?;
            differs("earlier releases", earlier.earlier.is_empty())?;
            // Their texts are counted before they are read, and their integers as the first of their bytes.
            size.add(
                "",
                text("layout", &earlier.layout)?,
                earlier.cells.iter().filter(|byte| **byte < 0x80).count(),
            );
            if !size.fits() {
                return Err(AnswerError::TooLarge("earlier releases"));
            }
            let earlier = self.alone(&earlier, office, None)?;
            let named = verified.plan.earlier.get(index) == Some(&earlier.statement.release_id);
            let version = &verified.statement.basics.dataset_version;
            differs("earlier releases", named && earlier.statement.basics.dataset_version == *version)?;
            verified.earlier.push(earlier);
        }
        differs("earlier releases", release.earlier.is_empty())?;
        verified.side_by_side().check()?;
        Ok(verified)
    }

    /// Verifies that `office` signed this price as an answer.
    pub fn price(
        &self,
        price: impl Into<SealedPrice>,
        office: &SpiffeId,
    ) -> Result<VerifiedPrice, AnswerError> {
        let price = price.into();
        let signed = SignedPrice::decode(
            &self.payload(&opened(&price.envelope)?, PayloadType::Price, office)?,
            office,
        )?;
        let (plan, layout) = self.texts(&signed.basics, &price.plan, &price.layout, self.question)?;
        let Basics { loss, dataset_version, .. } = &signed.basics;
        differs("office", price.office == office.to_string())?;
        differs("loss", price.loss.map(Loss::from).as_ref() == Some(loss))?;
        let beside = Beside { charged: price.charged, repeated: price.repeated, account: price.account };
        beside.is(&signed.charged, loss)?;
        differs("version", price.dataset_version == *dataset_version)?;
        differs("number of questions left", price.queries_left == signed.queries_left)?;
        differs("note on its bounds", price.bounds_drop == signed.bounds_drop)?;
        Ok(VerifiedPrice { statement: signed, plan, layout })
    }

    /// Verifies that `office` described its datasets in answer, and reads them.
    pub fn description(
        &self,
        description: impl Into<SealedDescription>,
        office: &SpiffeId,
    ) -> Result<VerifiedDescription, AnswerError> {
        let description = description.into();
        let statement = self.description_unread(&description, office)?;
        let (datasets, left_out, cosigned_at) = description::read(&description.datasets)?;
        Ok(VerifiedDescription { statement, datasets, left_out, cosigned_at })
    }

    /// The same without reading the datasets.
    pub fn description_unread(
        &self,
        description: &SealedDescription,
        office: &SpiffeId,
    ) -> Result<SignedDescription, AnswerError> {
        let payload = self.payload(&opened(&description.envelope)?, PayloadType::Description, office)?;
        let signed = SignedDescription::decode(&payload, office)?;
        differs("request", signed.request_digest == *self.request_digest)?;
        within("datasets", description.datasets.len(), DATASETS_BYTES_MAX)?;
        let found = digest(PayloadType::Datasets, &description.datasets);
        differs("datasets", signed.datasets_digest == found)?;
        Ok(signed)
    }

    /// Verifies that `office` refused this request.
    pub fn refusal(&self, envelope: &Bytes, office: &SpiffeId) -> Result<SignedRefusal, AnswerError> {
        self.refusal_in(&opened(envelope)?, office)
    }

    /// Verifies that `office` refused this request.
    pub fn refusal_in(&self, envelope: &Envelope, office: &SpiffeId) -> Result<SignedRefusal, AnswerError> {
        let signed = SignedRefusal::decode(&self.payload(envelope, PayloadType::Refusal, office)?, office)?;
        differs("request", signed.request_digest == *self.request_digest)?;
        Ok(signed)
    }

    /// The bytes that the office signed.
    fn payload(
        &self,
        envelope: &Envelope,
        kind: PayloadType,
        office: &SpiffeId,
    ) -> Result<Vec<u8>, AnswerError> {
        let verified = verify(envelope, kind, self.region, self.now, OFFICE_LIMITS)?;
        if verified.principal == *office && office.role() == Role::Office {
            Ok(verified.payload)
        } else {
            Err(AnswerError::Signer(verified.principal))
        }
    }

    /// Verifies one release by itself.
    fn alone(
        &self,
        release: &SealedRelease,
        office: &SpiffeId,
        question: Option<Wanted<'_>>,
    ) -> Result<VerifiedRelease, AnswerError> {
        let envelope = opened(&release.envelope)?;
        let payload = self.payload(&envelope, PayloadType::Release, office)?;
        let signed = SignedRelease::decode(&payload, office)?;
        let verify = |receipt| VerifiedReceipt::verify(receipt, envelope, &signed, (self.region, self.now));
        let receipt = release.receipt.as_deref().map(verify).transpose()?;
        let (plan, layout) = self.texts(&signed.basics, &release.plan, &release.layout, question)?;
        let cells = unpacked(&release.cells, layout.integers())?;
        differs("cells", signed.cells_digest == Cells(&cells).digest())?;
        let hidden = hidden(&release.hidden, signed.hidden, &cells)?;
        let charged = signed.charged.ok_or(AnswerError::Absent("account"))?;
        let Loss { pure_nano, .. } = signed.basics.loss;
        differs("account", charged.account != Accounting::Pure || pure_nano.is_some())?;
        let beside =
            Beside { charged: release.charged, repeated: release.repeated, account: release.account };
        beside.is(&charged, &signed.basics.loss)?;
        let Charged { loss: charged, repeated, account } = charged;
        let (statement, earlier) = (signed, Vec::new());
        Ok(VerifiedRelease {
            statement,
            charged,
            repeated,
            account,
            plan,
            layout,
            cells,
            hidden,
            earlier,
            receipt,
        })
    }

    /// The texts, if they are what was signed in answer to this request and speak of the question's margins.
    fn texts(
        &self,
        signed: &Basics,
        plan: &[u8],
        layout: &[u8],
        question: Option<Wanted<'_>>,
    ) -> Result<(PlanText, Layout), AnswerError> {
        differs("request", signed.request_digest == *self.request_digest)?;
        differs("question", question.is_none_or(|wanted| signed.query_digest == *wanted.query_digest))?;
        within("plan", plan.len(), PLAN_BYTES_MAX)?;
        within("layout", layout.len(), LAYOUT_BYTES_MAX)?;
        differs("plan", signed.plan_digest == digest(PayloadType::Plan, plan))?;
        differs("layout", signed.layout_digest == digest(PayloadType::Layout, layout))?;
        let (plan, layout) = read_texts(text("plan", plan)?, text("layout", layout)?)?;
        differs("margins", question.is_none_or(|wanted| layout.is_of(wanted.margins)))?;
        Ok((plan, layout))
    }
}

/// What stands beside an envelope, for those who read no payloads.
struct Beside {
    charged: Option<pb::Loss>,
    repeated: bool,
    account: Option<pb::Account>,
}

impl Beside {
    /// Whether it is what was signed, and all or nothing of the loss was charged.
    fn is(self, signed: &Charged, loss: &Loss) -> Result<(), AnswerError> {
        differs("charge", self.charged.map(Loss::from) == Some(signed.loss))?;
        differs("charge", signed.loss == *loss || signed.loss == FREE)?;
        differs("charge", self.repeated == signed.repeated)?;
        differs("account", self.account == Some(signed.account.into()))
    }
}

/// The hidden integers, if they are those that were signed, and 0; none where none were signed.
fn hidden(bits: &[u8], signed: Option<SignedHidden>, cells: &[i64]) -> Result<Option<Hidden>, AnswerError> {
    let Some(signed) = signed else {
        differs("hidden cells", bits.is_empty())?;
        return Ok(None);
    };
    differs("hidden cells", signed.digest == digest(PayloadType::Hidden, bits))?;
    let hidden = Hidden::read(bits, cells.len()).filter(|hidden| hidden.is_of(cells));
    hidden.map(Some).ok_or(AnswerError::Differs("hidden cells"))
}

/// Reads the two texts of a release or of an estimate, which speak of the same margins and of no more keys than a release can
/// have.
fn read_texts(plan: &str, layout: &str) -> Result<(PlanText, Layout), AnswerError> {
    // A list of short keys grows when it is read, so it is counted first.
    within("layout", layout.bytes().filter(|byte| *byte == b',').count(), CELLS_MOST)?;
    let plan: PlanText = plan.parse().map_err(|()| AnswerError::Differs("plan"))?;
    let layout: Layout = layout.parse().map_err(|_| AnswerError::Differs("layout"))?;
    let planned: Vec<_> =
        plan.margins.iter().map(|margin| (margin.measure.clone(), margin.by.clone())).collect();
    differs("margins", layout.is_of(&planned))?;
    within("layout", layout.integers(), CELLS_MOST)?;
    Ok((plan, layout))
}

fn differs(part: &'static str, same: bool) -> Result<(), AnswerError> {
    if same { Ok(()) } else { Err(AnswerError::Differs(part)) }
}

fn within(part: &'static str, found: usize, most: usize) -> Result<(), AnswerError> {
    if found <= most { Ok(()) } else { Err(AnswerError::TooLarge(part)) }
}

#[cfg(test)]
mod tests;
