//! Trials: questions written into the policy with the decision that its administrator expects.

use std::collections::BTreeMap;

use lango_document::{Diagnostic, DiagnosticCode, TextPlace};
use lango_principal::{SpiffeError, SpiffeId};
use lango_privacy::{Dataset, Decimal, Filter, Margin, Measure, Name, Price, Query};
use time::Date;
use toml::Spanned;

use crate::{
    denial::{AccessRequest, Denial},
    file::TestTable,
    grant::Grant,
    within::In,
};

/// A `[[test]]` of a policy file.
#[derive(Debug, Clone)]
pub struct Trial {
    /// As written.
    pub written: String,
    /// Where it says what is expected.
    pub place: TextPlace,
    query: Query,
    principal: SpiffeId,
    purpose: Option<String>,
    on: Option<Date>,
    expected: Expected,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    Allow { grant: Option<String> },
    Deny { code: Option<String> },
}

/// A trial, and how the policy decided it.
#[derive(Debug)]
pub struct Tried<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// The grant that allows the question; or why it is denied, and by which rule, if by one.
    pub decision: Result<&'a Grant, Denial>,
    /// What is wrong, where its author expects otherwise.
    pub failure: Option<Diagnostic>,
}

/// A trial that was decided otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("test `{query}` expects `{expected}` and got `{found}`")]
pub struct TrialFailure {
    /// The question as written.
    pub query: String,
    /// What its author expects.
    pub expected: String,
    /// What the policy decides.
    pub found: String,
}

impl In<'_> {
    /// A trial of these datasets. It is read, not run.
    pub(crate) fn trial(
        &self,
        table: &Spanned<TestTable>,
        datasets: &BTreeMap<Name, Dataset>,
    ) -> Option<Trial> {
        let test = table.get_ref();
        let dataset = match (&test.dataset, datasets.keys().collect::<Vec<_>>().as_slice()) {
            (Some(name), _) => self.name(name),
            (None, [only]) => Some((*only).clone()),
            // That there is none is said already.
            (None, []) => None,
            (None, _) => {
                let words = ("there are several datasets", "say which one with `dataset`");
                self.refuse(DiagnosticCode::TestUnread, table, words)
            }
        };
        let epsilon = test.epsilon.as_ref().map(|epsilon| epsilon.0.clone());
        let epsilon = epsilon.or_else(|| Decimal::minimal("0.000000001"));
        let asked = read_query(test.query.get_ref()).or_else(|| {
            let message = "a test's query reads `MEASURE by D1, D2 where CONDITION and CONDITION`";
            self.refuse(DiagnosticCode::TestUnread, &test.query, message)
        });
        let expected = Expected::read(test.expect.get_ref()).or_else(|| {
            let message = "expected `allow`, `allow: GRANT`, `deny` or `deny: CODE`";
            self.refuse(DiagnosticCode::TestUnread, &test.expect, message)
        });
        let principal = test.principal.get_ref().parse().map_or_else(
            |error: SpiffeError| self.refuse(DiagnosticCode::Principal, &test.principal, error.to_string()),
            Some,
        );
        let (measure, margin, filters) = asked?;
        Some(Trial {
            written: test.query.get_ref().clone(),
            place: self.reader.place(test.expect.span()),
            query: Query {
                dataset: dataset?,
                version: None,
                measures: [(measure, [margin].into())].into(),
                filters,
                price: Price::Epsilon(epsilon?),
            },
            principal: principal?,
            purpose: test.purpose.clone(),
            on: test.on.map(|on| on.0),
            expected: expected?,
        })
    }
}

impl Trial {
    /// What its author expects, as written: `allow: GRANT`, `deny: CODE`.
    pub fn expected(&self) -> String {
        self.expected.to_string()
    }

    /// Decides the question, and holds it against what its author expects.
    pub(crate) fn run<'a>(
        &'a self,
        decide: &dyn Fn(&AccessRequest<'_>, &Query) -> Result<&'a Grant, Denial>,
    ) -> Tried<'a> {
        let asked = AccessRequest {
            principal: &self.principal,
            purpose: self.purpose.as_deref(),
            on: self.on,
            epsilon_nano: None,
        };
        let decision = decide(&asked, &self.query);
        let failure = (!self.expected.is(&decision)).then(|| self.failed(&decision));
        Tried { trial: self, decision, failure }
    }

    fn failed(&self, decision: &Result<&Grant, Denial>) -> Diagnostic {
        let found = match decision {
            Ok(grant) => format!("allow: {}", grant.id),
            Err(denial) => format!("deny: {}", denial.code()),
        };
        let failure =
            TrialFailure { query: self.written.clone(), expected: self.expected.to_string(), found };
        let help = "change the policy, or what the test expects";
        Diagnostic::error(DiagnosticCode::TestFails, self.place.clone(), (failure.to_string(), help))
    }
}

impl Expected {
    fn read(text: &str) -> Option<Self> {
        let (word, rest) =
            text.split_once(':').map_or((text, None), |(word, rest)| (word, Some(rest.trim().to_owned())));
        match word.trim() {
            "allow" => Some(Self::Allow { grant: rest }),
            "deny" => Some(Self::Deny { code: rest }),
            _ => None,
        }
    }

    fn is(&self, found: &Result<&Grant, Denial>) -> bool {
        match (self, found) {
            (Self::Allow { grant }, Ok(granted)) => grant.as_ref().is_none_or(|id| *id == granted.id),
            (Self::Deny { code }, Err(denial)) => {
                code.as_ref().is_none_or(|code| code == denial.code().as_str())
            }
            (Self::Allow { .. }, Err(_)) | (Self::Deny { .. }, Ok(_)) => false,
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, detail) = match self {
            Self::Allow { grant } => ("allow", grant),
            Self::Deny { code } => ("deny", code),
        };
        match detail {
            Some(detail) => write!(f, "{word}: {detail}"),
            None => f.write_str(word),
        }
    }
}

/// `MEASURE by D1, D2 where CONDITION and CONDITION`; `by` and `where` may be absent.
fn read_query(text: &str) -> Option<(Measure, Margin, Vec<Filter>)> {
    let (rest, conditions) =
        text.split_once(" where ").map_or((text, None), |(rest, conditions)| (rest, Some(conditions)));
    let (measure, dimensions) =
        rest.split_once(" by ").map_or((rest, None), |(measure, names)| (measure, Some(names)));
    let names =
        dimensions.into_iter().flat_map(|names| names.split(',')).map(|name| name.trim().parse::<Name>());
    let margin = Margin::new(names.collect::<Result<Vec<_>, _>>().ok()?);
    let filters = conditions.into_iter().flat_map(|conditions| conditions.split(" and "));
    let filters =
        filters.map(|condition| condition.trim().parse::<Filter>()).collect::<Result<Vec<_>, _>>().ok()?;
    Some((measure.trim().parse().ok()?, margin, filters))
}
