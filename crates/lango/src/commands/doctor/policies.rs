//! The policy: whether it reads, passes its own tests, and is the office's.

use std::path::Path;

use lango_document::Diagnostic;
use lango_gateway::{Activation, Administrators, policy_digest};
use lango_identity::SpiffeId;
use lango_policy::PolicySet;
use lango_store::{Examined, Written};
use time::Date;

use super::report::DoctorReport;
use crate::{
    commands::entries::in_region,
    config::{GatewayFile, documents},
    output::counted,
};

/// Examines the policy, and returns it with its digest where it can be read.
pub fn examine(
    file: &GatewayFile,
    config: &Path,
    office: Option<&SpiffeId>,
    today: Date,
    report: &mut DoctorReport,
) -> Option<(PolicySet, [u8; 32])> {
    let read = file.policies(config);
    let read = read.and_then(|read| PolicySet::read(&read).map(|set| (set, policy_digest(&read))));
    let (set, digest) = match read {
        Ok(read) => read,
        Err(wrong) => {
            for wrong in wrong.iter() {
                report.failed("policy", wrong, "fix the policy: `lango policy check` shows the line");
            }
            return None;
        }
    };
    report.ok(
        "policy",
        format!(
            "{}, {}; its digest begins with {}",
            counted(set.datasets.len(), "dataset"),
            counted(set.grants.len(), "grant"),
            begin(&digest)
        ),
    );
    let unwise = set.warnings(Some(today), Some(file.region_name()));
    for warning in documents::writable_by_all(&file.policy_folder(config)).into_iter().chain(unwise) {
        let help = warning.help.clone().unwrap_or_default();
        report.warning("policy", Diagnostic { help: None, ..warning }, help);
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
    Some((set, digest))
}

/// Who administers the gateway over the wire; none where the configuration is wrong there.
pub fn administrators(file: &GatewayFile, config: &Path, report: &mut DoctorReport) -> Administrators {
    match file.administrators(config) {
        Ok(administrators) => {
            if let listed @ 1.. = administrators.listed.len() {
                report.ok("administration", format!("{} over the wire", counted(listed, "administrator")));
            }
            administrators
        }
        Err(wrong) => {
            report.failed("administration", wrong, "fix `[administration]` in the configuration");
            Administrators::default()
        }
    }
}

/// Whether the policy in the folder is the one that decided last, or what it waits for.
pub async fn in_force(
    (file, config): (&GatewayFile, &Path),
    (office, digest): (&str, [u8; 32]),
    store: &mut Examined,
    activation: Activation,
    report: &mut DoctorReport,
) {
    if activation == Activation::Two && matches!(store.written, Written::Current | Written::Earlier(_)) {
        let is_current = store.written == Written::Current;
        let kept = if is_current { store.kept_policy().await.ok().flatten() } else { None };
        let signed = if is_current { file.signed(config, office, store).await } else { Ok(Vec::new()) };
        let signed = signed.unwrap_or_default().into_iter().filter(|policy| policy.digest == digest);
        let by: Vec<_> =
            signed.flat_map(|policy| policy.signed).map(|one| in_region(&one.administrator)).collect();
        let by = if by.is_empty() { "nobody".to_owned() } else { by.join(", ") };
        match kept {
            Some(kept) if kept.digest == digest => {}
            Some(_) => {
                return report.warning(
                    "policy in force",
                    format!("another one: this one waits for two signatures, and {by} has signed it"),
                    "have two administrators sign it: `lango policy sign FOLDER --gateway URL --identity DIR`",
                );
            }
            None => {
                return report.warning(
                    "policy in force",
                    format!("none: no policy is kept, so that the gateway grants nothing until two have signed one, and {by} has"),
                    "have two administrators sign it; or start the gateway once with `activation = \"one\"`, which keeps this one",
                );
            }
        }
    }
    match store.last_policy {
        None => {}
        Some(last) if last == digest => report.ok("policy in force", "the last request was decided by this policy"),
        Some(last) => report.warning(
            "policy in force",
            format!("the last request was decided by another policy, whose digest begins with {}", begin(&last)),
            "if the gateway runs, it has refused this one, and its log says why; else it takes it at its start",
        ),
    }
}

fn begin(digest: &[u8; 32]) -> String {
    hex::encode(digest).chars().take(16).collect()
}
