//! Where a plan's rows come from on a server: the table itself, a preparation, or the ranking of every row.

use lango_privacy::{Dataset, Plan};

use super::{AccessPath, Binds, CatalogueTable, Dialect, GroupSelect, Ranks, Rendered, bounded, statements};
use crate::{Secret, SourceError, field::used};

/// What one statement may be given: a limit of both engines' protocols.
const PARAMETERS_MOST: usize = 65_535;

/// Where a plan's rows come from.
pub(crate) struct Origin<'a> {
    table: &'a CatalogueTable,
    /// In a `FROM`, where the catalogue does not vouch for one row per unit.
    bounded: String,
    /// The parameters of that.
    binds: Binds,
    ranked: bool,
}

impl<'a> Origin<'a> {
    /// The table where it is vouched for, else the preparation where there is one that fits, else the ranking.
    pub(crate) fn of(
        dialect: &dyn Dialect,
        plan: &Plan,
        table: &'a CatalogueTable,
        prepared: Option<String>,
        secret: &Secret,
    ) -> Self {
        let mut binds = Binds::default();
        let ranked = prepared.is_none();
        let bounded = match prepared {
            _ if table.one_row_per_unit => String::new(),
            Some(prepared) => prepared,
            None => {
                let rows =
                    bounded(dialect, &plan.dataset, table, &used(plan), ranks(plan), secret, &mut binds);
                format!("({rows}) AS bounded")
            }
        };
        Self { table, bounded, binds, ranked }
    }

    /// How they are read.
    pub(crate) fn access(&self) -> AccessPath<'_> {
        if self.table.one_row_per_unit {
            AccessPath::Direct(self.table)
        } else {
            AccessPath::Bounded { table: self.table, from: &self.bounded, ranked: self.ranked }
        }
    }

    /// The plan's statements.
    pub(crate) fn statements(&self, dialect: &dyn Dialect, plan: &Plan) -> Vec<GroupSelect> {
        statements(dialect, plan, self.access(), &self.binds)
    }
}

/// The ranks that a plan's statements use.
pub(crate) fn ranks(plan: &Plan) -> Ranks {
    let counts_units = plan.margins.iter().any(|margin| margin.fetch.counts_units());
    Ranks::Beyond(if counts_units { plan.dataset.cells_at_most() } else { plan.dataset.unit.rows_at_most })
}

/// The statement that ranks every row and reads all that is declared: more than any plan's asks of the engine.
pub(crate) fn everything(
    dialect: &dyn Dialect,
    dataset: &Dataset,
    table: &CatalogueTable,
) -> Result<Rendered, SourceError> {
    let names: Vec<_> = dataset.columns.keys().collect();
    let mut binds = Binds::default();
    let text = bounded(dialect, dataset, table, &names, Ranks::All, &Secret::new([0; 32]), &mut binds);
    // Read from as a question does, for which every name must be there once.
    let named: String = names.iter().map(|name| format!(", {}", dialect.quoted(name.as_str()))).collect();
    let text = format!("SELECT _unit, _rank{named} FROM ({text}) AS bounded");
    let rendered = dialect.render(&text, binds);
    let codes = rendered.binds.len();
    if codes > PARAMETERS_MOST {
        return Err(SourceError::Codes { dataset: dataset.name.to_string(), codes, most: PARAMETERS_MOST });
    }
    Ok(rendered)
}
