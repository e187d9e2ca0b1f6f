//! Asking: draws a bar and prints what happens on the way.

use std::time::Duration;

use lango_analyst::{Answered, AskError, AskEvent, Client, Discarded, Enquiry, MemberCatalogue, Prices};
use lango_identity::SpiffeId;
use lango_wire::{SignedRefusal, words::Language};

use crate::{
    analyst::offices::{alike, named, refused_alike},
    failure::Failure,
    output::{self, bar, foreign},
};

/// How long an answer is waited for unless the asker says otherwise: a coordinator gives its members a minute or two.
pub const TIME_MAX: Duration = Duration::from_secs(180);

/// Asks, and prints what does not come to a figure.
pub async fn run(client: &Client, enquiry: &Enquiry) -> Result<Answered, Failure> {
    let mut asking = client.ask(enquiry).await.map_err(failure)?;
    let offices: Vec<String> = asking.audience().iter().map(SpiffeId::name).map(str::to_owned).collect();
    let progress = bar("{bar:24} {pos}/{len} offices  {msg}", offices.len() as u64);
    let mut refused = Vec::new();
    while let Some(event) = asking.next().await.map_err(failure)? {
        if let AskEvent::MemberRefused { office, refusal } = &event {
            refused.push((office.clone(), refusal.clone()));
        }
        if let Some(office) = answered_by(&event) {
            progress.set_message(office.to_owned());
            progress.inc(1);
        }
        if let Some(line) = line(&event) {
            progress.suspend(|| output::say(&format!("lango: {line}")));
        }
    }
    progress.finish_and_clear();
    refusals(&mut refused, offices.len()).iter().for_each(|line| output::say(&format!("lango: {line}")));
    let answered = asking.finish()?;
    for absent in &answered.coverage.missing {
        if absent.reason == lango_wire::Absence::TooManyCells.reason() {
            let office = &absent.office;
            output::say(&format!(
                "lango: the answer of {office} has too many cells to stand beside the others"
            ));
        }
    }
    Ok(answered)
}

/// Asks for prices. What offices refused stands beside them.
pub async fn price(client: &Client, enquiry: &Enquiry) -> Result<Prices, Failure> {
    let mut pricing = client.price(enquiry).await.map_err(failure)?;
    while let Some(event) = pricing.next().await.map_err(failure)? {
        match event {
            AskEvent::MemberAnswered { .. }
            | AskEvent::MemberRefused { .. }
            | AskEvent::MemberMissing { .. } => {}
            AskEvent::Discarded { .. } | AskEvent::CoordinatorBrokeOff { .. } => {
                line(&event).iter().for_each(|line| output::say(&format!("lango: {line}")));
            }
        }
    }
    Ok(pricing.finish())
}

/// Looks up what is open at some offices, or at every member where none is named. What offices refused stands beside it.
pub async fn catalogue(
    client: &Client,
    offices: &[String],
    dataset: Option<&str>,
    patience: Duration,
) -> Result<MemberCatalogue, Failure> {
    let mut describing = client.describe(offices, dataset, patience).await.map_err(failure)?;
    while let Some(event) = describing.next().await.map_err(failure)? {
        line(&event).iter().for_each(|line| output::say(&format!("lango: {line}")));
    }
    Ok(describing.finish())
}

/// The member of which an event is the last.
fn answered_by(event: &AskEvent) -> Option<&str> {
    match event {
        AskEvent::MemberAnswered { office }
        | AskEvent::MemberRefused { office, .. }
        | AskEvent::MemberMissing { office, .. }
        | AskEvent::Discarded { office, why: Discarded::Unverified(_) } => Some(office),
        AskEvent::Discarded { why: Discarded::Stranger | Discarded::Again, .. }
        | AskEvent::CoordinatorBrokeOff { .. } => None,
    }
}

/// What there is to say of an event.
fn line(event: &AskEvent) -> Option<String> {
    match event {
        // Refusals are said together, once all have come.
        AskEvent::MemberAnswered { .. } | AskEvent::MemberMissing { .. } | AskEvent::MemberRefused { .. } => {
            None
        }
        AskEvent::Discarded { office, why } => Some(format!(
            "the answer in the name of {} is not counted: {}",
            foreign(office),
            foreign(&why.to_string())
        )),
        AskEvent::CoordinatorBrokeOff { why } => {
            Some(format!("the coordinator broke off: {}", foreign(&why.to_string())))
        }
    }
}

/// Refusals in the order of their offices, a line for those that are alike.
fn refusals(refused: &mut [(String, SignedRefusal)], asked: usize) -> Vec<String> {
    refused.sort_by(|(one, _), (other, _)| one.cmp(other));
    let each = refused.iter().map(|(office, refusal)| (office.as_str(), refusal));
    let lines = alike(each, |refusal| refused_alike(refusal)).into_iter().map(|(offices, refusal)| {
        let verb = if offices.len() == 1 { "refuses" } else { "refuse" };
        format!("{} {verb}: {}", named(&offices, asked), words(refusal))
    });
    lines.collect()
}

/// A refusal in words, made from what the office signed.
fn words(refusal: &SignedRefusal) -> String {
    foreign(&Language::English.refusal(&refusal.code, &refusal.arguments))
}

/// A refusal's code and words.
pub fn refused(refusal: &SignedRefusal) -> String {
    format!("{}: {}", refusal.code, words(refusal))
}

/// Why nothing came of a question, as the command fails.
pub fn failure(error: AskError) -> Failure {
    match error {
        AskError::Member(error) => Failure::Usage(format!("--member: {error}")),
        AskError::QuantilePerOffice { measure, column } => Failure::Usage(format!(
            "`{measure}` is chosen at each office and cannot be added up: put `office` in --by, or ask for \
             `histogram({column})` with --quantiles, which are of all offices together"
        )),
        AskError::Tls { .. }
        | AskError::Signing(_)
        | AskError::Revocation(_)
        | AskError::Settings(_)
        | AskError::Unreachable { .. }
        | AskError::NoMembers
        | AskError::MembersEndless
        | AskError::MemberUnreadable
        | AskError::Random(_)
        | AskError::Coordinator(_)
        | AskError::Late(_)
        | AskError::Coverage(_)
        | AskError::Combine(_) => Failure::Failed(foreign(&error.to_string())),
    }
}
