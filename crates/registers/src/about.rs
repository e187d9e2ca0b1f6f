//! What is published and what is modelled.

use crate::person::REFERENCE_YEAR;
use crate::target::Draw;

/// For people: what a drawn register is, and is not.
pub const ABOUT: &str = "\
These persons do not exist. The register was drawn from figures that the United Nations publish.
Published: how many persons there are of each country of birth and sex (International Migrant Stock 2024, mid-2024),
met to within one person at the scale of the draw; the shares of ages by sex (International Migrant Stock 2019), met
on average.
Modelled, founded on no data: citizenship, education, year of arrival, income, age within five years and beyond 75,
any relation of age to origin, and every border movement. Draw no conclusion from these.
Only persons from abroad are drawn, natives are not. Where the published stock counts foreign citizens (Nigeria, Togo),
country of birth stands for citizenship. OOO is the United Nations' code for other and unknown origins.";

/// For each column, whether it is `published` (and how exactly) or `modelled`.
pub const COLUMNS: [(&str, &str); 14] = [
    ("residents.person_id", "modelled: serial numbers in an order without meaning"),
    ("residents.country_of_birth", "published by sex, within one person; International Migrant Stock 2024"),
    ("residents.citizenship", "modelled"),
    ("residents.sex", "published by country of birth, within one person; International Migrant Stock 2024"),
    (
        "residents.age",
        "published in five years by sex, on average; International Migrant Stock 2019; else modelled",
    ),
    ("residents.education", "modelled; ISCED 2011, NULL where unknown"),
    ("residents.arrival_year", "modelled"),
    ("residents.income", "modelled; XOF a year"),
    ("border_movements.event_id", "modelled"),
    ("border_movements.person_id", "modelled; everyone has moved at least once"),
    ("border_movements.date", "modelled; July 2023 to June 2024"),
    ("border_movements.direction", "modelled"),
    ("border_movements.post", "modelled; no such posts exist"),
    ("border_movements.purpose", "modelled"),
];

/// The publications behind the figures.
pub const SOURCES: &str = "\
United Nations, Department of Economic and Social Affairs, Population Division: International Migrant Stock 2024; \
International Migrant Stock 2019; World Population Prospects 2024. CC BY 3.0 IGO";

/// The rows of a register's table `about`.
pub(crate) fn rows(office: &str, draw: &Draw) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("about", ABOUT.to_owned()),
        ("office", office.to_owned()),
        ("reference_date", format!("{REFERENCE_YEAR}-07-01")),
        ("scale", draw.scale.to_string()),
        ("seed", draw.seed.to_string()),
        ("sources", SOURCES.to_owned()),
    ];
    rows.extend(COLUMNS.map(|(column, origin)| (column, origin.to_owned())));
    rows
}
