//! A region for tests.

use crate::{Authority, Issued, Lifetime, Region, SpiffeId};

pub(crate) const DOMAIN: &str = "lango.example";
pub(crate) const EKU: &str = "1.3.6.1.4.1.32473.1.1";
/// 2026-01-31T00:00:00Z.
pub(crate) const NOW: i64 = 1_769_817_600;

/// From five minutes before [`NOW`] to a day after it.
pub(crate) fn day() -> Lifetime {
    Lifetime::days(NOW, 1)
}

pub(crate) fn id(uri: &str) -> SpiffeId {
    uri.parse().unwrap()
}

/// An authority and its region.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) region: Region,
}

impl World {
    /// Every such world's authority has the same name and another key.
    pub(crate) fn new() -> Self {
        Self::of(DOMAIN)
    }

    /// A region whose authority has a name of its own.
    pub(crate) fn of(domain: &str) -> Self {
        let authority =
            Authority::new(domain, &format!("authority of {domain}"), Lifetime::days(NOW, 3650)).unwrap();
        let region = authority.region(EKU.parse().unwrap()).unwrap();
        Self { authority, region }
    }

    pub(crate) fn signing(&self, uri: &str) -> Issued {
        self.authority.issue_signing(&id(uri), day(), self.region.signing_eku()).unwrap()
    }

    pub(crate) fn tls(&self, uri: &str) -> Issued {
        self.authority.issue_tls(&id(uri), day(), &["localhost", "127.0.0.1"]).unwrap()
    }
}
