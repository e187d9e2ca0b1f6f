//! The policy: whether it reads, passes its own tests, and is the office's.

use std::path::Path;

use lango_identity::SpiffeId;
use lango_policy::PolicySet;

use super::report::DoctorReport;
use crate::{config::GatewayFile, output::counted};

/// Examines the policy, and returns it where it can be read.
pub fn examine(
    file: &GatewayFile,
    config: &Path,
    office: Option<&SpiffeId>,
    report: &mut DoctorReport,
) -> Option<PolicySet> {
    let read = file.policies(config).and_then(|documents| Ok(PolicySet::read(&documents)?));
    let set = match read {
        Ok(set) => set,
        Err(failure) => {
            report.failed("policy", failure, "fix the policy: docs/POLICIES.md");
            return None;
        }
    };
    report.ok(
        "policy",
        format!("{}, {}", counted(set.datasets.len(), "dataset"), counted(set.grants.len(), "grant")),
    );
    for error in set.never_matching(file.region_name()) {
        report.warning("policy's principals", error, "name analysts of the region, or take the line out");
    }
    let failed = set.run_trials();
    for error in &failed {
        report.failed("policy's tests", error, "fix the policy, or the test if it expects the wrong thing");
    }
    match (failed.len(), set.trials.len()) {
        (0, 0) => report.warning(
            "policy's tests",
            "there are none",
            "say with `[[test]]` what must be allowed and what must not",
        ),
        (0, count) => {
            report.ok("policy's tests", format!("{count} {}", if count == 1 { "passes" } else { "pass" }))
        }
        _ => {}
    }
    if let Some(id) = office
        && id.name() != set.office
    {
        let found = format!("it is of office `{}`, the certificates are of {id}", set.office);
        report.failed("policy's office", found, "put the office's own certificates into the identity folder");
    }
    Some(set)
}
