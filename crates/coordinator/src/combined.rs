//! Coverage and tables as they travel.

use lango_statistics::{Absent, Axis, Cell, CombinedTable, Coverage, Figure};
use lango_wire::pb;

pub(crate) fn coverage(coverage: Coverage) -> pb::Coverage {
    let absent = |absent: Absent| pb::Absent { office: absent.office, reason: absent.reason };
    let Coverage { asked, answered, refused, missing } = coverage;
    pb::Coverage {
        asked,
        answered,
        refused: refused.into_iter().map(absent).collect(),
        missing: missing.into_iter().map(absent).collect(),
    }
}

/// A table in columns. A cell without a figure has zeros, its error among them, and its status says why.
pub(crate) fn table(table: CombinedTable) -> pb::Table {
    let axis = |axis: Axis| pb::Axis { dimension: axis.dimension, codes: axis.codes };
    let CombinedTable { measure, axes, cells, hidden } = table;
    let column = |of: fn(&Figure) -> Option<f64>| column(&cells, of);
    pb::Table {
        measure: measure.to_string(),
        axes: axes.into_iter().map(axis).collect(),
        values: cells.iter().map(|cell| cell.figure.map_or(0.0, |figure| figure.value)).collect(),
        std_errs: column(|figure| figure.std_err),
        lower: column(|figure| figure.lower),
        upper: column(|figure| figure.upper),
        statuses: cells.iter().map(|cell| cell.status.code().to_owned()).collect(),
        rank_errors: self::column(&cells, |figure| figure.rank_error),
        hidden: hidden
            .into_iter()
            .filter_map(|(cell, offices)| Some(pb::HiddenCell { cell: u32::try_from(cell).ok()?, offices }))
            .collect(),
    }
}

/// What figures have, for every cell; nothing where no figure has it.
fn column<T: Default>(cells: &[Cell], of: impl Fn(&Figure) -> Option<T>) -> Vec<T> {
    let each = || cells.iter().map(|cell| cell.figure.as_ref().and_then(&of));
    if each().any(|has| has.is_some()) { each().map(Option::unwrap_or_default).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use lango_privacy::Measure;
    use lango_statistics::Status;

    use super::*;

    fn sent(figure: Figure) -> pb::Table {
        let cells = vec![
            Cell { figure: Some(figure), status: Status::Normal },
            Cell { figure: None, status: Status::NotCollected },
        ];
        let axes = vec![Axis { dimension: "sex".into(), codes: vec!["F".into(), "M".into()] }];
        let hidden = [(1, vec!["GHA".to_owned()])].into();
        table(CombinedTable { measure: Measure::persons(), axes, cells, hidden })
    }

    #[test]
    fn a_table_travels_in_columns_with_zeros_where_there_is_no_figure() {
        let figure =
            Figure { value: -3.0, std_err: Some(2.5), lower: Some(-8.0), upper: Some(2.0), rank_error: None };
        let sent = sent(figure);
        assert_eq!((sent.values, sent.std_errs), (vec![-3.0, 0.0], vec![2.5, 0.0]));
        assert_eq!((sent.lower, sent.upper), (vec![-8.0, 0.0], vec![2.0, 0.0]));
        assert_eq!((sent.statuses, sent.axes[0].codes.len()), (vec!["A".into(), "L".into()], 2));
        assert_eq!(sent.rank_errors, [0u64; 0]);
        assert_eq!(sent.hidden, [pb::HiddenCell { cell: 1, offices: vec!["GHA".into()] }]);
    }

    #[test]
    fn chosen_quantiles_travel_with_the_bounds_of_their_ranks_and_without_intervals() {
        let chosen = Figure { value: 31.5, std_err: None, lower: None, upper: None, rank_error: Some(7) };
        let sent = sent(chosen);
        assert_eq!((sent.values, sent.rank_errors), (vec![31.5, 0.0], vec![7, 0]));
        assert_eq!((sent.std_errs.len(), sent.lower.len(), sent.upper.len()), (0, 0, 0));
    }
}
