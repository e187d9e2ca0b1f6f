//! What a server finds around it: the level of its log, and folders that it must be able to write in.

use std::path::Path;

use super::report::DoctorReport;
use crate::commands::serving;

/// Whether `LANGO_LOG` says what a log can do.
pub fn log_level(report: &mut DoctorReport) {
    match serving::log_filter() {
        (_, None) => report.ok("log", "LANGO_LOG names levels that there are, or is not set"),
        (_, Some(fault)) => report.warning(
            "log",
            format!("LANGO_LOG: {fault}"),
            "write LANGO_LOG=info, or info,lango_gateway=debug; until then it is `info`",
        ),
    }
}

/// Whether files can be made beside a file: a store has its log there, and an anchor its next one.
pub fn beside(subject: &str, file: &Path, report: &mut DoctorReport) {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match lango_files::may_fill(folder) {
        Ok(()) => report.ok(subject, format!("files may be made in {}", folder.display())),
        Err(error) => report.failed(
            subject,
            error,
            "let the user that the gateway runs as make files there (chown, chmod; ReadWritePaths= of its unit)",
        ),
    }
}
