//! What ledgers print.

/// What a part of a whole is, as a bar of ten and in percent.
pub(super) fn bar(part: u64, whole: u64) -> String {
    let of = |steps: u64| {
        (u128::from(part) * u128::from(steps)).div_ceil(u128::from(whole.max(1))).min(u128::from(steps))
    };
    let full = of(10) as usize;
    format!("{}{} {:>3} %", "█".repeat(full), "░".repeat(10 - full), of(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_where_nothing_is_left_and_empty_where_nothing_is_used() {
        for (part, whole, expected) in [
            (0, 10, "░░░░░░░░░░   0 %"),
            (1, 1_000, "█░░░░░░░░░   1 %"),
            (5, 10, "█████░░░░░  50 %"),
            (10, 10, "██████████ 100 %"),
            (11, 10, "██████████ 100 %"),
            (0, 0, "░░░░░░░░░░   0 %"),
        ] {
            assert_eq!(bar(part, whole), expected);
        }
    }
}
