//! `lango query --precision-of`: whether a precision is met at each office and for the region, as it is printed.

use lango_identity::Role;
use lango_testkit::{Policy, TestGrant, TestRegion};
use serde_json::Value;

use crate::{federation, folder, lango};

const QUESTION: [&str; 6] = ["--all", "--dataset", "residents", "--measure", "persons", "--by"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_precision_is_met_at_each_office_or_for_the_region_as_it_was_asked() {
    let world = TestRegion::new();
    let federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let of = |verb: &'static str, whose: &'static str| {
        let precision = ["sex", "--precision", "30 at 95 % on persons by sex", "--precision-of", whose];
        [&[verb][..], &QUESTION, &precision].concat()
    };
    let done = async |federation: &_, arguments: &[&str]| {
        let done = lango(federation, identity.path(), arguments).await;
        assert_eq!(done.code, Some(0), "{arguments:?}: {}", done.stderr);
        done.stdout
    };
    for (whose, printed) in [
        (
            "office",
            "precision ± 30 at 95 % on persons by sex at each office\n          met at each office: ± 30 at most\n          \
             not met for the region: ± 51, 3 offices added up\n          `--precision-of region` asks for it added up\n",
        ),
        (
            "region",
            "precision ± 30 at 95 % on persons by sex for the region\n          met at each office: ± 17 at most\n          \
             met for the region: ± 29, 3 offices added up\n",
        ),
    ] {
        for verb in ["estimate", "run"] {
            let shown = done(&federation, &of(verb, whose)).await;
            assert!(shown.contains(printed), "{verb} {whose}: {shown}");
            assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
            let json = done(&federation, &[&of(verb, whose)[..], &["--format", "json"]].concat()).await;
            let json: Value = serde_json::from_str(&json).unwrap();
            let precision = &json["precision"];
            assert_eq!(precision["of"], whose);
            let offices = precision["offices"].as_array().unwrap();
            let width = |value: &Value| value["half_width"].as_f64().unwrap();
            assert!(
                offices.iter().all(|office| width(office) <= 30.003 && office["met"] == true),
                "{precision}"
            );
            let region = &precision["region"];
            assert_eq!(region["met"].as_bool(), Some(width(region) <= 30.003), "{precision}");
            assert_eq!(region["met"], whose == "region");
        }
    }
    // One office's figures are not added up to anything, and what is laid out by office is not either.
    let one = ["run", "--member", "GHA", "--dataset", "residents", "--measure", "persons", "--by", "sex"];
    let precision = ["--precision", "30 at 95 % on persons by sex", "--precision-of", "region"];
    let shown = done(&federation, &[&one[..], &precision].concat()).await;
    assert!(shown.contains("met at each office: ± 30 at most\n") && !shown.contains("added up"), "{shown}");
    let fine = ["--precision", "1 at 95 % on persons by sex", "--precision-of", "region"];
    for (by, price, said) in [
        (
            "sex",
            &fine[..],
            "of 3 offices together that is a precision of 0.57735 at each, and of a count none is finer",
        ),
        ("office,sex", &precision, "take `office` out of --by"),
        ("sex", &["--epsilon", "1", "--precision-of", "region"], "name one with --precision"),
    ] {
        let refused =
            lango(&federation, identity.path(), &[&["run"], &QUESTION[..], &[by], price].concat()).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{}", refused.stderr);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    // An office whose grant does not reach that far refuses; what the others add up to is finer than was asked for.
    let cheap = Policy::of("BEN").grants([TestGrant::of("0.01", "1")]).text();
    federation.offices[0].change(&cheap).await.unwrap();
    let shown = done(&federation, &of("estimate", "region")).await;
    assert!(shown.contains("met for the region: ± 24, 2 offices added up\n"), "{shown}");
}
