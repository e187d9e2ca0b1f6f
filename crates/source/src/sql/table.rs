//! A table as its catalogue describes it, and what a policy's columns may be declared as there.

use std::collections::BTreeMap;

use lango_privacy::{Dataset, Domain, Name};

use crate::{SourceError, count::UnitType};

/// What the catalogue says of a dataset's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogueTable {
    /// Its name in a `FROM`: qualified and quoted.
    pub(crate) from: String,
    /// The type of an identifier.
    pub(crate) unit_type: UnitType,
    /// How the unit column is declared.
    pub(crate) unit_column: ColumnType,
    /// Whether the catalogue rules a missing identifier out.
    pub(crate) unit_not_null: bool,
    /// No two rows are of one unit.
    pub(crate) one_row_per_unit: bool,
    /// How the declared columns are declared.
    pub(crate) types: BTreeMap<Name, ColumnType>,
    /// The parts on other servers, each of which has units of its own; empty where there are none.
    pub(crate) shards: Vec<String>,
    /// The catalogue's entry in words: what a preparation is tied to.
    pub(crate) fingerprint: String,
}

impl CatalogueTable {
    /// How a declared column is declared here.
    pub(crate) fn kind(&self, name: &Name) -> ColumnType {
        self.types.get(name).copied().unwrap_or(ColumnType::Word)
    }
}

/// How a column is declared, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// Whole numbers of at most 64 bits, signed.
    Integer,
    /// Whole numbers of 64 bits, unsigned: those past the signed ones are read as the greatest of them.
    Unsigned,
    /// Decimals with this number of digits after the point, at most 18 digits in all.
    Decimal(u32),
    /// Text.
    Text {
        /// Whether the column's own comparison distinguishes all texts.
        bytewise: bool,
        /// Whether its bytes, as they are stored, are UTF-8.
        utf8: bool,
    },
    /// A day.
    Day,
    /// A type with one text for each value: an enumeration, a UUID, a truth value.
    Word,
}

impl ColumnType {
    /// Checks that the column can hold what the policy declares; the error says which type could.
    pub(crate) fn fits(self, domain: &Domain) -> Result<(), String> {
        let whole = "whole numbers (an integer type)".to_owned();
        match (domain, self) {
            (Domain::Integer { .. }, Self::Integer | Self::Unsigned | Self::Decimal(0)) => Ok(()),
            (Domain::Integer { .. }, _) => Err(whole),
            (Domain::Amount { .. }, Self::Integer | Self::Unsigned | Self::Decimal(0)) => Ok(()),
            (Domain::Amount { scale, .. }, Self::Decimal(decimals)) if *scale == decimals => Ok(()),
            (Domain::Amount { scale, .. }, _) => {
                Err(format!("{whole}, or decimals of at most 18 digits with the policy's scale {scale}"))
            }
            (Domain::Date { .. }, Self::Day | Self::Text { .. }) => Ok(()),
            (Domain::Date { .. }, _) => Err("days (`date`), or text such as `2024-07-01`".to_owned()),
            (Domain::Codes(_) | Domain::Open, Self::Unsigned | Self::Decimal(_)) => {
                Err("text, or whole numbers of 64 bits".to_owned())
            }
            (Domain::Codes(_) | Domain::Open, _) => Ok(()),
        }
    }
}

/// A column as the catalogue lists it.
pub(crate) struct Listed {
    pub(crate) name: String,
    /// In the engine's own words.
    pub(crate) declared: String,
    /// `None` where no policy can declare it.
    pub(crate) kind: Option<ColumnType>,
}

/// The types of the unit column and of the declared columns, each of which must be there and fit.
pub(crate) fn typed(
    dataset: &Dataset,
    listed: &[Listed],
    same: fn(&str, &str) -> bool,
) -> Result<(ColumnType, UnitType, BTreeMap<Name, ColumnType>), SourceError> {
    let table = || dataset.table.clone();
    let find = |column: &str| {
        if column.chars().any(char::is_control) {
            return Err(SourceError::Identifier(column.to_owned()));
        }
        let found = listed.iter().find(|listed| same(&listed.name, column));
        found.ok_or_else(|| SourceError::NoColumn { table: table(), column: column.to_owned() })
    };
    let unit = find(&dataset.unit.column)?;
    let unit_type = match unit.kind {
        Some(ColumnType::Integer | ColumnType::Unsigned | ColumnType::Decimal(0)) => UnitType::Integer,
        Some(ColumnType::Text { .. } | ColumnType::Word) => UnitType::Text,
        _ => return Err(SourceError::UnitType { table: table(), column: dataset.unit.column.clone() }),
    };
    let mut types = BTreeMap::new();
    for (name, column) in &dataset.columns {
        let listed = find(name.as_str())?;
        let fits = match listed.kind {
            Some(kind) => kind.fits(&column.domain).map(|()| kind),
            None => Err("a type that policies know".to_owned()),
        };
        let kind = fits.map_err(|expected| SourceError::ColumnType {
            table: table(),
            column: name.to_string(),
            found: listed.declared.clone(),
            expected,
        })?;
        types.insert(name.clone(), kind);
    }
    let kind = unit.kind.unwrap_or(ColumnType::Word);
    Ok((kind, unit_type, types))
}
