//! Whether the rows of an identifier are one unit's.

use super::{Staging, quoted};

impl Staging {
    /// How much more often two rows of one identifier have the same value than two rows of all, in the column in which they do
    /// most: 1 where a unit keeps its value, as its sex or its birthplace, and about 0 where rows of different units stand under
    /// one identifier. `None` where no identifier stands on two rows with a value, or no column has two values. It is the kappa
    /// of J. Cohen, "A coefficient of agreement for nominal scales", 1960, over pairs of rows.
    pub(super) fn holding(&self) -> rusqlite::Result<Option<f64>> {
        let (staging, unit) = (quoted(&self.staging), quoted(&self.unit));
        let mut most: Option<f64> = None;
        for column in self.schema.columns.iter().skip(1).map(|target| quoted(&target.name)) {
            let pairs = |by: &str| -> rusqlite::Result<f64> {
                let sql = format!(
                    "SELECT total(CAST(n AS REAL) * (n - 1)) FROM (
                        SELECT count(*) AS n FROM {staging} WHERE {unit} IS NOT NULL AND {column} IS NOT NULL {by}
                    )"
                );
                self.connection.query_row(&sql, [], |row| row.get(0))
            };
            let of_units = pairs(&format!("GROUP BY {unit}"))?;
            if of_units == 0.0 {
                continue;
            }
            let alike = pairs(&format!("GROUP BY {unit}, {column}"))? / of_units;
            let by_chance = pairs(&format!("GROUP BY {column}"))? / pairs("")?;
            if by_chance < 1.0 {
                let kappa = (alike - by_chance) / (1.0 - by_chance);
                most = Some(most.map_or(kappa, |most| most.max(kappa)));
            }
        }
        Ok(most)
    }
}
