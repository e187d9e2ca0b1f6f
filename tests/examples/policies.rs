//! How long a decision, a check, a comparison and a change of policies take: `cargo run --release --package lango-tests --example
//! policies`.

// A bench that cannot be run has nothing to print.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use lango_document::Document;
use lango_identity::PayloadType;
use lango_policy::{AccessRequest, PolicySet};
use lango_privacy::Query;
use lango_testkit::{Office, Policy, Register, TestGrant, TestRegion, persons};
use lango_wire::pb;
use time::{Date, Month};

const GRANTS: usize = 1_000;
const DECISIONS: u32 = 200_000;
const CHECKS: u32 = 50;
const AGREEMENTS: usize = 200;

const HEAD: &str = "policy = 2\noffice = \"GHA\"\n[dataset.residents]\ntitle = \"Residents\"\nkind = \"stock\"\n\
                    source = \"register\"\ntable = \"residents\"\nversion = \"1\"\n\
                    unit = { column = \"id\", noun = \"person\", rows_at_most = 1 }\n[dataset.residents.column]\n";
const BUDGET: &str = "[budget.residents]\naccounting = \"pure\"\nepsilon = 8.0\nrenews = \"yearly\"\n";

fn main() {
    let question: Query =
        "lango-query 1\ndataset residents\nmeasure persons\nby age,sex\nprice epsilon 0.5\n".parse().unwrap();
    println!("{GRANTS} grants on one dataset, one question:");
    for (what, to) in [
        ("each to an analyst of its own, the last one asks", "spiffe://ecowas.example/analyst/a{at}"),
        ("all to every analyst, the last one allows", "spiffe://ecowas.example/analyst/*"),
    ] {
        let set = PolicySet::read(&[Document::new("grants.toml", policy(to))]).unwrap();
        let principal = format!("spiffe://ecowas.example/analyst/a{}", GRANTS - 1).parse().unwrap();
        let asked = AccessRequest {
            principal: &principal,
            purpose: Some("official-statistics"),
            on: None,
            epsilon_nano: None,
        };
        assert_eq!(set.authorize(&asked, &question).unwrap().grant.id, format!("g{}", GRANTS - 1));
        let rounds = if what.starts_with("all") { DECISIONS / 100 } else { DECISIONS };
        let took =
            fastest(rounds, || drop(black_box(set.authorize(black_box(&asked), black_box(&question)))));
        println!("  {what}: {:.2} microseconds", took.as_secs_f64() * 1e6);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let mut all = Duration::ZERO;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let document = Document::new(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        all += fastest(CHECKS, || {
            drop(black_box(PolicySet::check(std::slice::from_ref(&document), None, None)))
        });
    }
    println!("check of the shipped policies: {:.2} ms", all.as_secs_f64() * 1e3);
    let thousand = Document::new("grants.toml", policy("spiffe://ecowas.example/analyst/a{at}"));
    let took =
        fastest(CHECKS, || drop(black_box(PolicySet::check(std::slice::from_ref(&thousand), None, None))));
    println!("check of {GRANTS} grants: {:.2} ms", took.as_secs_f64() * 1e3);
    let thousand = std::slice::from_ref(&thousand);
    let took = fastest(CHECKS, || drop(black_box(PolicySet::read(thousand))));
    println!("  of it, reading: {:.2} ms", took.as_secs_f64() * 1e3);
    let set = PolicySet::read(thousand).unwrap();
    let took = fastest(CHECKS, || drop(black_box(set.warnings(None, Some("ecowas.example")))));
    println!("  of it, what is unwise: {:.2} ms", took.as_secs_f64() * 1e3);
    let [old, new] = [false, true].map(agreements);
    for (what, new) in [("with itself", &old), ("edited in forty places", &new)] {
        let mut found = 0;
        let today = Date::from_calendar_date(2026, Month::June, 1).unwrap();
        let took = fastest(1, || found = black_box(&old).diff(black_box(new), today).differences.len());
        println!(
            "comparison of {AGREEMENTS} grants {what}: {:.0} ms, {found} differences",
            took.as_secs_f64() * 1e3
        );
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(changes());
}

/// Measures how long a running gateway takes to put another policy in force, and how long questions take meanwhile.
async fn changes() {
    let world = TestRegion::new();
    let grant = |at: usize, total: usize| TestGrant {
        id: format!("g{at}"),
        to: format!("spiffe://ecowas.example/analyst/a{at}"),
        ..TestGrant::of("1", &total.to_string())
    };
    let policy = |total: usize| {
        let grants = (1..GRANTS).map(|at| grant(at, total)).chain([TestGrant::default()]);
        Policy::of("GHA").grants(grants).text()
    };
    let texts = [policy(2), policy(3)];
    let mut office = Office::prepare(&world, "GHA", &Policy::of("GHA"), &Register::sample(5));
    office.write_policy(&texts[0]);
    office.up().await.unwrap();
    let (analyst, question) = (world.analyst(), persons("by sex", "0.5"));
    let mut gateway = analyst.gateway(&office).await;
    let mut asked = async || {
        let envelope = analyst.sign(PayloadType::Query, analyst.question(&[&office.id], &question).encode());
        let began = Instant::now();
        gateway.query(pb::GatewayServiceQueryRequest { query: Some(envelope) }).await.unwrap();
        began.elapsed()
    };
    asked().await;
    let mut alone = Vec::new();
    for _ in 0..200 {
        alone.push(asked().await);
    }
    let mut quiet = Vec::new();
    for round in 1..=20 {
        let began = Instant::now();
        office.change(&texts[round % 2]).await.unwrap();
        quiet.push(began.elapsed());
    }
    let (mut took, mut meanwhile) = (Vec::new(), Vec::new());
    for round in 1..=20 {
        let changing = async {
            let began = Instant::now();
            office.change(&texts[round % 2]).await.unwrap();
            took.push(began.elapsed());
        };
        let asking = async {
            for _ in 0..10 {
                meanwhile.push(asked().await);
            }
        };
        tokio::join!(changing, asking);
    }
    let milliseconds = |times: &mut Vec<Duration>, of: usize| {
        times.sort();
        times[(times.len() - 1) * of / 100].as_secs_f64() * 1e3
    };
    for (what, times) in [("while nobody asks", &mut quiet), ("while questions come", &mut took)] {
        let [best, median, most] = [0, 50, 100].map(|of| milliseconds(times, of));
        println!(
            "change to {GRANTS} other grants {what}: {best:.1} ms at best, {median:.1} ms in the median, {most:.1} ms at most"
        );
    }
    for (what, times) in [("alone", &mut alone), ("meanwhile", &mut meanwhile)] {
        let (median, most) = (milliseconds(times, 50), milliseconds(times, 99));
        println!(
            "  stored answers {what}: {median:.2} ms in the median, {most:.2} ms at the 99th percentile"
        );
    }
}

/// A policy of a large office: grants to forty analysts by name and to all of them, for three purposes, each with a period,
/// columns and measures of its own.
fn agreements(is_edited: bool) -> PolicySet {
    let names = |places: &[usize]| {
        let names: BTreeSet<String> = places.iter().map(|at| format!("\"c{}\"", at % 20)).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut text = HEAD.to_owned();
    for at in 0..20 {
        writeln!(text, "c{at} = {{ codes = [\"A\", \"B\"] }}").unwrap();
    }
    text += BUDGET;
    for at in (0..AGREEMENTS).filter(|at| !is_edited || at % 20 != 3) {
        let to = if at % 3 == 0 { "*".to_owned() } else { format!("a{}", at * 7 % 40) };
        let purpose = ["official-statistics", "academic-research", "public-benefit"][at / 3 % 3];
        let (month, day) = (1 + at * 5 % 12, 1 + at * 11 % 28);
        let at_most = 1 + at % 3 + usize::from(is_edited && at % 7 == 0);
        let measures = ["\"persons\"", "\"persons\", \"rows\"", "\"rows\", \"share(c1)\""][at % 3];
        let (by, filters) = (names(&[1, at, at * 3, at * 7 + 2]), names(&[at * 11, at * 13 + 1]));
        write!(
            text,
            "[[grant]]\nid = \"g{at}\"\nto = [\"spiffe://ecowas.example/analyst/{to}\"]\npurpose = [\"{purpose}\"]\n\
             dataset = \"residents\"\nmeasures = [{measures}]\nby = [{by}]\nwhere = [{filters}]\nby_at_most = {at_most}\n\
             epsilon_per_query = 1.0\nepsilon_total = 4.0\npublish = \"office\"\n\
             valid = {{ from = 2026-{month:02}-{day:02}, until = 2027-{month:02}-{day:02} }}\n"
        )
        .unwrap();
    }
    PolicySet::read(&[Document::new("agreements.toml", text)]).unwrap()
}

/// The mean of the fastest of five rounds.
fn fastest(times: u32, mut run: impl FnMut()) -> Duration {
    let round = |_| {
        let began = Instant::now();
        (0..times).for_each(|_| run());
        began.elapsed() / times
    };
    (0..5).map(round).min().unwrap_or_default()
}

/// A policy of many grants, of which only the last is for the question's purpose where all are to the same.
fn policy(to: &str) -> String {
    let columns = "sex = { codes = [\"F\", \"M\"] }\nage = { integer = [0, 110], bands = 5 }\n";
    let mut text = format!("{HEAD}{columns}{BUDGET}");
    for at in 0..GRANTS {
        let to = to.replace("{at}", &at.to_string());
        let by = if at == GRANTS - 1 { "\"sex\", \"age\"" } else { "\"sex\"" };
        write!(
            text,
            "[[grant]]\nid = \"g{at}\"\nto = [\"{to}\"]\npurpose = [\"official-statistics\"]\ndataset = \"residents\"\n\
             measures = [\"persons\"]\nby = [{by}]\nby_at_most = 2\nepsilon_per_query = 1.0\nepsilon_total = 4.0\n\
             publish = \"office\"\n"
        )
        .unwrap();
    }
    text
}
