//! `lango identity revoke` as an authority runs it: what is on the list, what is refused, and what OpenSSL says of it.

use std::fs;

use crate::identity::Desk;

/// The serial number of the certificate in a file.
fn serial(desk: &Desk, file: &str) -> String {
    let said = desk.openssl(&format!("x509 -in {file} -noout -serial"));
    said.trim().strip_prefix("serial=").unwrap().to_owned()
}

#[test]
fn what_was_issued_is_taken_back_by_name_by_number_and_by_certificate() {
    let desk = Desk::with_authority();
    for name in ["awa", "kofi", "ama"] {
        desk.identity("analyst", name, name);
    }
    desk.identity("coordinator", "region", "coordinator");
    let first = desk.done("revoke --renew");
    assert!(
        first.contains("nothing is revoked") && first.contains("signed list number 1 of ecowas.example"),
        "{first}"
    );
    let second = desk.done("revoke --name analyst/awa --why key-compromise --since 2026-01-31");
    let lines: Vec<&str> = second.lines().filter(|line| line.contains("key-compromise")).collect();
    assert_eq!(lines.len(), 2, "{second}");
    for (line, purpose) in [("TLS", "tls"), ("signing", "signing")] {
        let serial = serial(&desk, &format!("awa/{purpose}.pem")).to_lowercase();
        let named = lines.iter().any(|found| found.contains(&serial) && found.contains(line));
        assert!(named && second.contains("2026-01-31T00:00:00Z"), "{second}");
    }
    let digits = serial(&desk, "kofi/tls.pem");
    let pairs: Vec<&str> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
    desk.done(&format!("revoke --serial {} --why superseded", pairs.join(":")));
    let last = desk
        .done("revoke --certificate ama.pem --name coordinator/region --why cessation-of-operation --days 7");
    for (said, times) in
        [("key-compromise", 2), ("superseded", 1), ("cessation-of-operation", 4), ("number 4", 1)]
    {
        assert_eq!(last.matches(said).count(), times, "{said}: {last}");
    }
    assert_eq!(desk.names("authority/lists"), ["1.crl", "2.crl", "3.crl", "4.crl"]);
    assert_eq!(desk.text("authority/lists/4.crl"), desk.text("authority/region.crl"));

    // OpenSSL reads and verifies it, and refuses what is on it.
    let text = desk.openssl("crl -in authority/region.crl -CAfile authority/authority.pem -noout -text");
    assert!(text.contains("verify OK") && text.matches("Serial Number:").count() == 7, "{text}");
    for said in
        ["Version 2", "X509v3 CRL Number", "Key Compromise", "Invalidity Date", "Cessation Of Operation"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    let verify = |file: &str| {
        let words = [
            "verify",
            "-crl_check",
            "-CAfile",
            "authority/authority.pem",
            "-CRLfile",
            "authority/region.crl",
            file,
        ];
        let output =
            std::process::Command::new("openssl").args(words).current_dir(desk.path("")).output().unwrap();
        output.status.success()
    };
    assert!(!verify("kofi/tls.pem") && verify("kofi/signing.pem") && !verify("awa/tls.pem"));

    // Shown to people, and believed by those who have it.
    let shown = desk.done("show authority/region.crl --region authority/region.toml");
    assert!(shown.contains("a revocation list, good in the region ecowas.example"), "{shown}");
    assert!(shown.contains("number  4") && shown.matches("cessation-of-operation").count() == 4, "{shown}");
    fs::copy(desk.path("authority/region.crl"), desk.path("awa/region.crl")).unwrap();
    let shown = desk.done("show awa");
    assert_eq!(
        shown.matches("refused in the region ecowas.example: the certificate with serial").count(),
        2,
        "{shown}"
    );

    // A key that was taken back renews nothing; who comes with a telephone call may get others.
    desk.done("renew --dir awa");
    desk.refused("issue awa/renewal/request.toml --out awa-2.pem", "was revoked at");
    let words = desk.request("analyst", "awa", "awa-2");
    desk.done(&format!("issue awa-2/request.toml --replace --fingerprint {words} --out awa-2.pem"));
    desk.done("install awa-2.pem --dir awa-2");
    desk.done("revoke --name analyst/awa --why superseded");
}

#[test]
fn nonsense_takes_nothing_back() {
    let (desk, other) = (Desk::with_authority(), Desk::with_authority());
    desk.identity("analyst", "awa", "awa");
    other.identity("analyst", "awa", "awa");
    desk.write("theirs.pem", &other.text("awa/tls.pem"));
    desk.write("nothing.pem", "nothing");
    desk.done("revoke --certificate awa/tls.pem --why key-compromise");
    let theirs = serial(&desk, "theirs.pem");
    let done = serial(&desk, "awa/tls.pem");
    for (words, expected) in [
        ("revoke --why key-compromise", "name what is to be taken back"),
        ("revoke --name analyst/awa", "--why"),
        ("revoke --name analyst/awa --why boredom", "`boredom` is no reason: unspecified, key-compromise"),
        ("revoke --renew --name analyst/awa", "cannot be used with"),
        ("revoke --name analyst/kofi --why superseded", "has issued nothing to this principal"),
        ("revoke --name awa --why superseded", "a principal is written as analyst/awa"),
        (
            "revoke --name spiffe://other.example/analyst/awa --why superseded",
            "has issued nothing to this principal",
        ),
        ("revoke --serial xyz --why superseded", "a serial number is written in hexadecimal digits"),
        (
            &format!("revoke --serial {theirs} --why superseded"),
            "has entered no certificate with this number",
        ),
        (&format!("revoke --serial {done} --why superseded"), "was revoked at"),
        ("revoke --certificate awa/tls.pem --why superseded", "was revoked at"),
        ("revoke --certificate theirs.pem --why superseded", "was not issued by this authority"),
        ("revoke --certificate nothing.pem --why superseded", "no certificate in the PEM text"),
        (
            "revoke --certificate authority/authority.pem --why superseded",
            "holds no certificate of a principal",
        ),
        ("revoke --name analyst/awa --why superseded --since 2999-01-01", "is yet to come"),
        ("revoke --name analyst/awa --why superseded --since soon", "write a day"),
        ("revoke --name analyst/awa --why superseded --days 0", "0 is not in"),
        ("revoke --dir awa --renew", "holds no authority"),
    ] {
        desk.refused(words, expected);
    }
    // What is left of the name is the key that signs.
    let last = desk.done("revoke --name analyst/awa --why superseded");
    assert_eq!(
        (last.matches("superseded").count(), last.matches("key-compromise").count()),
        (1, 1),
        "{last}"
    );
    desk.refused("revoke --name analyst/awa --why superseded", "was revoked at");
    // A list that was changed is no record.
    let list = desk.text("authority/lists/2.crl");
    desk.write("authority/lists/2.crl", &list.replacen("MI", "MJ", 1));
    desk.refused("revoke --renew", "2.crl");
    desk.refused("show authority", "2.crl");
}
