//! Every refusal with its code, its status and its arguments; and that there are words for each.

use std::collections::BTreeSet;

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};
use lango_identity::Envelope;
use lango_policy::{Denial, DenialReason};
use lango_privacy::{Level, LossError, NameError, Query, QueryPart};
use tonic_types::StatusExt;

use super::*;
use crate::{
    question::FieldFault,
    status::{reason, refusal_envelope, refusal_facts, retry_after, unauthenticated},
    words::{ENGLISH, Language},
};

fn name(name: &str) -> Name {
    name.parse().unwrap()
}

/// One refusal of every variant, and of every case of one.
fn every() -> Vec<Refusal> {
    let measure: Measure = "quantile(age,0.5)".parse().unwrap();
    let malformed = |fault| Refusal::Malformed(Malformed { field: "mode", fault });
    let denied = |reason| Refusal::Denied(Denial { reason, rule: None });
    let unread: QueryError = "lango-query 1\ndataset d\nmeasure x(\nby\n".parse::<Query>().unwrap_err();
    let confidence = "2".parse::<Level>().unwrap_err();
    let (text, grant) = (|| "x".to_owned(), || Some("g".to_owned()));
    let faults = [
        FieldFault::NotThisMessage,
        FieldFault::Encoding,
        FieldFault::Version,
        FieldFault::Bytes { expected: 1, found: 2 },
        FieldFault::Missing,
        FieldFault::Mode,
        FieldFault::ModeTwoOnly,
        FieldFault::Purpose,
        FieldFault::NotTheRegion,
        FieldFault::NotTheCertificates,
        FieldFault::Audience,
        FieldFault::Object,
        FieldFault::DescribeOnly,
        FieldFault::ReleaseOnly,
        FieldFault::Account,
        FieldFault::Page,
        FieldFault::Word,
    ];
    let unexpected = |expected| QueryError::Unexpected { line: 1, expected, found: text() };
    let queries = [
        QueryError::Word { line: 1, error: NameError::Name(text()) },
        QueryError::Word { line: 1, error: NameError::Code(text()) },
        unread,
        QueryError::MeasureTwice { line: 1, measure: text() },
        QueryError::TooMany { line: 1, what: "measures", most: 2 },
        QueryError::Office { line: 1 },
        QueryError::PriceOnNothing { line: 1 },
        QueryError::NotCanonical { canonical: text() },
    ];
    let from = time(2024, 1);
    let denials = [
        DenialReason::DatasetUnknown { office: text(), dataset: name("d") },
        DenialReason::PrincipalNotGranted { dataset: name("d"), principal: text() },
        DenialReason::Forbidden { rule: text() },
        DenialReason::PurposeNotGranted(text()),
        DenialReason::GrantNotValid(lango_policy::Validity { from, until: from }),
        DenialReason::MeasureNotGranted(measure.clone()),
        DenialReason::DimensionNotGranted(name("d")),
        DenialReason::FilterNotGranted(name("d")),
        DenialReason::TooManyDimensions { asked: 3, granted: 2 },
        DenialReason::EpsilonPerQuery { epsilon: text(), granted: text() },
    ];
    let plans = [
        PlanRefusal::UnitsNot { asked: name("a"), units: name("b") },
        PlanRefusal::NotNumbers(name("c")),
        PlanRefusal::NoBins(name("c")),
        PlanRefusal::NoCandidates(name("c")),
        PlanRefusal::Quantile(name("c")),
        PlanRefusal::ShareByItself(name("c")),
        PlanRefusal::KeysOf(name("c")),
        PlanRefusal::DeltaNotGranted(name("c")),
        PlanRefusal::Overflow { measure: measure.clone(), rows_below: 1, magnitude: 2 },
        PlanRefusal::PrecisionNot(measure.clone()),
        PlanRefusal::PrecisionOutOfReach,
        PlanRefusal::Precision,
        PlanRefusal::Epsilon,
        PlanRefusal::Loss(LossError::Range),
        PlanRefusal::Loss(LossError::Conversion(text())),
        PlanRefusal::TooThin(3),
        PlanRefusal::TooNoisy(measure.clone()),
        PlanRefusal::Column(name("c")),
        PlanRefusal::NotADimension(name("c")),
        PlanRefusal::Dimensions,
        PlanRefusal::Margins(measure.clone()),
        PlanRefusal::MarginsInAll(1),
        PlanRefusal::Measures(1),
        PlanRefusal::Searches(1),
        PlanRefusal::Selections { selections: 1, weighed: 2 },
        PlanRefusal::Memory(1),
        PlanRefusal::Layout(1),
        PlanRefusal::Cells(1),
        PlanRefusal::Integers(1),
        PlanRefusal::Filter(name("c")),
        PlanRefusal::Version { asked: "1".parse().unwrap(), live: "2".parse().unwrap() },
    ];
    let budgets = [None, grant()].into_iter().flat_map(|grant| {
        let dataset = text();
        [
            BudgetFault::Exceeded {
                dataset: dataset.clone(),
                grant: grant.clone(),
                left: text(),
                limit: text(),
                price: text(),
            },
            BudgetFault::NotPure { dataset: dataset.clone(), grant: grant.clone() },
            BudgetFault::Delta { dataset, grant },
        ]
    });
    let alone = [
        Refusal::Role(Role::Analyst),
        Refusal::Confidence(confidence),
        Refusal::NotAddressed("spiffe://lango.example/office/GHA".parse().unwrap()),
        Refusal::Time(TimeFault::Future { now: 1, issued_at: 2 }),
        Refusal::Time(TimeFault::Expired),
        Refusal::Time(TimeFault::Life { life_s_max: 3 }),
        Refusal::RequestIdReused,
        Refusal::TooManyRequests { wait: Duration::from_millis(1_500) },
        Refusal::VersionGone(text()),
        Refusal::Published,
        Refusal::PriceNotOfGrant(text()),
        Refusal::AnswerTooLarge { bytes: 2, bytes_max: 1 },
        Refusal::DatasetNotOpen { office: text(), dataset: text(), principal: text() },
        Refusal::ReleaseUnknown,
        Refusal::NotAuditor,
        Refusal::QuantilePerOffice { measure, column: name("age") },
        Refusal::TablesTooLarge,
        Refusal::Unavailable,
    ];
    let reviews = [
        ReviewFault::Waiting { review: text() },
        ReviewFault::Rejected { review: text(), why: String::new() },
        ReviewFault::Rejected { review: text(), why: text() },
        ReviewFault::Held { review: text() },
        ReviewFault::Withheld { review: text(), why: String::new() },
        ReviewFault::Withheld { review: text(), why: text() },
        ReviewFault::Full { most: 1 },
    ];
    let administration = [
        AdministrationFault::NotAdministrator,
        AdministrationFault::Done,
        AdministrationFault::ReviewUnknown,
        AdministrationFault::ReviewStep { from: "shown", step: "rejected" },
        AdministrationFault::ReviewLapses { why: "x" },
        AdministrationFault::OwnQuestion,
        AdministrationFault::PolicyNotWaiting { waiting: None },
        AdministrationFault::PolicyNotWaiting { waiting: Some(text()) },
        AdministrationFault::SignedAlready,
    ];
    let malformed = faults.map(malformed).into_iter();
    let queries = QueryPart::ALL.map(unexpected).into_iter().chain(queries).map(Refusal::Query);
    let denials = denials.map(denied).into_iter();
    let plans = plans.map(Refusal::Plan).into_iter();
    let budgets = budgets.map(Refusal::Budget);
    let reviews = reviews.map(Refusal::Review).into_iter();
    let all = alone.into_iter().chain(malformed).chain(queries).chain(denials).chain(plans);
    all.chain(budgets).chain(reviews).chain(administration.map(Refusal::Administration)).collect()
}

/// A day of a grant.
fn time(year: i32, day: u16) -> time::Date {
    time::Date::from_ordinal_date(year, day).unwrap()
}

/// A variant's place in the list: another variant does not compile until it is in [`every`] too.
fn place(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::Role(_) => 0,
        Refusal::Malformed(_) => 1,
        Refusal::Query(_) => 2,
        Refusal::Confidence(_) => 3,
        Refusal::NotAddressed(_) => 4,
        Refusal::Time(_) => 5,
        Refusal::RequestIdReused => 6,
        Refusal::TooManyRequests { .. } => 7,
        Refusal::Published => 8,
        Refusal::Denied(_) => 9,
        Refusal::PriceNotOfGrant(_) => 10,
        Refusal::Plan(_) => 11,
        Refusal::AnswerTooLarge { .. } => 12,
        Refusal::Budget(_) => 13,
        Refusal::DatasetNotOpen { .. } => 14,
        Refusal::ReleaseUnknown => 15,
        Refusal::QuantilePerOffice { .. } => 16,
        Refusal::TablesTooLarge => 17,
        Refusal::Unavailable => 18,
        Refusal::VersionGone(_) => 19,
        Refusal::Review(_) => 20,
        Refusal::Administration(_) => 21,
        Refusal::NotAuditor => 22,
    }
}

/// `code status argument argument ..` of every refusal, each once.
fn listed() -> BTreeSet<String> {
    let line = |refusal: &Refusal| {
        let arguments = refusal.arguments();
        let case = arguments.get("case").map(|case| format!(" {case}")).unwrap_or_default();
        let names: Vec<&str> =
            arguments.iter().map(|(name, _)| name).filter(|name| *name != "case").collect();
        format!("{}{case}: {:?}: {}", refusal.code(), refusal.status_code(), names.join(" "))
    };
    every().iter().map(line).collect()
}

#[test]
fn every_refusal_has_its_code_its_status_and_its_arguments() {
    let places: BTreeSet<usize> = every().iter().map(place).collect();
    assert_eq!(places, (0..23).collect(), "a variant is not in the list");
    let listed: Vec<String> = listed().into_iter().collect();
    let expected: Vec<&str> = include_str!("../../testdata/refusals.txt").lines().collect();
    assert_eq!(listed, expected, "testdata/refusals.txt lists what there is");
}

#[test]
fn the_manual_lists_every_code_with_its_statuses() {
    let manual = include_str!("../../../../docs/OPERATIONS.md");
    for refusal in every() {
        let row = manual.lines().find(|line| line.starts_with(&format!("| `{}` | ", refusal.code())));
        let row = row.unwrap_or_else(|| panic!("docs/OPERATIONS.md lacks `{}`", refusal.code()));
        assert!(row.contains(&format!("{:?}", refusal.status_code())), "{row}");
    }
}

/// The ids of the English messages, with `.case` behind a code that has cases, and the names in each.
fn messages() -> Vec<(String, BTreeSet<String>)> {
    fn names(pattern: &Pattern<&str>) -> BTreeSet<String> {
        let placed = pattern.elements.iter().filter_map(|element| match element {
            PatternElement::TextElement { .. } => None,
            PatternElement::Placeable { expression } => Some(expression),
        });
        placed
            .map(|expression| match expression {
                Expression::Inline(InlineExpression::VariableReference { id }) => id.name.to_owned(),
                other => panic!("only arguments are put into messages: {other:?}"),
            })
            .collect()
    }
    let resource = parser::parse(ENGLISH).expect("the English file is Fluent");
    let mut found = Vec::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let id = message.id.name;
        found.extend(message.value.iter().map(|pattern| (id.to_owned(), names(pattern))));
        for attribute in &message.attributes {
            found.push((format!("{id}.{}", attribute.id.name), names(&attribute.value)));
        }
    }
    found
}

#[test]
fn there_are_words_for_every_refusal_with_exactly_its_arguments() {
    let mut messages = messages();
    messages.retain(|(id, _)| id != "unknown-refusal");
    let mut said = BTreeSet::new();
    for refusal in every() {
        let arguments = refusal.arguments();
        let id = match arguments.get("case") {
            Some(case) => format!("{}.{case}", refusal.code()),
            None => refusal.code().to_owned(),
        };
        let (_, names) =
            messages.iter().find(|(known, _)| *known == id).unwrap_or_else(|| panic!("no `{id}`"));
        let carried: BTreeSet<String> =
            arguments.iter().map(|(name, _)| name.to_owned()).filter(|name| name != "case").collect();
        assert_eq!(*names, carried, "{id}");
        said.insert(id);
    }
    let written: BTreeSet<String> = messages.into_iter().map(|(id, _)| id).collect();
    assert_eq!(written, said, "a message that no refusal has");
}

#[test]
fn words_are_made_from_the_code_and_the_facts() {
    let words = |refusal: &Refusal| Language::English.refusal(refusal.code(), &refusal.arguments());
    let fault = BudgetFault::Exceeded {
        dataset: "residents".into(),
        grant: Some("regional".into()),
        left: "0.5".into(),
        limit: "2".into(),
        price: "1".into(),
    };
    assert_eq!(
        words(&Refusal::Budget(fault)),
        "the grant regional of `residents` has 0.5 left of 2 in its currency and the question costs 1; it renews with the \
         calendar period that the policy names"
    );
    assert_eq!(words(&Refusal::Role(Role::Analyst)), "only the role analyst may ask this");
    // A later version's code, and its case, are named; a message that lacks an argument is not half said.
    let facts = Arguments::new([("case", "new".to_owned())]);
    for code in ["from-the-future", "time", "role"] {
        let said = Language::English.refusal(code, &facts);
        assert_eq!(said, format!("refused as `{code}`, which this version has no words for"));
    }
}

#[test]
fn a_refusal_becomes_a_status_with_its_facts_and_fits_a_header() {
    for refusal in every() {
        let (word, field, code) = (refusal.code(), refusal.field(), refusal.status_code());
        let arguments = refusal.arguments();
        let envelope =
            Envelope { payload_type: "k".into(), payload: vec![1], signature: vec![2], certificates: vec![] };
        let status = refusal.into_status(Some(envelope.clone()));
        assert_eq!((status.code(), reason(&status).as_deref()), (code, Some(word)));
        assert_eq!(refusal_facts(&status), Some((word.to_owned(), arguments)));
        assert_eq!(refusal_envelope(&status), Some(envelope));
        let named = status.get_error_details().bad_request().map(|bad| bad.field_violations[0].field.clone());
        assert_eq!(named.as_deref(), field);
        assert!(!status.message().is_empty());
    }
    let purpose = DenialReason::PurposeNotGranted("é".repeat(200_000));
    let long = Refusal::Denied(Denial { reason: purpose, rule: None }).into_status(None);
    assert!(long.message().len() <= 1_024 && long.details().len() <= 2_048, "it would not fit a header");
    let wait = Duration::from_millis(1_500);
    let retry = Refusal::TooManyRequests { wait }.into_status(None);
    assert_eq!(retry_after(&retry), Some(wait));
    assert!(retry.message().ends_with("again in 2 s"), "{}", retry.message());
    assert_eq!((unauthenticated().details(), reason(&unauthenticated())), (&[][..], None));
}

#[test]
fn a_coordinator_may_refuse_for_these_reasons_and_no_others() {
    let codes: BTreeSet<&str> =
        every().iter().filter(|refusal| refusal.is_coordinators()).map(Refusal::code).collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), COORDINATOR_CODES);
}
