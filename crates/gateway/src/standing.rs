//! How the policy of an office stands: what is in force, what waits, and what is wrong with the folder.

/// The policy in force, and what became of the folder since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyStanding {
    /// Digest of the policy in force; none where none has come into force yet, and nothing is granted.
    pub in_force: Option<[u8; 32]>,
    /// How many administrators must sign a change.
    pub signatures_needed: usize,
    /// The gateway's administrators, as SPIFFE URIs.
    pub administrators: Vec<String>,
    /// The valid change that waits.
    pub waiting: Option<WaitingPolicy>,
    /// Other policies that are signed: one that cannot come into force yet, or that just did.
    pub signed: Vec<WaitingPolicy>,
    /// What is wrong with the folder, where it was refused: a text for each mistake.
    pub refused: Vec<String>,
}

/// A policy that waits for signatures, or has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPolicy {
    /// Its digest.
    pub digest: [u8; 32],
    /// Who signed it, oldest first.
    pub signed: Vec<SignedBy>,
}

impl WaitingPolicy {
    /// The one that waits, with who signed it, and the others that are signed.
    pub fn parted(waiting: Option<[u8; 32]>, mut signed: Vec<Self>) -> (Option<Self>, Vec<Self>) {
        let Some(digest) = waiting else { return (None, signed) };
        let found = signed.extract_if(.., |policy| policy.digest == digest).next();
        let waiting = found.unwrap_or(Self { digest, signed: Vec::new() });
        (Some(waiting), signed)
    }
}

/// An administrator's signature of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The administrator's SPIFFE URI.
    pub administrator: String,
    /// Unix seconds.
    pub at: i64,
}
