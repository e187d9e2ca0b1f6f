//! What a log says of keys, certificates and revocation lists that come into use.

use lango_access_log::{AccessStep, Hex, KeyChange, KeyUse};
use lango_identity::{Facts, RevocationList};

/// A certificate, DER, that is in use in the place of another. `None` of what is none.
pub fn renewed(certificate: &[u8], used_for: KeyUse) -> Option<KeyChange> {
    let facts = Facts::read(certificate).ok()?;
    Some(KeyChange {
        fingerprint: Hex(facts.fingerprint),
        of: facts.spiffe.to_string(),
        step: AccessStep::Renewed,
        used_for,
        valid_from: Some(facts.not_before),
        valid_until: Some(facts.not_after),
    })
}

/// A list that is in use from now on.
pub fn list_taken(list: &RevocationList) -> KeyChange {
    KeyChange {
        fingerprint: Hex(list.fingerprint()),
        of: list.issuer().to_owned(),
        step: AccessStep::Renewed,
        used_for: KeyUse::RevocationList,
        valid_from: Some(list.this_update()),
        valid_until: Some(list.next_update()),
    }
}
