//! Requests: a request identifier stands for one payload, is worked on once at a time, and has one answer.

/// What is kept of a request that came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Digest of the signed payload.
    pub request_digest: [u8; 32],
    /// The gateway at work on it; `None` where none is.
    pub holder: Option<[u8; 16]>,
    /// Grows while its holder lives.
    pub beat: i64,
    /// Whether it has its answer.
    pub is_answered: bool,
}

/// What the store knows of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMemory {
    /// What is kept of it; `None` where nothing is.
    pub kept: Option<Claim>,
    /// The latest expiry among the requests that have been forgotten, in Unix seconds.
    pub forgotten_to: i64,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It has not come before: keep it, and begin.
    Fresh,
    /// It came before and nobody is at work on it: go on with it.
    Free,
    /// It has its answer, which is the answer for good.
    Answered,
    /// Another gateway is at work on it.
    UnderWay {
        /// Which.
        holder: [u8; 16],
        /// Its last sign of life.
        beat: i64,
    },
    /// The identifier stands for another payload.
    Reused,
    /// It expires no later than one that has been forgotten: whether it has come before is not known.
    Forgotten,
}

/// Decides about a request that the gateway `me` has received. `dead` is a holder that has given no sign of life since the beat
/// named beside it, for as long as a claim lasts.
///
/// INVARIANT (one payload, one answer): an identifier keeps its digest, and an answer once kept is never replaced.
/// INVARIANT (charged once): what may have been forgotten is never begun, whatever a clock says.
pub fn claim(
    memory: RequestMemory,
    request_digest: &[u8; 32],
    expires_at: i64,
    me: &[u8; 16],
    dead: Option<([u8; 16], i64)>,
) -> Claimed {
    let RequestMemory { kept, forgotten_to } = memory;
    let Some(Claim { request_digest: kept, holder, beat, is_answered }) = kept else {
        return if expires_at > forgotten_to { Claimed::Fresh } else { Claimed::Forgotten };
    };
    if kept != *request_digest {
        return Claimed::Reused;
    }
    match (is_answered, holder) {
        (true, _) => Claimed::Answered,
        (false, None) => Claimed::Free,
        // One gateway works on one request once at a time: what it holds is left from an attempt that is over.
        (false, Some(holder)) if holder == *me || dead == Some((holder, beat)) => Claimed::Free,
        (false, Some(holder)) => Claimed::UnderWay { holder, beat },
    }
}

/// Whether a request may be charged, or answered from a charge, under a release key: under the first one that it reserved for,
/// and no other.
pub fn may_charge<K: PartialEq>(reserved_for: Option<&K>, key: &K) -> bool {
    reserved_for.is_none_or(|first| first == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_once_and_worked_on_by_one() {
        let (me, other) = ([1; 16], [2; 16]);
        let kept = |digest: u8, holder, beat, is_answered| {
            Some(Claim { request_digest: [digest; 32], holder, beat, is_answered })
        };
        let under_way = |beat| Claimed::UnderWay { holder: other, beat };
        for (found, dead, expected) in [
            (None, None, Claimed::Fresh),
            (kept(7, None, 0, false), None, Claimed::Free),
            (kept(7, Some(me), 3, false), None, Claimed::Free),
            (kept(7, Some(other), 3, false), None, under_way(3)),
            (kept(7, Some(other), 3, false), Some((other, 3)), Claimed::Free),
            // It lives: the beat has moved on, or it is a third one.
            (kept(7, Some(other), 4, false), Some((other, 3)), under_way(4)),
            (kept(7, Some(other), 3, false), Some(([3; 16], 3)), under_way(3)),
            (kept(7, None, 0, true), None, Claimed::Answered),
            (kept(7, Some(other), 0, true), Some((other, 0)), Claimed::Answered),
            (kept(8, None, 0, true), None, Claimed::Reused),
            (kept(8, Some(me), 0, false), None, Claimed::Reused),
            (kept(8, Some(other), 0, false), Some((other, 0)), Claimed::Reused),
        ] {
            // What is kept is not forgotten, however late the mark is.
            for forgotten_to in [0, 99, if found.is_some() { 101 } else { 99 }] {
                let memory = RequestMemory { kept: found.clone(), forgotten_to };
                assert_eq!(claim(memory, &[7; 32], 100, &me, dead), expected, "{found:?} {dead:?}");
            }
        }
    }

    #[test]
    fn a_request_that_may_have_been_forgotten_is_not_begun() {
        for (forgotten_to, expires_at, expected) in [
            (99, 100, Claimed::Fresh),
            (100, 100, Claimed::Forgotten),
            (101, 100, Claimed::Forgotten),
            (i64::MAX, i64::MAX, Claimed::Forgotten),
        ] {
            let memory = RequestMemory { kept: None, forgotten_to };
            assert_eq!(claim(memory, &[7; 32], expires_at, &[1; 16], None), expected, "{forgotten_to}");
        }
    }

    #[test]
    fn a_request_is_charged_under_one_key() {
        for (reserved_for, key, may) in [
            (None, ("1", 9), true),
            (Some(("1", 9)), ("1", 9), true),
            (Some(("1", 9)), ("2", 9), false),
            (Some(("1", 9)), ("1", 8), false),
            (Some(("", 9)), ("1", 9), false),
        ] {
            assert_eq!(may_charge(reserved_for.as_ref(), &key), may, "{reserved_for:?} {key:?}");
        }
    }
}
