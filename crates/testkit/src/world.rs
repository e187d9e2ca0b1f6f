//! A region: its authority, and certificates for the principals that a test needs.

use std::path::Path;

use lango_identity::{
    Authority, Facts, Issued, Lifetime, Region, Revocation, RevocationReason, RevocationRule, Revoked, Role,
    Signer, SpiffeId, TlsIdentity, certificates_from_pem,
};

use crate::{Caller, TestClock};

/// The extended key usage of signing certificates in every test.
pub const EKU: &str = "1.3.6.1.4.1.32473.1.1";
/// Long enough for a clock that is moved into next year.
const LIFE_DAYS: u32 = 1_200;

/// A region with one authority.
pub struct TestRegion {
    /// Issues certificates.
    pub authority: Authority,
    /// What everybody in it agrees on.
    pub region: Region,
    /// The clock of its gateways and callers.
    pub clock: TestClock,
}

impl TestRegion {
    /// The region `ecowas.example`.
    pub fn new() -> Self {
        Self::of("ecowas.example")
    }

    /// A region of this trust domain. Two of the same name have different authorities.
    pub fn of(trust_domain: &str) -> Self {
        let clock = TestClock::now();
        let lifetime = Lifetime::days(clock.get(), LIFE_DAYS);
        let authority =
            Authority::new(trust_domain, &format!("authority of {trust_domain}"), lifetime).unwrap();
        let region = authority.region(EKU.parse().unwrap()).unwrap();
        Self { authority, region, clock }
    }

    /// A principal of the region.
    pub fn id(&self, role: Role, name: &str) -> SpiffeId {
        SpiffeId::new(self.region.trust_domain(), role, name).unwrap()
    }

    /// From now on, for longer than any test.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime::days(self.clock.get(), LIFE_DAYS)
    }

    /// Already over, by the machine's clock too.
    pub fn past(&self) -> Lifetime {
        Lifetime { not_before: self.clock.get() - 2_000, not_after: self.clock.get() - 1_000 }
    }

    /// Certificates for a principal.
    pub fn identity(&self, role: Role, name: &str) -> TestIdentity {
        self.identity_of(&self.id(role, name), self.lifetime(), self.lifetime())
    }

    /// Certificates for a principal, for TLS and for signing, each of its own lifetime.
    pub fn identity_of(&self, id: &SpiffeId, tls: Lifetime, signing: Lifetime) -> TestIdentity {
        TestIdentity {
            id: id.clone(),
            tls: self.authority.issue_tls(id, tls, &["localhost", "127.0.0.1"]).unwrap(),
            signing: self.authority.issue_signing(id, signing, self.region.signing_eku()).unwrap(),
        }
    }

    /// The authority's next revocation list, in PEM: all that the region's lists in use hold, and these certificates.
    pub fn revocation_list(&self, taken_back: &[&Issued], lifetime: Lifetime) -> String {
        let lists = self.region.revocations().lists();
        let at = self.clock.get();
        let revocation = |issued: &&Issued| {
            let der = certificates_from_pem(issued.certificate_pem.as_bytes()).unwrap().remove(0);
            let digits = Facts::read(&der).unwrap().serial;
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            let serial = (0..digits.len()).step_by(2).map(byte).collect();
            let reason = RevocationReason::KeyCompromise;
            Revocation { serial, revoked: Revoked { at, since: at, reason } }
        };
        let revocations: Vec<Revocation> = taken_back.iter().map(revocation).collect();
        self.authority.revocation_list(lists.first(), &revocations, lifetime).unwrap()
    }

    /// Takes certificates back: from now on the list is in use with all that share this region.
    pub fn revoke(&self, taken_back: &[&Issued]) -> String {
        let list = self.revocation_list(taken_back, self.lifetime());
        assert_eq!(self.region.take_revocations(list.as_bytes(), self.clock.get()).unwrap().len(), 1);
        list
    }

    /// The region as somebody else holds it: with the same authority, and revocation lists of their own.
    pub fn elsewhere(&self, rule: RevocationRule) -> Region {
        let (domain, eku) = (self.region.trust_domain(), self.region.signing_eku().clone());
        Region::new(domain, self.region.authorities().to_vec(), eku).unwrap().with_revocation(rule)
    }

    /// A caller of gateways and coordinators.
    pub fn caller(&self, role: Role, name: &str) -> Caller {
        self.caller_with(&self.identity(role, name))
    }

    /// A caller with these certificates.
    pub fn caller_with(&self, identity: &TestIdentity) -> Caller {
        Caller::new(identity.tls(), identity.signer(), self.region.clone(), self.clock.clone())
    }

    /// The analyst whom [`crate::Policy`] grants something.
    pub fn analyst(&self) -> Caller {
        self.caller(Role::Analyst, "awa")
    }
}

impl Default for TestRegion {
    fn default() -> Self {
        Self::new()
    }
}

/// The two keys and certificates of a principal.
pub struct TestIdentity {
    /// Whose.
    pub id: SpiffeId,
    /// For connections.
    pub tls: Issued,
    /// For signatures.
    pub signing: Issued,
}

impl TestIdentity {
    /// As connections take it.
    pub fn tls(&self) -> TlsIdentity {
        TlsIdentity::from_pem(self.tls.certificate_pem.as_bytes(), self.tls.key_pem.as_bytes()).unwrap()
    }

    /// As signatures take it.
    pub fn signer(&self) -> Signer {
        Signer::from_pem(self.signing.certificate_pem.as_bytes(), self.signing.key_pem.as_bytes()).unwrap()
    }

    /// Writes `tls.pem`, `tls.key`, `signing.pem` and `signing.key` into a folder.
    pub fn save(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        self.tls.save(folder, "tls").unwrap();
        self.signing.save(folder, "signing").unwrap();
    }
}
