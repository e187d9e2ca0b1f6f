//! `lango identity revoke`: takes certificates back, by a list that the authority signs.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use lango_gateway::system_clock;
use lango_identity::{
    CertificateUse, Facts, Lifetime, Region, Revocation, RevocationList, RevocationReason, Revoked, SpiffeId,
    certificates_from_pem,
};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::{
    input,
    issued::{AuthorityFolder, IssuedCertificate},
    passphrase::Passphrase,
    words,
};
use crate::{
    failure::Failure,
    output::{day, print, table},
};

#[derive(Debug, Args)]
pub struct RevokeCertificates {
    /// The authority's folder.
    #[arg(long, value_name = "DIR", default_value = "authority")]
    dir: PathBuf,
    /// Take back the certificates of this PEM file: tls.pem, signing.pem or a bundle.
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// Take back the certificate with this serial number, as `lango identity show` prints it.
    #[arg(long, value_name = "HEX")]
    serial: Vec<String>,
    /// Take back all that was issued to a principal and is valid: analyst/awa, or the URI.
    #[arg(long, value_name = "PRINCIPAL")]
    name: Vec<String>,
    /// Why: key-compromise, affiliation-changed, superseded, cessation-of-operation, privilege-withdrawn, certificate-hold,
    /// authority-compromise or unspecified.
    #[arg(long, value_name = "REASON", required_unless_present = "renew")]
    why: Option<RevocationReason>,
    /// Since when they are not to be believed, where that is earlier than now: 2026-01-31, or 2026-01-31T14:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "renew")]
    since: Option<String>,
    /// Take nothing back: sign the list anew, before its time is over.
    #[arg(long, conflicts_with_all = ["certificate", "serial", "name", "why"])]
    renew: bool,
    /// How many days from now the next list is signed at the latest. Where the region requires lists, nobody is believed after
    /// that until the next one comes.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl RevokeCertificates {
    pub fn run(self) -> Result<(), Failure> {
        let now = system_clock()();
        if !self.renew && self.certificate.is_empty() && self.serial.is_empty() && self.name.is_empty() {
            let words = "name what is to be taken back: --name, --serial or --certificate; or --renew";
            return Err(Failure::Usage(words.to_owned()));
        }
        let since = self.since.as_deref().map(|text| moment(text, now)).transpose()?;
        let authority_folder = AuthorityFolder::open(&self.dir)?;
        let last = authority_folder.last_list(now)?;
        let issued = authority_folder.certificates()?;
        let found = Found { issued: &issued, last: last.as_ref(), own: authority_folder.own_region()?, now };
        let mut taken_back: BTreeMap<String, Facts> = BTreeMap::new();
        for path in &self.certificate {
            taken_back.extend(found.in_file(path)?);
        }
        for serial in &self.serial {
            taken_back.extend(found.by_serial(serial)?);
        }
        for name in &self.name {
            taken_back.extend(found.of_principal(name)?);
        }
        let reason = self.why.unwrap_or(RevocationReason::Unspecified);
        let revoked = Revoked { at: now, since: since.unwrap_or(now), reason };
        let revocations = taken_back.keys().map(|serial| Revocation { serial: bytes(serial), revoked });
        let revocations: Vec<Revocation> = revocations.collect();
        let authority = authority_folder.unlock(&self.passphrase)?;
        let life = Lifetime { not_before: now, not_after: Lifetime::days(now, self.days).not_after };
        let pem = authority.revocation_list(last.as_ref(), &revocations, life)?;
        // What the region's members would refuse leaves this place in no form.
        let failed = |why: &dyn std::fmt::Display| Failure::of(self.dir.display(), why);
        let list = RevocationList::read(pem.as_bytes(), found.own.authorities(), now);
        let list = list.map_err(|fault| failed(&fault))?.pop();
        let list = list.ok_or_else(|| failed(&"the list could not be signed"))?;
        let path = authority_folder.enter_list(list.number(), &pem)?;
        let header = ["role", "name", "for", "serial", "revoked", "since", "why"];
        let rows = list.revoked().map(|(serial, revoked)| row(&serial, revoked, &issued, &taken_back));
        let rows: Vec<_> = rows.collect();
        let what = match rows.is_empty() {
            true => "nothing is revoked".to_owned(),
            false => table(&header, &[], rows),
        };
        print(&format!(
            "{what}\n\n{}",
            words::paragraph(&format!(
                "signed list number {} of {}, {}. Put it at the coordinator in the place of the list before, from where the gateways and \
                 the analysts fetch it; or at each of them, beside authority.pem. Sign the next one by {}: lango identity revoke \
                 --renew",
                list.number(),
                authority_folder.file.region.trust_domain(),
                path.display(),
                day(list.next_update())
            ))
        ))
    }
}

/// What there is to be taken back.
struct Found<'a> {
    issued: &'a [IssuedCertificate],
    last: Option<&'a RevocationList>,
    /// The region of this authority alone.
    own: Region,
    now: i64,
}

impl Found<'_> {
    /// The certificates of principals in a file, which this authority issued.
    fn in_file(&self, path: &std::path::Path) -> Result<Vec<(String, Facts)>, Failure> {
        let failed = |why: &dyn std::fmt::Display| Failure::of(path.display(), why);
        let text = input::read_text(path)?;
        let chain = certificates_from_pem(text.as_bytes()).map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        for der in chain {
            let Ok(facts) = Facts::read(&der) else { continue };
            // At a time when it was valid.
            CertificateUse::of(std::slice::from_ref(&der), &self.own, facts.not_before)
                .map_err(|fault| failed(&format!("was not issued by this authority: {fault}")))?;
            found.push(facts);
        }
        if found.is_empty() {
            return Err(failed(&"holds no certificate of a principal"));
        }
        self.fresh(&path.display().to_string(), found)
    }

    fn by_serial(&self, text: &str) -> Result<Vec<(String, Facts)>, Failure> {
        let what = format!("--serial {text}");
        let digits: String = text.chars().filter(|digit| *digit != ':').collect();
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !is_number {
            return Err(Failure::Usage(format!("{what}: a serial number is written in hexadecimal digits")));
        }
        let serial = plain(&digits);
        let found: Vec<Facts> = self.of(|facts| plain(&facts.serial) == serial);
        if found.is_empty() {
            let why = "this authority has entered no certificate with this number: name the certificate itself, with --certificate";
            return Err(Failure::of(what, why));
        }
        self.fresh(&what, found)
    }

    fn of_principal(&self, name: &str) -> Result<Vec<(String, Facts)>, Failure> {
        let what = format!("--name {name}");
        let uri = match name.starts_with("spiffe://") {
            true => name.to_owned(),
            false => format!("spiffe://{}/{name}", self.own.trust_domain()),
        };
        let principal: SpiffeId = uri.parse().map_err(|error| {
            Failure::Usage(format!("{what}: {error}; a principal is written as analyst/awa"))
        })?;
        let found: Vec<Facts> = self.of(|facts| facts.spiffe == principal);
        if found.is_empty() {
            return Err(Failure::of(what, "this authority has issued nothing to this principal"));
        }
        self.fresh(&what, found)
    }

    fn of(&self, is_meant: impl Fn(&Facts) -> bool) -> Vec<Facts> {
        let facts = self.issued.iter().map(|issued| &issued.facts);
        facts.filter(|facts| is_meant(facts)).cloned().collect()
    }

    /// Those of some certificates that are valid and not taken back yet, by serial number: one at least.
    fn fresh(&self, what: &str, found: Vec<Facts>) -> Result<Vec<(String, Facts)>, Failure> {
        let (mut fresh, mut why) = (Vec::new(), String::new());
        for facts in found {
            let serial = plain(&facts.serial);
            let before = self.last.and_then(|last| last.revoked().find(|(other, _)| *other == serial));
            if let Some((_, revoked)) = before {
                why = format!("the certificate with serial {serial} was revoked {revoked} already");
            } else if facts.not_after < self.now {
                why = format!(
                    "the certificate expired on {}: nobody believes it any more",
                    day(facts.not_after)
                );
            } else {
                fresh.push((serial, facts));
            }
        }
        if fresh.is_empty() { Err(Failure::of(what, why)) } else { Ok(fresh) }
    }
}

/// A line of the table: whose certificate it is, as far as it is entered.
fn row(
    serial: &str,
    revoked: Revoked,
    issued: &[IssuedCertificate],
    taken_back: &BTreeMap<String, Facts>,
) -> Vec<String> {
    let entered = issued.iter().find(|issued| plain(&issued.facts.serial) == serial);
    let facts = entered.map(|issued| &issued.facts).or_else(|| taken_back.get(serial));
    let (role, name) = facts.map_or_else(
        || ("not entered".to_owned(), String::new()),
        |facts| (facts.spiffe.role().to_string(), facts.spiffe.name().to_owned()),
    );
    let purpose = entered.map_or("", |issued| issued.purpose).to_owned();
    let (at, since) = (words::moment(revoked.at), words::moment(revoked.since));
    vec![role, name, purpose, serial.to_owned(), at, since, revoked.reason.to_string()]
}

/// A serial number as lists are compared by: lower-case hexadecimal of whole bytes, without leading zeros.
fn plain(serial: &str) -> String {
    let digits = serial.to_ascii_lowercase();
    let digits = digits.trim_start_matches('0');
    if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") }
}

fn bytes(serial: &str) -> Vec<u8> {
    hex::decode(serial).unwrap_or_default()
}

/// A day or a moment that has been.
fn moment(text: &str, now: i64) -> Result<i64, Failure> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map(|date| date.midnight().assume_utc());
    let time = date.or_else(|_| OffsetDateTime::parse(text, &Rfc3339));
    let wrong = |why: &str| Failure::Usage(format!("--since {text}: {why}"));
    let time = time.map_err(|_| wrong("write a day, 2026-01-31, or a moment, 2026-01-31T14:00:00Z"))?;
    match time.unix_timestamp() {
        time if time > now => Err(wrong("is yet to come")),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_one_however_they_are_written() {
        for (text, expected) in
            [("0A1b", "0a1b"), ("a1b", "0a1b"), ("00ff", "ff"), ("0", ""), ("100", "0100")]
        {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn since_when_is_a_time_that_has_been() {
        let now = 1_769_860_800;
        for (text, expected) in [
            ("2026-01-31", Some(1_769_817_600)),
            ("2026-01-31T12:00:00Z", Some(now)),
            ("2026-01-31T12:00:01Z", None),
            ("2026-02-01", None),
            ("yesterday", None),
        ] {
            assert_eq!(moment(text, now).ok(), expected, "{text}");
        }
    }
}
