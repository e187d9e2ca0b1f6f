//! Taking certificates back: what `lango identity revoke` has the authority sign.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};

use crate::authority::{Authority, AuthorityError, Lifetime, time};
use crate::revocation_list::{RevocationList, Revoked};

/// A certificate to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its serial number.
    pub serial: Vec<u8>,
    /// When it is taken back, since when it is not to be believed, and why.
    pub revoked: Revoked,
}

impl Authority {
    /// The next list, in PEM, valid as long as `lifetime` says: all that the last one held, and what is taken back now. One
    /// that is on the last list stays as it is there.
    ///
    /// # Errors
    /// [`AuthorityError`] when a time is outside the calendar or the list ends before it begins.
    pub fn revocation_list(
        &self,
        last: Option<&RevocationList>,
        taken_back: &[Revocation],
        lifetime: Lifetime,
    ) -> Result<String, AuthorityError> {
        let before = last.into_iter().flat_map(RevocationList::entries);
        let is_new = |one: &&Revocation| last.is_none_or(|last| last.of(&one.serial).is_none());
        let now = taken_back.iter().filter(is_new).map(|one| (one.serial.as_slice(), one.revoked));
        let entry = |(serial, revoked): (&[u8], Revoked)| -> Result<RevokedCertParams, AuthorityError> {
            let since = (revoked.since < revoked.at).then(|| time(revoked.since)).transpose()?;
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: time(revoked.at)?,
                reason_code: Some(revoked.reason.in_list()),
                invalidity_date: since,
            })
        };
        let list = CertificateRevocationListParams {
            this_update: time(lifetime.not_before)?,
            next_update: time(lifetime.not_after)?,
            crl_number: number(last.map_or(1, |last| last.number().saturating_add(1))),
            issuing_distribution_point: None,
            revoked_certs: before.chain(now).map(entry).collect::<Result<_, _>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(self.issuer())?.pem()?)
    }
}

fn number(number: u128) -> SerialNumber {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    SerialNumber::from_slice(bytes.get(zeros..).unwrap_or_default())
}
