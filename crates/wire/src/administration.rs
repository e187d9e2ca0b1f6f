//! Signed acts of an office's administrators, read strictly.

use lango_identity::{Role, SpiffeId};
use prost::Message;

use crate::{
    limits::PAGE_MOST,
    pb::{self, administration_payload::Act as ActMessage},
    question::{FieldFault, Malformed, own, region, server, sized, strict, version},
};

/// The fewest letters of a review's name that are taken for it.
pub const REVIEW_LETTERS_LEAST: usize = 4;
/// The most letters of a review's name.
const REVIEW_LETTERS_MOST: usize = 32;
/// The most bytes of a reason.
const WHY_BYTES_MOST: usize = 200;

/// An administrator's act as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administration {
    /// Random.
    pub request_id: [u8; 16],
    /// Who signed it; equals the certificate's.
    pub administrator: SpiffeId,
    /// The one office that it is for.
    pub office: SpiffeId,
    /// What is asked or decided.
    pub act: Act,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What an administrator asks or decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// What is used and left of each pool and grant.
    Ledger,
    /// Access records, newest first.
    Records {
        /// From this moment on, in Unix seconds.
        since: i64,
        /// Those before this sequence number alone.
        before: Option<i64>,
        /// Of this dataset alone.
        dataset: Option<String>,
        /// Of this principal alone, by its SPIFFE URI.
        principal: Option<String>,
        /// This number at most.
        most: u32,
    },
    /// The policy in force, and what waits.
    Policy,
    /// Reviews, newest first.
    Reviews {
        /// Those that were decided too.
        all: bool,
        /// This number at most.
        most: u32,
        /// Those after this one.
        after: Option<[u8; 16]>,
    },
    /// One review, whole.
    Review {
        /// The first letters of its name.
        name: String,
    },
    /// A decision on a review.
    Decide {
        /// Which.
        review: [u8; 16],
        /// What is decided.
        choice: ReviewChoice,
        /// Why.
        why: String,
    },
    /// The administrator wants the office to decide by this policy.
    Sign {
        /// The digest of its files.
        policy: [u8; 32],
    },
}

/// What an administrator decides on a review. Who approves says of what: a question that has become an answer meanwhile is
/// not approved unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewChoice {
    /// The question may be answered.
    ApproveQuestion,
    /// The noisy answer may leave.
    ApproveAnswer,
    /// Neither.
    Reject,
}

impl Act {
    /// The word for it on record.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Records { .. } => "records",
            Self::Policy => "policy",
            Self::Reviews { .. } => "reviews",
            Self::Review { .. } => "review",
            Self::Decide { .. } => "decision",
            Self::Sign { .. } => "signature",
        }
    }

    fn to_message(&self) -> ActMessage {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match self {
            Self::Ledger => ActMessage::Ledger(pb::LedgerLookup {}),
            Self::Records { since, before, dataset, principal, most } => {
                ActMessage::Records(pb::RecordLookup {
                    since: *since,
                    before: before.unwrap_or_default(),
                    dataset: text(dataset),
                    principal: text(principal),
                    most: *most,
                })
            }
            Self::Policy => ActMessage::Policy(pb::PolicyLookup {}),
            Self::Reviews { all, most, after } => {
                let after = after.map(Vec::from).unwrap_or_default();
                ActMessage::Reviews(pb::ReviewLookup { all: *all, most: *most, after })
            }
            Self::Review { name } => ActMessage::Review(pb::ReviewNamed { name: name.clone() }),
            Self::Decide { review, choice, why } => ActMessage::Decision(pb::ReviewDecision {
                review_id: review.to_vec(),
                approve: *choice != ReviewChoice::Reject,
                answer: *choice == ReviewChoice::ApproveAnswer,
                why: why.clone(),
            }),
            Self::Sign { policy } => {
                ActMessage::Signature(pb::PolicySignature { policy_digest: policy.to_vec() })
            }
        }
    }

    fn of_message(message: ActMessage) -> Result<Self, Malformed> {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        match message {
            ActMessage::Ledger(pb::LedgerLookup {}) => Ok(Self::Ledger),
            ActMessage::Records(pb::RecordLookup { since, before, dataset, principal, most }) => {
                Ok(Self::Records {
                    since,
                    before: Some(before).filter(|before| *before != 0),
                    dataset: text(dataset),
                    principal: text(principal),
                    most: page(most)?,
                })
            }
            ActMessage::Policy(pb::PolicyLookup {}) => Ok(Self::Policy),
            ActMessage::Reviews(pb::ReviewLookup { all, most, after }) => {
                let after = if after.is_empty() { None } else { Some(sized("after", &after)?) };
                Ok(Self::Reviews { all, most: page(most)?, after })
            }
            ActMessage::Review(pb::ReviewNamed { name }) => match review_range(&name) {
                Some(_) => Ok(Self::Review { name }),
                None => Err(Malformed { field: "name", fault: FieldFault::Word }),
            },
            ActMessage::Decision(pb::ReviewDecision { review_id, approve, why, answer }) => {
                if why.len() > WHY_BYTES_MOST || why.chars().any(char::is_control) {
                    return Err(Malformed { field: "why", fault: FieldFault::Word });
                }
                let choice = match (approve, answer) {
                    (true, false) => ReviewChoice::ApproveQuestion,
                    (true, true) => ReviewChoice::ApproveAnswer,
                    (false, false) if why.is_empty() => {
                        return Err(Malformed { field: "why", fault: FieldFault::Missing });
                    }
                    (false, false) => ReviewChoice::Reject,
                    (false, true) => return Err(Malformed { field: "answer", fault: FieldFault::Word }),
                };
                Ok(Self::Decide { review: sized("review_id", &review_id)?, choice, why })
            }
            ActMessage::Signature(pb::PolicySignature { policy_digest }) => {
                Ok(Self::Sign { policy: sized("policy_digest", &policy_digest)? })
            }
        }
    }
}

impl Administration {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::AdministrationPayload {
            version: 1,
            request_id: self.request_id.to_vec(),
            administrator: self.administrator.to_string(),
            region: self.administrator.trust_domain().to_owned(),
            office: self.office.to_string(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            act: Some(self.act.to_message()),
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    ///
    /// # Errors
    /// The field at fault.
    pub fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::AdministrationPayload = strict(bytes)?;
        version(payload.version)?;
        region(&payload.region, signer)?;
        let act = payload.act.ok_or(Malformed { field: "act", fault: FieldFault::Missing })?;
        Ok(Self {
            request_id: sized("request_id", &payload.request_id)?,
            administrator: own("administrator", &payload.administrator, signer)?,
            office: server("office", &payload.office, &[Role::Office], signer)?,
            act: Act::of_message(act)?,
            issued_at: payload.issued_at,
            expires_at: payload.expires_at,
        })
    }
}

/// The first and the last review that a name, or the first letters of one, may mean; nothing where it is no name.
pub fn review_range(name: &str) -> Option<([u8; 16], [u8; 16])> {
    if !(REVIEW_LETTERS_LEAST..=REVIEW_LETTERS_MOST).contains(&name.len()) {
        return None;
    }
    let end = |filling: &str| {
        let rest = REVIEW_LETTERS_MOST.saturating_sub(name.len());
        hex::decode(format!("{name}{}", filling.repeat(rest))).ok()?.try_into().ok()
    };
    end("0").zip(end("f"))
}

fn page(most: u32) -> Result<u32, Malformed> {
    let is_page = (1..=PAGE_MOST).contains(&most);
    is_page.then_some(most).ok_or(Malformed { field: "most", fault: FieldFault::Page })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(uri: &str) -> SpiffeId {
        uri.parse().unwrap()
    }

    fn signed(act: Act) -> Administration {
        Administration {
            request_id: [1; 16],
            administrator: id("spiffe://lango.example/administrator/ama"),
            office: id("spiffe://lango.example/office/GHA"),
            act,
            issued_at: 1_000,
            expires_at: 1_060,
        }
    }

    fn records(most: u32) -> Act {
        let (dataset, principal) = (Some("residents".to_owned()), None);
        Act::Records { since: -1, before: Some(7), dataset, principal, most }
    }

    fn decide(why: &str) -> Act {
        Act::Decide { review: [2; 16], choice: ReviewChoice::ApproveQuestion, why: why.to_owned() }
    }

    #[test]
    fn an_act_is_read_back_and_one_that_cannot_be_is_refused_by_its_field() {
        let named = |name: &str| Act::Review { name: name.to_owned() };
        let reviews = |most, after| Act::Reviews { all: true, most, after };
        for (act, fault) in [
            (Act::Ledger, None),
            (records(PAGE_MOST), None),
            (records(0), Some("most")),
            (records(PAGE_MOST + 1), Some("most")),
            (Act::Policy, None),
            (reviews(1, None), None),
            (reviews(1, Some([3; 16])), None),
            (reviews(0, None), Some("most")),
            (named("3f9a"), None),
            (named(&"f".repeat(32)), None),
            (named("3f9"), Some("name")),
            (named("3g9a"), Some("name")),
            (named(&"f".repeat(33)), Some("name")),
            (decide("as agreed"), None),
            (decide(&"x".repeat(200)), None),
            (decide(&"x".repeat(201)), Some("why")),
            (decide("two\nlines"), Some("why")),
            (decide(""), None),
            (Act::Decide { review: [2; 16], choice: ReviewChoice::Reject, why: String::new() }, Some("why")),
            (
                Act::Decide { review: [2; 16], choice: ReviewChoice::Reject, why: "as agreed".to_owned() },
                None,
            ),
            (Act::Decide { review: [2; 16], choice: ReviewChoice::ApproveAnswer, why: String::new() }, None),
            (Act::Sign { policy: [4; 32] }, None),
        ] {
            let signed = signed(act);
            let read = Administration::decode(&signed.encode(), &signed.administrator);
            match fault {
                None => assert_eq!(read.as_ref(), Ok(&signed)),
                Some(field) => assert_eq!(read.unwrap_err().field, field, "{:?}", signed.act),
            }
        }
    }

    #[test]
    fn an_act_is_of_its_signer_and_for_one_office() {
        let good = signed(Act::Sign { policy: [4; 32] });
        let ama = &good.administrator;
        let other = id("spiffe://lango.example/administrator/kofi");
        let of = |office: &str| Administration { office: id(office), ..good.clone() };
        for (read, field) in [
            (Administration::decode(&good.encode(), &other), "administrator"),
            (Administration::decode(&of("spiffe://lango.example/analyst/awa").encode(), ama), "office"),
            (Administration::decode(&of("spiffe://other.example/office/GHA").encode(), ama), "office"),
            (Administration::decode(&[good.encode(), vec![0x38, 0]].concat(), ama), "payload"),
        ] {
            assert_eq!(read.unwrap_err().field, field);
        }
        let mut bare: pb::AdministrationPayload = Message::decode(&*good.encode()).unwrap();
        bare.act = None;
        assert_eq!(Administration::decode(&bare.encode_to_vec(), ama).unwrap_err().field, "act");
    }

    #[test]
    fn the_beginning_of_a_name_means_all_that_begin_so() {
        let (low, high) = review_range("3F9a").unwrap();
        assert_eq!((low[..2].to_vec(), low[2..].to_vec()), (vec![0x3f, 0x9a], vec![0; 14]));
        assert_eq!((high[..2].to_vec(), high[2..].to_vec()), (vec![0x3f, 0x9a], vec![0xff; 14]));
        let (low, high) = review_range("3f9a2").unwrap();
        assert_eq!((low[2], high[2]), (0x20, 0x2f));
    }
}
