//! Coverage and tables as they travel.

use lango_statistics::{Absent, Axis, Cell, Coverage, Figure, Table};
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

/// A table in columns. A cell without figure has zeros; its status tells.
pub(crate) fn table(table: Table) -> pb::Table {
    let axis = |axis: Axis| pb::Axis { dimension: axis.dimension, codes: axis.codes };
    let mut columns = pb::Table {
        measure: table.measure,
        axes: table.axes.into_iter().map(axis).collect(),
        ..pb::Table::default()
    };
    const NOTHING: Figure = Figure { value: 0, std_err: 0.0, lower: 0, upper: 0 };
    for Cell { figure, status } in table.cells {
        let Figure { value, std_err, lower, upper } = figure.unwrap_or(NOTHING);
        columns.values.push(value);
        columns.std_errs.push(std_err);
        columns.lower.push(lower);
        columns.upper.push(upper);
        columns.statuses.push(status.code().to_owned());
    }
    columns
}

#[cfg(test)]
mod tests {
    use lango_statistics::Status;

    use super::*;

    #[test]
    fn a_table_travels_in_columns_with_zeros_where_there_is_no_figure() {
        let figure = Figure { value: -3, std_err: 2.5, lower: -8, upper: 2 };
        let cells = vec![
            Cell { figure: Some(figure), status: Status::Normal },
            Cell { figure: None, status: Status::NotCollected },
        ];
        let axes = vec![Axis { dimension: "sex".into(), codes: vec!["F".into(), "M".into()] }];
        let sent = table(Table { measure: "persons".into(), axes, cells });
        assert_eq!((sent.values, sent.std_errs), (vec![-3, 0], vec![2.5, 0.0]));
        assert_eq!((sent.lower, sent.upper), (vec![-8, 0], vec![2, 0]));
        assert_eq!((sent.statuses, sent.axes[0].codes.len()), (vec!["A".into(), "L".into()], 2));
    }
}
