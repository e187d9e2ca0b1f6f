//! How the policy of an office stands: what is in force, what waits, and what is wrong with the folder.

/// The policy in force, and what became of the folder since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyStanding {
    /// Digest of the policy in force; none where nothing has been decided yet.
    pub in_force: Option<[u8; 32]>,
    /// How many administrators must sign a change.
    pub signatures_needed: usize,
    /// The gateway's administrators, as SPIFFE URIs.
    pub administrators: Vec<String>,
    /// The valid change that waits.
    pub waiting: Option<WaitingPolicy>,
    /// What is wrong with the folder, where it was refused: a text for each mistake.
    pub refused: Vec<String>,
}

/// A valid change of the policy that waits for signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPolicy {
    /// Its digest.
    pub digest: [u8; 32],
    /// Who signed it, oldest first.
    pub signed: Vec<SignedBy>,
}

/// An administrator's signature of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The administrator's SPIFFE URI.
    pub administrator: String,
    /// Unix seconds.
    pub at: i64,
}
