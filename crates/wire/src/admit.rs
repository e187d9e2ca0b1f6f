//! May a request be read and answered by this server, at this moment? Checks A5 to A8 of the protocol, in order: role, decoding,
//! audience and time; the same at gateways and coordinators.

use std::slice;

use lango_identity::{PayloadType, Role, SpiffeId};

use crate::{
    Administration, AdministrationFault, Audit, Lookup, Malformed, Question, Refusal, TimeFault, Witness,
};

/// The most by which two clocks of a region may differ, in seconds.
pub const CLOCK_SKEW_S: u64 = 300;
/// A price enquiry or a look-up, which is free, lives at most this long, in seconds: its answer is kept until then.
pub const FREE_LIFE_S_MAX: u64 = 3_600;
/// An administrator's act, or an auditor's look-up, lives at most this long, in seconds.
pub const ACT_LIFE_S_MAX: u64 = 600;

/// What can be signed as a request.
pub trait SignedRequest: Sized {
    /// Who may ask so.
    const ROLE: Role;
    /// Reads what `signer` signed.
    ///
    /// # Errors
    /// The field at fault.
    fn read(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed>;
    /// Whom it is for.
    fn audience(&self) -> &[SpiffeId];
    /// When it was made and when it expires, in Unix seconds.
    fn life(&self) -> (u64, u64);
    /// Its identifier, unique among those of its principal.
    fn request_id(&self) -> [u8; 16];
}

macro_rules! signed_request {
    ($($request:ty: $role:ident, |$own:ident| $audience:expr;)*) => {$(
        impl SignedRequest for $request {
            const ROLE: Role = Role::$role;

            fn read(bytes: &[u8], signer: &SpiffeId) -> Result<Self, Malformed> {
                Self::decode(bytes, signer)
            }
            fn audience(&self) -> &[SpiffeId] {
                let $own = self;
                $audience
            }
            fn life(&self) -> (u64, u64) {
                (self.issued_at, self.expires_at)
            }
            fn request_id(&self) -> [u8; 16] {
                self.request_id
            }
        }
    )*};
}
signed_request! {
    Question: Analyst, |question| &question.audience;
    Lookup: Analyst, |lookup| &lookup.audience;
    Administration: Administrator, |act| slice::from_ref(&act.office);
    Audit: Auditor, |audit| slice::from_ref(&audit.log);
    Witness: Coordinator, |act| slice::from_ref(&act.office);
}

/// The refusal of a principal of another role than the one that may ask.
fn other_role(role: Role) -> Refusal {
    match role {
        // One refusal for all who are not an office's administrators.
        Role::Administrator => Refusal::Administration(AdministrationFault::NotAdministrator),
        // And one for all who are not its auditors.
        Role::Auditor => Refusal::NotAuditor,
        Role::Office | Role::Coordinator | Role::Analyst => Refusal::Role(role),
    }
}

/// What a server admits.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// Who must be addressed; a coordinator passes on what is addressed to anyone.
    pub office: Option<&'a SpiffeId>,
    /// Unix seconds.
    pub now: i64,
    /// The longest life of a question, in seconds.
    pub question_life_s_max: u64,
}

impl Admission<'_> {
    /// Reads a payload that `principal` signed as this kind of request.
    ///
    /// # Errors
    /// What stands against it.
    pub fn admit<T: SignedRequest>(
        &self,
        kind: PayloadType,
        payload: &[u8],
        principal: &SpiffeId,
    ) -> Result<T, Refusal> {
        if principal.role() != T::ROLE {
            return Err(other_role(T::ROLE));
        }
        let request = T::read(payload, principal)?;
        if let Some(office) = self.office
            && !request.audience().contains(office)
        {
            return Err(Refusal::NotAddressed(office.clone()));
        }
        let now = u64::try_from(self.now).unwrap_or_default();
        let (issued_at, expires_at) = request.life();
        if issued_at > now.saturating_add(CLOCK_SKEW_S) {
            return Err(Refusal::Time(TimeFault::Future { now, issued_at }));
        }
        if expires_at <= now {
            return Err(Refusal::Time(TimeFault::Expired));
        }
        let life_s_max = if kind == PayloadType::Query {
            self.question_life_s_max
        } else if matches!(kind, PayloadType::Administration | PayloadType::Audit | PayloadType::Witness) {
            self.question_life_s_max.min(ACT_LIFE_S_MAX)
        } else {
            self.question_life_s_max.min(FREE_LIFE_S_MAX)
        };
        if expires_at.checked_sub(issued_at).is_none_or(|life| life > life_s_max) {
            return Err(Refusal::Time(TimeFault::Life { life_s_max }));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn id(uri: &str) -> SpiffeId {
        uri.parse().unwrap()
    }

    fn question(issued_at: u64, expires_at: u64) -> Vec<u8> {
        Question {
            request_id: [1; 16],
            blind: [2; 32],
            analyst: id("spiffe://lango.example/analyst/awa"),
            audience: vec![id("spiffe://lango.example/office/GHA")],
            query: "lango-query 1\ndataset residents\nmeasure persons\nby\nprice epsilon 1\n".to_owned(),
            purpose: "official-statistics".to_owned(),
            mode: 1,
            min_members: 0,
            roster_digest: vec![],
            issued_at,
            expires_at,
        }
        .encode()
    }

    #[test]
    fn a_request_is_admitted_in_its_time_from_an_analyst_to_who_is_addressed() {
        let (gha, tgo) = (id("spiffe://lango.example/office/GHA"), id("spiffe://lango.example/office/TGO"));
        let now = 10 * DAY;
        let (awa, kofi) = ("analyst/awa", "analyst/kofi");
        for (kind, issued_at, expires_at, signer, office, expected) in [
            (PayloadType::Query, now, now + 1, awa, Some(&gha), None),
            (PayloadType::Query, now, now + 8 * DAY, awa, None, None),
            (PayloadType::Query, now + 300, now + 301, awa, None, None),
            (PayloadType::Estimate, now, now + 3_600, awa, Some(&gha), None),
            (PayloadType::Query, now, now + 1, "office/GHA", None, Some("role")),
            (PayloadType::Query, now, now + 1, kofi, None, Some("malformed")),
            (PayloadType::Query, now, now + 1, awa, Some(&tgo), Some("not-addressed")),
            (PayloadType::Query, now + 301, now + 400, awa, None, Some("time")),
            (PayloadType::Query, now - 9, now, awa, None, Some("time")),
            (PayloadType::Query, now, now + 8 * DAY + 1, awa, None, Some("time")),
            (PayloadType::Query, now + 2, now + 1, awa, None, Some("time")),
            (PayloadType::Query, 0, u64::MAX, awa, None, Some("time")),
            (PayloadType::Estimate, now, now + 3_601, awa, None, Some("time")),
        ] {
            let admission =
                Admission { office, now: i64::try_from(now).unwrap(), question_life_s_max: 8 * DAY };
            let signer = id(&format!("spiffe://lango.example/{signer}"));
            let admitted = admission.admit::<Question>(kind, &question(issued_at, expires_at), &signer);
            let code = admitted.as_ref().err().map(Refusal::code);
            assert_eq!(code, expected, "{kind:?} {issued_at} {expires_at} {signer}");
        }
    }
}
