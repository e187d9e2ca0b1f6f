//! `lango policy check`: what is wrong with a policy, all of it, without a gateway.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_document::{Diagnostic, DiagnosticCode, Diagnostics, TextPlace};
use lango_gateway::policy_digest;
use lango_policy::PolicySet;
use serde_json::{Value, json};
use time::Date;

use crate::{
    clock::today,
    config::{GatewayFile, documents},
    failure::Failure,
    output::{self, Format, counted, csv_field},
};

#[derive(Debug, Args)]
pub struct PolicyCheck {
    /// The folder with the policy files, or one of them; what the configuration names by default, else `policies`.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The gateway's configuration, which is checked too: its sources, its region, and who may read its keys.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The region whose analysts ask, such as ecowas.example, where no configuration names it.
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    region: Option<String>,
    /// Fail if there are warnings.
    #[arg(long)]
    deny_warnings: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// What there is in a folder.
struct Checked {
    /// In words.
    what: String,
    /// The digest that administrators sign, in hexadecimal.
    digest: String,
}

impl PolicyCheck {
    pub fn run(&self) -> Result<(), Failure> {
        let mut found = Vec::new();
        let config =
            self.config.as_deref().and_then(|file| configured(file, &mut found).map(|read| (file, read)));
        let folder = match (&self.folder, &config) {
            (Some(folder), _) => Some(folder.clone()),
            (None, Some((file, config))) => Some(config.policy_folder(file)),
            // Where the policies are is what the configuration would have said.
            (None, None) if self.config.is_some() => None,
            (None, None) => Some(PathBuf::from("policies")),
        };
        let today = today()?;
        let checked =
            folder.as_deref().and_then(|folder| self.check(folder, config.as_ref(), today, &mut found));
        let found: Diagnostics = found.into_iter().collect();
        self.print(&found, checked.as_ref())?;
        match (found.errors(), found.warnings()) {
            (0, 0) => Ok(()),
            (0, warnings) if self.deny_warnings => {
                Err(Failure::Failed(format!("{}, and --deny-warnings", counted(warnings, "warning"))))
            }
            (0, _) => Ok(()),
            (errors, _) => Err(Failure::Failed(counted(errors, "error"))),
        }
    }

    /// Checks a folder; what there is in it.
    fn check(
        &self,
        folder: &Path,
        config: Option<&(&Path, GatewayFile)>,
        today: Date,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Checked> {
        let (read, unreadable) = documents::readable(folder);
        found.extend(unreadable.iter().cloned());
        if read.is_empty() {
            return None;
        }
        let region = config.map(|(_, config)| config.region_name()).or(self.region.as_deref());
        let (set, said) = PolicySet::check(&read, Some(today), region);
        // What seems to be missing may stand in what cannot be read.
        let follows = |code| {
            matches!(code, DiagnosticCode::NotDeclared | DiagnosticCode::NoBudget)
                || matches!(code, DiagnosticCode::NoPolicy | DiagnosticCode::NoSuchFile)
        };
        found.extend(said.iter().filter(|said| unreadable.is_empty() || !follows(said.code)).cloned());
        let set = set?;
        if let Some((file, config)) = config {
            found.extend(documents::writable_by_all(folder));
            without_source(&set, file, config, found);
        }
        let [datasets, grants, tests] = [
            counted(set.datasets.len(), "dataset"),
            counted(set.grants.len(), "grant"),
            counted(set.trials.len(), "test"),
        ];
        Some(Checked {
            what: format!("office {}: {datasets}, {grants}, {tests}", set.office),
            digest: hex::encode(policy_digest(&read)),
        })
    }

    fn print(&self, found: &Diagnostics, checked: Option<&Checked>) -> Result<(), Failure> {
        let digest = checked.map(|checked| format!("\ndigest {}", checked.digest)).unwrap_or_default();
        let what = checked.map(|checked| checked.what.as_str()).unwrap_or_default();
        match self.format {
            Format::Table if found.is_empty() => output::print(&format!("{what}; nothing is wrong{digest}")),
            Format::Table if found.errors() > 0 => output::print(&found.to_string()),
            Format::Table => output::print(&format!("{found}\n{digest}")),
            Format::Json => output::print_json(&json(found)),
            Format::Csv => output::print(&csv(found)),
        }
    }
}

/// Finds the datasets whose source the configuration does not have.
fn without_source(set: &PolicySet, file: &Path, config: &GatewayFile, found: &mut Vec<Diagnostic>) {
    for (name, dataset) in &set.datasets {
        if config.sources().any(|source| source == dataset.source) {
            continue;
        }
        let place = set.source_place(name).cloned();
        let place = place.unwrap_or_else(|| TextPlace::of_file(&file.display().to_string()));
        let message = format!("{} has no source `{}`", file.display(), dataset.source);
        let help = match lango_document::nearest(&dataset.source, config.sources()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `[source.{}]` there", dataset.source),
        };
        found.push(Diagnostic::error(DiagnosticCode::NoSource, place, (message, help)));
    }
}

/// Reads a gateway's configuration; nothing where it is wrong, and why is found.
fn configured(file: &Path, found: &mut Vec<Diagnostic>) -> Option<GatewayFile> {
    let read = documents::document(file).map_err(Diagnostics::from).and_then(|document| document.read());
    let config: GatewayFile = match read {
        Ok(config) => config,
        Err(wrong) => {
            found.extend(wrong.iter().cloned());
            return None;
        }
    };
    let identity = config.identity_folder(file);
    for key in ["tls.key", "signing.key"].map(|name| identity.join(name)) {
        if let Some(exposed) = lango_files::exposure(&key).filter(|_| key.exists()) {
            let place = TextPlace::of_file(&key.display().to_string());
            let words = (exposed.to_string(), exposed.command());
            found.push(Diagnostic::warning(DiagnosticCode::ExposedFile, place, words));
        }
    }
    Some(config)
}

fn json(found: &Diagnostics) -> Value {
    let one = |found: &Diagnostic| {
        let position = found.place.position();
        json!({
            "severity": found.severity.as_str(),
            "code": found.code.as_str(),
            "file": &*found.place.document.file,
            "line": position.map(|position| position.line),
            "column": position.map(|position| position.column),
            "message": found.message,
            "help": found.help,
            "manual": format!("docs/DIAGNOSTICS.md#{}", found.code),
        })
    };
    let all: Vec<Value> = found.iter().map(one).collect();
    json!({ "errors": found.errors(), "warnings": found.warnings(), "diagnostics": all })
}

fn csv(found: &Diagnostics) -> String {
    let mut text = "severity,code,file,line,column,message,help\n".to_owned();
    for found in found.iter() {
        let position = found.place.position();
        let number = |of: Option<usize>| of.map(|number| number.to_string()).unwrap_or_default();
        let fields = [
            found.severity.as_str().to_owned(),
            found.code.to_string(),
            found.place.document.file.to_string(),
            number(position.map(|position| position.line)),
            number(position.map(|position| position.column)),
            found.message.clone(),
            found.help.clone().unwrap_or_default(),
        ];
        text += &(fields.map(|field| csv_field(&field)).join(",") + "\n");
    }
    text
}
