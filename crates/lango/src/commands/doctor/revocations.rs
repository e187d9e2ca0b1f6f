//! The revocation lists, and how old they are.

use std::path::Path;

use lango_identity::{Region, RevocationFault, RevocationList, check_age};
use lango_wire::client::CoordinatorClient;

use super::report::DoctorReport;
use crate::{commands::revocations::in_words, failure::Failure};

const SUBJECT: &str = "revocation list";
const PUT: &str = "put the authority's present `region.crl` there";

/// Examines the lists where they are put, and takes them into use: what follows is judged by them.
pub fn examine(region: &Result<Region, Failure>, file: &Path, now: i64, report: &mut DoctorReport) {
    // What stands against the region is said elsewhere.
    let Ok(region) = region else { return };
    if file.exists() {
        let pem = match lango_files::read(file) {
            Ok(pem) => pem,
            Err(error) => return report.failed(SUBJECT, error, PUT),
        };
        if let Err(fault) = region.take_revocations(&pem, now) {
            return report.failed(SUBJECT, format!("{}: {fault}", file.display()), PUT);
        }
    }
    let rule = region.revocation();
    for list in region.revocations().lists().iter() {
        let found = in_words(list, now);
        match (check_age(list, rule, now), rule.is_required) {
            (Ok(()), _) => report.ok(SUBJECT, found),
            (Err(fault), true) => report.failed(SUBJECT, format!("{found}: {fault}"), PUT),
            (Err(fault), false) => report.warning(SUBJECT, format!("{found}: {fault}"), PUT),
        }
    }
    if !region.revocations().lists().is_empty() {
        return;
    }
    match region.check_lists(now) {
        Ok(()) => report.ok(SUBJECT, format!("none in {}, and the region requires none", file.display())),
        Err(RevocationFault::Absent { .. }) => {
            let found =
                format!("none in {}, and the region requires one: nobody is believed", file.display());
            report.failed(SUBJECT, found, PUT);
        }
        Err(fault) => report.failed(SUBJECT, fault, PUT),
    }
}

/// What the coordinator passes on, as far as it is the region's.
pub async fn passed_on(client: &CoordinatorClient, region: &Region, now: i64, report: &mut DoctorReport) {
    let subject = "coordinator's list";
    let pem = match client.get_revocations().await {
        Ok(pem) => pem,
        // One of before knows no lists.
        Err(_) => return,
    };
    if pem.is_empty() {
        return report.ok(subject, "it has no revocation list");
    }
    match RevocationList::read(pem.as_bytes(), region.authorities(), now) {
        Ok(lists) => lists.iter().for_each(|list| report.ok(subject, in_words(list, now))),
        Err(fault) => report.warning(
            subject,
            fault,
            "have the coordinator put the authority's present `region.crl` in place: nobody takes what it has",
        ),
    }
}
