//! Whom an office has to administer it over the wire, and how many of them it takes to change its policy.

use std::fmt;

use lango_identity::SpiffeId;
use lango_store::{Record, Store, StoreError};

/// The administrators of an office's gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Administrators {
    /// Who they are: nobody else is served.
    pub listed: Vec<SpiffeId>,
    /// What a change of the policy takes.
    pub activation: Activation,
}

impl Administrators {
    /// INVARIANT (who administers an office is on record): where the store knows another setting, this one is recorded with the
    /// one before, by the rest of a record, before the gateway that starts with it decides anything. That a new store's office
    /// lists nobody is not.
    pub(crate) async fn keep(&self, store: &Store, is_new: bool, record: Record) -> Result<(), StoreError> {
        let setting = self.to_string();
        let is_recorded = !is_new || *self != Self::default();
        if store.keep_administration(&setting, is_recorded.then_some(&record)).await? && is_recorded {
            tracing::warn!(setting, "the administration of the office has changed");
        }
        Ok(())
    }
}

impl fmt::Display for Administrators {
    /// Writes them as the configuration does, in words: the order in which it lists them does not count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, activation } = self;
        let mut names: Vec<&str> = listed.iter().map(SpiffeId::name).collect();
        names.sort_unstable();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        write!(f, "activation {}, administrators {names}", activation.word())
    }
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
    /// The configuration's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Two => "two",
        }
    }

    /// How many administrators must sign a change.
    pub fn signatures_needed(self) -> usize {
        match self {
            Self::One => 0,
            Self::Two => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use lango_identity::Role;

    use super::*;

    #[test]
    fn a_setting_is_written_alike_in_whatever_order_its_administrators_are_listed() {
        let written = |names: &[&str], activation| {
            let listed =
                names.iter().map(|name| SpiffeId::new("r.example", Role::Administrator, name).unwrap());
            Administrators { listed: listed.collect(), activation }.to_string()
        };
        assert_eq!(written(&[], Activation::One), "activation one, administrators none");
        assert_eq!(written(&["ama"], Activation::One), "activation one, administrators ama");
        for names in [["ama", "kofi"], ["kofi", "ama"]] {
            assert_eq!(written(&names, Activation::Two), "activation two, administrators ama, kofi");
        }
    }
}
