//! A table as its catalogue describes it, and what a policy's columns may be declared as there.

use std::collections::{BTreeMap, BTreeSet};

use lango_privacy::{Dataset, Domain, Name};

use super::{ColumnType, Dialect, Made};
use crate::{SourceError, columns::find_column, count::UnitType};

/// What the catalogue says of a dataset's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogueTable {
    /// Its name in a `FROM`: qualified and quoted.
    pub(crate) from: String,
    /// The unit's column.
    pub(crate) unit: TableColumn,
    /// The type of an identifier.
    pub(crate) unit_type: UnitType,
    /// Whether the catalogue rules a missing identifier out.
    pub(crate) unit_not_null: bool,
    /// No two rows are of one unit.
    pub(crate) one_row_per_unit: bool,
    /// The declared columns.
    pub(crate) columns: BTreeMap<Name, TableColumn>,
    /// The parts on other servers, each of which has units of its own; empty where there are none.
    pub(crate) shards: Vec<String>,
    /// The catalogue's entry in words: what a preparation is tied to.
    pub(crate) fingerprint: String,
}

impl CatalogueTable {
    /// How a declared column is declared here.
    pub(crate) fn kind(&self, name: &Name) -> ColumnType {
        self.columns.get(name).map_or(ColumnType::Word, |column| column.kind)
    }

    /// A declared column in an expression.
    pub(crate) fn plain(&self, name: &Name) -> &str {
        self.columns.get(name).map_or("NULL", |column| column.plain.as_str())
    }

    /// What is made of a declared column, and the stand-in for a text that is too long to be read.
    pub(crate) fn short(&self, dialect: &dyn Dialect, name: &Name, made: String) -> String {
        self.unless_long(dialect, name, made, &dialect.too_long())
    }

    /// What is made of a declared column, and something instead where it is a text that is too long to be read.
    pub(crate) fn unless_long(
        &self,
        dialect: &dyn Dialect,
        name: &Name,
        made: String,
        instead: &str,
    ) -> String {
        if self.is_short(name) {
            return made;
        }
        // In the bytes of UTF-8, whatever the column's own are.
        let (plain, kind) = (self.plain(name), self.kind(name));
        let is_converted = matches!(kind, ColumnType::Text { utf8: false, .. });
        let measured = if is_converted { dialect.text(plain, kind) } else { plain.to_owned() };
        dialect.unless_long(&measured, &made, instead)
    }

    /// Whether texts are grouped as they stand. A shard would send long ones here.
    pub(crate) fn groups_long_texts(&self, dialect: &dyn Dialect) -> bool {
        dialect.groups_long_texts() && self.shards.is_empty()
    }

    /// Whether a declared column holds no text that is too long to be read.
    pub(crate) fn is_short(&self, name: &Name) -> bool {
        self.columns.get(name).is_none_or(|column| column.is_short)
    }
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableColumn {
    /// Its name in the catalogue.
    pub(crate) name: String,
    /// What stands for it in an expression.
    pub(crate) plain: String,
    /// How that is declared.
    pub(crate) kind: ColumnType,
    /// Its type rules out texts that are too long to be read.
    pub(crate) is_short: bool,
}

/// A column as the catalogue lists it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// In the engine's own words.
    pub(crate) declared: String,
    /// `None` where no policy can declare it.
    pub(crate) kind: Option<ColumnType>,
    /// What makes a value of that kind of it.
    pub(crate) made: Made,
    /// Its type keeps texts short enough to be read.
    pub(crate) is_short: bool,
}

/// A dataset's columns in the catalogue.
pub(crate) struct Typed {
    pub(crate) unit: TableColumn,
    pub(crate) unit_type: UnitType,
    pub(crate) columns: BTreeMap<Name, TableColumn>,
}

impl Typed {
    /// The names in the catalogue of all that is read.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.values().chain([&self.unit]).map(|column| column.name.as_str())
    }
}

/// The time zones that a dataset's columns name, each once.
pub(crate) fn time_zones(dataset: &Dataset) -> BTreeSet<&str> {
    dataset.columns.values().filter_map(|column| column.reading.time_zone.as_deref()).collect()
}

/// The unit column and the declared columns, each of which must be there and fit.
pub(crate) fn typed(
    dialect: &dyn Dialect,
    dataset: &Dataset,
    listed: &[Listed],
) -> Result<Typed, SourceError> {
    let table = || dataset.table.clone();
    let names: Vec<&str> = listed.iter().map(|listed| listed.name.as_str()).collect();
    let find = |column: &str| {
        let at = find_column(&dataset.table, &names, column)?;
        listed.get(at).ok_or_else(|| SourceError::NoTable(table()))
    };
    let found = find(&dataset.unit.column)?;
    let unit_type = match found.kind {
        Some(ColumnType::Integer | ColumnType::Unsigned | ColumnType::Decimal(0)) => UnitType::Integer,
        Some(ColumnType::Text { .. } | ColumnType::Word) => UnitType::Text,
        _ => return Err(SourceError::UnitType { table: table(), column: found.name.clone() }),
    };
    let unit = TableColumn {
        name: found.name.clone(),
        plain: dialect.made(&dialect.quoted(&found.name), found.made, None),
        kind: found.kind.unwrap_or(ColumnType::Word),
        is_short: found.is_short,
    };
    let mut columns = BTreeMap::new();
    for (name, column) in &dataset.columns {
        let found = find(column.stored_name(name))?;
        let zone = column.reading.time_zone.as_deref();
        let fits = match (found.kind, found.made, zone) {
            (Some(kind), ..) if kind.fits(&column.domain).is_err() => kind.fits(&column.domain).map(|()| kind),
            (Some(_), Made::AtPlace, None) => Err(
                "a `time_zone` beside it, as `time_zone = \"Africa/Accra\"`: the day of its moments depends on the place"
                    .to_owned(),
            ),
            (Some(kind), ..) => Ok(kind),
            (None, ..) => Err(match column.domain {
                Domain::Integer { .. } | Domain::Amount { .. } => "numbers",
                Domain::Date { .. } => "days, moments, or text",
                Domain::Codes(_) | Domain::Open => "text, whole numbers, an enumeration or a truth value",
            }
            .to_owned()),
        };
        let kind = fits.map_err(|expected| SourceError::ColumnType {
            table: table(),
            column: found.name.clone(),
            found: found.declared.clone(),
            expected,
        })?;
        let plain = dialect.made(&dialect.quoted(&found.name), found.made, zone);
        let is_short = found.is_short || !matches!(kind, ColumnType::Text { .. });
        columns.insert(name.clone(), TableColumn { name: found.name.clone(), plain, kind, is_short });
    }
    Ok(Typed { unit, unit_type, columns })
}
