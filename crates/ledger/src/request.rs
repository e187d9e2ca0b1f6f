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
    /// The answer, once there is one.
    pub answer: Option<Vec<u8>>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It has not come before: keep it, and begin.
    Fresh,
    /// It came before and nobody is at work on it: go on with it.
    Free,
    /// It has its answer, which is the answer for good.
    Answered(Vec<u8>),
    /// Another gateway is at work on it.
    UnderWay {
        /// Which.
        holder: [u8; 16],
        /// Its last sign of life.
        beat: i64,
    },
    /// The identifier stands for another payload.
    Reused,
}

/// Decides about a request that the gateway `me` has received. `dead` is a holder that has given no sign of life since the beat named
/// beside it, for as long as a claim lasts.
///
/// INVARIANT (one payload, one answer): an identifier keeps its digest, and an answer once kept is never replaced.
pub fn claim(
    found: Option<Claim>,
    request_digest: &[u8; 32],
    me: &[u8; 16],
    dead: Option<([u8; 16], i64)>,
) -> Claimed {
    let Some(Claim { request_digest: kept, holder, beat, answer }) = found else { return Claimed::Fresh };
    if kept != *request_digest {
        return Claimed::Reused;
    }
    match (answer, holder) {
        (Some(answer), _) => Claimed::Answered(answer),
        (None, None) => Claimed::Free,
        // One gateway works on one request once at a time: what it holds is left from an attempt that is over.
        (None, Some(holder)) if holder == *me || dead == Some((holder, beat)) => Claimed::Free,
        (None, Some(holder)) => Claimed::UnderWay { holder, beat },
    }
}

/// Whether a request may be charged, or answered from a charge, under a dataset's version: under the first one that it reserved
/// for, and no other.
pub fn may_charge(reserved_for: Option<&str>, version: &str) -> bool {
    reserved_for.is_none_or(|first| first == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_once_and_worked_on_by_one() {
        let (me, other) = ([1; 16], [2; 16]);
        let kept = |digest: u8, holder, beat, answer: Option<&[u8]>| {
            Some(Claim { request_digest: [digest; 32], holder, beat, answer: answer.map(Vec::from) })
        };
        let under_way = |beat| Claimed::UnderWay { holder: other, beat };
        for (found, dead, expected) in [
            (None, None, Claimed::Fresh),
            (kept(7, None, 0, None), None, Claimed::Free),
            (kept(7, Some(me), 3, None), None, Claimed::Free),
            (kept(7, Some(other), 3, None), None, under_way(3)),
            (kept(7, Some(other), 3, None), Some((other, 3)), Claimed::Free),
            // It lives: the beat has moved on, or it is a third one.
            (kept(7, Some(other), 4, None), Some((other, 3)), under_way(4)),
            (kept(7, Some(other), 3, None), Some(([3; 16], 3)), under_way(3)),
            (kept(7, None, 0, Some(b"a")), None, Claimed::Answered(b"a".to_vec())),
            (kept(7, Some(other), 0, Some(b"a")), Some((other, 0)), Claimed::Answered(b"a".to_vec())),
            (kept(8, None, 0, Some(b"a")), None, Claimed::Reused),
            (kept(8, Some(me), 0, None), None, Claimed::Reused),
            (kept(8, Some(other), 0, None), Some((other, 0)), Claimed::Reused),
        ] {
            assert_eq!(claim(found.clone(), &[7; 32], &me, dead), expected, "{found:?} {dead:?}");
        }
    }

    #[test]
    fn a_request_is_charged_under_one_version() {
        for (reserved_for, version, may) in
            [(None, "1", true), (Some("1"), "1", true), (Some("1"), "2", false), (Some(""), "1", false)]
        {
            assert_eq!(may_charge(reserved_for, version), may, "{reserved_for:?} {version}");
        }
    }
}
