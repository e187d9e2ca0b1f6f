//! Trials: questions written into the policy with the decision that its administrator expects.

use std::{collections::BTreeMap, str::FromStr};

use lango_document::{DocumentError, Position};
use lango_principal::{SpiffeError, SpiffeId};
use lango_privacy::{Dataset, Decimal, Filter, Margin, Measure, Name, Price, Query};
use time::Date;
use toml::Spanned;

use crate::{
    authorize::{AccessRequest, Denial, Granted},
    file::TestTable,
    within::In,
};

/// A `[[test]]` of a policy file.
#[derive(Debug, Clone)]
pub struct Trial {
    /// As written.
    pub written: String,
    /// Where it stands.
    pub file: String,
    /// Where in the file.
    pub at: Option<Position>,
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
    ) -> Result<Trial, DocumentError> {
        let test = table.get_ref();
        let dataset = match (&test.dataset, datasets.keys().collect::<Vec<_>>().as_slice()) {
            (Some(name), _) => {
                Name::from_str(name.get_ref()).map_err(|error| self.error(name, error.to_string()))?
            }
            (None, [only]) => (*only).clone(),
            (None, _) => {
                return Err(self.error(table, "there are several datasets: say which one with `dataset`"));
            }
        };
        let least = || Decimal::minimal("0.000000001");
        let epsilon = test.epsilon.as_ref().map(|epsilon| epsilon.0.clone()).or_else(least);
        let unread = || {
            self.error(&test.query, "a test's query reads `MEASURE by D1, D2 where CONDITION and CONDITION`")
        };
        let query =
            read_query(dataset, test.query.get_ref(), epsilon.ok_or_else(unread)?).ok_or_else(unread)?;
        let expected = Expected::read(test.expect.get_ref());
        let unexpected =
            || self.error(&test.expect, "expected `allow`, `allow: GRANT`, `deny` or `deny: CODE`");
        let position = self.error(table, "").at;
        let principal = test.principal.get_ref().parse();
        let principal =
            principal.map_err(|error: SpiffeError| self.error(&test.principal, error.to_string()))?;
        Ok(Trial {
            written: test.query.get_ref().clone(),
            file: self.error(table, "").file,
            at: position,
            query,
            principal,
            purpose: test.purpose.clone(),
            on: test.on,
            expected: expected.ok_or_else(unexpected)?,
        })
    }
}

impl Trial {
    /// Whether the question is decided as its author expects.
    pub(crate) fn run<'a>(
        &self,
        decide: &dyn Fn(&AccessRequest<'_>, &Query) -> Result<Granted<'a>, Denial>,
    ) -> Result<(), DocumentError> {
        let asked = AccessRequest {
            principal: &self.principal,
            purpose: self.purpose.as_deref(),
            on: self.on,
            epsilon_nano: None,
        };
        let found = decide(&asked, &self.query);
        if self.expected.is(&found) {
            return Ok(());
        }
        let found = match found {
            Ok(granted) => format!("allow: {}", granted.grant.id),
            Err(denial) => format!("deny: {}", denial.code()),
        };
        let failure =
            TrialFailure { query: self.written.clone(), expected: self.expected.to_string(), found };
        Err(DocumentError { file: self.file.clone(), at: self.at, message: failure.to_string() })
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

    fn is(&self, found: &Result<Granted<'_>, Denial>) -> bool {
        match (self, found) {
            (Self::Allow { grant }, Ok(granted)) => grant.as_ref().is_none_or(|id| *id == granted.grant.id),
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
fn read_query(dataset: Name, text: &str, epsilon: Decimal) -> Option<Query> {
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
    let measure: Measure = measure.trim().parse().ok()?;
    Some(Query {
        dataset,
        version: None,
        measures: [(measure, [margin].into())].into(),
        filters,
        price: Price::Epsilon(epsilon),
    })
}
