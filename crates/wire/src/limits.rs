//! How much may come over the wire: no more than the largest answer that can be planned.

use lango_identity::EnvelopeLimits;

const KIB: usize = 1024;

/// The most bytes of a request: an envelope of 256 KiB, four certificates and their frame.
pub const REQUEST_BYTES_MAX: usize = 512 * KIB;
/// The most bytes of a plan's text.
pub const PLAN_BYTES_MAX: usize = lango_privacy::PLAN_BYTES_MOST;
/// The most bytes of a layout's text.
pub const LAYOUT_BYTES_MAX: usize = lango_privacy::LAYOUT_BYTES_MOST;
/// The most bytes of a packed integer.
pub const INTEGER_BYTES_MAX: usize = 10;
/// The most bytes of an office's envelope: a payload of 8 KiB, four certificates of 16 KiB and their frame.
pub const ENVELOPE_BYTES_MAX: usize = 80 * KIB;
/// The most bytes of an answer, the earlier releases that travel with it included: 250,000 integers of ten bytes, the texts, the
/// envelope and their frame.
pub const ANSWER_BYTES_MAX: usize = 4 * KIB * KIB;
/// The most bytes of a price: the texts, the envelope and their frame.
pub const PRICE_BYTES_MAX: usize = PLAN_BYTES_MAX + LAYOUT_BYTES_MAX + ENVELOPE_BYTES_MAX + 16 * KIB;
/// The most bytes of a page of members.
pub const MEMBERS_BYTES_MAX: usize = 512 * KIB;
/// The most bytes by which a member's answer grows when a coordinator passes it on.
pub const PASSED_ON_BYTES_MAX: usize = KIB;
/// The most bytes of any message: a coordinator's combined result.
pub const MESSAGE_BYTES_MAX: usize = 64 * KIB * KIB;
/// The most offices that a question may address.
pub const AUDIENCE_MOST: usize = 1_000;

/// How large the parts of an office's envelope may be: what offices sign is small.
pub(crate) const OFFICE_LIMITS: EnvelopeLimits =
    EnvelopeLimits { payload_bytes_max: 8 * KIB, certificates_max: 4, certificate_bytes_max: 16 * KIB };

/// The bytes that an answer with these texts and this number of integers has at most, whatever the integers are.
pub const fn answer_bytes(plan: usize, layout: usize, integers: usize) -> usize {
    plan.saturating_add(layout)
        .saturating_add(integers.saturating_mul(INTEGER_BYTES_MAX))
        .saturating_add(ENVELOPE_BYTES_MAX)
        .saturating_add(KIB)
}
