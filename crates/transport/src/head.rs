//! The head of a request: what a server reads of it, and nothing else of what its peer sent.

use hyper::body::Bytes;
use lango_trace::{TRACEPARENT, TraceContext};
use tonic::codegen::http::{HeaderName, HeaderValue, Request, Uri, header::CONTENT_TYPE, request::Parts};

/// The headers that a server reads.
const READ: [HeaderName; 4] = [
    CONTENT_TYPE,
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderName::from_static("grpc-timeout"),
];
/// A path or a value longer than this is none that a server knows.
const BYTES_MAX: usize = 256;

/// A copy of what a server reads of a request's head. The rest is given back before the request is begun: many small headers take
/// several times their size, and a part of a frame that is kept keeps all of it.
pub(crate) fn read_of(sent: &Parts) -> Parts {
    let (mut head, ()) = Request::new(()).into_parts();
    head.method.clone_from(&sent.method);
    head.version = sent.version;
    let path = sent.uri.path().as_bytes();
    if path.len() <= BYTES_MAX
        && let Ok(uri) = Uri::from_maybe_shared(Bytes::copy_from_slice(path))
    {
        head.uri = uri;
    }
    for name in READ {
        let value = sent.headers.get(&name).filter(|value| value.len() <= BYTES_MAX);
        if let Some(copy) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
            head.headers.insert(name, copy);
        }
    }
    head
}

/// The trace that a request says it belongs to, in a piece of work of its own; a new one where it says none, or what is none.
/// None at all where there is no randomness.
pub(crate) fn trace_of(sent: &Parts) -> Option<TraceContext> {
    let mut said = sent.headers.get_all(TRACEPARENT).iter();
    let parent = said.next().and_then(|value| TraceContext::read(value.as_bytes()));
    // Who says two says none.
    match parent.filter(|_| said.next().is_none()) {
        Some(parent) => parent.with_span(random()?),
        None => TraceContext::new(random()?, random()?),
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_where_it_is_well_formed_and_said_once() {
        const SAID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for (said, goes_on) in [
            (vec![SAID], true),
            (vec![], false),
            (vec![SAID, SAID], false),
            (vec!["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"], false),
            (vec!["00-00000000000000000000000000000000-00f067aa0ba902b7-01"], false),
            (vec!["x"], false),
        ] {
            let mut request = Request::builder();
            for value in &said {
                request = request.header("traceparent", *value);
            }
            let sent = request.body(()).unwrap().into_parts().0;
            let trace = trace_of(&sent).unwrap();
            assert_eq!(trace.trace_id() == "4bf92f3577b34da6a3ce929d0e0e4736", goes_on, "{said:?}");
            assert_ne!(trace.span_id(), "00f067aa0ba902b7");
            assert_ne!(trace, trace_of(&sent).unwrap(), "each piece of work has a number of its own");
            assert!(
                !read_of(&sent).headers.contains_key("traceparent"),
                "nothing of it is kept but its digits"
            );
        }
    }

    #[test]
    fn what_no_server_reads_is_not_kept() {
        let path = "/lango.v1.GatewayService/Query";
        let mut request = Request::builder().method("POST").uri(format!("https://gateway.example:1{path}?q"));
        for at in 0..400 {
            request = request.header(format!("x-{at}"), "y");
        }
        request = request.header("content-type", "application/grpc").header("grpc-timeout", "5S");
        request = request.header("grpc-encoding", "z".repeat(BYTES_MAX + 1));
        let head = read_of(&request.body(()).unwrap().into_parts().0);
        let names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!((head.uri.to_string().as_str(), head.method.as_str()), (path, "POST"));
        assert_eq!((names.len(), &head.headers["grpc-timeout"]), (2, &HeaderValue::from_static("5S")));
        let long = Request::builder().uri(format!("/{}", "a".repeat(BYTES_MAX))).body(()).unwrap();
        assert_eq!(read_of(&long.into_parts().0).uri, "/");
    }
}
