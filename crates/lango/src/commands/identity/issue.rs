//! `lango identity issue`: shows what would be signed, checks all of it, and signs.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::PathBuf,
};

use clap::Args;
use lango_files::{FileError, create};
use lango_gateway::system_clock;
use lango_identity::{Bundle, Facts, Fingerprint, FingerprintError, Lifetime, SpiffeId};

use super::{
    input,
    issued::{AuthorityFolder, IssuedLast},
    passphrase::Passphrase,
    words,
};
use crate::{
    failure::Failure,
    output::{day, print},
    request_file::RequestFile,
};

/// How many words are read out.
const WORDS: usize = 12;

#[derive(Debug, Args)]
pub struct IssueCertificates {
    /// The request, as it came: request.toml.
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    /// The authority's folder.
    #[arg(long, value_name = "DIR", default_value = "authority")]
    dir: PathBuf,
    /// How many days the certificates are valid. A stolen key is good until they end.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The words, or digits, that were read over the telephone, instead of typing them when they are asked for.
    #[arg(long, value_name = "WORDS")]
    fingerprint: Option<String>,
    /// Issue to a name that has certificates already, to new keys that its present key does not vouch for.
    #[arg(long)]
    replace: bool,
    /// Show and check, and sign nothing.
    #[arg(long)]
    check: bool,
    /// The bundle to write; ROLE-NAME.bundle.pem in this folder unless it is named.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl IssueCertificates {
    pub fn run(self) -> Result<(), Failure> {
        let now = system_clock()();
        let authority_folder = AuthorityFolder::open(&self.dir)?;
        let region = &authority_folder.file.region;
        let text = input::read_text(&self.request)?;
        let file = RequestFile::parse(&self.request, text, region)?;
        let principal = file.request.principal();
        let bundle = format!("{}-{}.bundle.pem", principal.role(), principal.name());
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from(bundle));
        if out.symlink_metadata().is_ok() {
            return Err(FileError::Exists(out).into());
        }
        let last = authority_folder.last(principal)?;
        if let Some(last) = last.as_ref().filter(|last| last.bundle.answers(&file.request)) {
            create(&out, last.text.as_bytes())?;
            return print(&format!(
                "was issued before, as number {} of `{principal}`: wrote it to {} again, and signed nothing",
                last.number,
                out.display()
            ));
        }
        let signer = self.check_name(&authority_folder, &file, last.as_ref(), now)?;
        let lifetime = Lifetime::days(now, self.days);
        print(&self.shown(&authority_folder, &file, signer.as_ref(), last.as_ref(), lifetime)?)?;
        if signer.is_none() {
            self.check_words(&file, region)?;
        }
        if self.check {
            return print("checked: signed nothing");
        }
        let authority = authority_folder.unlock(&self.passphrase)?;
        let certified = authority.certify(&file.request, lifetime, region.signing_eku())?;
        let until = day(lifetime.not_after);
        let mut text = format!(
            "Certificates of {principal}, issued by the authority of {} on {}.\nNothing in here is secret. Put them in place \
             where the keys are: lango identity install FILE\n\nFor TLS, until {until}:\n{}",
            region.trust_domain(),
            day(now),
            certified.tls_pem
        );
        if let Some(pem) = &certified.signing_pem {
            text += &format!("\nFor signing, until {until}:\n{pem}");
        }
        // What is not for these keys alone leaves this place in no form.
        if !Bundle::read(text.as_bytes(), region)?.answers(&file.request) {
            return Err(Failure::of(
                self.request.display(),
                "the certificates would not be of its keys: nothing was issued",
            ));
        }
        authority_folder.enter(principal, last.map_or(1, |last| last.number + 1), &text)?;
        create(&out, text.as_bytes())?;
        print(&format!(
            "\nissued: send {} back to {principal}. It is entered in {}.",
            out.display(),
            self.dir.display()
        ))
    }

    /// Whether the name is free, or who renews it is its owner: then the certificate of the key that signed.
    fn check_name(
        &self,
        authority_folder: &AuthorityFolder,
        file: &RequestFile,
        last: Option<&IssuedLast>,
        now: i64,
    ) -> Result<Option<Facts>, Failure> {
        let principal = file.request.principal();
        let failed = |why: String| Failure::of(self.request.display(), why);
        if let Some(other) = authority_folder.lookalike(principal)? {
            let why = format!(
                "`{}` is like `{other}`, which has certificates: take one spelling, or another name",
                principal.name()
            );
            return Err(failed(why));
        }
        match (&file.renewal, last) {
            (Some(renewal), Some(last)) => {
                let signer = renewal.check(&file.request, &last.bundle, &authority_folder.file.region, now);
                Ok(Some(signer.map_err(|error| failed(error.to_string()))?))
            }
            (Some(_), None) => Err(failed(format!(
                "renews certificates of `{principal}`, to whom this authority issued none: have a first request made, with `lango \
                 identity request`"
            ))),
            (None, Some(last)) if !self.replace => {
                let until = day(last.bundle.tls_facts()?.not_after);
                Err(failed(format!(
                    "the name is taken: `{principal}` has certificates until {until}. If its owner asks for the next ones, have them run \
                     `lango identity renew`. If the keys are lost, make sure on the telephone whom you speak to, and say --replace"
                )))
            }
            (None, None) if self.replace => {
                Err(failed(format!("--replace: `{principal}` has no certificates yet; leave --replace out")))
            }
            (None, _) => Ok(None),
        }
    }

    /// What would be signed, in words.
    fn shown(
        &self,
        authority_folder: &AuthorityFolder,
        file: &RequestFile,
        signer: Option<&Facts>,
        last: Option<&IssuedLast>,
        lifetime: Lifetime,
    ) -> Result<String, Failure> {
        let principal: &SpiffeId = file.request.principal();
        let hosts = match file.request.hosts() {
            [] => "none".to_owned(),
            hosts => hosts.join(", "),
        };
        let asked = match (signer, last) {
            (Some(_), _) => "by its present signing key: no telephone is needed".to_owned(),
            (None, None) => "for the first time: the telephone says whether it is theirs".to_owned(),
            (None, Some(last)) => format!(
                "anew: what was issued before stays valid until {}",
                day(last.bundle.tls_facts()?.not_after)
            ),
        };
        let mut facts = vec![
            ("region", authority_folder.file.region.trust_domain().to_owned()),
            ("role", principal.role().to_string()),
            ("name", principal.name().to_owned()),
            ("certificates", "for a key for TLS and a key that signs".to_owned()),
            ("proved", "the keys are in the hands of the one who made the request".to_owned()),
            ("hosts", hosts),
            ("valid", format!("until {}, for {} days", day(lifetime.not_after), self.days)),
            ("asked", asked),
        ];
        facts.extend(signer.map(|signer| ("signed with", format!("serial {}", signer.serial))));
        let facts = words::facts(&facts);
        Ok(format!("{} asks for certificates of\n{principal}\n\n{facts}", self.request.display()))
    }

    /// Compares the words that were read aloud with those of the request, which are not shown here: they are typed, not
    /// confirmed.
    fn check_words(&self, file: &RequestFile, region: &lango_identity::Region) -> Result<(), Failure> {
        let typed = match (&self.fingerprint, self.check) {
            (Some(words), _) => words.parse().map_err(unsigned)?,
            (None, true) => return Ok(()),
            (None, false) => {
                let input = std::io::stdin();
                let is_terminal = input.is_terminal();
                typed(&mut input.lock(), &mut std::io::stderr().lock(), is_terminal)?
            }
        };
        if typed == file.request.fingerprint(region) {
            return Ok(());
        }
        Err(Failure::of(
            self.request.display(),
            "the words are not this request's, so it is not the one that the caller made, or the caller was given another region.toml \
             than yours. Nothing was signed: have both sent again by another way, and telephone again",
        ))
    }
}

fn unsigned(error: FingerprintError) -> Failure {
    Failure::of("nothing was signed", error)
}

/// The fingerprint that is typed. At a terminal what is none is typed again.
fn typed(
    input: &mut impl BufRead,
    prompt: &mut impl Write,
    is_terminal: bool,
) -> Result<Fingerprint, Failure> {
    writeln!(prompt, "\nTelephone them, and type the twelve words, or the digits, that they read out:")?;
    loop {
        let words = typed_words(input, prompt)?;
        if words.trim().is_empty() {
            return Err(Failure::Failed("no words were typed: nothing was signed".to_owned()));
        }
        match words.parse() {
            Ok(fingerprint) => return Ok(fingerprint),
            Err(error) if is_terminal => {
                writeln!(prompt, "  {error}. Type all of them again, or nothing to stop:")?;
            }
            Err(error) => return Err(unsigned(error)),
        }
    }
}

/// The words as they are typed, up to an empty line or as many as there are.
fn typed_words(input: &mut impl BufRead, prompt: &mut impl Write) -> Result<String, Failure> {
    let mut words = String::new();
    loop {
        write!(prompt, "> ")?;
        prompt.flush()?;
        let mut line = String::new();
        let is_over = input.read_line(&mut line)? == 0 || line.trim().is_empty();
        words.push_str(&line);
        let is_whole = words.parse::<Fingerprint>().is_ok() || words.split_whitespace().count() >= WORDS;
        if is_over || is_whole {
            return Ok(words);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "6a12 a4f5 772b e4ea c5fc be65";

    /// What is read of lines that are typed, and how often it is asked for.
    fn read(lines: &str, is_terminal: bool) -> (Result<String, String>, usize) {
        let mut prompt = Vec::new();
        let read = typed(&mut lines.as_bytes(), &mut prompt, is_terminal);
        let asked = String::from_utf8(prompt).unwrap().matches("> ").count();
        (read.map(|read| read.numerals()).map_err(|failure| failure.to_string()), asked)
    }

    #[test]
    fn words_are_typed_in_lines_and_at_a_terminal_again() {
        let fingerprint: Fingerprint = DIGITS.parse().unwrap();
        let words = fingerprint.words();
        let lines: String = words.chunks(4).map(|line| line.join(" ") + "\n").collect();
        let is_read = |asked| (Ok(DIGITS.to_owned()), asked);
        assert_eq!(read(&lines, false), is_read(3));
        assert_eq!(read(&format!("{DIGITS}\n"), false), is_read(1));
        assert_eq!(read(&format!("zebr\n\n{lines}"), true), is_read(5));
        let (ended, asked) = read(&format!("zebr\n\n{lines}"), false);
        assert!(ended.unwrap_err().starts_with("nothing was signed: word 1, `zebr`, is no word"));
        assert_eq!(asked, 2);
        for nothing in ["", "\n"] {
            assert_eq!(read(nothing, true).0, Err("no words were typed: nothing was signed".to_owned()));
        }
    }
}
