//! Which revocation lists are in use, and whether a chain of certificates stands by them (A3).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::RelativeDistinguishedName;

use crate::revocation_list::{RevocationList, RevocationListFault, Revoked, SKEW_S};
use crate::text::utc;
use lango_words::printable;

/// What a region asks for of revocation lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevocationRule {
    /// Whether nobody is believed of whose authority there is no list, or one that is past its end or its age. What a list
    /// holds is taken back in any case.
    pub is_required: bool,
    /// The greatest age of a list, in seconds; without one a list counts until it says that the next one is due.
    pub age_max_s: Option<u64>,
}

/// The lists that are in use. Clones are one: a list that one of them takes is in use with all.
#[derive(Clone, Default)]
pub struct Revocations(Arc<InUse>);

#[derive(Default)]
struct InUse {
    lists: RwLock<Arc<Vec<RevocationList>>>,
    notices: Mutex<Vec<Notice>>,
}

/// What is called after a change, for as long as it returns true.
type Notice = Box<dyn Fn() -> bool + Send + Sync>;

/// A certificate by its issuer's key and its serial number.
pub(crate) struct Link {
    /// As the contents of a `SubjectPublicKeyInfo`.
    pub issuer_key: Vec<u8>,
    /// The contents of the issuer's name.
    pub issuer: Vec<u8>,
    pub serial: Vec<u8>,
}

impl Link {
    /// The issuer as X.509 names it.
    fn issuer_name(&self) -> String {
        let mut text = String::new();
        let mut rest = self.issuer.as_slice();
        while let Ok((left, part)) = RelativeDistinguishedName::from_der(rest) {
            for attribute in part.iter() {
                let separator = if text.is_empty() { "" } else { ", " };
                text += &format!("{separator}{}", attribute.as_str().unwrap_or("?"));
            }
            rest = left;
        }
        printable(&text)
    }
}

impl Revocations {
    /// The lists in use, one for each authority that has one.
    #[must_use]
    pub fn lists(&self) -> Arc<Vec<RevocationList>> {
        Arc::clone(&self.0.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the lists of a PEM text into use; `authorities` are the region's, `now` is in Unix seconds. Those of other
    /// authorities stay. Returns the lists that are new.
    ///
    /// # Errors
    /// [`RevocationListFault`]: then all stays as it was.
    pub fn take(
        &self,
        pem: &[u8],
        authorities: &[CertificateDer<'static>],
        now: i64,
    ) -> Result<Vec<RevocationList>, RevocationListFault> {
        let came = RevocationList::read(pem, authorities, now)?;
        let taken = {
            let mut lists = self.0.lists.write().unwrap_or_else(PoisonError::into_inner);
            let (next, taken) = merged(&lists, came)?;
            *lists = Arc::new(next);
            taken
        };
        if !taken.is_empty() {
            let mut notices = self.0.notices.lock().unwrap_or_else(PoisonError::into_inner);
            notices.retain(|notice| notice());
        }
        Ok(taken)
    }

    /// The lists in use as one PEM text, which everybody verifies who knows the region; empty where there are none.
    #[must_use]
    pub fn to_pem(&self) -> String {
        RevocationList::to_pem(&self.lists())
    }

    /// Has something called whenever a list is taken into use, until it returns false.
    pub fn on_change(&self, notice: Box<dyn Fn() -> bool + Send + Sync>) {
        self.0.notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    /// Whether none of these certificates is taken back at `now`, and each has a list where the rule asks for it.
    pub(crate) fn check(
        &self,
        links: &[Link],
        rule: RevocationRule,
        now: i64,
    ) -> Result<(), RevocationFault> {
        let lists = self.lists();
        for link in links {
            let list = lists.iter().find(|list| list.authority_key() == link.issuer_key);
            match list.and_then(|list| list.of(&link.serial)) {
                // A list's clock and this one may differ.
                Some(revoked) if revoked.since <= now.saturating_add(SKEW_S) => {
                    return Err(RevocationFault::Revoked {
                        serial: hex::encode(&link.serial),
                        revoked: *revoked,
                    });
                }
                Some(_) | None => {}
            }
            if rule.is_required {
                let list = list.ok_or_else(|| RevocationFault::Absent { issuer: link.issuer_name() })?;
                check_age(list, rule, now)?;
            }
        }
        Ok(())
    }
}

/// Whether a list is of this time.
///
/// # Errors
/// [`RevocationFault::Stale`] or [`RevocationFault::TooOld`].
pub fn check_age(list: &RevocationList, rule: RevocationRule, now: i64) -> Result<(), RevocationFault> {
    let (this_update, next_update) = (list.this_update(), list.next_update());
    let issuer = || list.issuer().to_owned();
    if now > next_update.saturating_add(SKEW_S) {
        return Err(RevocationFault::Stale { issuer: issuer(), next_update });
    }
    let age = u64::try_from(now.saturating_sub(this_update)).unwrap_or(0);
    match rule.age_max_s {
        Some(age_max_s) if age > age_max_s => {
            Err(RevocationFault::TooOld { issuer: issuer(), this_update, age_max_s })
        }
        Some(_) | None => Ok(()),
    }
}

/// The lists that are in use once some came, and which of them are new.
fn merged(
    held: &[RevocationList],
    came: Vec<RevocationList>,
) -> Result<(Vec<RevocationList>, Vec<RevocationList>), RevocationListFault> {
    let (mut next, mut taken) = (held.to_vec(), Vec::new());
    for list in came {
        let (issuer, number) = (list.issuer().to_owned(), list.number());
        match next.iter_mut().find(|held| held.authority_key() == list.authority_key()) {
            Some(held) if held.der() == list.der() => {}
            Some(held) if held.number() == number => {
                return Err(RevocationListFault::SameNumber { issuer, number });
            }
            Some(held) if held.number() > number => {
                return Err(RevocationListFault::Older { issuer, number, held: held.number() });
            }
            Some(held) => {
                *held = list.clone();
                taken.push(list);
            }
            None => {
                next.push(list.clone());
                taken.push(list);
            }
        }
    }
    Ok((next, taken))
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Revocations").field(&self.lists().len()).finish()
    }
}

/// Why certificates do not stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevocationFault {
    /// Its authority has taken it back.
    #[error("the certificate with serial {serial} was revoked {revoked}")]
    Revoked {
        /// Its serial number.
        serial: String,
        /// When and why.
        revoked: Revoked,
    },
    /// There is no list, and the region requires one.
    #[error("there is no revocation list of `{issuer}`, and the region requires one")]
    Absent {
        /// Whose is wanted.
        issuer: String,
    },
    /// The next one should have come.
    #[error("the revocation list of `{issuer}` is stale: the next one was due at {}", utc(*.next_update))]
    Stale {
        /// Who signed it.
        issuer: String,
        /// When it was due, Unix time.
        next_update: i64,
    },
    /// Older than the region allows.
    #[error("the revocation list of `{issuer}` is from {}, and may be {age_max_s} seconds old", utc(*.this_update))]
    TooOld {
        /// Who signed it.
        issuer: String,
        /// When it was signed, Unix time.
        this_update: i64,
        /// The greatest age.
        age_max_s: u64,
    },
}
