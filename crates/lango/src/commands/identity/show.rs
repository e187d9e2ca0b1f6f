//! `lango identity show`: certificates, requests, regions and folders in plain words.

use std::path::{Path, PathBuf};

use clap::Args;
use lango_gateway::system_clock;
use lango_identity::{
    CertificateDer, CertificateUse, Described, Region, RevocationList, Revoked, SpiffeId,
    certificates_from_pem,
};

use super::{
    folder::{self, RENEWAL, SIGNING, TLS},
    input,
    issued::{AuthorityFolder, KEY},
    region_file::{self, RegionFile},
    words,
};
use crate::{
    config::{REVOCATIONS, region::take_lists},
    failure::Failure,
    output::{day, print, table},
    request_file::{self, RequestFile},
};

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

#[derive(Debug, Args)]
pub struct ShowIdentity {
    /// A PEM file of certificates or revocation lists, a request.toml, a region.toml, a principal's folder or an authority's.
    #[arg(value_name = "PATH", required = true)]
    path: Vec<PathBuf>,
    /// Judge by this region, in place of the one that stands beside: region.toml.
    #[arg(long, value_name = "FILE")]
    region: Option<PathBuf>,
    /// Print the words of a request alone, which its maker reads over the telephone.
    #[arg(long)]
    words: bool,
}

impl ShowIdentity {
    pub fn run(self) -> Result<(), Failure> {
        let now = system_clock()();
        let named = self.region.as_deref().map(RegionFile::read).transpose()?;
        let mut said = Vec::new();
        for path in &self.path {
            let region = named.as_ref().map(|file| &file.region);
            said.push(match (self.words, path.is_dir()) {
                (true, _) => words_of(path, region)?,
                (false, true) => of_folder(path, region, now)?,
                (false, false) => of_file(path, region, now)?,
            });
        }
        print(&said.join(if self.words { "\n" } else { "\n\n" }))
    }
}

/// The words of a request, or of the one in a folder.
fn words_of(path: &Path, named: Option<&Region>) -> Result<String, Failure> {
    let path = if path.is_dir() { path.join(request_file::NAME) } else { path.to_owned() };
    let text = input::read_text(&path)?;
    let beside = if named.is_some() { None } else { region_beside(&path) };
    let region = named.or(beside.as_ref());
    let region = region.ok_or_else(|| Failure::of(path.display(), "its words need its --region"))?;
    Ok(RequestFile::parse(&path, text, region)?.request.fingerprint(region).to_string())
}

/// What a folder holds, an authority's or a principal's.
fn of_folder(path: &Path, named: Option<&Region>, now: i64) -> Result<String, Failure> {
    if path.join(KEY).exists() {
        return of_authority(path, now);
    }
    let files = [path.join(TLS), path.join(SIGNING)];
    let renewal = path.join(RENEWAL).join(request_file::NAME);
    let request = if renewal.exists() { renewal } else { path.join(request_file::NAME) };
    let is_installed = files.iter().any(|file| file.exists());
    let is_asked = request.exists() && (!is_installed || request.starts_with(path.join(RENEWAL)));
    let mut said = Vec::new();
    for file in files.iter().filter(|file| file.exists()) {
        said.push(of_file(file, named, now)?);
    }
    if is_asked {
        said.push(of_file(&request, named, now)?);
    }
    if said.is_empty() && path.join(region_file::NAME).exists() {
        said.push(of_file(&path.join(region_file::NAME), named, now)?);
    }
    match said.is_empty() {
        true => Err(Failure::of(path.display(), "holds no certificate, no request and no authority")),
        false => Ok(said.join("\n\n")),
    }
}

/// What an authority issued, to whom and until when.
fn of_authority(path: &Path, now: i64) -> Result<String, Failure> {
    let authority_folder = AuthorityFolder::open(path)?;
    let mut rows = Vec::new();
    for last in authority_folder.everyone()? {
        let (principal, facts) = (last.bundle.principal(), last.bundle.tls_facts()?);
        let left = words::days_left(facts.not_after, now).unwrap_or_else(|| "expired".to_owned());
        rows.push(vec![
            principal.role().to_string(),
            principal.name().to_owned(),
            last.number.to_string(),
            day(facts.not_after),
            left,
            facts.serial,
        ]);
    }
    let name = authority_folder.file.region.trust_domain();
    if rows.is_empty() {
        return Ok(format!("{}: the authority of {name} has issued nothing yet", path.display()));
    }
    let header = ["role", "name", "number", "until", "left", "serial (TLS)"];
    Ok(format!("what the authority of {name} issued last\n{}", table(&header, &[2], rows)))
}

fn of_file(path: &Path, named: Option<&Region>, now: i64) -> Result<String, Failure> {
    let text = input::read_text(path)?;
    let beside = if named.is_some() { None } else { region_beside(path) };
    let region = named.or(beside.as_ref());
    if let (Some(region), Some(folder)) = (region, path.parent()) {
        // One that is refused is no reason not to show the rest: shown by itself, it is explained.
        drop(take_lists(region, &folder.join(REVOCATIONS)));
    }
    let has = |label: &str| text.contains(&format!("-----BEGIN {label}"));
    let said = if text.contains("signing_eku") && text.contains("authorities") {
        of_region(path, text, now)?
    } else if RequestFile::principal(&text).is_some() {
        of_request(path, text, region)?
    } else if has("CERTIFICATE-----") {
        of_certificates(path, &text, region, now)?
    } else if has("X509 CRL-----") {
        of_lists(&text, region, now)
    } else if has("PRIVATE KEY") || has("ENCRYPTED PRIVATE KEY") || has("EC PRIVATE KEY") {
        "  a private key: it stays where it is, and is shown to nobody\n".to_owned()
    } else {
        return Err(Failure::of(
            path.display(),
            "is no certificate in PEM, no revocation list, no request.toml and no region.toml",
        ));
    };
    Ok(format!("{}\n{}", path.display(), said.trim_end()))
}

/// The region of the folder that a file lies in.
fn region_beside(path: &Path) -> Option<Region> {
    let folder = path.parent()?;
    let file = folder.join(region_file::NAME);
    let read = match file.exists() {
        true => RegionFile::read(&file),
        false => folder::region(folder, None),
    };
    read.ok().map(|file| file.region)
}

fn of_region(path: &Path, text: String, now: i64) -> Result<String, Failure> {
    let file = RegionFile::parse(path, text)?;
    let mut said = words::facts(&[
        ("a region", file.region.trust_domain().to_owned()),
        ("coordinator", file.coordinator.unwrap_or_else(|| "not said".to_owned())),
        ("signing purpose", file.region.signing_eku().to_string()),
        ("digest", hex::encode(file.region.digest())),
    ]);
    for authority in file.region.authorities() {
        let described = Described::read(authority)?;
        said += &format!("\n{}", words::facts(&lines(&described, None, None, now)));
    }
    Ok(said)
}

/// The revocation lists of a PEM text, if they are the region's.
fn of_lists(text: &str, region: Option<&Region>, now: i64) -> String {
    let Some(region) = region else {
        return "  revocation lists; name their --region, and they are shown\n".to_owned();
    };
    let lists = match RevocationList::read(text.as_bytes(), region.authorities(), now) {
        Ok(lists) => lists,
        Err(fault) => return words::facts(&[("refused", fault.to_string())]),
    };
    let said = lists.iter().map(|list| {
        let facts = words::facts(&[
            ("what", format!("a revocation list, good in the region {}", region.trust_domain())),
            ("issuer", list.issuer().to_owned()),
            ("number", list.number().to_string()),
            ("signed", words::moment(list.this_update())),
            ("next", words::until(list.next_update(), now)),
        ]);
        let row = |(serial, revoked): (String, Revoked)| {
            vec![serial, words::moment(revoked.at), words::moment(revoked.since), revoked.reason.to_string()]
        };
        let rows: Vec<_> = list.revoked().map(row).collect();
        match rows.is_empty() {
            true => format!("{facts}  nothing is revoked\n"),
            false => format!("{facts}\n{}\n", table(&["serial", "revoked", "since", "why"], &[], rows)),
        }
    });
    said.collect::<Vec<_>>().join("\n")
}

fn of_request(path: &Path, text: String, region: Option<&Region>) -> Result<String, Failure> {
    let principal = RequestFile::principal(&text);
    let Some(region) = region else {
        let of = principal.map(|principal| principal.to_string()).unwrap_or_default();
        return Ok(format!("  a request of {of}; name its --region, and its words are shown\n"));
    };
    let file = RequestFile::parse(path, text, region)?;
    let hosts = match file.request.hosts() {
        [] => "none".to_owned(),
        hosts => hosts.join(", "),
    };
    let kind = match file.renewal {
        Some(_) => "a renewal, signed by a key of before: no telephone is needed",
        None => "a request: these are the words that its maker reads over the telephone",
    };
    let is_read_out = file.renewal.is_none();
    let facts = words::facts(&[
        ("what", kind.to_owned()),
        ("whose", whose(file.request.principal())),
        ("hosts", hosts),
        ("proved", "its keys are in the hands of the one who made it".to_owned()),
    ]);
    match is_read_out {
        true => Ok(format!("{facts}\n{}\n", words::fingerprint(&file.request.fingerprint(region)))),
        false => Ok(facts),
    }
}

/// The certificates of a PEM text, each by itself, and a principal's with what verifiers of the region say of it.
fn of_certificates(path: &Path, text: &str, region: Option<&Region>, now: i64) -> Result<String, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::of(path.display(), why);
    let chain = certificates_from_pem(text.as_bytes()).map_err(|error| failed(&error))?;
    let mut described = Vec::new();
    for der in &chain {
        described.push(Described::read(der).map_err(|error| failed(&error))?);
    }
    let is_own = |described: &Described| principal(described).is_some();
    let mut said = Vec::new();
    for (place, one) in described.iter().enumerate() {
        let above = described.iter().skip(place + 1).take_while(|above| !is_own(above)).count();
        let own: Vec<CertificateDer<'_>> = chain.iter().skip(place).take(above + 1).cloned().collect();
        let verdict =
            region.filter(|_| is_own(one)).map(|region| match CertificateUse::of(&own, region, now) {
                Ok(CertificateUse::Tls) => format!("good for TLS in the region {}", region.trust_domain()),
                Ok(CertificateUse::Signing) => {
                    format!("good for signing in the region {}", region.trust_domain())
                }
                Err(fault) => format!("refused in the region {}: {fault}", region.trust_domain()),
            });
        let verdict = match (verdict, is_own(one)) {
            (Some(verdict), _) => Some(verdict),
            (None, true) => Some("not judged: name its --region".to_owned()),
            (None, false) => None,
        };
        said.push(words::facts(&lines(one, region, verdict, now)));
    }
    Ok(said.join("\n"))
}

/// The principal that a certificate names.
fn principal(described: &Described) -> Option<SpiffeId> {
    match described.uris.as_slice() {
        [uri] => uri.parse().ok(),
        _ => None,
    }
}

fn whose(principal: &SpiffeId) -> String {
    format!("{} `{}` of the region {}", principal.role(), principal.name(), principal.trust_domain())
}

/// What is said of a certificate, line by line.
fn lines(
    described: &Described,
    region: Option<&Region>,
    verdict: Option<String>,
    now: i64,
) -> Vec<(&'static str, String)> {
    let (what, who) = match (principal(described), described.is_authority) {
        (Some(principal), _) => ("a principal's certificate", whose(&principal)),
        (None, true) => ("an authority's certificate: it issues others", described.subject.clone()),
        (None, false) => ("a certificate of no principal: no region takes it", described.subject.clone()),
    };
    let mut lines = vec![("what", what.to_owned()), ("whose", who)];
    if !described.is_authority {
        lines.push(("for", purposes(&described.purposes, region)));
    }
    lines.push((
        "valid",
        format!(
            "from {} until {}",
            words::moment(described.not_before),
            words::until(described.not_after, now)
        ),
    ));
    lines.push(("key", described.key.clone()));
    if !described.hosts.is_empty() {
        lines.push(("hosts", described.hosts.join(", ")));
    }
    lines.push(("issuer", described.issuer.clone()));
    lines.push(("serial", described.serial.clone()));
    lines.push(("SHA-256", hex::encode(described.fingerprint)));
    lines.extend(verdict.map(|verdict| ("verdict", verdict)));
    lines
}

fn purposes(purposes: &[String], region: Option<&Region>) -> String {
    let eku = region.map(|region| region.signing_eku().to_string());
    if let ([purpose], Some(eku)) = (purposes, &eku)
        && purpose == eku
    {
        return format!("signing: the region's own purpose {eku}");
    }
    let has = |purpose: &str| purposes.iter().any(|other| other == purpose);
    let others: Vec<&str> = purposes
        .iter()
        .map(String::as_str)
        .filter(|purpose| ![SERVER_AUTH, CLIENT_AUTH].contains(purpose))
        .collect();
    let tls = match (has(SERVER_AUTH), has(CLIENT_AUTH)) {
        (true, true) => Some("both ends of TLS"),
        (true, false) => Some("the server's end of TLS alone"),
        (false, true) => Some("the client's end of TLS alone"),
        (false, false) => None,
    };
    match (tls, others.as_slice()) {
        (None, []) => "nothing that it names".to_owned(),
        (Some(tls), []) => tls.to_owned(),
        (None, others) => format!("the purpose {}, which signs where it is the region's", others.join(", ")),
        (Some(tls), others) => format!("{tls}, and {}", others.join(", ")),
    }
}
