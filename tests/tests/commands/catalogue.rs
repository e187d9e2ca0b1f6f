//! `lango catalogue`, and names that are looked up before a question is asked.

use std::{path::Path, time::Instant};

use lango_identity::Role;
use lango_testkit::{Federation, Office, Policy, Register, TestGrant, TestRegion};
use serde_json::Value;
use tokio::time::{Duration, timeout};

use crate::{Done, federation, folder, program};

async fn catalogue(federation: &Federation, identity: &Path, arguments: &[&str]) -> Done {
    let mut command = tokio::process::Command::from(program::command(program::lango()));
    let address = format!("https://{}", federation.coordinator.address());
    command.args(["catalogue", "--coordinator", &address, "--identity"]).arg(identity).args(arguments);
    let output =
        timeout(Duration::from_secs(120), command.kill_on_drop(true).output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn asked<'a>(dataset: &'a str, measure: &'a str, by: &'a str) -> Vec<&'a str> {
    vec!["run", "--dataset", dataset, "--measure", measure, "--by", by, "--epsilon", "0.5"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_is_shown_side_by_side_and_the_differences_named() {
    let world = TestRegion::new();
    let Federation { mut offices, coordinator } = federation(&world).await;
    coordinator.stop().await;
    let poor = TestGrant { by: r#"["age"]"#.into(), ..TestGrant::default() };
    offices[1].restart(&Policy::of("GHA").grants([poor])).await;
    offices[2].down().await;
    let federation = Federation::start(&world, offices, Duration::from_secs(30)).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);

    let done = catalogue(&federation, identity.path(), &[]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for line in [
        "residents\n  title       Residents",
        "  offices     2: BEN GHA\n",
        "    measures  persons",
        "country_of_birth: ",
        ", none at GHA",
        "coverage  2 of 3 offices said what is open to you\nsilent    TGO (unreachable)\n",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    assert!(done.stdout.lines().all(|line| line.chars().count() <= 100), "{}", done.stdout);

    let done =
        catalogue(&federation, identity.path(), &["--office", "BEN", "residents", "--format", "json"]).await;
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let offices = &printed["datasets"][0]["offices"];
    assert_eq!((offices.as_array().unwrap().len(), offices[0]["office"].as_str()), (1, Some("BEN")));
    assert!(offices[0]["grants"][0]["queries_left"].as_u64().is_some_and(|left| left > 0), "{offices}");
    let done = catalogue(&federation, identity.path(), &["--format", "csv"]).await;
    assert!(done.stdout.starts_with("dataset,office,title,kind,version,unit,"), "{}", done.stdout);
    assert_eq!(
        (done.stdout.lines().count(), done.stderr.contains("silent    TGO")),
        (3, true),
        "{}",
        done.stderr
    );

    for (arguments, code, said) in [
        (
            vec!["residnts"],
            2,
            "no office has a dataset `residnts` that is open to you: did you mean `residents`?",
        ),
        (vec!["trees"], 1, "no office said what is open to you"),
        (vec!["--office", "TGO"], 1, "no office said what is open to you"),
    ] {
        let done = catalogue(&federation, identity.path(), &arguments).await;
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
    // Looking up charges nothing.
    assert_eq!(federation.offices[0].ledger().accounts.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_no_office_knows_is_answered_with_the_nearest_before_anything_is_asked() {
    let world = TestRegion::new();
    let mut federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    // An office that does not answer neither fails this nor makes it slow.
    federation.offices[0].down().await;
    let all = |question: Vec<&'static str>| [question, vec!["--all"]].concat();
    for (arguments, said) in [
        (
            all(asked("residents", "persns", "sex")),
            "GHA, TGO have no measure `persns`: did you mean `persons`?",
        ),
        (
            all(asked("residnts", "persons", "sex")),
            "GHA, TGO have no dataset `residnts`: did you mean `residents`?",
        ),
        (all(asked("residents", "persons", "sexe")), "no column `sexe`: did you mean `sex`?"),
        (
            [asked("residents", "persons", "sex"), vec!["--all", "--where", "sex = f"]].concat(),
            "no code `f`: did you mean `F`?",
        ),
        (
            [asked("residents", "persons", "sex"), vec!["--all", "--purpose", "official-statistic"]].concat(),
            "no purpose `official-statistic`: did you mean `official-statistics`?",
        ),
        (
            [asked("residents", "persons", "sex"), vec!["--member", "gha,TGO"]].concat(),
            "--member: there is no member `gha`: did you mean `GHA`?",
        ),
    ] {
        let begun = Instant::now();
        let done = crate::lango(&federation, identity.path(), &arguments).await;
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
        assert!(begun.elapsed() < Duration::from_secs(20), "{arguments:?}");
        let estimate: Vec<&str> = std::iter::once("estimate").chain(arguments.into_iter().skip(1)).collect();
        if !estimate.contains(&"gha,TGO") {
            let done = crate::lango(&federation, identity.path(), &estimate).await;
            assert_eq!(done.code, Some(2), "{estimate:?}: {}", done.stderr);
            assert!(done.stderr.contains(said), "{estimate:?}: {}", done.stderr);
        }
    }
    for office in &federation.offices[1..] {
        assert_eq!(office.ledger().accounts.len(), 0, "nothing was charged");
    }
    // What is no slip of the pen is asked for, and what offices refuse alike is one line.
    let done = crate::lango(&federation, identity.path(), &all(asked("residents", "mean(age)", "sex"))).await;
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(
        done.stderr.contains("lango: GHA, TGO refuse: measure `mean(age)` is not granted\n"),
        "{}",
        done.stderr
    );
    assert!(done.stdout.contains("refused   GHA, TGO (measure-not-granted)\n"), "{}", done.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_of_codes_are_shown_as_each_office_has_them() {
    let world = TestRegion::new();
    let called = |name: &str, women: &str, men: &str| {
        let policy = Policy::of(name).more("[code_list.sexes]\nfile = \"sexes.csv\"");
        let office = Office::prepare(&world, name, &policy, &Register::sample(2));
        let text = policy.text().replace(r#"sex = { codes = ["F", "M"] }"#, r#"sex = { codes = "sexes" }"#);
        std::fs::write(office.folder().join("sexes.csv"), format!("code,label\nF,{women}\nM,{men}\n"))
            .unwrap();
        office.write_policy(&text);
        office
    };
    let mut offices = vec![called("BEN", "Femmes", "Hommes"), called("GHA", "Women", "Men")];
    for office in &mut offices {
        office.up().await.unwrap();
    }
    let federation = Federation::start(&world, offices, Duration::from_secs(30)).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let done = catalogue(&federation, identity.path(), &["residents"]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let words: Vec<&str> = done.stdout.split_whitespace().collect();
    let words = words.join(" ");
    for said in ["sex: F (Femmes), M (Hommes), _O, _U at BEN", "F (Women), M (Men), _O, _U at GHA"] {
        assert!(words.contains(said), "{}", done.stdout);
    }
    let done = catalogue(&federation, identity.path(), &["residents", "--format", "json"]).await;
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let offices = printed["datasets"][0]["offices"].as_array().unwrap();
    for (office, women) in offices.iter().zip(["Femmes", "Women"]) {
        let columns = office["columns"].as_array().unwrap();
        let sex = columns.iter().find(|column| column["name"] == "sex").unwrap();
        assert_eq!(sex["labels"]["F"], women, "{sex}");
    }
}
