//! `lango policy simulate`: questions are rehearsed on invented units, at the policy's prices.
//!
//! What is printed of prices stands in `tests/testdata/simulate`; `LANGO_RENEW=1` writes the files anew. Noise has no seed, so
//! figures are held against the invented units within what noise can do.

use std::{fs, process::Stdio};

use serde_json::Value;

use crate::program::{command, is_kept, lango, project, said};

const AWA: &str = "spiffe://ecowas.example/analyst/awa";

fn simulate(policy: &str, question: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("query.toml");
    fs::write(&file, question).unwrap();
    let mut program = command(lango());
    program.args(["policy", "simulate"]).arg(&file).arg(format!("policies/{policy}.toml"));
    program.args(["--principal", AWA, "--on", "2026-06-30"]).args(words).current_dir(project());
    said(&program.stdin(Stdio::null()).output().unwrap())
}

/// What the command printed, as JSON.
fn rehearsed(policy: &str, question: &str, words: &[&str]) -> Value {
    let (code, stdout, stderr) = simulate(policy, question, &[words, &["--format", "json"]].concat());
    assert_eq!(code, Some(0), "{policy}: {stderr}");
    serde_json::from_str(&stdout).unwrap()
}

const RESIDENTS: &str =
    "dataset = \"residents\"\nepsilon = 1.0\n\n[[measure]]\nname = \"persons\"\nby = [[], [\"sex\"]]\n";
const HOUSEHOLDS: &str = "dataset = \"living_conditions\"\npurpose = \"academic-research\"\nepsilon = 0.5\n\n\
                          [[measure]]\nname = \"households\"\nby = [[\"area\"]]\n\n\
                          [[measure]]\nname = \"rows\"\nby = [[]]\n";

#[test]
fn prices_and_shape_of_a_rehearsal_are_those_of_the_policy() {
    for (name, policy, question) in [
        ("residents-yearly", "residents-yearly", RESIDENTS),
        ("residents-monthly-zcdp", "residents-monthly-zcdp", &RESIDENTS.replace("1.0", "0.5")),
        ("households", "households", HOUSEHOLDS),
    ] {
        let (code, stdout, stderr) = simulate(policy, question, &["--units", "1000"]);
        assert_eq!(code, Some(0), "{name}: {stderr}");
        assert!(stdout.starts_with("INVENTED: ") && stdout.ends_with("\nINVENTED\n"), "{stdout}");
        assert!(
            stdout.contains("interval") && stdout.contains("coverage  1 of 1 offices answered"),
            "{stdout}"
        );
        // What stands before the first figure that noise was added to.
        let before =
            stdout.split_once("\n\n").and_then(|(note, rest)| Some((note, rest.split_once("\n\n")?.0)));
        let (note, price) = before.unwrap();
        is_kept(&format!("simulate/{name}.txt"), &format!("{note}\n\n{price}\n"));
    }
}

#[test]
fn the_same_seed_invents_the_same_units_whatever_is_asked() {
    // A price at which noise is below a tenth of the units that stand in a cell.
    let counts = |seed: &str, by: &str| -> Vec<f64> {
        let question = RESIDENTS.replace("[], [\"sex\"]", by);
        let printed = rehearsed("residents-yearly", &question, &["--units", "20000", "--seed", seed]);
        let invented = &printed["invented"];
        assert_eq!((&invented["units"], invented["seed"].to_string()), (&20_000.into(), seed.to_owned()));
        assert!(
            invented["note"].as_str().unwrap().starts_with("INVENTED: every figure is of 20,000 persons")
        );
        assert_eq!(printed["price"]["offices"][0]["queries_left"], 4);
        let cells = printed["answer"]["cells"].as_array().unwrap();
        cells.iter().map(|cell| cell["value"].as_f64().unwrap()).collect()
    };
    // F, M, _O and _U; noise of scale 1 is above 40 but once in 10^17 draws.
    let near = |found: &[f64], expected: &[f64]| {
        found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 80.0)
    };
    let [first, again] = [(); 2].map(|()| counts("7", "[\"sex\"]"));
    assert!(near(&first, &again), "{first:?} {again:?}");
    assert_ne!(first, again, "noise has no seed");
    assert!(!near(&first, &[0.0; 4]) && first[2..].iter().all(|gap| gap.abs() < 40.0), "{first:?}");
    assert!(
        (first[0] + first[1] - 20_000.0).abs() < 80.0 && (first[0] - 10_000.0).abs() < 700.0,
        "{first:?}"
    );
    let total = counts("7", "[]");
    assert!((total[0] - 20_000.0).abs() < 40.0, "{total:?}");
}

#[test]
fn a_question_that_is_refused_is_not_rehearsed() {
    for (question, words, code, said) in [
        (RESIDENTS.replace("\"sex\"", "\"education\""), &[][..], 1, "dimension `education` is not granted"),
        (RESIDENTS.to_owned(), &["--purpose", "law-enforcement"], 1, "`no-policing` forbids it"),
        (RESIDENTS.replace("epsilon = 1.0", "epsilon = 1.0\nversion = \"1999\""), &[], 1, "refused"),
        (RESIDENTS.to_owned(), &["--units", "0"], 2, "--units"),
        ("dataset = 1\n".to_owned(), &[], 2, "`dataset` is a text"),
    ] {
        let (found, stdout, stderr) = simulate("residents-yearly", &question, words);
        assert_eq!((found, stdout.as_str()), (Some(code), ""), "{question}: {stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}
