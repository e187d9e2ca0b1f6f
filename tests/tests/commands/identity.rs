//! `lango identity` as an authority, offices, a coordinator and analysts run it: the whole road, and who is turned away.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use lango_identity::Role;
use lango_testkit::{Office, Policy, Register, TestRegion};
use serde_json::Value;
use tempfile::TempDir;

use crate::{process::Process, program};

const WORDS: &str = "correct horse battery staple";

/// A folder in which somebody runs the program, and what it printed.
pub(crate) struct Desk(TempDir);

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A desk with the authority of `ecowas.example`, whose key has no passphrase, in `authority`.
    pub(crate) fn with_authority() -> Self {
        let desk = Self::new();
        desk.done("authority --region ecowas.example --no-passphrase --coordinator https://127.0.0.1:7444");
        desk
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn run(&self, words: &[&str], stdin: &str) -> Said {
        let mut command = program::command(program::lango());
        command.arg("identity").args(words).current_dir(self.0.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end before it reads.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs what must be done, and returns what it prints.
    pub(crate) fn done(&self, words: &str) -> String {
        let said = self.run(&words.split(' ').collect::<Vec<_>>(), "");
        assert_eq!(said.code, Some(0), "{words}: {}", said.stderr);
        said.stdout
    }

    /// Runs what must be refused with these words, and nothing made or changed by it.
    pub(crate) fn refused(&self, words: &str, expected: &str) {
        let before = self.everything();
        let said = self.run(&words.split(' ').collect::<Vec<_>>(), "");
        assert!(matches!(said.code, Some(1 | 2)), "{words}: {:?} {}", said.code, said.stdout);
        assert!(said.stderr.contains(expected), "{words}: {}", said.stderr);
        assert_eq!(self.everything(), before, "{words}");
    }

    /// Every file with its bytes.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = program::files(self.0.path(), "");
        files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    }

    /// Makes a request and returns the words that its maker reads out.
    pub(crate) fn request(&self, role: &str, name: &str, dir: &str) -> String {
        self.done(&format!("request --region authority/region.toml --role {role} --name {name} --dir {dir}"));
        self.words(&format!("{dir}/request.toml"))
    }

    /// The words of a request, as they are shown.
    fn words(&self, request: &str) -> String {
        let shown = self.done(&format!("show {request} --region authority/region.toml"));
        let words = shown.split_whitespace().skip_while(|word| *word != "1");
        let words = words.take_while(|word| *word != "or").filter(|word| word.parse::<u32>().is_err());
        let words: Vec<&str> = words.collect();
        assert_eq!(words.len(), 12, "{shown}");
        words.join("-")
    }

    fn issue(&self, request: &str, words: &str, bundle: &str) -> String {
        self.done(&format!("issue {request} --fingerprint {words} --out {bundle}"))
    }

    /// The road of one principal, to an identity in place.
    pub(crate) fn identity(&self, role: &str, name: &str, dir: &str) {
        let words = self.request(role, name, dir);
        self.issue(&format!("{dir}/request.toml"), &words, &format!("{name}.pem"));
        self.done(&format!("install {name}.pem --dir {dir}"));
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).unwrap().permissions().mode() & 0o777
    }

    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Lets OpenSSL judge, and returns what it prints.
    pub(crate) fn openssl(&self, words: &str) -> String {
        let output =
            Command::new("openssl").args(words.split(' ')).current_dir(self.0.path()).output().unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "openssl {words}: {said}");
        said
    }
}

#[test]
fn every_role_gets_what_it_needs_and_nobody_elses_keys() {
    let desk = Desk::with_authority();
    let roles = [
        ("office", "GHA"),
        ("coordinator", "region"),
        ("analyst", "awa"),
        ("auditor", "zainab"),
        ("administrator", "kofi"),
    ];
    assert_eq!(roles.map(|(role, _)| role.to_owned()), Role::ALL.map(|role| role.to_string()));
    for (role, name) in roles {
        let words = desk.request(role, name, name);
        assert_eq!(desk.mode(name), 0o700);
        let request = format!("{name}/request.toml");
        let shown = desk.issue(&request, &words, &format!("{name}.pem"));
        for said in [&format!("spiffe://ecowas.example/{role}/{name}"), "for the first time", "for 365 days"]
        {
            assert!(shown.contains(said), "{role}: {shown}");
        }
        assert!(!shown.contains(words.split('-').next().unwrap()), "the words are typed, not shown: {shown}");
        let installed = desk.done(&format!("install {name}.pem --dir {name}"));
        let files = [
            "authority.pem",
            "identity.toml",
            "request.toml",
            "signing.key",
            "signing.pem",
            "tls.key",
            "tls.pem",
        ];
        assert_eq!(desk.names(name), files);
        for file in desk.names(name) {
            assert_eq!(desk.mode(&format!("{name}/{file}")), 0o600, "{file}");
        }
        // Neither what is sent to the authority nor what comes back holds a key.
        for sent in [desk.text(&request), desk.text(&format!("{name}.pem"))] {
            assert!(!sent.contains("PRIVATE"), "{role}: {sent}");
        }
        assert!(installed.contains("for signing"), "{installed}");
        let shown = desk.done(&format!("show {name}"));
        assert!(shown.contains("good for TLS in the region ecowas.example"), "{shown}");
        assert!(shown.contains("good for signing in the region ecowas.example"), "{shown}");
        assert!(shown.contains(&format!("{role} `{name}` of the region ecowas.example")), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
        // Again, it is as it was.
        let before = desk.everything();
        desk.done(&format!("install {name}.pem --dir {name}"));
        assert_eq!(desk.everything(), before);
    }
    // What a file manager leaves behind is nobody's identity.
    for stray in [
        "authority/issued/.DS_Store",
        "authority/issued/analyst/.DS_Store",
        "authority/issued/analyst/awa/Thumbs.db",
    ] {
        desk.write(stray, "");
    }
    let issued = desk.done("show authority");
    for said in ["office", "GHA", "kofi", "365 days"] {
        assert!(issued.contains(said), "{issued}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_made_by_these_commands_answer_a_question_before_and_after_they_are_renewed() {
    // The register, the policy and the store of an office; its identity is made here.
    let office = Office::prepare(&TestRegion::new(), "GHA", &Policy::of("GHA"), &Register::sample(1));
    let config = office.write_config(&TestRegion::new());
    fs::remove_dir_all(office.folder().join("identity")).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"authority.pem\"", "\"identity/authority.pem\"")).unwrap();
    let desk = Desk::with_authority();
    let identity = office.folder().join("identity").display().to_string();
    desk.identity("office", "GHA", &identity);
    desk.identity("coordinator", "region", "coordinator/identity");
    desk.identity("analyst", "awa", "awa");
    let ask = || {
        let gateway = Process::start(&config);
        let coordinator = format!(
            "listen = \"127.0.0.1:0\"\nidentity = \"identity\"\n\n[region]\nname = \"ecowas.example\"\nauthority = \
             \"identity/authority.pem\"\nsigning_eku = \"1.3.6.1.4.1.32473.1.1\"\n\n[[member]]\noffice = \"GHA\"\naddress = \
             \"https://{}\"\n",
            gateway.address
        );
        desk.write("coordinator/coordinator.toml", &coordinator);
        let coordinator = Process::start_coordinator(&desk.path("coordinator/coordinator.toml"));
        // The address that the region's file named, as an administrator would correct it.
        let table = desk.text("awa/identity.toml");
        let (_, rest) = table.split_once('\n').unwrap();
        desk.write(
            "awa/identity.toml",
            &format!("coordinator = \"https://{}\"\n{rest}", coordinator.address),
        );
        let output = program::command(program::lango())
            .args([
                "query",
                "run",
                "--identity",
                "awa",
                "--all",
                "--dataset",
                "residents",
                "--measure",
                "persons",
            ])
            .args(["--by", "sex", "--epsilon", "30", "--format", "json"])
            .current_dir(desk.0.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["coverage"]["answered"], serde_json::json!(["GHA"]), "{stderr}");
        answer["cells"].clone()
    };
    let first = tokio::task::block_in_place(ask);
    for (dir, name) in [(identity.as_str(), "GHA"), ("awa", "awa")] {
        desk.done(&format!("renew --dir {dir}"));
        desk.done(&format!("issue {dir}/renewal/request.toml --out {name}-2.pem"));
        desk.done(&format!("install {name}-2.pem --dir {dir}"));
    }
    assert_eq!(tokio::task::block_in_place(ask), first, "the stored answer, to the same principal");
}

#[test]
fn a_request_that_is_not_what_was_read_out_is_signed_by_nobody() {
    let desk = Desk::with_authority();
    let words = desk.request("office", "GHA", "gha");
    let others = desk.request("office", "TGO", "tgo");
    let text = desk.text("gha/request.toml");
    let part = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let pem = |text: &str, name: &str| part(text, &format!("{name} = \"\"\"\n"), "\"\"\"");
    let (tls, signing) = (pem(&text, "tls"), pem(&text, "signing"));
    let tgo = desk.text("tgo/request.toml");
    let swapped =
        text.replace(&tls, "-").replace(&signing, &tls).replace("\n-\"\"\"", &format!("\n{signing}\"\"\""));
    let cut: String = text.lines().take(9).map(|line| format!("{line}\n")).collect();
    // Of an impostor's authority of the same name, whose region somebody gave to the office.
    let impostor = Desk::with_authority();
    let theirs = impostor.request("office", "GHA", "gha");
    let foreign = impostor.text("gha/request.toml");
    let claimed =
        foreign.replace(&part(&foreign, "region    = \"", "\""), &part(&text, "region    = \"", "\""));
    for (what, request, fingerprint, expected) in [
        ("others' words", text.clone(), others.as_str(), "the words are not this request's"),
        ("others' request", tgo.clone(), &words, "the words are not this request's"),
        ("too few words", text.clone(), "aardvark", "there are 1 words"),
        ("a word that is none", text.clone(), "aardvark-x", "word 2, `x`, is no word of a fingerprint"),
        ("no request", "nothing".to_owned(), &words, "request.toml:1:"),
        ("another key in it", format!("sign = true\n{text}"), &words, "sign"),
        ("a version to come", text.replace("version   = 1", "version   = 2"), &words, "update it"),
        (
            "another's name",
            text.replace("office/GHA\"", "office/TGO\""),
            &words,
            "keys of two requests are mixed",
        ),
        ("a way out", text.replace("office/GHA\"", "office/../../x\""), &words, "is not of the form"),
        ("a name that is a way", text.replace("office/GHA\"", "office/..\""), &words, "`..` is not a name"),
        (
            "another region",
            text.replace("ecowas.example", "other.example"),
            &words,
            "not of the region `ecowas.example`",
        ),
        ("keys swapped", swapped, &words, "the two keys were swapped"),
        (
            "a key of another's",
            text.replace(&tls, &pem(&tgo, "tls")),
            &words,
            "keys of two requests are mixed",
        ),
        ("a forged proof", text.replace(&tls, &tls.replacen("MI", "MJ", 1)), &words, "`tls`"),
        ("cut short", cut, &words, "request.toml"),
        ("an impostor's region", foreign, &theirs, "somebody gave them another one"),
        ("an impostor's region that says it is ours", claimed, &theirs, "the words are not this request's"),
        ("larger than any", text.repeat(1000), &words, "is larger than 1 MiB"),
    ] {
        desk.write("request.toml", &request);
        let arguments = format!("issue request.toml --fingerprint {fingerprint}");
        let before = desk.everything();
        let said = desk.run(&arguments.split(' ').collect::<Vec<_>>(), "");
        assert_eq!(said.code, Some(1), "{what}: {}", said.stdout);
        assert!(said.stderr.contains(expected), "{what}: {}", said.stderr);
        assert_eq!(desk.everything(), before, "{what}");
    }
    // Nothing typed, and the right words typed.
    desk.write("request.toml", &text);
    let said = desk.run(&["issue", "request.toml"], "");
    assert!(said.code == Some(1) && said.stderr.contains("no words were typed"), "{}", said.stderr);
    assert!(!desk.path("authority/issued").exists());
    let said = desk.run(&["issue", "request.toml"], &(words.replace('-', "\n").to_uppercase() + "\n"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(desk.path("office-GHA.bundle.pem").exists());
}

#[test]
fn a_name_is_one_principals_until_its_key_says_otherwise() {
    let desk = Desk::new();
    desk.done("authority --region ecowas.example --no-passphrase --days 3000");
    desk.identity("analyst", "awa", "awa");
    let again = desk.request("analyst", "awa", "again");
    let like = desk.request("analyst", "Awa", "like");
    let elsewhere = desk.request("administrator", "AWA", "elsewhere");
    let new = desk.request("analyst", "new", "new");
    for (request, words, more, expected) in [
        (
            "again",
            &again,
            "",
            "the name is taken: `spiffe://ecowas.example/analyst/awa` has certificates until",
        ),
        ("like", &like, "", "`Awa` is like `awa`"),
        ("like", &like, " --replace", "`Awa` is like `awa`"),
        // An administrator who is taken for an analyst might decide on the analyst's own questions.
        ("elsewhere", &elsewhere, "", "`AWA` is like `awa`"),
        ("new", &new, " --replace", "has no certificates yet; leave --replace out"),
        ("again", &like, " --replace", "the words are not this request's"),
        ("again", &again, " --replace --days 3650", "the authority's own certificate ends at"),
        ("again", &again, " --replace --days 0", "0 is not in 1..=3650"),
        (
            "again",
            &again,
            " --replace --out awa.pem",
            "`awa.pem` is there already, and nothing is overwritten",
        ),
    ] {
        desk.refused(&format!("issue {request}/request.toml --fingerprint {words}{more}"), expected);
    }
    // Issued twice is written twice and signed once; what was checked alone is not signed.
    let first = desk.text("awa.pem");
    assert!(desk.done("issue awa/request.toml --out copy.pem").contains("signed nothing"));
    assert_eq!(desk.text("copy.pem"), first);
    let checked = desk.done("issue new/request.toml --check");
    assert!(checked.contains("checked: signed nothing") && !desk.path("analyst-new.bundle.pem").exists());
    // A renewal goes without the telephone, once.
    desk.done("renew --dir awa");
    desk.refused("renew --dir awa", "awa/renewal: is there already");
    fs::rename(desk.path("awa/renewal"), desk.path("older")).unwrap();
    desk.done("renew --dir awa");
    let shown = desk.done("issue awa/renewal/request.toml --out second.pem");
    assert!(shown.contains("by its present signing key"), "{shown}");
    desk.refused("issue older/request.toml --out third.pem", "is not the one that was issued last");
    // Nobody renews for others, or changes what was signed.
    desk.identity("analyst", "efua", "efua");
    desk.done("renew --dir efua");
    let (mine, hers) = (desk.text("older/request.toml"), desk.text("efua/renewal/request.toml"));
    let table = |text: &str| text.split_once("[renewal]").unwrap().1.to_owned();
    desk.write("request.toml", &mine.replace(&table(&mine), &table(&hers)));
    desk.refused("issue request.toml", "the renewal's signature proves nothing");
    desk.write("request.toml", &(desk.text("new/request.toml") + "[renewal]" + &table(&hers)));
    desk.refused("issue request.toml", "to whom this authority issued none");
    // Keys that are lost are replaced by telephone, and the older certificates are named.
    let shown =
        desk.done(&format!("issue again/request.toml --fingerprint {again} --replace --out third.pem"));
    assert!(shown.contains("what was issued before stays valid until"), "{shown}");
    assert_eq!(desk.names("authority/issued/analyst/awa"), ["1.pem", "2.pem", "3.pem"]);
    desk.refused("issue awa/renewal/request.toml --out fourth.pem", "is not the one that was issued last");
}

#[test]
fn a_bundle_is_installed_where_its_keys_are_and_nowhere_else() {
    let desk = Desk::with_authority();
    let words = desk.request("office", "GHA", "gha");
    desk.issue("gha/request.toml", &words, "gha.pem");
    desk.identity("office", "TGO", "tgo");
    let again = desk.request("office", "GHA", "again");
    desk.issue("again/request.toml", &format!("{again} --replace"), "again.pem");
    let impostor = Desk::with_authority();
    let theirs = impostor.request("office", "GHA", "gha");
    impostor.issue("gha/request.toml", &theirs, "gha.pem");
    desk.write("foreign.pem", &impostor.text("gha.pem"));
    let bundle = desk.text("gha.pem");
    let (tls, signing) = bundle.split_once("For signing").unwrap();
    desk.write("tls.pem", tls);
    desk.write("signing.pem", signing);
    desk.write("text.pem", "nothing");
    desk.write("mixed.pem", &format!("{tls}{}", desk.text("TGO.pem").split_once("For signing").unwrap().1));
    fs::create_dir(desk.path("empty")).unwrap();
    for (arguments, expected) in [
        ("install again.pem --dir gha", "it was issued for another request"),
        ("install foreign.pem --dir gha", "it was issued for another request"),
        (
            "install TGO.pem --dir gha",
            "the certificates are of `spiffe://ecowas.example/office/TGO`, and gha is of",
        ),
        ("install mixed.pem --dir gha", "name those of one principal"),
        ("install tls.pem --dir gha", "there is no certificate for signing"),
        ("install signing.pem --dir gha", "there is no certificate for TLS"),
        ("install gha.pem again.pem --dir gha", "there are two certificates for"),
        ("install text.pem --dir gha", "no certificate in the PEM text"),
        ("install nothing.pem --dir gha", "nothing.pem"),
        ("install gha --dir gha", "is not a file"),
        ("install gha.pem --dir empty", "holds no identity.toml"),
        ("install gha.pem --dir empty --region authority/region.toml", "holds no tls.key"),
        ("renew --dir gha", "tls.pem"),
        ("request --region authority/region.toml --role office --name GHA --dir gha", "is there already"),
        ("request --region authority/region.toml --role office --name GHA --dir gha.pem", "is there already"),
        ("request --region gha/request.toml --role office --name GHA --dir x", "request.toml"),
        (
            "request --region authority/region.toml --role office --name ../GHA --dir x",
            "`../GHA` is not a name",
        ),
        ("request --region authority/region.toml --role king --name GHA --dir x", "`king` is not a role"),
        ("authority --region ecowas.example --no-passphrase", "`authority` is there already"),
        ("authority --region Ecowas --no-passphrase --dir x", "`Ecowas` is not a trust domain"),
        ("authority --region a.example --no-passphrase --dir x --signing-eku 2.5.29.37.0", "is a public one"),
        ("authority --region a.example --no-passphrase --dir x --coordinator ftp://x", "--coordinator"),
        ("authority --region a.example --no-passphrase --dir x --key rsa", "`rsa` is not a kind of key"),
        ("show empty", "holds no certificate"),
        ("show gha/identity.toml", "is no certificate in PEM, no revocation list"),
    ] {
        desk.refused(arguments, expected);
    }
    // A key that others may read is not used.
    program::open_to_others(&desk.path("gha/signing.key"));
    desk.refused("install gha.pem --dir gha", "run `chmod 600 gha/signing.key`");
    fs::set_permissions(desk.path("gha/signing.key"), fs::Permissions::from_mode(0o600)).unwrap();
    // The files of another authority may be two.
    desk.done("install signing.pem tls.pem --dir gha");
    assert!(desk.done("show gha/tls.key").contains("shown to nobody"));
    program::open_to_others(&desk.path("authority/authority.key"));
    desk.request("office", "SEN", "sen");
    let words = desk.words("sen/request.toml");
    desk.refused(
        &format!("issue sen/request.toml --fingerprint {words}"),
        "chmod 600 authority/authority.key",
    );
}

#[test]
fn a_renewal_that_is_stopped_at_any_step_is_finished_by_the_next_run() {
    let desk = Desk::with_authority();
    desk.identity("office", "GHA", "gha");
    let old =
        ["tls.key", "tls.pem", "signing.key", "signing.pem"].map(|name| desk.text(&format!("gha/{name}")));
    desk.done("renew --dir gha");
    desk.done("issue gha/renewal/request.toml --out next.pem");
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(copied.success());
    };
    copy(&desk.path("gha"), &desk.path("before"));
    desk.done("install next.pem --dir gha");
    let expected =
        ["tls.key", "tls.pem", "signing.key", "signing.pem"].map(|name| desk.text(&format!("gha/{name}")));
    assert!(old.iter().zip(&expected).all(|(old, new)| old != new));
    assert!(!desk.path("gha/renewal").exists());
    let good = desk.done("show gha");
    // What a run has done by each step, after which it was killed.
    let steps: [fn(&Desk); 9] = [
        |desk| desk.write("at/renewal/.tls.pem.1.unfinished", "half"),
        |desk| desk.write("at/renewal/tls.pem", "half"),
        |desk| fs::create_dir_all(desk.path("at/replaced/0")).unwrap(),
        |desk| fs::rename(desk.path("at/renewal/tls.key"), desk.path("at/tls.key")).unwrap(),
        |desk| desk.write("at/tls.pem", &desk.text("gha/tls.pem")),
        |desk| fs::rename(desk.path("at/renewal/signing.key"), desk.path("at/signing.key")).unwrap(),
        |desk| desk.write("at/signing.pem", &desk.text("gha/signing.pem")),
        |desk| fs::rename(desk.path("at/renewal/request.toml"), desk.path("at/request.toml")).unwrap(),
        |desk| fs::remove_file(desk.path("at/renewal/identity.toml")).unwrap(),
    ];
    for stopped in 0..=steps.len() {
        copy(&desk.path("before"), &desk.path("at"));
        for step in &steps[..stopped] {
            step(&desk);
        }
        desk.done("install next.pem --dir at");
        for (name, expected) in ["tls.key", "tls.pem", "signing.key", "signing.pem"].iter().zip(&expected) {
            assert_eq!(desk.text(&format!("at/{name}")), *expected, "{stopped}: {name}");
        }
        assert!(!desk.path("at/renewal").exists(), "{stopped}");
        assert_eq!(desk.done("show at").replace("at/", "gha/"), good, "{stopped}");
        fs::remove_dir_all(desk.path("at")).unwrap();
    }
    // The keys of before are kept until somebody removes them.
    let kept: Vec<String> = program::files(&desk.path("gha/replaced"), "")
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    assert_eq!(kept.len(), 4);
    assert!(old.iter().all(|old| kept.contains(old)));
}

#[test]
fn a_passphrase_keeps_the_authoritys_key_and_openssl_reads_what_is_written() {
    let desk = Desk::new();
    lango_files::replace(&desk.path("passphrase"), format!("{WORDS}\n").as_bytes()).unwrap();
    lango_files::replace(&desk.path("wrong"), b"correct horse battery staples\n").unwrap();
    lango_files::replace(&desk.path("short"), b"short\n").unwrap();
    // Where there is no terminal; with one, it would ask.
    let alone = program::command("setsid")
        .args([
            "--wait",
            program::lango().to_str().unwrap(),
            "identity",
            "authority",
            "--region",
            "ecowas.example",
        ])
        .current_dir(desk.0.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(!alone.status.success() && said.contains("name --passphrase-file"), "{said}");
    desk.refused("authority --region ecowas.example --passphrase-file short", "fewer than 12 characters");
    desk.done("authority --region ecowas.example --passphrase-file passphrase");
    assert!(desk.text("authority/authority.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    assert_eq!(desk.mode("authority/authority.key"), 0o600);
    let words = desk.request("office", "GHA", "gha");
    let issue = format!("issue gha/request.toml --fingerprint {words} --passphrase-file");
    desk.refused(&format!("{issue} wrong"), "the passphrase is not the one");
    program::open_to_others(&desk.path("passphrase"));
    desk.refused(&format!("{issue} passphrase"), "chmod 600 passphrase");
    fs::set_permissions(desk.path("passphrase"), fs::Permissions::from_mode(0o600)).unwrap();
    desk.done(&format!("{issue} passphrase"));
    desk.done("install office-GHA.bundle.pem --dir gha");

    // OpenSSL takes the key under its passphrase, the requests and the certificates.
    let key = desk.openssl("pkey -in authority/authority.key -passin file:passphrase -pubout");
    assert_eq!(desk.openssl("x509 -in authority/authority.pem -noout -pubkey"), key);
    assert!(desk.openssl("req -in gha/request.toml -verify -noout").contains("OK"));
    for name in ["tls", "signing"] {
        let verified =
            desk.openssl(&format!("verify -x509_strict -CAfile authority/authority.pem gha/{name}.pem"));
        assert!(verified.contains("OK"), "{verified}");
        assert_eq!(
            desk.openssl(&format!("pkey -in gha/{name}.key -pubout")),
            desk.openssl(&format!("x509 -in gha/{name}.pem -noout -pubkey"))
        );
    }
    let text = desk.openssl("x509 -in gha/tls.pem -noout -text");
    for said in ["URI:spiffe://ecowas.example/office/GHA", "Digital Signature", "TLS Web Server", "CA:FALSE"]
    {
        assert!(text.contains(said), "{text}");
    }
}
