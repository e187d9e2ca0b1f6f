//! Policy files as an administrator would write them, with the parts settable that tests are about.

use std::fmt::Write;

/// A policy of one dataset, `residents`. Its text is what [`Policy::text`] writes.
#[derive(Debug, Clone)]
pub struct Policy {
    /// ISO 3166-1 alpha-3.
    pub office: String,
    /// Of the dataset.
    pub title: String,
    /// Of the dataset.
    pub version: String,
    /// The connection it names.
    pub source: String,
    /// The code list of `country_of_birth`, as TOML.
    pub countries: String,
    /// The lines of `[budget.residents]`.
    pub budget: String,
    /// The grants.
    pub grants: Vec<TestGrant>,
    /// Whatever else is to stand at the end.
    pub more: String,
}

impl Policy {
    /// A pure pool of 100, all of it granted to every analyst of `ecowas.example`, so that one question may have
    /// noise that is 0 but once in 10^12 draws.
    pub fn of(office: &str) -> Self {
        Self {
            office: office.to_owned(),
            title: "Residents by country of birth".to_owned(),
            version: "2024-07-01".to_owned(),
            source: "register".to_owned(),
            countries: r#"["BEN", "GHA", "NGA", "TGO"]"#.to_owned(),
            budget: "accounting = \"pure\"\nepsilon = 100\nrenews = \"yearly\"".to_owned(),
            grants: vec![TestGrant::default()],
            more: String::new(),
        }
    }

    /// As the policy's text stands in a file.
    pub fn text(&self) -> String {
        let Self { office, title, version, source, countries, budget, grants, more } = self;
        let mut text = format!(
            r#"policy = 2
office = "{office}"

[dataset.residents]
title = "{title}"
kind = "stock"
source = "{source}"
table = "residents"
version = "{version}"
unit = {{ column = "person_id", noun = "person", rows_at_most = 1 }}

[dataset.residents.column]
country_of_birth = {{ codes = {countries} }}
sex = {{ codes = ["F", "M"] }}
age = {{ integer = [0, 110], bands = 10 }}
education = {{ codes = ["none", "primary", "higher"] }}
arrival_year = {{ integer = [2020, 2024], bands = 2 }}
income = {{ amount = [0, 5_000_000], scale = 0, currency = "XOF", bins = 1_000_000, candidates = 10_000 }}

[budget.residents]
{budget}
"#
        );
        for grant in grants {
            text += &grant.text();
        }
        writeln!(text, "{more}").unwrap();
        text
    }

    /// With every country as a code of `country_of_birth`.
    #[must_use]
    pub fn of_all_countries(mut self) -> Self {
        self.countries = r#""iso3166-1-alpha-3""#.to_owned();
        self
    }

    /// With these lines as its budget.
    #[must_use]
    pub fn budget(mut self, lines: &str) -> Self {
        self.budget = lines.to_owned();
        self
    }

    /// With these grants alone.
    #[must_use]
    pub fn grants(mut self, grants: impl IntoIterator<Item = TestGrant>) -> Self {
        self.grants = grants.into_iter().collect();
        self
    }

    /// With more at its end.
    #[must_use]
    pub fn more(mut self, lines: &str) -> Self {
        self.more = lines.to_owned();
        self
    }
}

/// One grant on `residents`.
#[derive(Debug, Clone)]
pub struct TestGrant {
    /// Its name.
    pub id: String,
    /// To whom.
    pub to: String,
    /// For what.
    pub purpose: String,
    /// What may be counted, as TOML.
    pub measures: String,
    /// By what, as TOML.
    pub by: String,
    /// By at most this number of dimensions at once.
    pub by_at_most: u32,
    /// Columns for conditions only, as TOML.
    pub filters: String,
    /// The most for one question.
    pub epsilon_per_query: String,
    /// The most for all.
    pub epsilon_total: String,
    /// `office` or `region`.
    pub publish: String,
    /// Whatever else is to stand in it.
    pub more: String,
}

impl Default for TestGrant {
    fn default() -> Self {
        Self {
            id: "regional-analysts".to_owned(),
            to: "spiffe://ecowas.example/analyst/*".to_owned(),
            purpose: "official-statistics".to_owned(),
            measures: r#"["persons", "rows", "rows(income)", "sum(income)", "mean(income)", "share(sex)", "quantile(income)",
            "histogram(income)"]"#
                .to_owned(),
            by: r#"["country_of_birth", "sex", "age", "education", "arrival_year"]"#.to_owned(),
            by_at_most: 5,
            filters: r#"["income"]"#.to_owned(),
            epsilon_per_query: "100".to_owned(),
            epsilon_total: "100".to_owned(),
            publish: "office".to_owned(),
            more: String::new(),
        }
    }
}

impl TestGrant {
    /// A grant of these limits.
    pub fn of(epsilon_per_query: &str, epsilon_total: &str) -> Self {
        Self {
            epsilon_per_query: epsilon_per_query.to_owned(),
            epsilon_total: epsilon_total.to_owned(),
            ..Self::default()
        }
    }

    fn text(&self) -> String {
        let Self { id, to, purpose, measures, by, by_at_most, filters, .. } = self;
        let Self { epsilon_per_query, epsilon_total, publish, more, .. } = self;
        format!(
            r#"
[[grant]]
id = "{id}"
to = ["{to}"]
purpose = ["{purpose}"]
dataset = "residents"
measures = {measures}
by = {by}
by_at_most = {by_at_most}
where = {filters}
epsilon_per_query = {epsilon_per_query}
epsilon_total = {epsilon_total}
publish = "{publish}"
{more}
"#
        )
    }
}
