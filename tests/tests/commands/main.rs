//! `lango query` as an analyst runs it, against gateways and a coordinator of this process, and `lango dataset` and
//! `lango doctor` as an administrator does.

mod administration;
mod agreement;
mod audit;
mod catalogue;
mod chains;
mod compare;
mod describe;
mod doctor;
mod explain;
mod identity;
mod import;
mod init;
mod ledger;
mod lying;
mod mailbox;
mod metrics;
mod places;
mod policy;
mod pooled;
mod precision;
mod prepare;
#[path = "../crash/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "../support/program.rs"]
mod program;
mod reload;
mod replay;
mod review;
mod revocations;
mod revoke;
mod schema;
mod simulate;
mod succession;
mod trials;
mod views;

use std::{path::Path, time::Duration};

use lango_identity::{Lifetime, Role};
use lango_testkit::{EKU, Federation, Office, Policy, Register, TestGrant, TestIdentity, TestRegion};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An analyst's folder, as `lango` reads it. `authority` is the PEM text of the region's authorities.
fn folder(identity: &TestIdentity, authority: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    identity.save(folder.path());
    std::fs::write(folder.path().join("authority.pem"), authority).unwrap();
    let region = format!(
        "[region]\nname = \"ecowas.example\"\nauthority = \"authority.pem\"\nsigning_eku = \"{EKU}\"\n"
    );
    std::fs::write(folder.path().join("identity.toml"), region).unwrap();
    folder
}

/// What a run of the program came to.
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn lango(federation: &Federation, identity: &Path, arguments: &[&str]) -> Done {
    let mut command = tokio::process::Command::from(program::command(program::lango()));
    let (subcommand, rest) = arguments.split_first().unwrap();
    command.args([
        "query",
        subcommand,
        "--coordinator",
        &format!("https://{}", federation.coordinator.address()),
    ]);
    command.arg("--identity").arg(identity).args(rest).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), command.output()).await.unwrap().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn federation(world: &TestRegion) -> Federation {
    // Building may take a while; nothing that is timed waits for it.
    tokio::task::spawn_blocking(program::lango).await.unwrap();
    let mut offices = Vec::new();
    for (size, name) in ["BEN", "GHA", "TGO"].into_iter().enumerate() {
        offices.push(Office::start(world, &Policy::of(name), &Register::sample(size + 1)).await);
    }
    Federation::start(world, offices, Duration::from_secs(30)).await
}

/// Persons by office and sex at 30, where noise is 0 but once in 10^12 draws.
const QUESTION: [&str; 9] =
    ["--all", "--dataset", "residents", "--measure", "persons", "--by", "office,sex", "--epsilon", "30"];

fn run(more: &[&'static str]) -> Vec<&'static str> {
    [&["run"][..], &QUESTION, more].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_run_twice_prints_the_same_values_and_costs_once() {
    let world = TestRegion::new();
    let federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let read = |done: Done| -> Value {
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let first = read(lango(&federation, identity.path(), &run(&["--format", "json"])).await);
    let again = read(lango(&federation, identity.path(), &run(&["--format", "json"])).await);

    let names = json!(["BEN", "GHA", "TGO"]);
    assert_eq!(first["coverage"], json!({"asked": names, "answered": names, "refused": [], "missing": []}));
    let text = "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 30\n";
    assert_eq!(first["query"]["text"], text);
    assert_eq!(first["query"]["trace"].as_str().map(str::len), Some(32));
    let digest = lango_identity::digest(lango_identity::PayloadType::Text, text.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(first["query"]["digest"], hex);
    assert_eq!(first["confidence"], 0.95);
    let privacy = |of: &Value| {
        (of["privacy"]["charged"].as_f64().unwrap(), of["privacy"]["repeated"].as_bool().unwrap())
    };
    assert_eq!(
        (first["privacy"]["accounting"].as_str(), first["privacy"]["epsilon"].as_f64()),
        (Some("pure"), Some(30.0))
    );
    assert_eq!((privacy(&first), privacy(&again)), ((30.0, false), (0.0, true)));
    assert_eq!(first["cells"], again["cells"]);

    let cells = first["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 3 * 4);
    for (size, office) in ["BEN", "GHA", "TGO"].iter().enumerate() {
        for (sex, count) in Register::sample(size + 1).table(&["sex"], |_| true) {
            let key = json!({"office": office, "sex": sex});
            let cell = cells.iter().find(|cell| cell["key"] == key).unwrap_or_else(|| panic!("no {key}"));
            assert_eq!((cell["measure"].as_str(), cell["value"].as_i64()), (Some("persons"), Some(count)));
            assert_eq!((cell["lower"].as_i64(), cell["upper"].as_i64()), (Some(count), Some(count)));
            assert_eq!(cell["status"], "A");
            assert!(cell["std_err"].as_f64().unwrap() < 0.001);
        }
    }
    for office in &federation.offices {
        assert_eq!(office.ledger().pure_nano(""), 30_000_000_000);
    }
    // Laid out otherwise it is the same question, and free.
    let summed = [&["run"][..], &QUESTION[..6], &["sex", "--epsilon", "30", "--format", "json"]].concat();
    let summed = read(lango(&federation, identity.path(), &summed).await);
    assert_eq!((summed["cells"].as_array().unwrap().len(), privacy(&summed)), (4, (0.0, true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_estimate_prints_prices_and_charges_nothing() {
    let world = TestRegion::new();
    let federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let arguments = [&["estimate"][..], &QUESTION, &["--format", "json"]].concat();
    let done = lango(&federation, identity.path(), &arguments).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_str::<Value>(&done.stdout).unwrap();
    for office in &federation.offices {
        assert!(office.ledger().accounts.is_empty());
        assert_eq!(office.gate.fetches(), 0);
        assert_eq!(office.records().last().unwrap().decision, "estimated");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_certificate_is_explained_to_its_owner() {
    let (world, stranger) = (TestRegion::new(), TestRegion::new());
    let federation = federation(&world).await;
    let awa = world.id(Role::Analyst, "awa");
    let (life, past) = (world.lifetime(), world.past());
    let authority = world.authority.to_pem().certificate_pem;
    let both = authority.clone() + &stranger.authority.to_pem().certificate_pem;
    let foreign = |region: &str| folder(&stranger.identity_of(&awa, life, life), region);
    let mut swapped = world.identity_of(&awa, life, life);
    std::mem::swap(&mut swapped.tls, &mut swapped.signing);
    let early = Lifetime { not_before: world.clock.get() + 86_400, not_after: life.not_after };
    let keyless = folder(&world.identity_of(&awa, life, life), &authority);
    std::fs::remove_file(keyless.path().join("tls.key")).unwrap();
    let [exposed, exposed_too] = ["signing.key", "tls.key"].map(|key| {
        let identity = folder(&world.identity_of(&awa, life, life), &authority);
        program::open_to_others(&identity.path().join(key));
        identity
    });
    let mut one_key = world.identity_of(&awa, life, life);
    one_key.tls = one_key.signing.clone();
    for (what, identity, said) in [
        (
            "an expired one",
            folder(&world.identity_of(&awa, past, life), &authority),
            "certificate expired at",
        ),
        ("one not yet valid", folder(&world.identity_of(&awa, early, life), &authority), "not valid before"),
        (
            "another authority's",
            foreign(&both),
            "the peer does not know the authority of this side's certificate",
        ),
        (
            "another authority's, at home",
            foreign(&stranger.authority.to_pem().certificate_pem),
            "not from the region's authority",
        ),
        ("one for signing", folder(&swapped, &authority), "the private key is not an Ed25519 key"),
        ("no key", keyless, "tls.key"),
        ("a key that others may read", exposed, "signing.key`"),
        ("a key that others may read, with what to do", exposed_too, "run `chmod 600 "),
        ("one key for TLS and signing", folder(&one_key, &authority), "has the key that signs"),
    ] {
        let done = lango(&federation, identity.path(), &run(&["--format", "json"])).await;
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{what}: {}", done.stderr);
        assert!(done.stderr.contains(said) && done.stderr.starts_with("lango: "), "{what}: {}", done.stderr);
    }
    for office in &federation.offices {
        assert!(office.records().is_empty());
    }
}

#[test]
fn a_coordinator_refuses_a_key_that_others_may_read() {
    let world = TestRegion::new();
    let folder = tempfile::tempdir().unwrap();
    world.identity(Role::Coordinator, "region").save(&folder.path().join("identity"));
    let authority = world.authority.to_pem().certificate_pem;
    std::fs::write(folder.path().join("authority.pem"), authority).unwrap();
    let config = folder.path().join("coordinator.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\nidentity = \"identity\"\n\n[region]\nname = \"{}\"\nauthority = \"authority.pem\"\n\
         signing_eku = \"{EKU}\"\n\n[[member]]\noffice = \"GHA\"\naddress = \"https://127.0.0.1:1\"\n",
        world.region.trust_domain()
    );
    std::fs::write(&config, text).unwrap();
    let key = folder.path().join("identity/tls.key");
    program::open_to_others(&key);
    let done =
        program::command(program::lango()).arg("coordinator").arg("--config").arg(&config).output().unwrap();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("run `chmod 600 {}`", key.display())), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_is_down_fails_the_run_only_if_it_must() {
    let world = TestRegion::new();
    let mut federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let poor = TestGrant { by: r#"["age"]"#.into(), ..TestGrant::default() };
    federation.offices[0].down().await;
    let Federation { mut offices, coordinator } = federation;
    coordinator.stop().await;
    offices[1].restart(&Policy::of("GHA").grants([poor])).await;
    let federation = Federation::start(&world, offices, Duration::from_secs(30)).await;
    for (more, code, said) in [
        (&["--format", "json"][..], 0, ""),
        (&["--format", "json", "--at-least", "1"], 0, ""),
        (&["--format", "json", "--at-least", "2"], 1, "--at-least 2"),
    ] {
        let done = lango(&federation, identity.path(), &run(more)).await;
        assert_eq!(done.code, Some(code), "{more:?}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{more:?}: {}", done.stderr);
        let printed: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(printed["coverage"]["answered"], json!(["TGO"]));
        assert_eq!(
            printed["coverage"]["refused"],
            json!([{
                "office": "GHA",
                "reason": "dimension-not-granted",
                "arguments": {"dimension": "sex"},
                "message": "dimension `sex` is not granted",
            }])
        );
        assert_eq!(printed["coverage"]["missing"], json!([{"office": "BEN", "reason": "unreachable"}]));
    }
    // The rows of CSV have no place for who is not in them.
    let csv = lango(&federation, identity.path(), &run(&["--format", "csv"])).await;
    let priced = [&["estimate"][..], &QUESTION, &["--format", "csv"]].concat();
    let priced = lango(&federation, identity.path(), &priced).await;
    for (done, lines) in [
        (
            &csv,
            ["1 of 3 offices answered", "refused   GHA (dimension-not-granted", "missing   BEN (unreachable"],
        ),
        (
            &priced,
            [
                "1 of 3 offices named a price",
                "refused   GHA (dimension-not-granted",
                "missing   BEN (unreachable",
            ],
        ),
    ] {
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(lines.iter().all(|line| done.stderr.contains(line)), "{}", done.stderr);
        assert!(!done.stdout.contains("BEN") && done.stdout.contains("TGO"), "{}", done.stdout);
    }
    for (command, said) in [("run", "0 of 2 offices answered"), ("estimate", "0 of 2 offices named a price")]
    {
        let alone = [&[command, "--member", "BEN,GHA", "--format", "csv"][..], &QUESTION[1..]].concat();
        let done = lango(&federation, identity.path(), &alone).await;
        assert_eq!(done.code, Some(1), "{}", done.stderr);
        for words in [said, "refused   GHA", "missing   BEN"] {
            assert!(done.stderr.contains(words), "{words}: {}", done.stderr);
        }
    }
    let nobody = [
        "run",
        "--member",
        "BEN,GHA",
        "--dataset",
        "residents",
        "--measure",
        "persons",
        "--by",
        "sex",
        "--epsilon",
        "1",
    ];
    let done = lango(&federation, identity.path(), &nobody).await;
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert!(done.stderr.contains("no office answered"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_wrong_is_refused_before_it_is_sent() {
    let world = TestRegion::new();
    let federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let asked = |by: &'static str, epsilon: &'static str| {
        vec![
            "run",
            "--all",
            "--dataset",
            "residents",
            "--measure",
            "persons",
            "--by",
            by,
            "--epsilon",
            epsilon,
        ]
    };
    let file = identity.path().join("wrong.toml");
    std::fs::write(&file, "dataset = \"residents\"\nmeasures = 3\nmesure = 1\n").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, code, said) in [
        (vec!["run", "--all", "--dataset", "residents", "--measure", "persons"], 2, "--epsilon"),
        (vec!["run", "--dataset", "residents", "--measure", "persons", "--epsilon", "1"], 2, "--all"),
        (asked("sex", "much"), 2, "much"),
        (asked("Sex", "1"), 2, "Sex"),
        (vec!["run", "--all", file], 1, "wrong.toml:"),
    ] {
        let done = lango(&federation, identity.path(), &arguments).await;
        assert_eq!((done.code, done.stdout.as_str()), (Some(code), ""), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
    for office in &federation.offices {
        assert!(office.records().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_measure_is_printed_with_what_is_known_of_its_error() {
    let world = TestRegion::new();
    let federation = federation(&world).await;
    let identity = folder(&world.identity(Role::Analyst, "awa"), &world.authority.to_pem().certificate_pem);
    let asked = |by: &'static str, measures: &[&'static str], more: &[&'static str]| {
        let measures = measures.iter().flat_map(|measure| ["--measure", *measure]);
        let fixed =
            ["run", "--all", "--dataset", "residents", "--epsilon", "10", "--format", "json", "--by", by];
        fixed.into_iter().chain(measures).chain(more.iter().copied()).collect::<Vec<_>>()
    };
    let chosen = ["quantile(income,0.25,0.5)"];
    let added_up = lango(&federation, identity.path(), &asked("sex", &chosen, &[])).await;
    assert_eq!(added_up.code, Some(2), "{}", added_up.stderr);
    assert!(added_up.stderr.contains("`histogram(income)`"), "{}", added_up.stderr);
    let of = |office: &Office| office.records().iter().all(|record| record.decision == "described");
    assert!(federation.offices.iter().all(of), "nobody was asked, but what there is");

    let measures = ["rows", "sum(income)", "mean(income)", "share(sex)", "histogram(income)"];
    let more = ["--quantiles", "0.5", "--whole"];
    let done = lango(&federation, identity.path(), &asked("age", &measures, &more)).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let cells = |measure: &str| {
        let cells = printed["cells"].as_array().unwrap().iter().filter(|cell| cell["measure"] == measure);
        cells.cloned().collect::<Vec<_>>()
    };
    let keys =
        |measure: &str| cells(measure)[0]["key"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for (measure, count, key) in [
        ("rows", 14, vec!["age"]),
        ("sum(income)", 14, vec!["age"]),
        ("mean(income)", 14, vec!["age"]),
        ("share(sex)", 14 * 4, vec!["age", "sex"]),
        ("histogram(income)", 14 * 6, vec!["age", "income"]),
        ("quantile(income,0.5)", 14, vec!["age", "quantile"]),
    ] {
        assert_eq!(
            (cells(measure).len(), keys(measure)),
            (count, key.iter().map(ToString::to_string).collect())
        );
        for cell in cells(measure) {
            if cell["value"].is_null() {
                // By so few rows that it could be anything.
                assert!(["mean(income)", "share(sex)"].contains(&measure) && cell["status"] == "U", "{cell}");
                continue;
            }
            let [value, lower, upper] = ["value", "lower", "upper"].map(|of| cell[of].as_f64().unwrap());
            let whole = measure == "rows" || measure == "histogram(income)";
            assert!(if whole { cell["value"].is_u64() } else { lower <= value && value <= upper }, "{cell}");
            assert_eq!(cell["std_err"].is_number(), measure != "quantile(income,0.5)", "{cell}");
        }
    }
    let split = printed["privacy"]["offices"][0]["split"].as_array().unwrap();
    assert!(split.len() == 5 && split.iter().all(|part| part["price"] == 2), "{split:?}");

    let done = lango(&federation, identity.path(), &asked("office", &chosen, &[])).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let printed: Value = serde_json::from_str(&done.stdout).unwrap();
    let cells = printed["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 3 * 2);
    for cell in cells {
        assert!(
            cell["rank_error"].is_u64() && cell["lower"].is_null() && cell["std_err"].is_null(),
            "{cell}"
        );
    }
}
