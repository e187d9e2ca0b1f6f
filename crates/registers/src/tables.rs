//! The committed tables, read once. `tables/SOURCES.md` cites them.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::LazyLock;

/// The fifteen members of ECOWAS before January 2025, as ISO 3166-1 alpha-3.
pub const OFFICES: [&str; 15] =
    ["BEN", "BFA", "CIV", "CPV", "GHA", "GIN", "GMB", "GNB", "LBR", "MLI", "NER", "NGA", "SEN", "SLE", "TGO"];

/// The United Nations' code for other and unknown origins; not an ISO code, so a code list counts it as `_O`.
pub const OTHERS: &str = "OOO";

/// Sex as the United Nations publish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// Female.
    F,
    /// Male.
    M,
}

impl Sex {
    /// The code in registers and tables, `F` or `M`.
    pub const fn code(self) -> &'static str {
        match self {
            Sex::F => "F",
            Sex::M => "M",
        }
    }
}

impl FromStr for Sex {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        match code {
            "F" => Ok(Sex::F),
            "M" => Ok(Sex::M),
            _ => Err(()),
        }
    }
}

/// One published cell: the migrants of one origin and sex in an office's country, mid-2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// ISO 3166-1 alpha-3, or [`OTHERS`].
    pub origin: &'static str,
    /// Female or male.
    pub sex: Sex,
    /// Persons, not scaled.
    pub persons: u64,
}

/// An office's total population, mid-2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Population {
    /// Females.
    pub females: u64,
    /// Males.
    pub males: u64,
}

impl Population {
    /// Both sexes.
    pub const fn persons(self) -> u64 {
        self.females.saturating_add(self.males)
    }
}

/// Whom an office's published stock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrantDefinition {
    /// Persons born abroad.
    Birth,
    /// Foreign citizens; the origin is their citizenship.
    Citizenship,
    /// A mixture of sources of both kinds.
    Both,
}

/// The published stock, sorted by origin, then sex; empty if `office` is not one of [`OFFICES`].
///
/// An origin without a cell is unknown, not zero.
pub fn published(office: &str) -> &'static [Published] {
    TABLES.origins.get(office).map_or(&[], Vec::as_slice)
}

/// The country's total population, natives included; `None` if `office` is not one of [`OFFICES`].
pub fn population(office: &str) -> Option<Population> {
    TABLES.offices.get(office).map(|(population, _)| *population)
}

/// Whom the published stock counts; `None` if `office` is not one of [`OFFICES`].
pub fn migrant_definition(office: &str) -> Option<MigrantDefinition> {
    TABLES.offices.get(office).map(|(_, definition)| *definition)
}

/// A short English name for printing; `None` for a code that occurs in no table.
pub fn country_name(code: &str) -> Option<&'static str> {
    TABLES.countries.get(code).copied()
}

/// Migrants of 2019 in one band of ages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgeBand {
    pub sex: Sex,
    /// The first age of the band: 0, 5 up to 75; the last has no upper end.
    pub from: u64,
    pub persons: u64,
}

/// The bands of an office, sorted by sex, then age.
pub(crate) fn age_bands(office: &str) -> &'static [AgeBand] {
    TABLES.ages.get(office).map_or(&[], Vec::as_slice)
}

struct Tables {
    origins: BTreeMap<&'static str, Vec<Published>>,
    ages: BTreeMap<&'static str, Vec<AgeBand>>,
    offices: BTreeMap<&'static str, (Population, MigrantDefinition)>,
    countries: BTreeMap<&'static str, &'static str>,
}

// INVARIANT (tables): every line below the header parses; one that does not would be left out, and fails a test.
static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut origins: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (office, cell) in rows(ORIGINS).filter_map(origin_row) {
        origins.entry(office).or_default().push(cell);
    }
    let mut ages: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (office, band) in rows(AGES).filter_map(age_row) {
        ages.entry(office).or_default().push(band);
    }
    Tables {
        origins,
        ages,
        offices: rows(POPULATIONS).filter_map(office_row).collect(),
        countries: rows(COUNTRIES).filter_map(|row| row.split_once(',')).collect(),
    }
});

const ORIGINS: &str = include_str!("../tables/origins.csv");
const AGES: &str = include_str!("../tables/ages.csv");
const POPULATIONS: &str = include_str!("../tables/offices.csv");
const COUNTRIES: &str = include_str!("../tables/countries.csv");

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1)
}

fn fields<const N: usize>(row: &'static str) -> Option<[&'static str; N]> {
    row.split(',').collect::<Vec<_>>().try_into().ok()
}

fn origin_row(row: &'static str) -> Option<(&'static str, Published)> {
    let [office, origin, sex, persons] = fields(row)?;
    Some((office, Published { origin, sex: sex.parse().ok()?, persons: persons.parse().ok()? }))
}

fn age_row(row: &'static str) -> Option<(&'static str, AgeBand)> {
    let [office, sex, age, persons] = fields(row)?;
    let from = age.split(['-', '+']).next()?.parse().ok()?;
    Some((office, AgeBand { sex: sex.parse().ok()?, from, persons: persons.parse().ok()? }))
}

fn office_row(row: &'static str) -> Option<(&'static str, (Population, MigrantDefinition))> {
    let [office, females, males, definition] = fields(row)?;
    let definition = match definition {
        "birth" => MigrantDefinition::Birth,
        "citizenship" => MigrantDefinition::Citizenship,
        "both" => MigrantDefinition::Both,
        _ => return None,
    };
    Some((office, (Population { females: females.parse().ok()?, males: males.parse().ok()? }, definition)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_table_is_read() {
        assert_eq!(TABLES.origins.values().map(Vec::len).sum::<usize>(), rows(ORIGINS).count());
        assert_eq!(rows(ORIGINS).count(), 958);
        assert_eq!(TABLES.ages.values().map(Vec::len).sum::<usize>(), rows(AGES).count());
        assert_eq!(TABLES.offices.len(), 15);
        assert_eq!(TABLES.countries.len(), rows(COUNTRIES).count());
        for office in OFFICES {
            assert_eq!(age_bands(office).len(), 32, "{office}");
            assert!(published(office).is_sorted_by_key(|cell| (cell.origin, cell.sex)), "{office}");
            assert!(country_name(office).is_some(), "{office}");
        }
    }

    #[test]
    fn totals_are_the_published_ones() {
        let total = |office| published(office).iter().map(|cell| cell.persons).sum::<u64>();
        assert_eq!(OFFICES.iter().map(|office| total(office)).sum::<u64>(), 8_040_400);
        assert_eq!(total("CIV"), 2_880_839);
        assert_eq!(total("GNB"), 15_064);
        assert_eq!(age_bands("NGA").iter().map(|band| band.persons).sum::<u64>(), 1_256_408);
        assert_eq!(population("GHA").map(Population::persons), Some(34_746_370));
        assert_eq!(migrant_definition("NGA"), Some(MigrantDefinition::Citizenship));
    }

    #[test]
    fn every_origin_has_a_name_and_is_not_the_office_itself() {
        for office in OFFICES {
            for cell in published(office) {
                assert!(country_name(cell.origin).is_some(), "{}", cell.origin);
                assert_ne!(cell.origin, office);
            }
        }
    }

    #[test]
    fn an_unknown_office_has_no_figures() {
        assert!(published("KEN").is_empty());
        assert_eq!(population("KEN"), None);
    }

    #[test]
    fn the_iso_list_has_its_249_codes_and_no_others() {
        // The list that policies use, derived from the same source as these tables.
        let codes: Vec<_> =
            include_str!("../../policy/src/codelists/iso3166-1-alpha-3.txt").lines().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted() && codes.iter().all(|code| code.len() == 3));
        assert!(["TWN", "NAM", "PSE", "ESH"].iter().all(|code| codes.contains(code)));
        for absent in ["XKX", "OOO", "OOS", "STL", "TIB", "AB9", "CHI", "XCX", "ANT"] {
            assert!(!codes.contains(&absent), "{absent}");
        }
        let foreign: Vec<_> = TABLES.countries.keys().filter(|code| !codes.contains(code)).collect();
        assert_eq!(foreign, [&OTHERS]);
    }
}
