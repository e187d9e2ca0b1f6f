//! An entry as an event of the Open Cybersecurity Schema Framework: API Activity, class 6003 of its version 1.3.

use lango_access_log::{LogEntry, LogEvent, MemberOutcome, RequestDecision};
use serde_json::{Value, json};

use crate::listed::ListedEntry;

const CATEGORY: u64 = 6;
const CLASS: u64 = 6_003;
const VERSION: &str = "1.3.0";

/// What was done, as the class numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Create = 1,
    Read = 2,
    Update = 3,
    Other = 99,
}

impl Activity {
    fn of(event: &LogEvent) -> Self {
        match event {
            LogEvent::Request(_) | LogEvent::Inspection(_) | LogEvent::Relay(_) | LogEvent::Answer(_) => {
                Self::Read
            }
            LogEvent::Import(_) | LogEvent::Preparation(_) => Self::Create,
            LogEvent::Review(_)
            | LogEvent::Configuration(_)
            | LogEvent::Policy(_)
            | LogEvent::PolicySignature(_)
            | LogEvent::Key(_)
            | LogEvent::Version(_) => Self::Update,
            LogEvent::Start(_) | LogEvent::Stop(_) | LogEvent::Failure(_) | LogEvent::Earlier(_) => {
                Self::Other
            }
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Update => "Update",
            Self::Other => "Other",
        }
    }
}

/// The event of an entry of a log of this name.
#[must_use]
pub fn ocsf_event(origin: &str, number: u64, entry: &LogEntry) -> Value {
    let listed = ListedEntry::of(number, entry);
    let activity = Activity::of(&entry.event);
    let (status, status_name) = match &entry.event {
        LogEvent::Request(request) => match request.decision {
            RequestDecision::Refused | RequestDecision::Failed => (2, "Failure"),
            RequestDecision::Reserved
            | RequestDecision::Released
            | RequestDecision::Drawn
            | RequestDecision::Repeated
            | RequestDecision::Estimated
            | RequestDecision::Described => (1, "Success"),
        },
        LogEvent::Relay(relayed) if relayed.refusal.is_some() => (2, "Failure"),
        LogEvent::Answer(answer) if answer.outcome != MemberOutcome::Answered => (2, "Failure"),
        LogEvent::Failure(_) => (2, "Failure"),
        LogEvent::Review(_)
        | LogEvent::Inspection(_)
        | LogEvent::Start(_)
        | LogEvent::Stop(_)
        | LogEvent::Configuration(_)
        | LogEvent::Policy(_)
        | LogEvent::PolicySignature(_)
        | LogEvent::Key(_)
        | LogEvent::Import(_)
        | LogEvent::Preparation(_)
        | LogEvent::Version(_)
        | LogEvent::Relay(_)
        | LogEvent::Answer(_)
        | LogEvent::Earlier(_) => (1, "Success"),
    };
    let request = match &entry.event {
        LogEvent::Request(request) => Some(request.request.to_string()),
        LogEvent::Inspection(seen) => Some(seen.request.to_string()),
        LogEvent::Earlier(record) => Some(record.request.to_string()),
        LogEvent::Review(review) => Some(review.request.to_string()),
        LogEvent::Relay(relayed) => Some(relayed.request.to_string()),
        LogEvent::Answer(answer) => Some(answer.request.to_string()),
        LogEvent::Start(_)
        | LogEvent::Stop(_)
        | LogEvent::Configuration(_)
        | LogEvent::Policy(_)
        | LogEvent::PolicySignature(_)
        | LogEvent::Key(_)
        | LogEvent::Import(_)
        | LogEvent::Preparation(_)
        | LogEvent::Version(_)
        | LogEvent::Failure(_) => None,
    };
    let name = entry.actor.principal.rsplit('/').next().unwrap_or_default();
    let mut event = json!({
        "activity_id": activity as u64,
        "activity_name": activity.name(),
        "actor": { "user": { "uid": entry.actor.principal, "name": name, "type": entry.actor.role.word() } },
        "api": { "operation": listed.decision, "service": { "name": origin }, "request": { "uid": request } },
        "category_name": "Application Activity",
        "category_uid": CATEGORY,
        "class_name": "API Activity",
        "class_uid": CLASS,
        "message": listed.reason,
        "metadata": {
            "version": VERSION,
            "product": { "name": "Lango", "vendor_name": "Lango" },
            "log_name": origin,
            "uid": number.to_string(),
            "sequence": number,
        },
        "severity": "Informational",
        "severity_id": 1,
        "src_endpoint": { "name": entry.actor.principal },
        "status": status_name,
        "status_id": status,
        "time": entry.at.saturating_mul(1_000),
        "type_name": format!("API Activity: {}", activity.name()),
        "type_uid": CLASS * 100 + activity as u64,
        "unmapped": {
            "purpose": listed.purpose,
            "rule": listed.rule,
            "agreement": listed.agreement,
            "epsilon": listed.epsilon,
            "rho": listed.rho,
            "question": listed.question,
            "release": listed.release,
            "policy": listed.policy,
            "left_out": listed.left_out,
        },
    });
    if let (Some(dataset), Some(event)) = (&listed.dataset, event.as_object_mut()) {
        event.insert("resources".to_owned(), json!([{ "name": dataset, "type": "dataset" }]));
    }
    if let (Some(trace), Some(event)) = (entry.trace, event.as_object_mut()) {
        event.insert("trace".to_owned(), json!({ "uid": trace.to_string() }));
    }
    event
}
