//! Why a gateway does not start.

use lango_identity::Unauthenticated;
use lango_sealing::LogError;
use lango_store::StoreError;

use crate::in_force::PolicyError;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The policy cannot come into force.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policy in the folder waits for signatures or is wrong, and the one that was activated last cannot come into force
    /// again.
    #[error(
        "the policy in the folder waits for signatures or is wrong, and the one that was activated last cannot be used any more: \
         {0}\n\nPut right what that names, or start with `activation = \"one\"` if the folder's shall decide"
    )]
    Kept(PolicyError),
    /// The certificate for TLS is another principal's, or not good.
    #[error("the TLS certificate is not good: {0}")]
    Tls(String),
    /// The certificate for answers is not good.
    #[error("the signing certificate is not good: {0}")]
    Signing(Unauthenticated),
    /// The log does not go on where it was.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The ledger cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
}
