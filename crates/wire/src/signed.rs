//! What an office signs: releases, prices, descriptions and refusals, written in one way and read strictly.

use lango_identity::{PayloadType, SpiffeId, digest};
use lango_policy::{Agreement, Granted};
use lango_privacy::{Accounting, Loss, ShownIf};
use lango_statistics::Hidden;
use prost::Message;

use crate::{
    currency::{account_fields, read_account, read_charge, read_loss},
    pb,
    question::{FieldFault, Malformed, sized, strict, version},
    refusal::Arguments,
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

/// What an office signs of the question that it answers, and of how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basics {
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
    /// How the release is made.
    pub plan_digest: [u8; 32],
    /// How it is laid out.
    pub layout_digest: [u8; 32],
    /// What the release costs.
    pub loss: Loss,
    /// When the request came, in Unix seconds.
    pub time: u64,
}

/// What a request was charged, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// Nothing for an answer that is stored, unless it was charged before that was known.
    pub loss: Loss,
    /// Whether the values had been released before.
    pub repeated: bool,
    /// The account.
    pub account: Accounting,
}

/// What an office signs of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRelease {
    /// What is answered, and how.
    pub basics: Basics,
    /// The noisy integers.
    pub cells_digest: [u8; 32],
    /// The same for every answer with the same values.
    pub release_id: [u8; 16],
    /// What the request was charged. Payloads of before the charge was signed have none.
    pub charged: Option<Charged>,
    /// The agreement that the grant cites by which the request was answered.
    pub agreement: Option<Agreement>,
    /// What of the integers is hidden; nothing where the grant shows all.
    pub hidden: Option<SignedHidden>,
}

/// What an office signs of the figures that it does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHidden {
    /// The grant's rule.
    pub shown_if: ShownIf,
    /// The bits that say which integers these are.
    pub digest: [u8; 32],
}

/// What an office signs of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPrice {
    /// What is priced, and how it would be answered.
    pub basics: Basics,
    /// What the principal would be charged now.
    pub charged: Charged,
    /// How many such questions the tighter of pool and grant still allows in this period.
    pub queries_left: u64,
    /// How much of the data the contribution bounds are expected to drop, as the office published it.
    pub bounds_drop: String,
    /// What the office reviews before an answer leaves.
    pub reviewed: Reviewed,
    /// Which figures of the answer would be shown; all, where the grant says nothing.
    pub shown_if: Option<ShownIf>,
}

/// What an office reviews before an answer leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reviewed {
    /// The question, before it is answered.
    pub question: bool,
    /// The noisy answer.
    pub answer: bool,
}

/// What an office signs of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDescription {
    /// The request that it answers.
    pub request_digest: [u8; 32],
    /// Who describes.
    pub office: SpiffeId,
    /// The policy in force.
    pub policy_digest: [u8; 32],
    /// The datasets, as they travel.
    pub datasets_digest: [u8; 32],
    /// When the request came, in Unix seconds.
    pub time: u64,
}

/// What an office signs of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRefusal {
    /// The request that it answers.
    pub request_digest: [u8; 32],
    /// Who refuses.
    pub office: SpiffeId,
    /// The stable code.
    pub code: String,
    /// When the request came, in Unix seconds.
    pub time: u64,
    /// The facts of the refusal.
    pub arguments: Arguments,
}

impl SignedHidden {
    /// What is signed of what a rule hides.
    pub fn new(shown_if: ShownIf, hidden: &Hidden) -> Self {
        Self { shown_if, digest: digest(PayloadType::Hidden, hidden.bits()) }
    }
}

impl Reviewed {
    /// What the office reviews of a question at this price under the grant that allows it.
    pub fn of(granted: &Granted<'_>, loss: &Loss) -> Self {
        Self { question: granted.reviews_question(loss), answer: granted.grant.review.hold }
    }

    /// The same for people, after "the office"; nothing where it reviews neither.
    pub fn in_words(self) -> Option<&'static str> {
        match (self.question, self.answer) {
            (false, false) => None,
            (true, false) => Some("reviews the question before it answers"),
            (false, true) => Some("reviews the answer before it leaves"),
            (true, true) => Some("reviews the question before it answers, and the answer before it leaves"),
        }
    }
}

impl SignedRelease {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Basics { loss, .. } = &self.basics;
        let (charged, repeated, account) = charge_fields(self.charged.as_ref());
        pb::ReleasePayload {
            version: 1,
            request_digest: self.basics.request_digest.to_vec(),
            query_digest: self.basics.query_digest.to_vec(),
            office: self.basics.office.to_string(),
            dataset_version: self.basics.dataset_version.clone(),
            policy_digest: self.basics.policy_digest.to_vec(),
            plan_digest: self.basics.plan_digest.to_vec(),
            layout_digest: self.basics.layout_digest.to_vec(),
            cells_digest: self.cells_digest.to_vec(),
            pure_nano: loss.pure_nano.unwrap_or(0),
            rho_nano: loss.rho_nano,
            delta_e18: loss.delta_e18,
            release_id: self.release_id.to_vec(),
            time: self.basics.time,
            charged_pure_nano: charged.pure_nano.unwrap_or(0),
            charged_rho_nano: charged.rho_nano,
            charged_delta_e18: charged.delta_e18,
            repeated,
            accounting: account.0 as u32,
            account_delta_e18: account.1,
            agreement: self.agreement.as_ref().map(ToString::to_string).unwrap_or_default(),
            shown_if: self.hidden.map(|hidden| hidden.shown_if.to_string()).unwrap_or_default(),
            hidden_digest: self.hidden.map(|hidden| hidden.digest.to_vec()).unwrap_or_default(),
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    pub(crate) fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let p: pb::ReleasePayload = strict(bytes)?;
        let digests: [&[u8]; 5] =
            [&p.request_digest, &p.query_digest, &p.policy_digest, &p.plan_digest, &p.layout_digest];
        let loss = read_loss(p.pure_nano, p.rho_nano, p.delta_e18);
        let basics = read_basics(p.version, digests, (&p.office, signer), p.dataset_version, loss, p.time)?;
        let charge = (p.charged_pure_nano, p.charged_rho_nano, p.charged_delta_e18);
        let old = (charge, p.repeated, p.accounting, p.account_delta_e18) == ((0, 0, 0), false, 0, 0);
        let charged = || read_charged(charge, p.repeated, p.accounting, p.account_delta_e18);
        Ok(Self {
            basics,
            cells_digest: sized("cells_digest", &p.cells_digest)?,
            release_id: sized("release_id", &p.release_id)?,
            charged: if old { None } else { Some(charged()?) },
            agreement: read_agreement(&p.agreement)?,
            hidden: match (read_shown_if(&p.shown_if)?, p.hidden_digest.as_slice()) {
                (None, []) => None,
                (None, _) => return Err(Malformed { field: "hidden_digest", fault: FieldFault::Word }),
                (Some(shown_if), digest) => {
                    Some(SignedHidden { shown_if, digest: sized("hidden_digest", digest)? })
                }
            },
        })
    }
}

impl SignedPrice {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Basics { loss, .. } = &self.basics;
        let (charged, repeated, account) = charge_fields(Some(&self.charged));
        pb::PricePayload {
            version: 1,
            request_digest: self.basics.request_digest.to_vec(),
            query_digest: self.basics.query_digest.to_vec(),
            office: self.basics.office.to_string(),
            dataset_version: self.basics.dataset_version.clone(),
            policy_digest: self.basics.policy_digest.to_vec(),
            plan_digest: self.basics.plan_digest.to_vec(),
            layout_digest: self.basics.layout_digest.to_vec(),
            pure_nano: loss.pure_nano.unwrap_or(0),
            rho_nano: loss.rho_nano,
            delta_e18: loss.delta_e18,
            charged_pure_nano: charged.pure_nano.unwrap_or(0),
            charged_rho_nano: charged.rho_nano,
            charged_delta_e18: charged.delta_e18,
            repeated,
            accounting: account.0 as u32,
            account_delta_e18: account.1,
            queries_left: self.queries_left,
            bounds_drop: self.bounds_drop.clone(),
            time: self.basics.time,
            reviews_question: self.reviewed.question,
            reviews_answer: self.reviewed.answer,
            shown_if: self.shown_if.map(|rule| rule.to_string()).unwrap_or_default(),
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    pub(crate) fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let p: pb::PricePayload = strict(bytes)?;
        let digests: [&[u8]; 5] =
            [&p.request_digest, &p.query_digest, &p.policy_digest, &p.plan_digest, &p.layout_digest];
        let loss = read_loss(p.pure_nano, p.rho_nano, p.delta_e18);
        let basics = read_basics(p.version, digests, (&p.office, signer), p.dataset_version, loss, p.time)?;
        let charge = (p.charged_pure_nano, p.charged_rho_nano, p.charged_delta_e18);
        let charged = read_charged(charge, p.repeated, p.accounting, p.account_delta_e18)?;
        let reviewed = Reviewed { question: p.reviews_question, answer: p.reviews_answer };
        let (queries_left, bounds_drop) = (p.queries_left, p.bounds_drop);
        let shown_if = read_shown_if(&p.shown_if)?;
        Ok(Self { basics, charged, queries_left, bounds_drop, reviewed, shown_if })
    }
}

impl SignedDescription {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::DescriptionPayload {
            version: 1,
            request_digest: self.request_digest.to_vec(),
            office: self.office.to_string(),
            policy_digest: self.policy_digest.to_vec(),
            datasets_digest: self.datasets_digest.to_vec(),
            time: self.time,
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    pub(crate) fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::DescriptionPayload = strict(bytes)?;
        version(payload.version)?;
        signed_by(&payload.office, signer)?;
        Ok(Self {
            request_digest: sized("request_digest", &payload.request_digest)?,
            office: signer.clone(),
            policy_digest: sized("policy_digest", &payload.policy_digest)?,
            datasets_digest: sized("datasets_digest", &payload.datasets_digest)?,
            time: payload.time,
        })
    }
}

impl SignedRefusal {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        let argument = |(name, value): (&str, &str)| pb::Argument { name: name.into(), value: value.into() };
        pb::RefusalPayload {
            version: 1,
            request_digest: self.request_digest.to_vec(),
            office: self.office.to_string(),
            code: self.code.clone(),
            time: self.time,
            arguments: self.arguments.iter().map(argument).collect(),
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    pub(crate) fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::RefusalPayload = strict(bytes)?;
        version(payload.version)?;
        signed_by(&payload.office, signer)?;
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&payload.code.len()) || !payload.code.bytes().all(word) {
            return Err(Malformed { field: "code", fault: FieldFault::Word });
        }
        let arguments = payload.arguments.into_iter().map(|argument| (argument.name, argument.value));
        Ok(Self {
            request_digest: sized("request_digest", &payload.request_digest)?,
            office: signer.clone(),
            code: payload.code,
            time: payload.time,
            arguments: Arguments::received(arguments)
                .ok_or(Malformed { field: "arguments", fault: FieldFault::Word })?,
        })
    }
}

fn signed_by(office: &str, signer: &SpiffeId) -> Result<(), Malformed> {
    let own = office == signer.to_string();
    own.then_some(()).ok_or(Malformed { field: "office", fault: FieldFault::NotTheCertificates })
}

fn read_basics(
    number: u32,
    [request, query, policy, plan, layout]: [&[u8]; 5],
    (office, signer): (&str, &SpiffeId),
    dataset_version: String,
    loss: Loss,
    time: u64,
) -> Result<Basics, Malformed> {
    version(number)?;
    signed_by(office, signer)?;
    Ok(Basics {
        request_digest: sized("request_digest", request)?,
        query_digest: sized("query_digest", query)?,
        office: signer.clone(),
        dataset_version,
        policy_digest: sized("policy_digest", policy)?,
        plan_digest: sized("plan_digest", plan)?,
        layout_digest: sized("layout_digest", layout)?,
        loss,
        time,
    })
}

fn read_agreement(text: &str) -> Result<Option<Agreement>, Malformed> {
    let read =
        |text: &str| text.parse().map_err(|_| Malformed { field: "agreement", fault: FieldFault::Word });
    Some(text).filter(|text| !text.is_empty()).map(read).transpose()
}

fn read_shown_if(text: &str) -> Result<Option<ShownIf>, Malformed> {
    let read =
        |text: &str| text.parse().map_err(|()| Malformed { field: "shown_if", fault: FieldFault::Word });
    Some(text).filter(|text| !text.is_empty()).map(read).transpose()
}

fn charge_fields(charged: Option<&Charged>) -> (Loss, bool, (pb::Accounting, u64)) {
    charged.map_or(
        (crate::currency::FREE, false, (pb::Accounting::Unspecified, 0)),
        |Charged { loss, repeated, account }| (*loss, *repeated, account_fields(account)),
    )
}

fn read_charged(
    (pure_nano, rho_nano, delta_e18): (u64, u64, u64),
    repeated: bool,
    accounting: u32,
    account_delta_e18: u64,
) -> Result<Charged, Malformed> {
    let unknown = Malformed { field: "accounting", fault: FieldFault::Account };
    let accounting = i32::try_from(accounting).ok().and_then(|word| pb::Accounting::try_from(word).ok());
    let account = read_account(accounting.ok_or(unknown)?, account_delta_e18)?;
    Ok(Charged { loss: read_charge(pure_nano, rho_nano, delta_e18), repeated, account })
}

#[cfg(test)]
mod tests;
