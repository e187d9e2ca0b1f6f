//! How columns say what stands in a register, well and badly.

use std::collections::BTreeMap;

use lango_document::{Diagnostics, Document};
use lango_privacy::{Column, Domain, Grid};

use crate::PolicySet;

/// A policy of a dataset with these lines above its columns, and these columns.
fn policy(version: u32, dataset: &str, columns: &str) -> String {
    format!(
        "policy = {version}\noffice = \"GHA\"\n[dataset.residents]\ntitle = \"Residents\"\nkind = \"stock\"\n\
         source = \"register\"\ntable = \"residents\"\nversion = \"2024\"\n{dataset}\n\
         unit = {{ column = \"person_id\", from = \"Person ID\", noun = \"person\", rows_at_most = 1 }}\n\
         [dataset.residents.column]\n{columns}\n"
    )
}

fn documents(text: &str) -> Vec<Document> {
    [
        ("policies/gha.toml", text),
        ("policies/sex-local.csv", "\u{feff}value,code\n1,M\n2,F\nFéminin,F\n"),
        ("policies/twice.csv", "value,code\n1,M\n1,F\n"),
        ("policies/ecowas-2024.csv", "value,code\nGHA,ECOWAS\nNGA,ECOWAS\n"),
        ("policies/typo.csv", "value,code\nGHN,ECOWAS\n"),
    ]
    .map(|(file, text)| Document::new(file, text))
    .into()
}

/// Each mistake on a line of its own.
fn lines(wrong: &Diagnostics) -> String {
    wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn columns(dataset: &str, columns: &str) -> Result<BTreeMap<String, Column>, String> {
    let set = PolicySet::read(&documents(&policy(2, dataset, columns))).map_err(|wrong| lines(&wrong))?;
    let dataset = set.datasets.into_values().next().unwrap();
    assert_eq!(dataset.unit.column, "Person ID");
    Ok(dataset.columns.into_iter().map(|(name, column)| (name.to_string(), column)).collect())
}

fn texts(column: &Column) -> Vec<String> {
    column.texts().into_iter().map(|(text, at)| format!("{text}={at}")).collect()
}

#[test]
fn a_column_says_what_stands_in_the_register() {
    let derived = "[dataset.residents.derived]\nbloc = { from = \"birth\", map = \"ecowas-2024.csv\" }\n\
                   region = { from = \"birth\", map = \"m49-subregion\" }\n\
                   rec = { from = \"birth\", map = \"africa-rec\", communities = [\"ECOWAS\", \"SADC\"], on = 2024-07-01 }";
    let of = format!(
        "sex = {{ from = \"Sexe à l'état civil\", codes = [\"F\", \"M\"], recode = \"sex-local.csv\", case = \"ignore\", missing = [\"9\"] }}\n\
         birth = {{ from = \"Country of birth\", codes = \"iso3166-1-alpha-3\", written_as = \"m49\", recode = {{ \"Côte d'Ivoire\" = \"CIV\" }} }}\n\
         age = {{ integer = [0, 110], bands = [0, 15, 25, 65], missing = [\"999\"] }}\n\
         income = {{ amount = [-0.5, 5_000.00], scale = 2, typical = 12.5, bins = [-0.5, 1_000], candidates = 0.25 }}\n\
         arrived = {{ date = [2020-01-01, 2024-12-31], bands = \"month\", time_zone = \"africa/accra\" }}\n{derived}"
    );
    let read = columns("missing = [\"NA\", \"?\"]", &of).unwrap();
    let sex = &read["sex"];
    assert_eq!(texts(sex), ["1=1", "2=0", "f=0", "féminin=0", "m=1"]);
    assert_eq!(sex.stored_name(&"sex".parse().unwrap()), "Sexe à l'état civil");
    assert_eq!(sex.missing_texts().into_iter().collect::<Vec<_>>(), ["9", "?", "na"]);
    let birth = &read["birth"];
    let texts_of_birth = birth.texts();
    for text in ["GHA", "288", "024", "24", "Côte d'Ivoire"] {
        assert!(texts_of_birth.contains_key(text), "{text}");
    }
    let Domain::Integer { bands: Grid::Listed(bands), .. } = &read["age"].domain else { panic!() };
    assert_eq!(bands.as_ref(), [0, 15, 25, 65]);
    assert_eq!(read["age"].missing_numbers(), [999]);
    let income = &read["income"];
    assert_eq!(
        (income.range().map(|range| (range.low, range.high)), income.typical, income.candidates.clone()),
        (Some((-50, 500_000)), Some(1_250), Some(Grid::Every(25)))
    );
    assert_eq!(read["arrived"].reading.time_zone.as_deref(), Some("Africa/Accra"));
    let (bloc, region) = (&read["bloc"], &read["region"]);
    assert_eq!(texts(bloc), ["288=0", "566=0", "GHA=0", "NGA=0"]);
    assert_eq!(bloc.stored_name(&"bloc".parse().unwrap()), "Country of birth");
    let Domain::Codes(groups) = &region.domain else { panic!() };
    assert_eq!((groups.len(), groups[0].as_str()), (22, "005"));
    let rec = &read["rec"];
    assert_eq!(rec.domain, Domain::codes(vec!["ECOWAS".parse().unwrap(), "SADC".parse().unwrap()]).unwrap());
    assert_eq!((rec.texts()["Côte d'Ivoire"], rec.texts()["24"], rec.texts().get("KEN")), (0, 1, None));
    assert_eq!(
        (groups[1].as_str(), region.texts().get("Côte d'Ivoire")),
        ("011", Some(&1)),
        "Western Africa"
    );
}

#[test]
fn what_a_column_cannot_mean_is_refused_with_its_place() {
    let sex = |more: &str| format!("sex = {{ codes = [\"F\", \"M\"], {more} }}");
    for (dataset, of, expected) in [
        ("", sex("recode = { \"1\" = \"X\" }"), "`recode` makes \"1\" `X`, which is not one of the column's codes"),
        ("", sex("recode = { \"F\" = \"M\" }"), "\"F\" would mean both `F` and `M`"),
        ("", sex("recode = { \"F\" = \"M\", \"M\" = \"F\" }"), "would mean both"),
        ("", sex("recode = { \"1\" = \"M\", \" 1\" = \"F\" }"), "differ in the blanks around them alone"),
        ("", sex("recode = \"sex.csv\""), "there is no file `sex.csv` beside the policy"),
        ("", sex("recode = \"sex-locale.csv\""), "did you mean `sex-local.csv`?"),
        ("", sex("recode = \"twice.csv\""), "policies/twice.csv:3:1: \"1\" stands on line 2 already"),
        ("", sex("recode = 1"), "`recode` is a table such as { \"1\" = \"M\" }, or the name of a file"),
        ("", sex("missing = [\"F\"]"), "\"F\" is in `missing`, and is a code or means one"),
        ("", sex("case = \"fold\""), "`case` is `ignore`"),
        ("", sex("written_as = \"m49\""), "`written_as` goes with `codes = \"iso3166-1-alpha-3\"`"),
        ("", sex("time_zone = \"Africa/Accra\""), "`time_zone` is for columns of `date`"),
        (
            "",
            "birth = { codes = \"iso3166-1-alpha-2\" }".to_owned(),
            "write `codes = \"iso3166-1-alpha-3\", written_as = \"alpha-2\"`",
        ),
        (
            "",
            "birth = { codes = \"iso3166-1-alpha-3\", written_as = \"un\" }".to_owned(),
            "`written_as` is \"alpha-2\" or \"m49\"",
        ),
        ("", "age = { integer = [0, 110], bands = [0, 25, 15] }".to_owned(), "whole numbers that ascend"),
        ("", "age = { integer = [0, 110], bands = [15, 25] }".to_owned(), "begins at the column's lower bound 0"),
        ("", "age = { integer = [0, 110], bands = [0, 111] }".to_owned(), "`bands` holds 111, which is not between"),
        ("", "age = { integer = [0, 110], missing = [\"99.5\"] }".to_owned(), "more decimals than the column keeps"),
        ("", "age = { integer = [0, 110], case = \"ignore\" }".to_owned(), "`case` is for columns of `codes`"),
        ("missing = [\"99\"]", "age = { integer = [0, 110] }".to_owned(), "could be a value of a column"),
        ("missing = [\"-99.9\"]", "age = { integer = [0, 110] }".to_owned(), "more decimals than a column of the dataset keeps"),
        ("", "fee = { amount = [0, 1.005], scale = 2 }".to_owned(), "1.005 has more decimals than the column keeps (2)"),
        ("", "fee = { amount = [0, \"1\"], scale = 2 }".to_owned(), "an element of `amount` is a number, and not a text: write `1`"),
        (
            "",
            "day = { date = [2020-01-01, 2020-12-31], time_zone = \"Africa/Acra\" }".to_owned(),
            "there is no time zone `Africa/Acra`: did you mean `Africa/Accra`?",
        ),
        (
            "",
            "sex = { codes = [\"F\"] }\n[dataset.residents.derived]\nbloc = { from = \"birth\", map = \"m49-region\" }".to_owned(),
            "column `birth` is not declared",
        ),
        (
            "",
            "age = { integer = [0, 9] }\n[dataset.residents.derived]\nbloc = { from = \"age\", map = \"m49-region\" }".to_owned(),
            "column `age` is not one of `codes`",
        ),
        (
            "",
            "birth = { codes = [\"GHA\", \"NGA\"] }\n[dataset.residents.derived]\nbirth = { from = \"birth\", map = \"ecowas-2024.csv\" }"
                .to_owned(),
            "column `birth` is declared twice",
        ),
        (
            "",
            "birth = { codes = [\"GHA\", \"NGA\"] }\n[dataset.residents.derived]\nbloc = { from = \"birth\", map = \"typo.csv\" }".to_owned(),
            "policies/typo.csv:2:1: column `birth` has no code `GHN`: did you mean `GHA`?",
        ),
        (
            "",
            "birth = { codes = [\"GHA\"] }\n[dataset.residents.derived]\nbloc = { from = \"birth\", map = \"africa-rec\", on = 2024-07-01 }"
                .to_owned(),
            "`map = \"africa-rec\"` needs the communities and the day: write",
        ),
        (
            "",
            "birth = { codes = [\"GHA\"] }\n[dataset.residents.derived]\n\
             bloc = { from = \"birth\", map = \"africa-rec\", communities = [\"EAC\", \"COMESA\"], on = 2024-07-01 }"
                .to_owned(),
            "`BDI` is in EAC and in COMESA on that day",
        ),
        (
            "",
            "birth = { codes = [\"GHA\"] }\n[dataset.residents.derived]\nbloc = { from = \"birth\", map = \"m49-region\", on = 2024-07-01 }"
                .to_owned(),
            "`communities` and `on` go with `map = \"africa-rec\"`",
        ),
        (
            "",
            "birth = { codes = [\"GHA\"] }\n[dataset.residents.derived]\nbloc = { from = \"birth\", map = \"m49\" }".to_owned(),
            "there is no file `m49`",
        ),
    ] {
        let error = columns(dataset, &of).expect_err(&of);
        let is_one = !error.contains('\n');
        assert!(is_one && error.starts_with("policies/") && error.contains(expected), "{of}: {error}");
    }
}

#[test]
fn the_files_that_a_policy_names_are_those_beside_it() {
    let of = "sex = { codes = [\"F\"], recode = \"sex-local.csv\" }\nage = { codes = [\"1\"], recode = \"../age.csv\" }\n\
              [dataset.residents.derived]\nbloc = { from = \"sex\", map = \"blocs.csv\" }\n\
              region = { from = \"sex\", map = \"m49-region\" }";
    let named = PolicySet::lists(&documents(&policy(2, "", of)));
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["blocs.csv", "sex-local.csv"]);
}

#[test]
fn the_earlier_format_is_refused_with_what_to_write() {
    for (of, expected) in [
        (
            "sex = { codes = [\"F\"] }",
            "policies/gha.toml:1:10: this is the earlier format: write `policy = 2`; nothing else changes",
        ),
        ("fee = { amount = [0, 1_000], scale = 0 }", "nothing else changes in this file"),
        (
            "fee = { amount = [-5, 100_000], scale = 2, typical = 2_500, candidates = 100, bins = [-5, 1_000] }",
            "write `fee = { amount = [-0.05, 1000.00], scale = 2, typical = 25.00, bins = [-0.05, 10.00], candidates = 1.00, .. }` in \
             `[dataset.residents.column]`",
        ),
    ] {
        let error = lines(&PolicySet::read(&documents(&policy(1, "", of))).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    let error = PolicySet::read(&documents(&policy(3, "", "sex = { codes = [\"F\"] }"))).unwrap_err();
    assert!(lines(&error).contains("this version reads `policy = 2`, not 3"));
}
