//! How much may come over the wire: no more than the largest answer that can be planned.

use lango_identity::{CERTIFICATE_BYTES_MOST, CERTIFICATES_MOST, EnvelopeLimits};
use lango_privacy::CELLS_MOST;

const KIB: usize = 1024;

/// The most bytes of a request: an envelope of 256 KiB, four certificates and their frame.
pub const REQUEST_BYTES_MAX: usize = 512 * KIB;
/// The most bytes of a plan's text.
pub const PLAN_BYTES_MAX: usize = lango_privacy::PLAN_BYTES_MOST;
/// The most bytes of a layout's text.
pub const LAYOUT_BYTES_MAX: usize = lango_privacy::LAYOUT_BYTES_MOST;
/// The most bytes of a packed integer.
pub const INTEGER_BYTES_MAX: usize = 10;
/// The most bytes of what an office signs.
const OFFICE_PAYLOAD_BYTES_MAX: usize = 8 * KIB;
/// The most bytes of an office's envelope: a payload of 8 KiB, four certificates of 16 KiB and 8 KiB for their frame.
pub const ENVELOPE_BYTES_MAX: usize =
    OFFICE_PAYLOAD_BYTES_MAX + CERTIFICATES_MOST * CERTIFICATE_BYTES_MOST + 8 * KIB;
/// The most bytes of the headers that a refusal travels in: its envelope in base64, which makes four bytes of three, and 16 KiB
/// for its words and facts, in all places of them.
pub const REFUSAL_HEADER_BYTES_MAX: usize = ENVELOPE_BYTES_MAX.div_ceil(3) * 4 + 16 * KIB;
/// The most bytes of a receipt: an entry, a proof with its checkpoint and their signatures, and four certificates.
pub const RECEIPT_BYTES_MAX: usize =
    lango_access_log::ENTRY_BYTES_MOST + 8 * KIB + CERTIFICATES_MOST * CERTIFICATE_BYTES_MOST;
/// The most bytes of an answer, the earlier releases that travel with it included: 250,000 integers of ten bytes and a bit for
/// each, the texts, the envelope, the receipt and their frame.
pub const ANSWER_BYTES_MAX: usize = 4 * KIB * KIB;
/// The most bytes of what an administrator is shown: a noisy answer with the question that it answers, or a page.
pub const SHOWN_BYTES_MAX: usize = ANSWER_BYTES_MAX + REQUEST_BYTES_MAX;
/// The most bytes of a price: the texts, the envelope and their frame.
pub const PRICE_BYTES_MAX: usize = PLAN_BYTES_MAX + LAYOUT_BYTES_MAX + ENVELOPE_BYTES_MAX + 16 * KIB;
/// The most bytes of the datasets of a description.
pub const DATASETS_BYTES_MAX: usize = 512 * KIB;
/// The most datasets of a description.
pub const DATASETS_MOST: usize = 1_000;
/// The most columns, grants and refusals of all its datasets together.
pub const DATASET_PARTS_MOST: usize = 20_000;
/// The most bytes of a description: the datasets, the envelope and their frame.
pub const DESCRIPTION_BYTES_MAX: usize = DATASETS_BYTES_MAX + ENVELOPE_BYTES_MAX + 16 * KIB;
/// The most bytes of a page of members.
pub const MEMBERS_BYTES_MAX: usize = 512 * KIB;
/// The most bytes of the revocation lists that a coordinator passes on, in their frame.
pub const REVOCATIONS_BYTES_MAX: usize = lango_identity::REVOCATION_BYTES_MOST + KIB;
/// The most bytes of a request for certificates, and of the certificates that answer it.
pub const CERTIFICATES_BYTES_MAX: usize = 64 * KIB;
/// The most bytes by which a member's answer grows when a coordinator passes it on.
pub const PASSED_ON_BYTES_MAX: usize = KIB;
/// The most records or reviews of a page that an administrator is shown.
pub const PAGE_MOST: u32 = 200;
/// The most bytes of a checkpoint with its signatures.
pub const CHECKPOINT_BYTES_MOST: usize = 8 * KIB;
/// The most hashes of a proof that a log goes on: of any log that there can be.
pub const PROOF_HASHES_MOST: usize = 128;
/// The most entries of a log in one page.
pub const ENTRIES_MOST: u32 = 8_192;
/// The most bytes of the entries of a page, unless one alone has more.
pub const ENTRIES_BYTES_MOST: usize = 3 * KIB * KIB;
/// The most bytes of what an auditor is shown: a page of entries, or a policy.
pub const AUDITED_BYTES_MAX: usize = 16 * KIB * KIB;
/// The most bytes of any message: a coordinator's combined result.
pub const MESSAGE_BYTES_MAX: usize = 64 * KIB * KIB;
/// The most offices that a question may address.
pub const AUDIENCE_MOST: usize = 1_000;

/// How large the parts of an office's envelope may be: what offices sign is small.
pub(crate) const OFFICE_LIMITS: EnvelopeLimits =
    EnvelopeLimits { payload_bytes_max: OFFICE_PAYLOAD_BYTES_MAX };

/// The bytes that an answer with these texts and this number of integers has at most, whatever the integers are.
pub const fn answer_bytes(plan: usize, layout: usize, integers: usize) -> usize {
    plan.saturating_add(layout)
        .saturating_add(integers.saturating_mul(INTEGER_BYTES_MAX))
        .saturating_add(integers.div_ceil(8))
        .saturating_add(ENVELOPE_BYTES_MAX)
        .saturating_add(RECEIPT_BYTES_MAX)
        .saturating_add(KIB)
}

/// A message, as far as those need to know who send it and do not read it.
pub trait OnWire {
    /// Its bytes as it is sent, without its frame.
    fn wire_bytes(&self) -> usize;
}

impl<T: prost::Message> OnWire for T {
    fn wire_bytes(&self) -> usize {
        self.encoded_len()
    }
}

/// What the earlier releases take that travel with an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EarlierSize {
    /// Their bytes.
    pub bytes: usize,
    codes: usize,
    integers: usize,
}

impl EarlierSize {
    /// Adds one with these texts and this number of integers.
    pub fn add(&mut self, plan: &str, layout: &str, integers: usize) {
        self.bytes = self.bytes.saturating_add(answer_bytes(plan.len(), layout.len(), integers));
        self.codes = self.codes.saturating_add(layout.bytes().filter(|byte| *byte == b',').count());
        self.integers = self.integers.saturating_add(integers);
    }

    /// Whether a reader takes them: all together have no more codes, and no more integers, than one release may have.
    pub fn fits(&self) -> bool {
        self.codes <= CELLS_MOST && self.integers <= CELLS_MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_releases_together_are_no_more_than_one() {
        let half = "a,".repeat(CELLS_MOST / 2);
        for (layouts, integers, fits) in [
            (vec![half.as_str(), half.as_str()], 1, true),
            (vec![half.as_str(), half.as_str(), "a,"], 1, false),
            (vec!["a", "b"], CELLS_MOST / 2, true),
            (vec!["a", "b", "c"], CELLS_MOST / 2, false),
            (vec![], 0, true),
        ] {
            let mut size = EarlierSize::default();
            layouts.iter().for_each(|layout| size.add("p", layout, integers));
            assert_eq!(size.fits(), fits, "{} {integers}", layouts.len());
            assert_eq!(size.bytes > 0, !layouts.is_empty());
        }
    }
}
