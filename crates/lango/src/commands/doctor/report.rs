//! What was found, a line for each check.

use std::{fmt, path::Path};

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{self, Format, LINE_WIDTH, csv_field, foreign, wrapped},
};

/// The columns of a line: how it stands, what was examined, what was found.
const STATUS_WIDTH: usize = 9;
const SUBJECT_WIDTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    Warning,
    Failed,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug)]
struct Check {
    status: Status,
    subject: String,
    found: String,
    /// What to do.
    advice: String,
}

/// All checks, in their order.
#[derive(Debug, Default)]
pub struct DoctorReport {
    checks: Vec<Check>,
}

impl DoctorReport {
    pub fn ok(&mut self, subject: impl fmt::Display, found: impl fmt::Display) {
        self.add(Status::Ok, subject, found, "");
    }

    pub fn warning(
        &mut self,
        subject: impl fmt::Display,
        found: impl fmt::Display,
        advice: impl fmt::Display,
    ) {
        self.add(Status::Warning, subject, found, advice);
    }

    pub fn failed(
        &mut self,
        subject: impl fmt::Display,
        found: impl fmt::Display,
        advice: impl fmt::Display,
    ) {
        self.add(Status::Failed, subject, found, advice);
    }

    /// Whether a file of the office's own is its owner's alone.
    pub fn kept(&mut self, subject: impl fmt::Display, path: &Path) {
        match lango_files::exposure(path) {
            Some(exposed) => self.warning(subject, &exposed, exposed.command()),
            None => self.ok(subject, "nobody but its owner may open it"),
        }
    }

    fn add(
        &mut self,
        status: Status,
        subject: impl fmt::Display,
        found: impl fmt::Display,
        advice: impl fmt::Display,
    ) {
        // Names in the configuration and words of a server are somebody else's.
        let [subject, found, advice] =
            [subject.to_string(), found.to_string(), advice.to_string()].map(|text| foreign(&text));
        self.checks.push(Check { status, subject, found, advice });
    }

    fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// Whether a gateway can start.
    pub fn outcome(&self) -> Result<(), Failure> {
        match self.count(Status::Failed) {
            0 => Ok(()),
            1 => Err(Failure::Failed("a check failed".to_owned())),
            failed => Err(Failure::Failed(format!("{failed} checks failed"))),
        }
    }

    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Table => output::print(&self.for_people()),
            Format::Json => output::print_json(&self.json()),
            Format::Csv => output::print(&self.csv()),
        }
    }

    fn for_people(&self) -> String {
        let mut text = String::new();
        let (indent, width) = (STATUS_WIDTH + SUBJECT_WIDTH, LINE_WIDTH - STATUS_WIDTH - SUBJECT_WIDTH);
        for Check { status, subject, found, advice } in &self.checks {
            let mut head = format!("{:<STATUS_WIDTH$}{subject:<SUBJECT_WIDTH$}", status.word());
            // A long name keeps a line to itself.
            if subject.chars().count() >= SUBJECT_WIDTH {
                text += &format!("{head}\n");
                head = " ".repeat(indent);
            }
            for line in wrapped(found, width) {
                text += &format!("{head}{line}\n");
                head = " ".repeat(indent);
            }
            if !advice.is_empty() {
                for (number, line) in wrapped(advice, width - 3).into_iter().enumerate() {
                    let mark = if number == 0 { "-> " } else { "   " };
                    text += &format!("{head}{mark}{line}\n");
                }
            }
        }
        let [ok, warnings, failed] = self.counts();
        text + &format!("\n{ok} ok, {warnings} warnings, {failed} failed")
    }

    fn counts(&self) -> [usize; 3] {
        [Status::Ok, Status::Warning, Status::Failed].map(|status| self.count(status))
    }

    fn json(&self) -> Value {
        let check = |Check { status, subject, found, advice }: &Check| {
            let advice = if advice.is_empty() { Value::Null } else { json!(advice) };
            json!({ "status": status.word(), "check": subject, "found": found, "advice": advice })
        };
        let [ok, warnings, failed] = self.counts();
        let checks: Vec<Value> = self.checks.iter().map(check).collect();
        json!({ "checks": checks, "ok": ok, "warnings": warnings, "failed": failed })
    }

    fn csv(&self) -> String {
        let mut text = "status,check,found,advice\n".to_owned();
        for Check { status, subject, found, advice } in &self.checks {
            let fields = [status.word(), subject, found, advice].map(csv_field);
            text += &(fields.join(",") + "\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_aligned_and_stay_within_a_hundred_columns() {
        let mut report = DoctorReport::default();
        report.ok("clock", "good");
        let long = "word ".repeat(40);
        report.warning(format!("dataset {}", "d".repeat(60)), long.trim(), long.trim());
        report.failed("store", "a\u{1b}[31mb", "fix it");
        let text = report.for_people();
        assert!(text.lines().all(|line| line.chars().count() <= LINE_WIDTH), "{text}");
        assert!(text.contains(&format!("ok       clock{}good\n", " ".repeat(27))), "{text}");
        assert!(text.contains(&format!("{}-> fix it\n", " ".repeat(41))), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.ends_with("1 ok, 1 warnings, 1 failed"), "{text}");
        assert!(report.outcome().is_err());
        assert_eq!(report.json()["checks"][0]["advice"], Value::Null);
    }
}
