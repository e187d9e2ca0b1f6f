//! Descriptions as tables, JSON and CSV.

use lango_analyst::NoAnswer;
use lango_privacy::{Code, DatasetKind};
use lango_wire::{Absence, SignedDescription};

use super::*;

fn words<T: std::str::FromStr>(words: &str) -> Vec<T> {
    words.split_whitespace().map(|word| word.parse().ok().unwrap()).collect()
}

pub(crate) fn residents() -> DescribedDataset {
    let column = |name: &str, codes: &str, numbers| {
        let codes: Vec<Code> = words(codes);
        let code_count = u32::try_from(codes.len()).unwrap();
        DatasetColumn { name: name.parse().unwrap(), code_count, codes, labels: Vec::new(), numbers }
    };
    let income = DescribedNumbers { low: 0, high: 500_000_000, scale: 2, bins: 0, candidates: 0 };
    DescribedDataset {
        name: "residents".parse().unwrap(),
        title: "Residents by country of birth, mid-2024".to_owned(),
        kind: DatasetKind::Stock,
        version: "2024-07-01".parse().unwrap(),
        unit: "person".parse().unwrap(),
        rows_at_most: 1,
        cells_at_most: 1,
        account: Accounting::Pure,
        renews: Renewal::Yearly,
        filters_rows: false,
        columns: vec![
            column("age", "0-4 5-9 10-14 15-19 20-24 25-29 30-34 35-39 _O _U", None),
            column("income", "", Some(income)),
            column("sex", "F M _O _U", None),
        ],
        grants: vec![DescribedGrant {
            id: "regional-analysts".to_owned(),
            purposes: vec!["official-statistics".to_owned()],
            measures: words("persons mean(income)"),
            by: words("age sex"),
            filters: Vec::new(),
            by_at_most: 1,
            epsilon_per_query_nano: 1_000_000_000,
            epsilon_total_nano: 4_000_000_000,
            valid: None,
            queries_left: 4,
        }],
        refused: Vec::new(),
    }
}

fn described(office: &str, datasets: Vec<DescribedDataset>) -> (String, VerifiedDescription) {
    let statement = SignedDescription {
        request_digest: [0; 32],
        office: format!("spiffe://ecowas.example/office/{office}").parse().unwrap(),
        policy_digest: [7; 32],
        datasets_digest: [0; 32],
        time: 1_800_000_000,
    };
    let cosigned_at = match office {
        "GHA" => Some(statement.time - 3 * 3_600),
        "SEN" => Some(statement.time - 5),
        _ => None,
    };
    (office.to_owned(), VerifiedDescription { statement, datasets, left_out: 0, cosigned_at })
}

fn catalogue() -> MemberCatalogue {
    let older = DescribedDataset { version: "2023-07-01".parse().unwrap(), ..residents() };
    let mut other = residents();
    other.grants[0].queries_left = 1;
    other.columns.remove(0);
    other.refused = vec![DescribedRefusal {
        id: "never".to_owned(),
        purposes: Vec::new(),
        columns: words("income sex"),
        codes: BTreeMap::new(),
    }];
    let same = ["BEN", "CIV", "MLI", "SEN"].map(|office| described(office, vec![residents()]));
    let others = [described("GHA", vec![older]), described("TGO", vec![other]), described("LBR", vec![])];
    MemberCatalogue {
        described: same.into_iter().chain(others).collect(),
        undescribed: vec![
            ("NER".to_owned(), NoAnswer::Missing(Absence::Unreachable)),
            ("NGA".to_owned(), NoAnswer::Missing(Absence::Unreachable)),
        ],
    }
}

#[test]
fn a_dataset_is_one_block_and_what_differs_is_named() {
    let catalogue = catalogue();
    let text = CatalogueReport { catalogue: &catalogue, is_whole: false }.for_people();
    assert_eq!(
        text,
        "residents
  title       Residents by country of birth, mid-2024
  offices     6: BEN CIV GHA MLI SEN TGO
  kind        stock, one row for each person
  version     2024-07-01 at 5 offices, 2023-07-01 at GHA
  account     pure epsilon, renewed yearly
  columns     age: 10 codes: 0-4 5-9 10-14 .. _U at 5 offices, none at TGO
              income: numbers from 0.00 to 5,000,000.00
              sex: F M _O _U
  grant       regional-analysts
    measures  persons, mean(income)
    by        age, sex; 1 column at once at most
    for       official-statistics
    price     epsilon 1 a question at most, 4 a year
    left      4 questions at that price at 5 offices, 1 question at that price at TGO
  refused     never: what uses income, sex together (at TGO)

coverage  7 of 9 offices said what is open to you
silent    NER, NGA (unreachable)
nothing   is open to you at LBR
witnessed logs cosigned: never at 5 offices; 3 hours ago at GHA; just now at SEN
"
    );
}

#[test]
fn a_dataset_that_is_named_has_all_of_its_codes() {
    let catalogue = catalogue();
    let text = CatalogueReport { catalogue: &catalogue, is_whole: true }.for_people();
    assert!(text.contains("age: 0-4 5-9 10-14 15-19 20-24 25-29 30-34 35-39 _O _U"), "{text}");
}

#[test]
fn codes_stand_with_what_they_are_called() {
    let mut named = residents();
    named.columns[2].labels = ["Women", "Men", "", "\u{1b}[2J"].map(str::to_owned).into();
    let catalogue =
        MemberCatalogue { described: [described("GHA", vec![named])].into(), undescribed: Vec::new() };
    let report = CatalogueReport { catalogue: &catalogue, is_whole: false };
    let text = report.for_people();
    assert!(text.contains("sex: F (Women), M (Men), _O, _U (") && !text.contains('\u{1b}'), "{text}");
    let sex = &report.json()["datasets"][0]["offices"][0]["columns"][2];
    assert_eq!(sex["labels"]["M"], "Men");
    assert_eq!(sex["labels"].as_object().unwrap().len(), 3);
}

#[test]
fn an_offices_words_are_read_and_not_obeyed() {
    let mut hostile = residents();
    hostile.title = format!("\u{1b}[2J\nversion 9\r{}", "x".repeat(100_000));
    hostile.grants[0].id = "a\u{202e}b".to_owned();
    hostile.grants[0].purposes = vec!["p\n  left 9".to_owned()];
    hostile.grants[0].valid = Some(("\u{9b}31m".to_owned(), "now".to_owned()));
    let catalogue =
        MemberCatalogue { described: [described("GHA", vec![hostile])].into(), undescribed: Vec::new() };
    let report = CatalogueReport { catalogue: &catalogue, is_whole: false };
    let text = report.for_people();
    let seen = text.chars().filter(|c| *c != '\n').all(|c| !c.is_control() && c != '\u{202e}');
    assert!(seen && text.len() < 3_000, "{} {text:?}", text.len());
    assert!(!text.contains("\nversion 9") && !text.contains("\n  left 9"), "{text}");
}

#[test]
fn programs_get_stable_names() {
    let catalogue = catalogue();
    let report = CatalogueReport { catalogue: &catalogue, is_whole: false };
    let value = report.json();
    assert_eq!(value["datasets"][0]["name"], "residents");
    let gha = &value["datasets"][0]["offices"][2];
    assert_eq!((&gha["office"], &gha["version"]), (&json!("GHA"), &json!("2023-07-01")));
    assert_eq!(
        gha["grants"][0],
        json!({
            "id": "regional-analysts",
            "purposes": ["official-statistics"],
            "measures": ["persons", "mean(income)"],
            "by": ["age", "sex"],
            "where": [],
            "by_at_most": 1,
            "from": null,
            "until": null,
            "epsilon_per_query": 1,
            "epsilon_total": 4,
            "queries_left": 4,
        })
    );
    assert_eq!(value["absent"][0], json!({ "office": "NER", "reason": "unreachable" }));
    let csv = report.csv();
    assert_eq!(csv.lines().count(), 7);
    assert_eq!(
        csv.lines().nth(1).unwrap(),
        "residents,BEN,\"Residents by country of birth, mid-2024\",stock,2024-07-01,person,pure,yearly,age income sex,\
         regional-analysts,official-statistics,persons mean(income),age sex,,1,1,4,4"
    );
}
