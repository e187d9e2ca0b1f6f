//! Signed look-ups of auditors, read strictly.

use lango_identity::{Role, SpiffeId};
use prost::Message;

use crate::{
    limits::ENTRIES_MOST,
    pb::{self, audit_payload::Lookup as LookupMessage},
    question::{FieldFault, Malformed, own, region, server, sized, strict, version},
};

/// An auditor's look-up as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Random.
    pub request_id: [u8; 16],
    /// Who signed it; equals the certificate's.
    pub auditor: SpiffeId,
    /// The one office or coordinator whose log it is.
    pub log: SpiffeId,
    /// What is looked up.
    pub lookup: AuditLookup,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What an auditor looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditLookup {
    /// The log's present end.
    Head,
    /// Entries of the log.
    Entries {
        /// The number of the first, from 0.
        first: u64,
        /// This number at most; fewer come where they are long.
        most: u32,
    },
    /// The files of a policy that was in force.
    Policy {
        /// Its digest.
        digest: [u8; 32],
    },
    /// What the ledger holds.
    Balances,
}

impl AuditLookup {
    /// The words for it on record.
    pub fn words(&self) -> String {
        match self {
            Self::Head => "log".to_owned(),
            Self::Entries { first, most } => {
                format!("log entries {first} to {}", first.saturating_add(u64::from(*most)).saturating_sub(1))
            }
            Self::Policy { digest } => format!("policy {}", hex::encode(digest)),
            Self::Balances => "balances".to_owned(),
        }
    }

    fn to_message(self) -> LookupMessage {
        match self {
            Self::Head => LookupMessage::Head(pb::LogHeadLookup {}),
            Self::Entries { first, most } => LookupMessage::Entries(pb::LogEntryLookup { first, most }),
            Self::Policy { digest } => {
                LookupMessage::Policy(pb::PolicyTextLookup { policy_digest: digest.to_vec() })
            }
            Self::Balances => LookupMessage::Balances(pb::LedgerBalanceLookup {}),
        }
    }

    fn of_message(message: LookupMessage) -> Result<Self, Malformed> {
        match message {
            LookupMessage::Head(pb::LogHeadLookup {}) => Ok(Self::Head),
            LookupMessage::Entries(pb::LogEntryLookup { first, most }) => {
                if (1..=ENTRIES_MOST).contains(&most) {
                    Ok(Self::Entries { first, most })
                } else {
                    Err(Malformed { field: "most", fault: FieldFault::Word })
                }
            }
            LookupMessage::Policy(pb::PolicyTextLookup { policy_digest }) => {
                Ok(Self::Policy { digest: sized("policy_digest", &policy_digest)? })
            }
            LookupMessage::Balances(pb::LedgerBalanceLookup {}) => Ok(Self::Balances),
        }
    }
}

impl Audit {
    /// The signed bytes.
    pub fn encode(&self) -> Vec<u8> {
        pb::AuditPayload {
            version: 1,
            request_id: self.request_id.to_vec(),
            auditor: self.auditor.to_string(),
            region: self.auditor.trust_domain().to_owned(),
            log: self.log.to_string(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            lookup: Some(self.lookup.to_message()),
        }
        .encode_to_vec()
    }

    /// Reads bytes that `signer` signed.
    ///
    /// # Errors
    /// The field at fault.
    pub fn decode(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
        let payload: pb::AuditPayload = strict(bytes)?;
        version(payload.version)?;
        region(&payload.region, signer)?;
        let lookup = payload.lookup.ok_or(Malformed { field: "lookup", fault: FieldFault::Missing })?;
        Ok(Self {
            request_id: sized("request_id", &payload.request_id)?,
            auditor: own("auditor", &payload.auditor, signer)?,
            log: server("log", &payload.log, &[Role::Office, Role::Coordinator], signer)?,
            lookup: AuditLookup::of_message(lookup)?,
            issued_at: payload.issued_at,
            expires_at: payload.expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(uri: &str) -> SpiffeId {
        uri.parse().unwrap()
    }

    fn signed(lookup: AuditLookup) -> Audit {
        Audit {
            request_id: [1; 16],
            auditor: id("spiffe://lango.example/auditor/ina"),
            log: id("spiffe://lango.example/office/GHA"),
            lookup,
            issued_at: 1_000,
            expires_at: 1_060,
        }
    }

    #[test]
    fn a_lookup_is_read_back_and_one_that_cannot_be_is_refused_by_its_field() {
        let entries = |most| AuditLookup::Entries { first: 7, most };
        for (lookup, fault) in [
            (AuditLookup::Head, None),
            (entries(1), None),
            (entries(ENTRIES_MOST), None),
            (entries(0), Some("most")),
            (entries(ENTRIES_MOST + 1), Some("most")),
            (AuditLookup::Policy { digest: [4; 32] }, None),
            (AuditLookup::Balances, None),
        ] {
            let signed = signed(lookup);
            let read = Audit::decode(&signed.encode(), &signed.auditor);
            match fault {
                None => assert_eq!(read, Ok(signed)),
                Some(field) => assert_eq!(read.unwrap_err().field, field, "{lookup:?}"),
            }
        }
    }

    #[test]
    fn a_lookup_is_of_its_signer_and_of_one_log() {
        let good = signed(AuditLookup::Head);
        let of = |log: &str| Audit { log: id(log), ..good.clone() };
        let coordinator = of("spiffe://lango.example/coordinator/main");
        assert_eq!(Audit::decode(&coordinator.encode(), &good.auditor), Ok(coordinator));
        let other = id("spiffe://lango.example/auditor/eve");
        for (read, field) in [
            (Audit::decode(&good.encode(), &other), "auditor"),
            (Audit::decode(&of("spiffe://lango.example/analyst/awa").encode(), &good.auditor), "log"),
            (Audit::decode(&of("spiffe://other.example/office/GHA").encode(), &good.auditor), "log"),
            (Audit::decode(&[good.encode(), vec![0x60, 0]].concat(), &good.auditor), "payload"),
        ] {
            assert_eq!(read.unwrap_err().field, field);
        }
    }
}
