//! The arguments of each refusal: what its words are made from. `case` distinguishes refusals of one code.

use lango_policy::DenialReason;
use lango_privacy::{LossError, PlanRefusal, QueryError};

use super::{AdministrationFault, Arguments, BudgetFault, Refusal, ReviewFault, TimeFault};
use crate::question::FieldFault;

impl Refusal {
    /// The facts of the refusal.
    pub fn arguments(&self) -> Arguments {
        match self {
            Self::Role(role) => of([("role", role.to_string())]),
            Self::Malformed(malformed) => fault(malformed.field, malformed.fault),
            Self::Query(error) => query(error),
            Self::Confidence(error) => case("confidence", [("found", error.found().to_owned())]),
            Self::NotAddressed(office) => of([("office", office.to_string())]),
            Self::Time(TimeFault::Future { now, issued_at }) => {
                case("future", [("now", now.to_string()), ("issued_at", issued_at.to_string())])
            }
            Self::Time(TimeFault::Expired) => case("expired", []),
            Self::Time(TimeFault::Life { life_s_max }) => {
                case("life", [("life_s_max", life_s_max.to_string())])
            }
            Self::TooManyRequests { wait } => of([("retry_after_s", wait.as_secs_f64().ceil().to_string())]),
            Self::Denied(denial) => denied(&denial.reason),
            Self::PriceNotOfGrant(grant) => case("grant", [("grant", grant.clone())]),
            Self::Plan(refusal) => plan(refusal),
            Self::VersionGone(version) => case("gone", [("version", version.clone())]),
            Self::AnswerTooLarge { bytes, bytes_max } => {
                case("bytes", [("bytes", bytes.to_string()), ("bytes_max", bytes_max.to_string())])
            }
            Self::TablesTooLarge => case("tables", []),
            Self::Budget(fault) => budget(fault),
            Self::Review(fault) => review(fault),
            Self::Administration(fault) => administration(fault),
            // Who refuses is signed beside the facts.
            Self::DatasetNotOpen { office: _, dataset, principal } => {
                case("not-open", [("dataset", dataset.clone()), ("principal", principal.clone())])
            }
            Self::QuantilePerOffice { measure, column } => {
                of([("measure", measure.to_string()), ("column", column.to_string())])
            }
            Self::RequestIdReused
            | Self::Published
            | Self::NotAuditor
            | Self::ReleaseUnknown
            | Self::Unavailable => of([]),
        }
    }
}

fn of<const N: usize>(facts: [(&str, String); N]) -> Arguments {
    Arguments::new(facts)
}

fn case<const N: usize>(word: &str, facts: [(&str, String); N]) -> Arguments {
    Arguments::new([("case", word.to_owned())].into_iter().chain(facts))
}

fn fault(field: &str, fault: FieldFault) -> Arguments {
    let field = ("field", field.to_owned());
    match fault {
        FieldFault::Bytes { expected, found } => {
            case(fault.word(), [field, ("expected", expected.to_string()), ("found", found.to_string())])
        }
        FieldFault::NotThisMessage
        | FieldFault::Encoding
        | FieldFault::Version
        | FieldFault::Missing
        | FieldFault::Mode
        | FieldFault::ModeTwoOnly
        | FieldFault::Purpose
        | FieldFault::NotTheRegion
        | FieldFault::NotTheCertificates
        | FieldFault::Audience
        | FieldFault::Object
        | FieldFault::DescribeOnly
        | FieldFault::ReleaseOnly
        | FieldFault::Account
        | FieldFault::Page
        | FieldFault::Word => case(fault.word(), [field]),
    }
}

fn review(fault: &ReviewFault) -> Arguments {
    match fault {
        ReviewFault::Waiting { review } | ReviewFault::Held { review } => of([("review", review.clone())]),
        ReviewFault::Rejected { review, why } | ReviewFault::Withheld { review, why } if why.is_empty() => {
            case("unsaid", [("review", review.clone())])
        }
        ReviewFault::Rejected { review, why } | ReviewFault::Withheld { review, why } => {
            case("why", [("review", review.clone()), ("why", why.clone())])
        }
        ReviewFault::Full { most } => of([("most", most.to_string())]),
    }
}

fn administration(fault: &AdministrationFault) -> Arguments {
    match fault {
        AdministrationFault::NotAdministrator
        | AdministrationFault::Done
        | AdministrationFault::ReviewUnknown
        | AdministrationFault::OwnQuestion
        | AdministrationFault::SignedAlready => of([]),
        AdministrationFault::ReviewStep { from, step } => {
            of([("from", (*from).to_owned()), ("step", (*step).to_owned())])
        }
        AdministrationFault::ReviewLapses { why } => of([("why", (*why).to_owned())]),
        AdministrationFault::PolicyNotWaiting { waiting: None } => case("none", []),
        AdministrationFault::PolicyNotWaiting { waiting: Some(waiting) } => {
            case("other", [("waiting", waiting.clone())])
        }
    }
}

fn query(error: &QueryError) -> Arguments {
    let at = |line: &usize| ("line", line.to_string());
    match error {
        QueryError::Unexpected { line, expected, found } => {
            let word = format!("query-{}", expected.word());
            case(&word, [at(line), ("found", found.clone())])
        }
        QueryError::Word { line, error } => {
            let word = match error {
                lango_privacy::NameError::Name(_) => "query-name",
                lango_privacy::NameError::Code(_) => "query-code",
            };
            case(word, [at(line), ("found", error.found().to_owned())])
        }
        QueryError::Measure { line, error } => {
            case("query-no-measure", [at(line), ("found", error.found().to_owned())])
        }
        QueryError::MeasureTwice { line, measure } => {
            case("query-measure-twice", [at(line), ("measure", measure.clone())])
        }
        QueryError::TooMany { line, what, most } => {
            case("query-too-many", [at(line), ("what", (*what).to_owned()), ("most", most.to_string())])
        }
        QueryError::Office { line } => case("query-office", [at(line)]),
        QueryError::PriceOnNothing { line } => case("query-price-on-nothing", [at(line)]),
        QueryError::NotCanonical { canonical } => {
            case("query-not-canonical", [("canonical", canonical.clone())])
        }
    }
}

fn denied(reason: &DenialReason) -> Arguments {
    match reason {
        DenialReason::DatasetUnknown { office: _, dataset } => {
            case("none", [("dataset", dataset.to_string())])
        }
        DenialReason::Forbidden { rule } => of([("rule", rule.clone())]),
        DenialReason::PrincipalNotGranted { dataset, principal } => {
            of([("dataset", dataset.to_string()), ("principal", principal.clone())])
        }
        DenialReason::PurposeNotGranted(purpose) => of([("purpose", purpose.clone())]),
        DenialReason::GrantNotValid(valid) => {
            of([("from", valid.from.to_string()), ("until", valid.until.to_string())])
        }
        DenialReason::MeasureNotGranted(measure) => of([("measure", measure.to_string())]),
        DenialReason::DimensionNotGranted(dimension) => of([("dimension", dimension.to_string())]),
        DenialReason::FilterNotGranted(column) => of([("column", column.to_string())]),
        DenialReason::TooManyDimensions { asked, granted } => {
            case("grant", [("asked", asked.to_string()), ("granted", granted.to_string())])
        }
        DenialReason::EpsilonPerQuery { epsilon, granted } => {
            case("above", [("epsilon", epsilon.clone()), ("granted", granted.clone())])
        }
    }
}

fn plan(refusal: &PlanRefusal) -> Arguments {
    match refusal {
        PlanRefusal::UnitsNot { asked, units } => {
            of([("asked", asked.to_string()), ("units", units.to_string())])
        }
        PlanRefusal::NotNumbers(column)
        | PlanRefusal::NoBins(column)
        | PlanRefusal::NoCandidates(column)
        | PlanRefusal::Quantile(column)
        | PlanRefusal::ShareByItself(column)
        | PlanRefusal::KeysOf(column)
        | PlanRefusal::DeltaNotGranted(column)
        | PlanRefusal::Column(column)
        | PlanRefusal::NotADimension(column)
        | PlanRefusal::Filter(column) => of([("column", column.to_string())]),
        PlanRefusal::Overflow { measure, rows_below, magnitude } => of([
            ("measure", measure.to_string()),
            ("rows_below", rows_below.to_string()),
            ("magnitude", magnitude.to_string()),
        ]),
        PlanRefusal::PrecisionNot(measure) => of([("measure", measure.to_string())]),
        PlanRefusal::Margins(measure) => case("measure", [("measure", measure.to_string())]),
        PlanRefusal::MarginsInAll(margins) => case("in-all", [("margins", margins.to_string())]),
        PlanRefusal::Measures(measures) => of([("measures", measures.to_string())]),
        PlanRefusal::Searches(searches) => of([("searches", searches.to_string())]),
        PlanRefusal::Selections { selections, weighed } => {
            of([("selections", selections.to_string()), ("weighed", weighed.to_string())])
        }
        PlanRefusal::Memory(bytes) => of([("bytes", bytes.to_string())]),
        PlanRefusal::Layout(bytes) => case("layout", [("bytes", bytes.to_string())]),
        PlanRefusal::PrecisionOutOfReach => case("out-of-reach", []),
        PlanRefusal::Precision => case("precision", []),
        PlanRefusal::Epsilon | PlanRefusal::Loss(LossError::Range) => case("range", []),
        PlanRefusal::Loss(LossError::Conversion(epsilon)) => {
            case("conversion", [("epsilon", epsilon.clone())])
        }
        PlanRefusal::TooThin(margins) => case("too-thin", [("margins", margins.to_string())]),
        PlanRefusal::TooNoisy(measure) => case("too-noisy", [("measure", measure.to_string())]),
        PlanRefusal::Dimensions => case("plan", []),
        PlanRefusal::Cells(cells) => case("cells", [("cells", cells.to_string())]),
        PlanRefusal::Integers(integers) => case("integers", [("integers", integers.to_string())]),
        PlanRefusal::Version { asked, live } => {
            case("asked", [("asked", asked.to_string()), ("live", live.to_string())])
        }
    }
}

fn budget(fault: &BudgetFault) -> Arguments {
    let (word, dataset, grant, amounts) = match fault {
        BudgetFault::Exceeded { dataset, grant, left, limit, price } => {
            ("exceeded", dataset, grant, vec![("left", left), ("limit", limit), ("price", price)])
        }
        BudgetFault::NotPure { dataset, grant } => ("not-pure", dataset, grant, Vec::new()),
        BudgetFault::Delta { dataset, grant } => ("delta", dataset, grant, Vec::new()),
    };
    let (holder, grant) = match grant {
        None => ("pool", None),
        Some(grant) => ("grant", Some(("grant", grant))),
    };
    let amounts = amounts.into_iter().chain(grant).map(|(name, value)| (name, value.clone()));
    let fixed = [("case", format!("{holder}-{word}")), ("dataset", dataset.clone())];
    Arguments::new(fixed.into_iter().chain(amounts))
}
