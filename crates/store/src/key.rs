//! The key of a release.

/// What makes two questions the same: one draw of noise serves all that share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseKey {
    /// Digest of the canonical text.
    pub query_digest: [u8; 32],
    /// The dataset's version.
    pub dataset_version: String,
    /// Digest of the terms.
    pub terms_digest: [u8; 32],
}
