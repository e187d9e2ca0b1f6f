//! Extended key usages: what a certificate is for.

use x509_parser::extensions::ExtendedKeyUsage;

const ANY_PURPOSE: &str = "2.5.29.37.0";
pub(crate) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub(crate) const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

/// Extended key usages as dotted numbers, in no order.
pub(crate) fn purposes(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usage.any, ANY_PURPOSE),
        (usage.server_auth, SERVER_AUTH),
        (usage.client_auth, CLIENT_AUTH),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let known = known.into_iter().filter(|(present, _)| *present).map(|(_, purpose)| purpose.to_owned());
    known.chain(usage.other.iter().map(asn1_text)).collect()
}

fn asn1_text(oid: &x509_parser::asn1_rs::Oid<'_>) -> String {
    oid.to_id_string()
}

/// Whether a certificate with this purpose serves TLS.
pub(crate) fn is_tls(purpose: &str) -> bool {
    [ANY_PURPOSE, SERVER_AUTH, CLIENT_AUTH].contains(&purpose)
}
