//! A principal's certificates, and the clock that they are valid by.

use std::path::Path;

use lango_identity::{
    ChainFault, Facts, Region, Role, Signer, SignerError, SpiffeId, TlsError, TlsIdentity, Unauthenticated,
    certificates_from_pem, check_apart, check_own,
};
use time::macros::datetime;

use super::report::DoctorReport;
use crate::{failure::Failure, output::day};

/// No machine that runs this version has this time yet to come.
const BUILT: i64 = datetime!(2026-01-01 0:00 UTC).unix_timestamp();
/// A time that no certificate in use is valid at.
const FAR: i64 = datetime!(2100-01-01 0:00 UTC).unix_timestamp();
/// When a certificate is better replaced.
const SOON_S: i64 = 30 * 86_400;
const SHORTER: &str = "leave out of `signing.pem` what is no authority between its first certificate and the region's, or have \
                       it issued with a shorter chain";
const OTHER_KEYS: &str = "have it issued by authorities whose keys are of a kind that verifiers take";
const CLOCK: &str = "set the machine's clock, and keep it by NTP";

/// Examines the certificates of a server of this role, or of a person; returns whose they are.
pub fn examine(
    folder: &Path,
    region: &Result<Region, Failure>,
    (server, now): (Option<Role>, i64),
    report: &mut DoctorReport,
) -> Option<SpiffeId> {
    let region = match region {
        Ok(region) => {
            report.ok("authority", format!("of the region `{}`", region.trust_domain()));
            region
        }
        Err(failure) => {
            report.failed("authority", failure, "fix `[region]` in the configuration, or its file");
            // Without it nothing can be said of who issued them.
            dates(folder, now, report);
            return None;
        }
    };
    let tls = tls(folder, region, now, report);
    let Some(role) = server.or(tls.as_ref().map(SpiffeId::role)) else { return tls };
    if let Some(tls) = &tls
        && tls.role() != role
    {
        let needs = match role {
            Role::Coordinator => "a coordinator needs a coordinator's",
            Role::Office | Role::Analyst | Role::Auditor | Role::Administrator => {
                "a gateway needs an office's"
            }
        };
        report.failed("certificates", format!("they are of {tls}"), needs);
    }
    if let (Ok(own), Ok(signer)) = (TlsIdentity::load(folder), Signer::load(folder))
        && let Err(error) = check_apart(&own, &signer)
    {
        report.failed("keys", error, "a certificate for TLS with a key of its own: `tls.pem` and `tls.key`");
    }
    let signing = signing(folder, region, now, report);
    if let (Some(tls), Some(signing)) = (&tls, &signing)
        && tls != signing
    {
        let found = format!("`tls.pem` is of {tls}, `signing.pem` of {signing}");
        report.failed(
            "certificates",
            found,
            "put both certificates of one principal into the identity folder",
        );
    }
    signing
}

/// Whether the clock says what can be.
pub fn clock(now: i64, report: &mut DoctorReport) {
    let day = day(now);
    if (BUILT..FAR).contains(&now) {
        report.ok("clock", format!("{day} in UTC"));
    } else {
        report.failed("clock", format!("it says {day}, which cannot be"), CLOCK);
    }
}

fn tls(folder: &Path, region: &Region, now: i64, report: &mut DoctorReport) -> Option<SpiffeId> {
    let subject = "certificate for TLS";
    let own = match TlsIdentity::load(folder) {
        Ok(own) => own,
        Err(error) => {
            let put = "put `tls.pem` and `tls.key` into the identity folder".to_owned();
            let cure = match &error {
                TlsError::File(file) => file.command(),
                TlsError::Pem(_) | TlsError::Rustls(_) | TlsError::Verifier(_) => None,
            };
            report.failed(subject, error, cure.unwrap_or(put));
            return None;
        }
    };
    if let Err(fault) = check_own(&own, region, now) {
        report.failed(subject, &fault, fault.advice());
        return own.id().ok();
    }
    lasts(subject, own.chain().first().map(AsRef::as_ref), now, report)
}

/// As much as can be said without an authority.
fn dates(folder: &Path, now: i64, report: &mut DoctorReport) {
    for name in ["tls.pem", "signing.pem"] {
        let read =
            lango_files::read(&folder.join(name)).ok().and_then(|text| certificates_from_pem(&text).ok());
        let facts = read.and_then(|chain| chain.first().and_then(|leaf| Facts::read(leaf).ok()));
        match facts {
            None => report.failed(name, "it cannot be read", "put the certificates into the identity folder"),
            Some(facts) if now > facts.not_after => {
                let found = format!("it expired on {}", day(facts.not_after));
                report.failed(name, found, "have the region's authority issue a new one");
            }
            Some(facts) if now < facts.not_before => {
                report.failed(name, format!("it is not valid before {}", day(facts.not_before)), CLOCK);
            }
            Some(facts) => {
                report.ok(name, format!("valid until {}; its issuer is not known", day(facts.not_after)))
            }
        }
    }
}

fn signing(folder: &Path, region: &Region, now: i64, report: &mut DoctorReport) -> Option<SpiffeId> {
    let subject = "certificate for signing";
    let signer = match Signer::load(folder) {
        Ok(signer) => signer,
        Err(error) => {
            let put = "put `signing.pem` and `signing.key` into the identity folder, or make both keys anew with `lango identity renew \
                       --by-telephone`"
                .to_owned();
            let cure = match &error {
                SignerError::File(file) => file.command(),
                SignerError::Pem(_)
                | SignerError::Certificate(_)
                | SignerError::KeyEncoding
                | SignerError::KeyMismatch => None,
            };
            report.failed(subject, error, cure.unwrap_or(put));
            return None;
        }
    };
    let id = signer.principal().clone();
    let chain = lango_files::read(&folder.join("signing.pem")).ok();
    let chain = chain.and_then(|text| certificates_from_pem(&text).ok()).unwrap_or_default();
    let leaf = chain.first().map(AsRef::as_ref);
    if let Err(error) = signer.check(region, now) {
        let early = leaf.and_then(|der| Facts::read(der).ok()).is_some_and(|facts| now < facts.not_before);
        let advice = match &error {
            Unauthenticated::Chain(
                ChainFault::TooLong { .. } | ChainFault::TooLarge { .. } | ChainFault::TooDeep,
            ) => SHORTER,
            Unauthenticated::Chain(ChainFault::Algorithm) => OTHER_KEYS,
            _ if early => CLOCK,
            _ => "have the region's authority issue a new one",
        };
        report.failed(subject, error, advice);
        return Some(id);
    }
    lasts(subject, leaf, now, report);
    Some(id)
}

/// How long a good certificate is still good; whose it is.
fn lasts(subject: &str, leaf: Option<&[u8]>, now: i64, report: &mut DoctorReport) -> Option<SpiffeId> {
    let facts = Facts::read(leaf?).ok()?;
    let found = format!("of {}, valid until {}", facts.spiffe, day(facts.not_after));
    if facts.not_after - now < SOON_S {
        report.warning(
            subject,
            found,
            "run `lango identity renew`, and have the region's authority issue the next ones soon",
        );
    } else {
        report.ok(subject, found);
    }
    Some(facts.spiffe)
}
