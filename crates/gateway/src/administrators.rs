//! Whom an office has to administer it over the wire, and how many of them it takes to change its policy.

use lango_identity::SpiffeId;

/// The administrators of an office's gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Administrators {
    /// Who they are: nobody else is served.
    pub listed: Vec<SpiffeId>,
    /// What a change of the policy takes.
    pub activation: Activation,
}

/// What a valid change of the policy folder takes to come into force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing more: who can write to the folder changes the policy.
    #[default]
    One,
    /// The signatures of two administrators.
    Two,
}

impl Activation {
    /// How many administrators must sign a change.
    pub fn signatures_needed(self) -> usize {
        match self {
            Self::One => 0,
            Self::Two => 2,
        }
    }
}
