//! The secret that a dataset's row order is keyed with.

use zeroize::Zeroizing;

/// The 32 random bytes of a dataset's version, made once and kept by the gateway: who knows them knows which rows of a unit
/// are read. Deliberately without `Debug` or `Display`; wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// The secret of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}
