//! What happens in the house besides requests: starts and stops, rules, keys, data, reviews and look-ups.
//!
//! Nothing here counts rows or persons, and nothing that data decided.

use serde::{Deserialize, Serialize};

use crate::values::{Amount, Hex, encoded};

/// Lines of a text, as far as an entry holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedLines {
    /// How many lines at the end are not kept.
    pub left_out: Amount,
    /// The lines.
    pub lines: Vec<String>,
}

impl LoggedLines {
    /// The bytes of an entry that the lines take at most.
    pub const BYTES_MOST: usize = 32 << 10;

    /// Lines that are kept whole, from the first on, as far as an entry holds them.
    #[must_use]
    pub fn of(lines: &[String]) -> Self {
        let mut taken = 0;
        let fits = |line: &&String| {
            // Two quotes and a comma.
            taken += encoded(line) + 3;
            taken <= Self::BYTES_MOST
        };
        let kept: Vec<String> = lines.iter().take_while(fits).cloned().collect();
        let left_out = lines.len() - kept.len();
        Self { left_out: Amount(u64::try_from(left_out).unwrap_or(u64::MAX)), lines: kept }
    }
}

/// The server started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayStart {
    /// Digest of its configuration.
    pub configuration: Hex<32>,
    /// Which of several servers on the store it is: new at every start.
    pub instance: Hex<16>,
    /// The version of Lango.
    pub lango: String,
    /// Which store it runs on.
    pub store: Hex<16>,
}

/// The server stopped, as it was asked to. One that was killed leaves no such entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayStop {
    /// Which of several servers on the store it was.
    pub instance: Hex<16>,
}

/// Another configuration is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationChange {
    /// What differs, by its keys; never a secret.
    pub changes: LoggedLines,
    /// Digest of the configuration.
    pub configuration: Hex<32>,
}

/// Another policy came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivatedPolicy {
    /// The policy that was in force before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Hex<32>>,
    /// What may be asked now and not before, and the other way round.
    pub changes: LoggedLines,
    /// Digest of the policy.
    pub digest: Hex<32>,
    /// The charges that followed their rows into another pool.
    pub moved: Vec<MovedCharges>,
    /// The administrators who signed it, by their SPIFFE URIs.
    pub signers: Vec<String>,
}

/// All charges of a pool are another's from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedCharges {
    /// The pool that they were of.
    pub from: String,
    /// The pool that they are of now.
    pub to: String,
}

/// An administrator signed a policy that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyApproval {
    /// Digest of the policy.
    pub digest: Hex<32>,
    /// SHA-256 of the complete envelope of the signature.
    pub envelope: Hex<32>,
}

/// A step in the life of something that gives access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessStep {
    /// It is in use from now on.
    Added,
    /// It is in use in the place of another.
    Renewed,
    /// It is in use no more.
    Removed,
    /// Its authority takes it back.
    Revoked,
}

/// What a key or certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Signing answers, questions and acts.
    Signing,
    /// TLS.
    Tls,
    /// Issuing certificates.
    Authority,
    /// Signing the log's checkpoints.
    Log,
    /// Cosigning the checkpoints of others.
    Witness,
    /// A list of certificates that were revoked.
    RevocationList,
}

/// A key, certificate, authority or revocation list changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// SHA-256 of the certificate, of the list, or of a key's text.
    pub fingerprint: Hex<32>,
    /// Whose it is: a SPIFFE URI, or a key's name.
    pub of: String,
    /// What happened to it.
    pub step: AccessStep,
    /// What it is for.
    #[serde(rename = "use")]
    pub used_for: KeyUse,
    /// From when it is valid, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<i64>,
    /// Until when, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
}

/// Files became a register. No digest of them: who knows all persons of a register but one could try who that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportedRegister {
    /// The dataset.
    pub dataset: String,
    /// How many files.
    pub files: Amount,
    /// The dataset's version.
    pub version: String,
}

/// A dataset's prepared rows were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadePreparation {
    /// The dataset.
    pub dataset: String,
    /// The dataset's version.
    pub version: String,
}

/// A dataset has another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetVersion {
    /// The version before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The dataset.
    pub dataset: String,
    /// The version.
    pub version: String,
}

/// A review took a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedReview {
    /// The dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// For what, in the asker's words; empty where the office decides.
    pub purpose: String,
    /// The question that is reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Hex<32>>,
    /// Digest of the request that brought it about; of the policy where none did.
    pub request: Hex<32>,
    /// The review.
    pub review: Hex<16>,
    /// The grant that asks for the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How it stands now: the word for it.
    pub standing: String,
    /// Why, in the office's words; empty where it gave no reason.
    pub why: String,
}

/// An administrator or an auditor saw something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedInspection {
    /// The dataset, where it was of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// What was seen: the word for it, and of which review, entry or release.
    pub object: String,
    /// For what, in the asker's words.
    pub purpose: String,
    /// The question, where it was of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Hex<32>>,
    /// Digest of the request.
    pub request: Hex<32>,
}

/// Something failed that no request is answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFailure {
    /// The stable word for what failed.
    pub code: String,
    /// The part that it failed in: `source`, `policy`, `import`, `witness` and the like.
    pub part: String,
}
