//! The canonical text, by the published vectors of the protocol and by cases of our own.

use super::*;

/// Spellings and the one text each stands for.
const CANONICAL_PAIRS: &[(&str, &str)] = &[
    (
        "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nprice epsilon 0.50\n",
        "lango-query 1\ndataset residents\nmeasure persons\nby country_of_birth,sex\nprice epsilon 0.5\n",
    ),
    (
        "lango-query 1\ndataset residents\nversion 2024-07-01\nmeasure persons\nby sex,age\nby\nby age\nmeasure mean(income)\nby sex\nwhere sex in M,F\nwhere age from 15 to 24\nprice epsilon 1.0\n",
        "lango-query 1\ndataset residents\nversion 2024-07-01\nmeasure mean(income)\nby sex\nmeasure persons\nby\nby age\nby age,sex\nwhere age from 15 to 24\nwhere sex in F,M\nprice epsilon 1\n",
    ),
    (
        "lango-query 1\ndataset border_movements\nmeasure rows\nby\nmeasure quantile(age,0.25,0.5)\nby sex\nwhere date from 2024-01-01 to 2024-06-30\nwhere fee from -1.5 to 20\nprice epsilon 2\n",
        "lango-query 1\ndataset border_movements\nmeasure quantile(age,0.25,0.5)\nby sex\nmeasure rows\nby\nwhere date from 2024-01-01 to 2024-06-30\nwhere fee from -1.5 to 20\nprice epsilon 2\n",
    ),
    (
        "lango-query 1\ndataset residents\nmeasure persons\nby country_of_birth\nwhere country_of_birth in GHA\nprice precision 050 at 0.95 on persons by country_of_birth\n",
        "lango-query 1\ndataset residents\nmeasure persons\nby country_of_birth\nwhere country_of_birth = GHA\nprice precision 50 at 0.95 on persons by country_of_birth\n",
    ),
];

/// Texts that are no question at all.
const NOT_A_QUERY: &[&str] = &[
    "",
    "lango-query 2\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\n",
    "lango-query 1\ndataset residents\nmeasure persons\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nprice epsilon -1\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nprice epsilon 1e3\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nprice epsilon 0.50\ncolour red\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nwhere age between 1 and 2\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nwhere age from 24 to 15\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nwhere age from 015 to 24\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nwhere age from -0 to 24\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby office,sex\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex\nmeasure persons\nby sex,country_of_birth\nprice epsilon 0.50\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby country_of_birth\nwhere country_of_birth in GHA\nprice precision 050 at 0.95 on rows by country_of_birth\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,country_of_birth\nprice epsilon ١\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex\nwhere office = GHA\nprice epsilon 1\n",
    "lango-query 1\ndataset Residents\nmeasure persons\nby sex\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nversion a b\nmeasure persons\nby sex\nprice epsilon 1\n",
    "lango-query 1\ndataset  residents\nmeasure persons\nby sex\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure persons \nby sex\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure quantile(age,0.50)\nby sex\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure persons()\nby sex\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex,\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex\nwhere date from 2024-02-30 to 2024-03-01\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex\nwhere date from 2024-02-01 to 7\nprice epsilon 1\n",
    "lango-query 1\ndataset residents\nmeasure persons\nby sex\nprice epsilon 1\nprice epsilon 1\n",
    "lango-query 1\r\ndataset residents\r\nmeasure persons\r\nby sex\r\nprice epsilon 1\r\n",
    "lango-query 1\ndataset residents\nprice epsilon 1\nmeasure persons\nby sex\n",
];

#[test]
fn every_spelling_becomes_its_canonical_text() {
    for (written, canonical) in CANONICAL_PAIRS {
        let query: Query = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(query.to_string(), *canonical);
        assert_eq!(Query::from_canonical(canonical).unwrap(), query);
    }
}

#[test]
fn a_tidy_spelling_that_is_not_canonical_is_refused_by_a_gateway() {
    for (written, canonical) in CANONICAL_PAIRS {
        let expected = Err(QueryError::NotCanonical { canonical: (*canonical).to_owned() });
        assert_eq!(Query::from_canonical(written), expected);
        let without_newline = canonical.trim_end_matches('\n');
        assert!(matches!(Query::from_canonical(without_newline), Err(QueryError::NotCanonical { .. })));
        assert!(Query::from_canonical(&format!("{canonical}\n")).is_err());
    }
}

#[test]
fn what_is_no_question_is_refused() {
    for text in NOT_A_QUERY {
        assert!(text.parse::<Query>().is_err(), "{text}");
    }
}

#[test]
fn an_error_names_its_line() {
    let error =
        "lango-query 1\ndataset residents\nmeasure persons\nby sex,Age\nprice epsilon 1\n".parse::<Query>();
    assert_eq!(
        error.unwrap_err().to_string(),
        "line 4: `Age` is not a name: lower-case letters, digits and `_`, a letter first, 64 at most"
    );
}
