//! Below what an office shows no figure: a rule on noisy figures, applied after the noise.

use std::{fmt, str::FromStr};

use crate::{Decimal, nano};

/// Which noisy figures are shown. It protects nobody, which the noise does: it keeps figures from being read that say little.
/// A figure that it cannot judge is not shown.
///
/// ```
/// use lango_privacy::ShownIf;
///
/// let rule: ShownIf = "count 20 relative_error 0.3".parse().map_err(|()| "no rule")?;
/// assert_eq!((rule.count(), rule.relative_error_nano()), (Some(20), Some(300_000_000)));
/// assert_eq!(rule.in_words(), "at least 20 are counted and the standard error is at most 0.3 of the figure");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShownIf {
    count: Option<u32>,
    relative_error_nano: Option<u64>,
}

impl ShownIf {
    /// A rule; `None` where it has neither part, or a part is zero: it would hide nothing, or everything.
    pub fn new(count: Option<u32>, relative_error_nano: Option<u64>) -> Option<Self> {
        let is_rule = (count.is_some() || relative_error_nano.is_some())
            && count != Some(0)
            && relative_error_nano != Some(0);
        is_rule.then_some(Self { count, relative_error_nano })
    }

    /// The least noisy count of what a figure is made of; of a share and of a histogram's bin, of all in its group.
    pub fn count(self) -> Option<u32> {
        self.count
    }

    /// The greatest standard error as billionths of the figure; of a share and of a histogram's bin, of the count of its group.
    pub fn relative_error_nano(self) -> Option<u64> {
        self.relative_error_nano
    }

    /// Whether a figure is shown that has this value and standard error and is made of this noisy count. What is not known of it
    /// is `None`.
    pub fn shows(self, count: Option<f64>, value_and_error: Option<(f64, f64)>) -> bool {
        let counted = self.count.is_none_or(|least| count.is_some_and(|count| count >= f64::from(least)));
        let precise = self.relative_error_nano.is_none_or(|most| {
            value_and_error.is_some_and(|(value, error)| error <= most as f64 / 1e9 * value.abs())
        });
        counted && precise
    }

    /// The rule for people, after "shown if".
    pub fn in_words(self) -> String {
        let count = self.count.map(|count| format!("at least {count} are counted"));
        let error = self
            .relative_error_nano
            .map(|most| format!("the standard error is at most {} of the figure", nano(most)));
        count.into_iter().chain(error).collect::<Vec<_>>().join(" and ")
    }
}

impl fmt::Display for ShownIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count.map(|count| format!("count {count}"));
        let error = self.relative_error_nano.map(|most| format!("relative_error {}", nano(most)));
        f.write_str(&count.into_iter().chain(error).collect::<Vec<_>>().join(" "))
    }
}

impl FromStr for ShownIf {
    type Err = ();

    /// Reads what [`Display`](fmt::Display) writes, and nothing else.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (mut count, mut relative_error_nano) = (None, None);
        let mut words = text.split(' ');
        while let Some(word) = words.next() {
            let value = words.next().ok_or(())?;
            match word {
                "count" => count = Some(value.parse().map_err(|_| ())?),
                "relative_error" => {
                    let nano = Decimal::minimal(value).and_then(|decimal| decimal.scaled(9)).ok_or(())?;
                    relative_error_nano = Some(u64::try_from(nano).map_err(|_| ())?);
                }
                _ => return Err(()),
            }
        }
        Self::new(count, relative_error_nano).filter(|rule| rule.to_string() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_in_one_way() {
        for text in ["count 1", "count 20", "relative_error 0.25", "count 20 relative_error 1.5"] {
            assert_eq!(text.parse::<ShownIf>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "count",
            "count 0",
            "count +1",
            "count 01",
            "count 20 ",
            "count 20  relative_error 0.3",
            "count 20 count 20",
            "relative_error 0",
            "relative_error -0.1",
            "relative_error 0.30",
            "relative_error 0.0000000001",
            "relative_error 0.3 count 20",
            "most 3",
        ] {
            assert_eq!(text.parse::<ShownIf>(), Err(()), "{text:?}");
        }
    }

    #[test]
    fn a_figure_is_shown_that_keeps_every_part_of_the_rule() {
        let both: ShownIf = "count 20 relative_error 0.5".parse().unwrap();
        assert!(both.shows(Some(20.0), Some((-20.0, 10.0))));
        assert!(!both.shows(Some(19.9), Some((20.0, 1.0))), "too few");
        assert!(!both.shows(Some(20.0), Some((19.9, 10.0))), "too imprecise");
        assert!(!both.shows(None, Some((20.0, 1.0))) && !both.shows(Some(20.0), None), "not to be judged");
        let count: ShownIf = "count 1".parse().unwrap();
        assert!(count.shows(Some(1.0), None) && !count.shows(Some(0.0), None));
        let error: ShownIf = "relative_error 100".parse().unwrap();
        assert!(!error.shows(None, Some((0.0, 1.0))), "no error is a share of nothing");
    }
}
