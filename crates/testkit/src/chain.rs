//! Certificates with authorities between them and the region's.

use lango_identity::{Issued, SpiffeId};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};

use crate::{TestIdentity, TestRegion, world::EKU};

/// Netscape's comment, which nobody reads.
const COMMENT: [u64; 7] = [2, 16, 840, 1, 113_730, 1, 13];

impl TestRegion {
    /// Certificates below this number of authorities that stand between them and the region's. Each certificate has a comment of
    /// this length.
    pub fn below(&self, identity: &TestIdentity, authorities: usize, comment_bytes: usize) -> TestIdentity {
        let region = self.authority.to_pem();
        let key = KeyPair::from_pem(&region.key_pem).unwrap();
        let mut issuer = Issuer::from_ca_cert_pem(&region.certificate_pem, key).unwrap();
        let mut above = String::new();
        for number in 1..=authorities {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
            params.custom_extensions.push(comment(comment_bytes));
            let key = KeyPair::generate().unwrap();
            above = params.signed_by(&key, &issuer).unwrap().pem() + &above;
            issuer = Issuer::new(params, key);
        }
        let issue = |own: &Issued, purposes: &[ExtendedKeyUsagePurpose]| {
            let mut params = principal(&identity.id);
            params.extended_key_usages = purposes.to_vec();
            params.custom_extensions.push(comment(comment_bytes));
            let key = KeyPair::from_pem(&own.key_pem).unwrap();
            let leaf = params.signed_by(&key, &issuer).unwrap().pem();
            Issued { certificate_pem: leaf + &above, key_pem: own.key_pem.clone() }
        };
        let signing = EKU.split('.').map(|arc| arc.parse().unwrap()).collect();
        TestIdentity {
            id: identity.id.clone(),
            tls: issue(
                &identity.tls,
                &[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            ),
            signing: issue(&identity.signing, &[ExtendedKeyUsagePurpose::Other(signing)]),
        }
    }

    /// These certificates with the region's own authority at the end of both chains, as many tools write them.
    pub fn full_chain(&self, mut identity: TestIdentity) -> TestIdentity {
        let root = self.authority.to_pem().certificate_pem;
        identity.tls.certificate_pem += &root;
        identity.signing.certificate_pem += &root;
        identity
    }
}

fn principal(id: &SpiffeId) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.subject_alt_names = vec![SanType::URI(id.to_string().try_into().unwrap())];
    params
}

/// An IA5String of this length.
fn comment(bytes: usize) -> CustomExtension {
    let length = u16::try_from(bytes).unwrap().to_be_bytes();
    let content = [&[0x16, 0x82][..], &length, &vec![b'x'; bytes]].concat();
    CustomExtension::from_oid_content(&COMMENT, content)
}
