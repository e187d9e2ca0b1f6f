//! Requests: what was asked, what was decided, by which rule, at what price.

use serde::{Deserialize, Serialize};

use crate::values::{Amount, Hex, beginning};

use super::EntryError;

/// A request that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecidedRequest {
    /// The agreement that the rule cites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// What it was charged, and to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<LoggedCharge>,
    /// The dataset asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// What was decided.
    pub decision: RequestDecision,
    /// SHA-256 of the complete envelope of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Hex<32>>,
    /// The charge that is given back: no row was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_back: Option<LoggedCharge>,
    /// For what, in the asker's words.
    pub purpose: String,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<LoggedQuestion>,
    /// The code of the refusal or of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was handed out, or waits for its review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<LoggedRelease>,
    /// Digest of the request.
    pub request: Hex<32>,
    /// The rule that decided: a grant, or a refusal of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The dataset's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What was decided of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestDecision {
    /// The loss is set aside; an answer or a failure follows.
    Reserved,
    /// A new answer.
    Released,
    /// A new answer, which the office reviews before it leaves.
    Drawn,
    /// A stored answer, free.
    Repeated,
    /// A price was named.
    Estimated,
    /// The datasets were described.
    Described,
    /// Refused.
    Refused,
    /// Failed after the decision.
    Failed,
}

impl RequestDecision {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Released => "released",
            Self::Drawn => "drawn",
            Self::Repeated => "repeated",
            Self::Estimated => "estimated",
            Self::Described => "described",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A question, by its text and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedQuestion {
    /// Digest of its whole text.
    pub digest: Hex<32>,
    /// How many bytes of the text are not kept.
    pub left_out: Amount,
    /// Its canonical text, or the beginning of one that is very long.
    pub text: String,
}

impl LoggedQuestion {
    /// The bytes of an entry that the text takes at most: far more than a question that is allowed has.
    pub const TEXT_BYTES_MOST: usize = 16 << 10;

    /// A question whose text is kept as far as an entry holds it.
    #[must_use]
    pub fn of(digest: [u8; 32], text: &str) -> Self {
        let (kept, left_out) = beginning(text, Self::TEXT_BYTES_MOST);
        Self { digest: Hex(digest), left_out: Amount(left_out), text: kept.to_owned() }
    }

    /// Whether a text of which some is left out is kept as far as an entry holds it: no honest entry keeps less.
    #[must_use]
    pub const fn is_cut_where_it_must_be(&self) -> bool {
        // A cut before a character of several bytes.
        self.left_out.0 > 0 && self.text.len() + 4 > Self::TEXT_BYTES_MOST
    }
}

/// An answer, by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedRelease {
    /// SHA-256 of the complete envelope that was handed out; none while the answer waits for its review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Hex<32>>,
    /// The release's own identifier.
    pub id: Hex<16>,
}

/// A charge: the loss, and the two accounts that were charged with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedCharge {
    /// The grant's share.
    pub grant: LoggedAccount,
    /// What the question costs.
    pub loss: LoggedLoss,
    /// The pool of the dataset.
    pub pool: LoggedAccount,
}

/// An account before and after a charge, or before and after one is given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedAccount {
    /// All that has been charged to it, now.
    pub after: LoggedLoss,
    /// All that had been charged to it before.
    pub before: LoggedLoss,
    /// The name of the pool, or the grant's identifier.
    pub name: String,
    /// The calendar period, empty where the budget never renews.
    pub period: String,
    /// When the period began, in Unix seconds; 0 where the budget never renews.
    pub since: i64,
}

/// A privacy loss, or a sum of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedLoss {
    /// Delta in units of 1e-18.
    pub delta_e18: Amount,
    /// Pure epsilon in billionths; none where there is no pure guarantee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pure_nano: Option<Amount>,
    /// Rho under zero-concentrated differential privacy, in billionths.
    pub rho_nano: Amount,
}

impl LoggedLoss {
    /// Both together; saturates, as accounts do, so that none wraps round to empty.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let sum = |a: Amount, b: Amount| Amount(a.0.saturating_add(b.0));
        Self {
            delta_e18: sum(self.delta_e18, other.delta_e18),
            pure_nano: self.pure_nano.zip(other.pure_nano).map(|(a, b)| sum(a, b)),
            rho_nano: sum(self.rho_nano, other.rho_nano),
        }
    }
}

impl LoggedCharge {
    /// Whether both accounts differ by the loss, from `before` to `after` or the other way round.
    fn check(&self, is_given_back: bool) -> Result<(), EntryError> {
        for (account, of) in [("pool", &self.pool), ("grant", &self.grant)] {
            let (less, more) = if is_given_back { (of.after, of.before) } else { (of.before, of.after) };
            if more != less.plus(&self.loss) {
                return Err(EntryError::Charge { account });
            }
        }
        Ok(())
    }
}

impl RequestDecision {
    /// Which fields an entry with this decision has: the charge, what is given back, the reason, the release. `None` where it may
    /// have one.
    const fn has(self) -> [Option<bool>; 4] {
        let (yes, no, may) = (Some(true), Some(false), None);
        match self {
            Self::Reserved => [yes, no, no, no],
            Self::Released | Self::Drawn => [may, no, no, yes],
            Self::Repeated => [may, no, no, may],
            Self::Estimated | Self::Described => [no, no, no, no],
            Self::Refused => [no, no, yes, no],
            Self::Failed => [may, may, yes, no],
        }
    }
}

impl DecidedRequest {
    /// Whether the balances add up, and nothing contradicts the decision.
    pub(super) fn check(&self) -> Result<(), EntryError> {
        let fields = [
            ("charge", self.charge.is_some()),
            ("given_back", self.given_back.is_some()),
            ("reason", self.reason.is_some()),
            ("release", self.release.is_some()),
        ];
        for ((field, has), should) in fields.into_iter().zip(self.decision.has()) {
            if should.is_some_and(|should| should != has) {
                return Err(EntryError::Decision { decision: self.decision.word(), field });
            }
        }
        self.charge.iter().try_for_each(|charge| charge.check(false))?;
        self.given_back.iter().try_for_each(|charge| charge.check(true))
    }
}
