//! A column of numbers as SQL reads it: whole numbers of the policy's scale, on the table itself or in the bounded rows.

use lango_privacy::Range;

use super::{AccessPath, Binds, ColumnType, Dialect, Exact, text::Stored};

/// Stands in the bounded rows for what is present and no number, where a column may hold such a thing; no other value there is as
/// low.
const NO_NUMBER: i64 = i64::MIN;

/// The expressions of a column of numbers.
pub(super) struct Number {
    /// The whole number; NULL where there is none.
    pub(super) value: String,
    /// That something is present and is no number; `None` where the type rules that out.
    pub(super) undeclared: Option<String>,
    /// Whether `value` costs little more than reading the column.
    plain: bool,
}

impl Number {
    /// As the rows are read.
    pub(super) fn of(stored: Stored<'_>, access: AccessPath<'_>, binds: &mut Binds) -> Self {
        match access {
            AccessPath::Direct(_) => Self::on_table(stored, binds),
            AccessPath::Bounded { .. } => {
                let quoted = stored.dialect.quoted(stored.name.as_str());
                if !stored.kind().may_hold_no_number() {
                    return Self { value: quoted, undeclared: None, plain: true };
                }
                let none = stored.dialect.whole(NO_NUMBER);
                let undeclared = Some(format!("{quoted} = {none}"));
                Self { value: format!("NULLIF({quoted}, {none})"), undeclared, plain: false }
            }
        }
    }

    /// On the table itself.
    pub(super) fn on_table(stored: Stored<'_>, binds: &mut Binds) -> Self {
        let Stored { dialect, column, .. } = stored;
        let (plain, kind) = (stored.plain(), stored.kind());
        let scale = column.range().map_or(0, |range| range.scale);
        let mut number = if is_exact(kind, scale) {
            Self { value: dialect.number(plain, kind), undeclared: None, plain: true }
        } else {
            let plain = &stored.short(plain.to_owned());
            let Exact { mut is_there, decimal, mut undeclared } = dialect.exact(plain, kind);
            if kind.is_text()
                && let Some(missing) =
                    stored.missing_among(&dialect.trimmed(&dialect.text(plain, kind)), binds)
            {
                is_there = format!("{is_there} AND NOT ({missing})");
                undeclared = undeclared.map(|undeclared| format!("{undeclared} AND NOT ({missing})"));
            }
            let rounded = dialect.as_number(&rounded(&decimal, scale));
            Self { value: format!("CASE WHEN {is_there} THEN {rounded} END"), undeclared, plain: false }
        };
        let missing: Vec<String> =
            column.missing_numbers().into_iter().map(|number| dialect.whole(number)).collect();
        if !missing.is_empty() {
            let value = &number.value;
            number.value = format!("CASE WHEN {value} NOT IN ({}) THEN {value} END", missing.join(", "));
        }
        number
    }

    /// In the bounded rows' normal form.
    pub(super) fn normal(&self, dialect: &dyn Dialect) -> String {
        match &self.undeclared {
            Some(undeclared) => {
                format!("CASE WHEN {undeclared} THEN {} ELSE {} END", dialect.whole(NO_NUMBER), self.value)
            }
            None => self.value.clone(),
        }
    }

    /// In the row order.
    pub(super) fn ordered(&self, dialect: &dyn Dialect) -> String {
        let decimal = dialect.decimal(&self.value);
        match &self.undeclared {
            Some(undeclared) => format!("CASE WHEN {undeclared} THEN '_O' ELSE {decimal} END"),
            None => decimal,
        }
    }

    /// The value, clamped to a range.
    pub(super) fn clamped(&self, dialect: &dyn Dialect, range: &Range) -> String {
        let (value, low, high) = (&self.value, dialect.whole(range.low), dialect.whole(range.high));
        if self.plain {
            return format!(
                "CASE WHEN {value} < {low} THEN {low} WHEN {value} > {high} THEN {high} ELSE {value} END"
            );
        }
        // Of NULL and a number some engines take the number. No server sends this to another, as it does what stands above.
        format!("CASE WHEN {value} IS NOT NULL THEN GREATEST(LEAST({value}, {high}), {low}) END")
    }

    /// That there is neither a number nor anything else.
    pub(super) fn is_missing(&self) -> String {
        match &self.undeclared {
            Some(undeclared) => format!("({} IS NULL AND ({undeclared}) IS NOT TRUE)", self.value),
            None => format!("{} IS NULL", self.value),
        }
    }

    /// That a value is present and not between two bounds, or no number.
    pub(super) fn is_outside(&self, low: &str, high: &str) -> String {
        let outside = format!("{} NOT BETWEEN {low} AND {high}", self.value);
        match &self.undeclared {
            Some(undeclared) => format!("({outside} OR ({undeclared}) IS TRUE)"),
            None => outside,
        }
    }
}

/// Whether a column's values are whole numbers of a scale as they stand.
pub(super) fn is_exact(kind: ColumnType, scale: u32) -> bool {
    match kind {
        ColumnType::Integer | ColumnType::Unsigned => scale == 0,
        ColumnType::Decimal(decimals) => decimals == scale,
        ColumnType::Numeric
        | ColumnType::Float
        | ColumnType::Text { .. }
        | ColumnType::Day
        | ColumnType::Moment
        | ColumnType::Word => false,
    }
}

/// A decimal in units of `10^-scale`, rounded half to even; past 63 bits the nearest that there is, up to its sign.
///
/// Of a tie `round` takes the number that is further from 0: the one that is even where the whole part is odd.
fn rounded(decimal: &str, scale: u32) -> String {
    let digits = format!("{:0>width$}", i64::MAX, width = scale as usize + 1);
    let (whole, part) = digits.split_at_checked(digits.len() - scale as usize).unwrap_or((&digits, ""));
    let most = if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") };
    let units = format!("(GREATEST(LEAST({decimal}, {most}), -{most}) * {})", 10_u64.saturating_pow(scale));
    format!(
        "CASE MOD({units}, 2) WHEN 0.5 THEN {units} - 0.5 WHEN -0.5 THEN {units} + 0.5 ELSE ROUND({units}) END"
    )
}
