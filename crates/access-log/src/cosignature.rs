//! What a witness signs: a checkpoint's text behind the time at which it saw it (C2SP tlog-cosignature, Ed25519).

/// The latest time that a cosignature may state, in Unix seconds.
const TIME_MOST: u64 = i64::MAX as u64;

/// The message that is signed.
pub(crate) fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// The bytes of a cosignature: the time, the highest byte first, then the signature.
pub(crate) fn encode(seconds: u64, signature: &[u8; 64]) -> Vec<u8> {
    [&seconds.to_be_bytes()[..], signature].concat()
}

/// The time and the signature of a cosignature.
pub(crate) fn decode(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (seconds, signature) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*seconds), signature)).filter(|(seconds, _)| *seconds <= TIME_MOST)
}

/// The time that a signature states, if it is as long as a cosignature.
pub(crate) fn stated(bytes: &[u8]) -> Option<u64> {
    decode(bytes).filter(|(_, signature)| signature.len() == 64).map(|(seconds, _)| seconds)
}

/// Whether a cosignature can state this time.
pub(crate) const fn is_time(seconds: u64) -> bool {
    seconds <= TIME_MOST
}
