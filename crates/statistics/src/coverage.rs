//! Who was asked, who answered, who refused, who is missing.

use std::collections::HashMap;

/// How one office responded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its release is in the tables.
    Answered,
    /// It refused, for this stable reason, and signed that.
    Refused(String),
    /// It did not answer, for this stable reason.
    Missing(String),
}

/// Everyone asked, in the order of asking, each in exactly one of the other three.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Everyone asked.
    pub asked: Vec<String>,
    /// Those whose releases are in the tables.
    pub answered: Vec<String>,
    /// Those who refused.
    pub refused: Vec<Absent>,
    /// Those who did not answer.
    pub missing: Vec<Absent>,
}

/// One office that has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The office.
    pub office: String,
    /// The stable reason.
    pub reason: String,
}

/// Why outcomes are no coverage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoverageError {
    /// One office is asked twice.
    #[error("{0} is asked twice")]
    AskedTwice(String),
    /// One office has two outcomes.
    #[error("{0} has two outcomes")]
    OutcomeTwice(String),
    /// An outcome of an office that was not asked.
    #[error("{0} was not asked")]
    NotAsked(String),
    /// An asked office without outcome.
    #[error("{0} was asked and has no outcome")]
    NoOutcome(String),
}

impl Coverage {
    /// The coverage of these offices, each of which must have exactly one outcome; outcomes may be in any order.
    pub fn new(
        asked: impl IntoIterator<Item = String>,
        outcomes: impl IntoIterator<Item = (String, Outcome)>,
    ) -> Result<Self, CoverageError> {
        let mut by_office = HashMap::new();
        for (office, outcome) in outcomes {
            if by_office.contains_key(&office) {
                return Err(CoverageError::OutcomeTwice(office));
            }
            by_office.insert(office, outcome);
        }
        let mut coverage = Self::default();
        for office in asked {
            if coverage.asked.contains(&office) {
                return Err(CoverageError::AskedTwice(office));
            }
            match by_office.remove(&office) {
                None => return Err(CoverageError::NoOutcome(office)),
                Some(Outcome::Answered) => coverage.answered.push(office.clone()),
                Some(Outcome::Refused(reason)) => {
                    coverage.refused.push(Absent { office: office.clone(), reason });
                }
                Some(Outcome::Missing(reason)) => {
                    coverage.missing.push(Absent { office: office.clone(), reason });
                }
            }
            coverage.asked.push(office);
        }
        by_office.into_keys().next().map_or(Ok(coverage), |office| Err(CoverageError::NotAsked(office)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_office_asked_has_exactly_one_outcome() {
        let refused = || Outcome::Refused("budget".into());
        let missing = || Outcome::Missing("deadline".into());
        let absent = |office: &str, reason: &str| Absent { office: office.into(), reason: reason.into() };
        let whole = Coverage {
            asked: ["GHA", "BEN", "TGO"].map(String::from).into(),
            answered: vec!["GHA".into()],
            refused: vec![absent("TGO", "budget")],
            missing: vec![absent("BEN", "deadline")],
        };
        let name = String::from;
        for (asked, outcomes, expected) in [
            (
                vec!["GHA", "BEN", "TGO"],
                vec![("TGO", refused()), ("BEN", missing()), ("GHA", Outcome::Answered)],
                Ok(whole),
            ),
            (vec![], vec![], Ok(Coverage::default())),
            (vec!["GHA"], vec![], Err(CoverageError::NoOutcome(name("GHA")))),
            (vec![], vec![("GHA", refused())], Err(CoverageError::NotAsked(name("GHA")))),
            (
                vec!["GHA"],
                vec![("GHA", refused()), ("GHA", missing())],
                Err(CoverageError::OutcomeTwice(name("GHA"))),
            ),
            (vec!["GHA", "GHA"], vec![("GHA", refused())], Err(CoverageError::AskedTwice(name("GHA")))),
        ] {
            let outcomes = outcomes.into_iter().map(|(office, outcome)| (name(office), outcome));
            assert_eq!(Coverage::new(asked.into_iter().map(name), outcomes), expected);
        }
    }
}
