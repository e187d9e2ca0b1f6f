//! Code lists that datasets share, and purposes however they are written.

use super::*;
use crate::AccessRequest;

fn files(documents: &[(&str, &str)]) -> Result<PolicySet, String> {
    let documents: Vec<Document> = documents.iter().map(|(name, text)| Document::new(*name, *text)).collect();
    PolicySet::read(&documents)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn datasets_name_the_code_lists_of_their_office() {
    let named = GOOD.replace("codes = [\"F\", \"M\"]", "codes = \"sexes\"");
    let other = "policy = 2\noffice = \"GHA\"\n";
    let inline = format!("{other}[code_list.sexes]\ncodes = [\"F\", \"M\"]\n");
    let in_file = format!("{other}[code_list.sexes]\nfile = \"sexes.csv\"\n");
    let expected = read(GOOD).unwrap().datasets;
    for lists in [
        &[("gha.toml", named.as_str()), ("lists.toml", inline.as_str())][..],
        &[
            ("gha.toml", named.as_str()),
            ("lists.toml", in_file.as_str()),
            ("sexes.csv", "code,label\nF,Women\nM,Men\n"),
        ],
    ] {
        assert_eq!(files(lists).unwrap().datasets, expected);
    }
    let documents = [Document::new("lists.toml", in_file.as_str())];
    assert_eq!(PolicySet::lists(&documents), ["sexes.csv".to_owned()].into());
    for (lists, said) in [
        ("", "gha.toml:14:30: there is no code list `sexes`"),
        ("[code_list.sexs]\ncodes = [\"F\"]", "there is no code list `sexes`: did you mean `sexs`?"),
        ("[code_list.sexes]\n", "code list `sexes` says either `codes` or `file`"),
        ("[code_list.sexes]\ncodes = [\"F\"]\nfile = \"sexes.csv\"", "says either `codes` or `file`"),
        ("[code_list.sexes]\nfile = \"sexes.csv\"", "there is no file `sexes.csv` beside the policy"),
        ("[code_list.sexes]\ncodes = [\"F\", \"F\"]", "lists.toml:4:9"),
        ("[code_list.sexes]\ncodes = []", "lists.toml:4:9"),
        ("[code_list.iso3166-1-alpha-3]\ncodes = [\"F\"]", "the code list `iso3166-1-alpha-3` is built in"),
    ] {
        let lists = format!("{other}{lists}\n");
        let found = files(&[("gha.toml", named.as_str()), ("lists.toml", lists.as_str())]).unwrap_err();
        assert!(found.contains(said), "{said}: {found}");
        // What is wrong with a list is said once, where it stands.
        assert!(lists.contains("sexes]") != found.contains("there is no code list"), "{found}");
    }
    let twice =
        files(&[("gha.toml", named.as_str()), ("a.toml", inline.as_str()), ("b.toml", inline.as_str())]);
    assert!(twice.unwrap_err().contains("code list `sexes` is declared twice"));
}

#[test]
fn a_purpose_is_a_term_of_the_vocabulary_however_it_is_written() {
    let text =
        GOOD.replace("[\"official-statistics\"]", "[\"dpv:ProvideOfficialStatistics\", \"own-study\"]");
    let set = read(&text).unwrap();
    let query =
        "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 0.5\n".parse().unwrap();
    for (purpose, is_allowed) in [
        ("official-statistics", true),
        ("dpv:ProvideOfficialStatistics", true),
        ("https://w3id.org/dpv#ProvideOfficialStatistics", true),
        ("own-study", true),
        ("ProvideOfficialStatistics", false),
        ("academic-research", false),
    ] {
        let asked = AccessRequest { principal: &awa(), purpose: Some(purpose), on: None, epsilon_nano: None };
        assert_eq!(set.authorize(&asked, &query).is_ok(), is_allowed, "{purpose}");
    }
    let refused = format!("{text}\n[[refusal]]\nid = \"never\"\npurpose = [\"official-statistics\"]\n");
    let asked = AccessRequest {
        principal: &awa(),
        purpose: Some("https://w3id.org/dpv#ProvideOfficialStatistics"),
        on: None,
        epsilon_nano: None,
    };
    let denial = read(&refused).unwrap().authorize(&asked, &query).unwrap_err();
    assert_eq!(denial.code().as_str(), "forbidden");
}

#[test]
fn a_misspelt_purpose_is_a_warning() {
    let misspelt = GOOD.replace("[\"official-statistics\"]", "[\"offical-statistics\", \"own-study\"]");
    let warnings = read(&misspelt).unwrap().warnings(None, None);
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "gha.toml:26:13: purpose `offical-statistics` of grant `regional-analysts` is no term of the vocabulary: did you \
          mean `official-statistics`? An office's own words may be any others"
        ]
    );
}
