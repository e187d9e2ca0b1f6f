//! What administrators are shown, as it travels: to the wire, and back where it is printed.

use lango_ledger::{Balance, ReviewState};
use lango_store::{Entry, ReleaseKey, ReviewSubject, StoredReview};
use lango_wire::{FieldFault, Malformed, pb};

use crate::{
    accounts::AccountStanding,
    reviewed::{ReviewFound, ReviewedTable},
    standing::{PolicyStanding, SignedBy, WaitingPolicy},
};

/// A value that travels in a message.
pub trait Travels: Sized {
    /// The message.
    type Message;

    /// As it travels.
    fn to_message(self) -> Self::Message;

    /// Reads what has travelled.
    ///
    /// # Errors
    /// The field that is not as a gateway writes it.
    fn of_message(message: Self::Message) -> Result<Self, Malformed>;
}

fn wrong(field: &'static str) -> Malformed {
    Malformed { field, fault: FieldFault::Word }
}

fn bytes<const N: usize>(field: &'static str, bytes: &[u8]) -> Result<[u8; N], Malformed> {
    let fault = FieldFault::Bytes { expected: N, found: bytes.len() };
    bytes.try_into().map_err(|_| Malformed { field, fault })
}

fn there<T>(field: &'static str, part: Option<T>) -> Result<T, Malformed> {
    part.ok_or(Malformed { field, fault: FieldFault::Missing })
}

impl Travels for AccountStanding {
    type Message = pb::LedgerAccount;

    fn to_message(self) -> pb::LedgerAccount {
        let Balance { pure_nano, rho_nano, delta_e18 } = self.balance;
        pb::LedgerAccount {
            pool: self.pool,
            grant: self.grant,
            period: self.period,
            account: Some(self.accounting.into()),
            limit_nano: self.limit_nano,
            epsilon_nano: self.epsilon_nano,
            charged: Some(pb::Loss { pure_nano, rho_nano, delta_e18 }),
            questions: self.questions,
        }
    }

    fn of_message(message: pb::LedgerAccount) -> Result<Self, Malformed> {
        let pb::Loss { pure_nano, rho_nano, delta_e18 } = there("charged", message.charged)?;
        Ok(Self {
            pool: message.pool,
            grant: message.grant,
            period: message.period,
            accounting: there("account", message.account)?.try_into()?,
            limit_nano: message.limit_nano,
            epsilon_nano: message.epsilon_nano,
            balance: Balance { pure_nano, rho_nano, delta_e18 },
            questions: message.questions,
        })
    }
}

impl Travels for Entry {
    type Message = pb::Record;

    fn to_message(self) -> pb::Record {
        pb::Record {
            sequence: self.sequence,
            at: self.at,
            principal: self.principal,
            purpose: self.purpose,
            request_digest: self.request_digest.to_vec(),
            query_digest: self.query_digest.map(Vec::from),
            dataset: self.dataset,
            query: self.query,
            decision: self.decision,
            reason: self.reason,
            rule: self.rule,
            agreement: self.agreement,
            policy_digest: self.policy_digest.to_vec(),
            charged: Some(self.charged.into()),
            left_out: self.left_out,
        }
    }

    fn of_message(message: pb::Record) -> Result<Self, Malformed> {
        Ok(Self {
            sequence: message.sequence,
            at: message.at,
            principal: message.principal,
            purpose: message.purpose,
            request_digest: bytes("request_digest", &message.request_digest)?,
            query_digest: message.query_digest.map(|digest| bytes("query_digest", &digest)).transpose()?,
            dataset: message.dataset,
            query: message.query,
            decision: message.decision,
            reason: message.reason,
            rule: message.rule,
            agreement: message.agreement,
            policy_digest: bytes("policy_digest", &message.policy_digest)?,
            charged: there("charged", message.charged)?.into(),
            left_out: message.left_out,
        })
    }
}

impl Travels for StoredReview {
    type Message = pb::Review;

    fn to_message(self) -> pb::Review {
        let Self { subject, asked_at, state, loss, decided, why } = self;
        let ReviewSubject { id, key, query, dataset, grant, principal, purpose } = subject;
        let (decided_at, decided_by) = decided.unzip();
        pb::Review {
            review_id: id.to_vec(),
            query_digest: key.query_digest.to_vec(),
            dataset_version: key.dataset_version,
            terms_digest: key.terms_digest.to_vec(),
            query,
            dataset,
            grant,
            principal,
            purpose,
            asked_at,
            state: state.word().to_owned(),
            loss: Some(loss.into()),
            decided_at,
            decided_by,
            why,
        }
    }

    fn of_message(message: pb::Review) -> Result<Self, Malformed> {
        let key = ReleaseKey {
            query_digest: bytes("query_digest", &message.query_digest)?,
            dataset_version: message.dataset_version,
            terms_digest: bytes("terms_digest", &message.terms_digest)?,
        };
        let subject = ReviewSubject {
            id: bytes("review_id", &message.review_id)?,
            key,
            query: message.query,
            dataset: message.dataset,
            grant: message.grant,
            principal: message.principal,
            purpose: message.purpose,
        };
        Ok(Self {
            subject,
            asked_at: message.asked_at,
            state: ReviewState::of_word(&message.state).ok_or_else(|| wrong("state"))?,
            loss: there("loss", message.loss)?.into(),
            decided: message.decided_at.zip(message.decided_by),
            why: message.why,
        })
    }
}

impl Travels for ReviewFound {
    type Message = pb::ReviewFile;

    fn to_message(self) -> pb::ReviewFile {
        let table =
            |ReviewedTable { plan, layout, cells }: ReviewedTable| pb::ReviewTable { plan, layout, cells };
        pb::ReviewFile {
            review: Some(self.review.to_message()),
            lapses_because: self.lapses.unwrap_or_default(),
            tables: self.tables.into_iter().map(table).collect(),
        }
    }

    fn of_message(message: pb::ReviewFile) -> Result<Self, Malformed> {
        let table =
            |pb::ReviewTable { plan, layout, cells }: pb::ReviewTable| ReviewedTable { plan, layout, cells };
        Ok(Self {
            review: StoredReview::of_message(there("review", message.review)?)?,
            lapses: Some(message.lapses_because).filter(|why| !why.is_empty()),
            tables: message.tables.into_iter().map(table).collect(),
        })
    }
}

impl Travels for PolicyStanding {
    type Message = pb::PolicyStanding;

    fn to_message(self) -> pb::PolicyStanding {
        pb::PolicyStanding {
            in_force: self.in_force.map(Vec::from).unwrap_or_default(),
            signatures_needed: u32::try_from(self.signatures_needed).unwrap_or(u32::MAX),
            administrators: self.administrators,
            waiting: self.waiting.map(WaitingPolicy::to_message),
            refused: self.refused,
            signed: self.signed.into_iter().map(WaitingPolicy::to_message).collect(),
        }
    }

    fn of_message(message: pb::PolicyStanding) -> Result<Self, Malformed> {
        let in_force = Some(message.in_force).filter(|digest| !digest.is_empty());
        Ok(Self {
            in_force: in_force.map(|digest| bytes("in_force", &digest)).transpose()?,
            signatures_needed: message.signatures_needed as usize,
            administrators: message.administrators,
            waiting: message.waiting.map(WaitingPolicy::of_message).transpose()?,
            signed: message.signed.into_iter().map(WaitingPolicy::of_message).collect::<Result<_, _>>()?,
            refused: message.refused,
        })
    }
}

impl Travels for WaitingPolicy {
    type Message = pb::PolicyWaiting;

    fn to_message(self) -> pb::PolicyWaiting {
        let signed = |SignedBy { administrator, at }: SignedBy| pb::PolicySigned { administrator, at };
        let digest = self.digest.to_vec();
        pb::PolicyWaiting { digest, signed: self.signed.into_iter().map(signed).collect() }
    }

    fn of_message(message: pb::PolicyWaiting) -> Result<Self, Malformed> {
        let signed = |pb::PolicySigned { administrator, at }| SignedBy { administrator, at };
        let digest = bytes("digest", &message.digest)?;
        Ok(Self { digest, signed: message.signed.into_iter().map(signed).collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use lango_privacy::{Accounting, Loss};

    use super::*;

    fn travels<T: Travels + Clone + PartialEq + Debug>(value: T) {
        assert_eq!(T::of_message(value.clone().to_message()).as_ref(), Ok(&value));
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn review(state: ReviewState, decided: Option<(i64, String)>) -> StoredReview {
        let key = ReleaseKey { query_digest: [1; 32], dataset_version: "2024".into(), terms_digest: [2; 32] };
        let subject = ReviewSubject {
            id: [3; 16],
            key,
            query: "lango-query 1".into(),
            dataset: "residents".into(),
            grant: "analysts".into(),
            principal: "spiffe://lango.example/analyst/awa".into(),
            purpose: "research".into(),
        };
        StoredReview { subject, asked_at: 7, state, loss: Loss::pure(5), decided, why: "as agreed".into() }
    }

    #[test]
    fn what_is_shown_travels_whole() {
        let entry = Entry {
            sequence: 1,
            at: 2,
            principal: "spiffe://lango.example/analyst/awa".into(),
            purpose: "research".into(),
            request_digest: [1; 32],
            query_digest: Some([2; 32]),
            dataset: text("residents"),
            query: text("lango-query 1"),
            decision: "released".into(),
            reason: "budget-exceeded".into(),
            rule: text("analysts"),
            agreement: text("MoU-2026-14"),
            policy_digest: [3; 32],
            charged: Loss { pure_nano: None, rho_nano: 4, delta_e18: 5 },
            left_out: 6,
        };
        travels(Entry {
            query_digest: None,
            dataset: None,
            query: None,
            rule: None,
            agreement: None,
            ..entry.clone()
        });
        travels(entry);
        let account = AccountStanding {
            pool: "residents".into(),
            grant: None,
            period: "2026".into(),
            accounting: Accounting::Pure,
            limit_nano: 9,
            epsilon_nano: 9,
            balance: Balance { pure_nano: Some(0), rho_nano: 2, delta_e18: 3 },
            questions: 4,
        };
        travels(AccountStanding {
            grant: text("analysts"),
            accounting: Accounting::Zcdp { delta_e18: 1_000 },
            balance: Balance { pure_nano: None, ..account.balance },
            ..account.clone()
        });
        travels(account);
        let table = ReviewedTable { plan: "p".into(), layout: "l".into(), cells: vec![-1, i64::MAX] };
        for (state, lapses, tables) in [
            (ReviewState::Waiting, text("another grant allows its question"), Vec::new()),
            (ReviewState::Held, None, vec![table.clone(), table]),
        ] {
            travels(ReviewFound { review: review(state, None), lapses, tables });
        }
        travels(review(ReviewState::Rejected, Some((8, "spiffe://lango.example/office/GHA".into()))));
        let signed = SignedBy { administrator: "spiffe://lango.example/administrator/ama".into(), at: 9 };
        let policy = WaitingPolicy { digest: [5; 32], signed: vec![signed] };
        for (in_force, waiting, signed, refused) in [
            (None, None, vec![policy.clone()], vec!["one".to_owned(), "two".to_owned()]),
            (Some([4; 32]), Some(policy), Vec::new(), Vec::new()),
        ] {
            let administrators = vec!["spiffe://lango.example/administrator/ama".to_owned()];
            travels(PolicyStanding {
                in_force,
                signatures_needed: 2,
                administrators,
                waiting,
                signed,
                refused,
            });
        }
    }

    #[test]
    fn what_no_gateway_writes_is_refused_by_its_field() {
        let good = review(ReviewState::Waiting, None).to_message();
        for (message, field) in [
            (pb::Review { state: "open".into(), ..good.clone() }, "state"),
            (pb::Review { review_id: vec![1; 15], ..good.clone() }, "review_id"),
            (pb::Review { loss: None, ..good }, "loss"),
        ] {
            assert_eq!(StoredReview::of_message(message).unwrap_err().field, field);
        }
    }
}
