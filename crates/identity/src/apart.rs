//! One key for connections and another for signatures: else who may only relay could be made to sign.

use rustls::crypto::ring;

use crate::signer::Signer;
use crate::spki::public_key;
use crate::tls::TlsIdentity;

/// Refuses a key that serves TLS and signs, whether the two certificates, one of them with the other's key, or the key files
/// alone have it in common.
///
/// # Errors
/// [`OneKey`].
pub fn check_apart(tls: &TlsIdentity, signer: &Signer) -> Result<(), OneKey> {
    let signs = [signer.chain().first().and_then(public_key)];
    let serves = [tls.chain().first().and_then(public_key), served_key(tls)];
    let both = signs.iter().flatten().any(|key| serves.iter().flatten().any(|other| other == key));
    if both { Err(OneKey) } else { Ok(()) }
}

/// The public half of the private key for TLS, which may be another than its certificate's.
fn served_key(tls: &TlsIdentity) -> Option<Vec<u8>> {
    let key = ring::sign::any_supported_type(tls.key()).ok()?;
    Some(key.public_key()?.to_vec())
}

/// One key would serve TLS and sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`tls.pem` or `tls.key` has the key that signs: have the region's authority issue a certificate for TLS with a key of its own"
)]
pub struct OneKey;

#[cfg(test)]
mod tests {
    use rcgen::{ExtendedKeyUsagePurpose, KeyPair};

    use super::*;
    use crate::Issued;
    use crate::fixture::{World, day, id};

    const GHA: &str = "spiffe://lango.example/office/GHA";

    /// A certificate for TLS over a key that there is.
    fn tls_over(world: &World, key: &str) -> Issued {
        let mut params = world.authority.principal(&id(GHA), day()).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        world.authority.issue(&params, &KeyPair::from_pem(key).unwrap()).unwrap()
    }

    #[test]
    fn one_key_does_not_serve_tls_and_sign() {
        let world = World::new();
        let (signing, other, tls) = (world.signing(GHA), world.signing(GHA), world.tls(GHA));
        let (shared, own) = (tls_over(&world, &signing.key_pem), tls_over(&world, &other.key_pem));
        for (what, certificate, key, expected) in [
            ("two kinds of keys", &tls, &tls, Ok(())),
            ("two keys of one kind", &own, &own, Ok(())),
            ("one key and two certificates", &shared, &shared, Err(OneKey)),
            ("the signing certificate itself", &signing, &signing, Err(OneKey)),
            ("the certificate alone", &shared, &other, Err(OneKey)),
            ("the key alone", &own, &signing, Err(OneKey)),
            ("the key beside another certificate", &tls, &signing, Err(OneKey)),
        ] {
            let served =
                TlsIdentity::from_pem(certificate.certificate_pem.as_bytes(), key.key_pem.as_bytes())
                    .unwrap();
            let signer =
                Signer::from_pem(signing.certificate_pem.as_bytes(), signing.key_pem.as_bytes()).unwrap();
            assert_eq!(check_apart(&served, &signer), expected, "{what}");
        }
    }
}
