//! What came, cut into its parts and read no further: nothing is decoded before it is worth it.
//!
//! These are the messages of `lango.v1` with bytes in the places of envelopes, texts, lists of integers and earlier releases. A
//! list of empty certificates or small integers grows twelvefold when it is decoded; bytes stay as they came.

use lango_identity::Envelope;
use prost::{
    Message,
    bytes::{Buf, Bytes},
};

use crate::{
    answer::AnswerError,
    limits::{ANSWER_BYTES_MAX, ENVELOPE_BYTES_MAX},
    pb,
};

/// A [`pb::Release`] as it came.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SealedRelease {
    /// An envelope.
    #[prost(bytes = "bytes", tag = "1")]
    pub envelope: Bytes,
    /// A text.
    #[prost(bytes = "bytes", tag = "2")]
    pub plan: Bytes,
    /// A text.
    #[prost(bytes = "bytes", tag = "3")]
    pub layout: Bytes,
    /// Packed integers.
    #[prost(bytes = "bytes", tag = "4")]
    pub cells: Bytes,
    /// What this request was charged.
    #[prost(message, optional, tag = "5")]
    pub charged: Option<pb::Loss>,
    /// Whether the values had been released before.
    #[prost(bool, tag = "6")]
    pub repeated: bool,
    /// The account that was charged.
    #[prost(message, optional, tag = "7")]
    pub account: Option<pb::Account>,
    /// Releases, each behind its length.
    #[prost(bytes = "bytes", tag = "9")]
    pub earlier: Bytes,
    /// Bits.
    #[prost(bytes = "bytes", tag = "10")]
    pub hidden: Bytes,
    /// An encoded [`pb::Receipt`].
    #[prost(bytes = "bytes", optional, tag = "11")]
    pub receipt: Option<Bytes>,
}

/// A [`pb::Estimate`] as it came.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SealedPrice {
    /// The office's SPIFFE URI.
    #[prost(string, tag = "1")]
    pub office: String,
    /// A text.
    #[prost(bytes = "bytes", tag = "2")]
    pub plan: Bytes,
    /// A text.
    #[prost(bytes = "bytes", tag = "3")]
    pub layout: Bytes,
    /// What the release costs.
    #[prost(message, optional, tag = "4")]
    pub loss: Option<pb::Loss>,
    /// What the principal would be charged now.
    #[prost(message, optional, tag = "5")]
    pub charged: Option<pb::Loss>,
    /// The account that would be charged.
    #[prost(message, optional, tag = "6")]
    pub account: Option<pb::Account>,
    /// How many such questions are left.
    #[prost(uint64, tag = "7")]
    pub queries_left: u64,
    /// Whether the answer is stored.
    #[prost(bool, tag = "8")]
    pub repeated: bool,
    /// The dataset's version.
    #[prost(string, tag = "9")]
    pub dataset_version: String,
    /// How much of the data the bounds are expected to drop.
    #[prost(string, tag = "10")]
    pub bounds_drop: String,
    /// An envelope.
    #[prost(bytes = "bytes", tag = "12")]
    pub envelope: Bytes,
}

/// A [`pb::Description`] as it came.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SealedDescription {
    /// An envelope.
    #[prost(bytes = "bytes", tag = "1")]
    pub envelope: Bytes,
    /// An encoded [`pb::Datasets`].
    #[prost(bytes = "bytes", tag = "2")]
    pub datasets: Bytes,
}

/// A [`pb::Refusal`] as it came.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SealedRefusal {
    /// An envelope. The code and the words beside it are not read: they are made from what it holds.
    #[prost(bytes = "bytes", tag = "3")]
    pub envelope: Bytes,
}

/// A member's answer as a coordinator passes it on, and the stream's event that holds it.
macro_rules! member {
    ($(#[$doc:meta])* $member:ident, $answer:ident, $response:ident, $tag:tt) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, prost::Message)]
        pub struct $member {
            /// The member.
            #[prost(string, tag = "1")]
            pub office: String,
            #[prost(message, optional, tag = "2")]
            answer: Option<$answer>,
            #[prost(message, optional, tag = "3")]
            refusal: Option<SealedRefusal>,
            #[prost(message, optional, tag = "4")]
            missing: Option<pb::Missing>,
        }

        impl $member {
            /// What the member said; nothing where that is nothing, or several things.
            pub fn outcome(self) -> Option<SealedOutcome<$answer>> {
                match (self.answer, self.refusal, self.missing) {
                    (Some(answer), None, None) => Some(SealedOutcome::Answer(answer)),
                    (None, Some(refusal), None) => Some(SealedOutcome::Refusal(refusal)),
                    (None, None, Some(missing)) => Some(SealedOutcome::Missing(missing)),
                    _ => None,
                }
            }
        }

        /// An event of a coordinator's stream; what else it may be is passed over.
        #[derive(Clone, PartialEq, prost::Message)]
        pub struct $response {
            /// One member's answer.
            #[prost(message, optional, tag = $tag)]
            pub member: Option<$member>,
        }
    };
}

member!(
    /// A [`pb::MemberAnswer`] as it came.
    SealedMemberAnswer, SealedRelease, SealedQueryResponse, "1"
);
member!(
    /// A [`pb::MemberEstimate`] as it came.
    SealedMemberPrice, SealedPrice, SealedEstimateResponse, "2"
);
member!(
    /// A [`pb::MemberDescription`] as it came.
    SealedMemberDescription, SealedDescription, SealedDescribeResponse, "1"
);

/// What a coordinator says that a member said.
#[derive(Debug, Clone, PartialEq)]
pub enum SealedOutcome<T> {
    /// An answer.
    Answer(T),
    /// A refusal.
    Refusal(SealedRefusal),
    /// None, for this reason.
    Missing(pb::Missing),
}

/// A gateway's answer to a question.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GatewayRelease {
    /// The answer.
    #[prost(message, optional, tag = "1")]
    pub release: Option<SealedRelease>,
}

/// A gateway's answer to a price enquiry.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GatewayPrice {
    /// The price.
    #[prost(message, optional, tag = "1")]
    pub estimate: Option<SealedPrice>,
}

/// A gateway's answer to a look-up of its datasets.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GatewayDescription {
    /// The description.
    #[prost(message, optional, tag = "2")]
    pub description: Option<SealedDescription>,
}

impl SealedRelease {
    /// The message to be passed on, with the integers that were read of it.
    pub fn passed_on(self, cells: Vec<i64>) -> Result<pb::Release, AnswerError> {
        Ok(pb::Release {
            envelope: Some(opened(&self.envelope)?.into()),
            plan: text("plan", &self.plan)?.to_owned(),
            layout: text("layout", &self.layout)?.to_owned(),
            cells,
            charged: self.charged,
            repeated: self.repeated,
            account: self.account,
            earlier: self.earlier.to_vec(),
            hidden: self.hidden.to_vec(),
            receipt: self
                .receipt
                .as_deref()
                .map(pb::Receipt::decode)
                .transpose()
                .map_err(|_| AnswerError::Differs("receipt"))?,
        })
    }

    /// The next of the earlier releases, taken out of this one.
    pub(crate) fn next_earlier(&mut self) -> Result<Self, AnswerError> {
        let differs = || AnswerError::Differs("earlier releases");
        let bytes = prost::encoding::decode_varint(&mut self.earlier).map_err(|_| differs())?;
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes <= self.earlier.len());
        let bytes = bytes.filter(|bytes| *bytes <= ANSWER_BYTES_MAX).ok_or_else(differs)?;
        Self::decode(self.earlier.copy_to_bytes(bytes)).map_err(|_| differs())
    }
}

impl SealedPrice {
    /// The message to be passed on.
    pub fn passed_on(self) -> Result<pb::Estimate, AnswerError> {
        Ok(pb::Estimate {
            office: self.office,
            plan: text("plan", &self.plan)?.to_owned(),
            layout: text("layout", &self.layout)?.to_owned(),
            loss: self.loss,
            charged: self.charged,
            account: self.account,
            queries_left: self.queries_left,
            repeated: self.repeated,
            dataset_version: self.dataset_version,
            bounds_drop: self.bounds_drop,
            envelope: Some(opened(&self.envelope)?.into()),
        })
    }
}

impl SealedDescription {
    /// The message to be passed on.
    pub fn passed_on(self) -> Result<pb::Description, AnswerError> {
        Ok(pb::Description {
            envelope: Some(opened(&self.envelope)?.into()),
            datasets: self.datasets.to_vec(),
        })
    }
}

/// Releases in the one field in which they travel with the release that divides by them.
pub fn in_one_field(earlier: &[pb::Release]) -> Vec<u8> {
    earlier.iter().flat_map(Message::encode_length_delimited_to_vec).collect()
}

/// An envelope, if it is not too large to be read.
pub(crate) fn opened(bytes: &Bytes) -> Result<Envelope, AnswerError> {
    if bytes.is_empty() {
        return Err(AnswerError::Absent("envelope"));
    }
    if bytes.len() > ENVELOPE_BYTES_MAX {
        return Err(AnswerError::TooLarge("envelope"));
    }
    let envelope = pb::Envelope::decode(bytes.clone()).map_err(|_| AnswerError::Differs("envelope"))?;
    Ok(envelope.into())
}

/// The text in these bytes.
pub(crate) fn text<'a>(part: &'static str, bytes: &'a [u8]) -> Result<&'a str, AnswerError> {
    std::str::from_utf8(bytes).map_err(|_| AnswerError::Differs(part))
}

/// The integers in packed bytes, if there are exactly this number of them.
pub(crate) fn unpacked(mut bytes: &[u8], count: usize) -> Result<Vec<i64>, AnswerError> {
    let differs = || AnswerError::Differs("number of cells");
    // Each integer ends with the one byte whose highest bit is clear.
    if bytes.iter().filter(|byte| **byte < 0x80).count() != count {
        return Err(differs());
    }
    let mut integers = Vec::with_capacity(count);
    while !bytes.is_empty() {
        let zigzag = prost::encoding::decode_varint(&mut bytes).map_err(|_| differs())?;
        integers.push(((zigzag >> 1) as i64) ^ -((zigzag & 1) as i64));
    }
    Ok(integers)
}

/// A message as it would come.
macro_rules! sealed {
    ($($message:ty => $sealed:ty),*) => {$(
        impl From<$message> for $sealed {
            fn from(message: $message) -> Self {
                // The same fields on the wire, so that nothing can fail.
                Self::decode(message.encode_to_vec().as_slice()).unwrap_or_default()
            }
        }
    )*};
}

sealed!(
    pb::Release => SealedRelease,
    pb::Estimate => SealedPrice,
    pb::Description => SealedDescription,
    pb::Refusal => SealedRefusal
);

#[cfg(test)]
mod tests;
