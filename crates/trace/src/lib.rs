//! Which question does a piece of work belong to? Trace contexts, as W3C's `traceparent` writes them.
//!
//! A trace is named by who asks, and nobody signs it. So it is a label and nothing else: it proves nothing, it decides
//! nothing, and of what a peer wrote nothing is kept but thirty-two hexadecimal digits.
//!
//! Architecture invariant: pure. It is given random bytes and draws none.

use std::fmt;

/// The header that carries it.
pub const TRACEPARENT: &str = "traceparent";
/// The length of a `traceparent` of version 00, the only one that there is.
const LENGTH: usize = 55;
/// The flag of a trace that somebody records.
const SAMPLED: u8 = 1;

/// A trace, and one piece of work in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    is_sampled: bool,
}

impl TraceContext {
    /// A new trace with its first piece of work, from random bytes; none where they are nought, which W3C keeps for "no trace".
    #[must_use]
    pub fn new(trace: [u8; 16], span: [u8; 8]) -> Option<Self> {
        (trace != [0; 16] && span != [0; 8]).then_some(Self { trace, span, is_sampled: true })
    }

    /// Reads a `traceparent`. Strict: another version, an upper-case digit, or one byte more, and it is none.
    #[must_use]
    pub fn read(written: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(written).ok().filter(|text| text.len() == LENGTH)?;
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != "00" || parts.next().is_some() {
            return None;
        }
        let [flags] = digits::<1>(flags)?;
        let context = Self::new(digits(trace)?, digits(span)?)?;
        Some(Self { is_sampled: flags & SAMPLED != 0, ..context })
    }

    /// Another piece of work in the same trace.
    #[must_use]
    pub fn with_span(self, span: [u8; 8]) -> Option<Self> {
        (span != [0; 8]).then_some(Self { span, ..self })
    }

    /// The trace's number.
    #[must_use]
    pub const fn trace(&self) -> [u8; 16] {
        self.trace
    }

    /// The trace's number, in lower-case hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        hex::encode(self.trace)
    }

    /// The number of the piece of work, likewise.
    #[must_use]
    pub fn span_id(&self) -> String {
        hex::encode(self.span)
    }

    /// What marks a statement with it, in the form of sqlcommenter. It holds hexadecimal digits and nothing that ends a comment.
    #[must_use]
    pub fn sql_comment(&self) -> String {
        format!("/*{TRACEPARENT}='{self}'*/")
    }
}

/// As the header has it.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.is_sampled { SAMPLED } else { 0 };
        write!(f, "00-{}-{}-{flags:02x}", hex::encode(self.trace), hex::encode(self.span))
    }
}

/// Exactly N bytes in lower-case hexadecimal digits.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; N];
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn what_is_read_is_written_again() {
        for flags in ["00", "01"] {
            let written = format!("00-{TRACE}-{SPAN}-{flags}");
            let context = TraceContext::read(written.as_bytes()).unwrap();
            assert_eq!(context.to_string(), written);
            assert_eq!((context.trace_id().as_str(), context.span_id().as_str()), (TRACE, SPAN));
            assert_eq!(hex::encode(context.trace()), TRACE);
            let child = context.with_span([7; 8]).unwrap();
            assert_eq!(child.to_string(), format!("00-{TRACE}-{}-{flags}", "07".repeat(8)));
            assert_eq!(context.sql_comment(), format!("/*traceparent='{written}'*/"));
        }
        // Of flags that are not known, none is passed on.
        let context = TraceContext::read(format!("00-{TRACE}-{SPAN}-ff").as_bytes()).unwrap();
        assert_eq!(context.to_string(), format!("00-{TRACE}-{SPAN}-01"));
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for written in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("01-{TRACE}-{SPAN}-01"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{TRACE}-{SPAN}-0g"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{}-{SPAN}*/-01", &TRACE[..30]),
            format!("00-{}--{SPAN}-01", &TRACE[..31]),
            format!("00-{}é-{SPAN}-01", &TRACE[..30]),
        ] {
            assert_eq!(TraceContext::read(written.as_bytes()), None, "{written}");
        }
        assert_eq!(TraceContext::read(&[0xff; LENGTH]), None);
        assert_eq!(TraceContext::new([0; 16], [1; 8]), None);
        assert_eq!(TraceContext::new([1; 16], [0; 8]), None);
        let context = TraceContext::new([1; 16], [1; 8]).unwrap();
        assert_eq!(context.with_span([0; 8]), None);
    }
}
