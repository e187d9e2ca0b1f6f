use super::*;

const METHODS: &[Method] = &[
    Method { name: "lango.v1.GatewayService/Query", time: CallTime::Hidden },
    Method { name: "lango.v1.GatewayService/Estimate", time: CallTime::Shown },
];

fn lines(metrics: &Metrics, start: &str) -> Vec<String> {
    let mut found: Vec<String> =
        metrics.text().lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect();
    found.sort();
    found
}

#[test]
fn calls_are_counted_by_method_and_status_and_those_that_may_read_rows_are_not_timed() {
    let metrics = Metrics::of_gateway(METHODS);
    for (path, code) in [
        ("/lango.v1.GatewayService/Query", Some(0)),
        ("/lango.v1.GatewayService/Query", Some(0)),
        ("/lango.v1.GatewayService/Query", Some(14)),
        ("/lango.v1.GatewayService/Estimate", Some(8)),
        ("/lango.v1.GatewayService/Estimate", None),
        ("/lango.v1.GatewayService/Awa\"}\n", Some(12)),
        ("awa", Some(99)),
    ] {
        let mut call = metrics.call(path);
        if let Some(code) = code {
            call.ends_with(code);
        }
    }
    let waiting = metrics.call("/lango.v1.GatewayService/Query");
    let of = |method: &str, code: &str, error: &str| {
        let code = format!("rpc_response_status_code=\"{code}\"{error}");
        format!("lango_calls_total{{rpc_system_name=\"grpc\",rpc_method=\"{method}\",{code}}}")
    };
    assert_eq!(
        lines(&metrics, "lango_calls_total"),
        [
            format!("{} 1", of("_OTHER", "UNIMPLEMENTED", ",error_type=\"UNIMPLEMENTED\"")),
            format!("{} 1", of("_OTHER", "UNKNOWN", ",error_type=\"UNKNOWN\"")),
            format!("{} 1", of("lango.v1.GatewayService/Estimate", "CANCELLED", "")),
            format!("{} 1", of("lango.v1.GatewayService/Estimate", "RESOURCE_EXHAUSTED", "")),
            format!("{} 2", of("lango.v1.GatewayService/Query", "OK", "")),
            format!(
                "{} 1",
                of("lango.v1.GatewayService/Query", "UNAVAILABLE", ",error_type=\"UNAVAILABLE\"")
            ),
        ]
    );
    let times = lines(&metrics, "rpc_server_call_duration_seconds_count");
    assert_eq!(times.len(), 2, "{times:?}");
    assert!(times.iter().all(|line| line.contains("Estimate")), "{times:?}");
    let query = "lango_calls_under_way{rpc_method=\"lango.v1.GatewayService/Query\"}";
    assert_eq!(lines(&metrics, query), [format!("{query} 1")]);
    drop(waiting);
    assert_eq!(lines(&metrics, query), [format!("{query} 0")]);
}

#[test]
fn what_is_not_there_is_not_shown() {
    let metrics = Metrics::of_gateway(METHODS);
    let shown = |start: &str| lines(&metrics, start);
    assert!(shown("lango_log_").is_empty() && shown("lango_revocation_list_").is_empty());
    metrics.revocation_lists([(100, 900), (50, 950)]);
    let log = LogStanding { kept: Some((7, 70)), cosigned: None };
    metrics.stand(&Standing { log, store_failures: 3 });
    assert_eq!(shown("lango_revocation_lists"), ["lango_revocation_lists 2"]);
    assert_eq!(
        shown("lango_revocation_list_"),
        [
            "lango_revocation_list_next_timestamp_seconds 900",
            "lango_revocation_list_signed_timestamp_seconds 50"
        ]
    );
    assert_eq!(shown("lango_log_"), ["lango_log_entries 7", "lango_log_kept_timestamp_seconds 70"]);
    assert_eq!(shown("lango_store_"), ["lango_store_failed_transactions_total 3"]);
    metrics.revocation_lists([]);
    assert!(shown("lango_revocation_list_").is_empty());
}

#[test]
fn members_are_counted_by_their_states() {
    let metrics = Metrics::of_coordinator(&[], 3);
    metrics.member_moves(MemberState::Unasked, MemberState::Answering);
    metrics.member_moves(MemberState::Unasked, MemberState::Silent);
    metrics.member_answered(MemberAnswer::Refused);
    assert_eq!(
        lines(&metrics, "lango_member"),
        [
            "lango_member_answers_total{lango_outcome=\"answered\"} 0",
            "lango_member_answers_total{lango_outcome=\"missing\"} 0",
            "lango_member_answers_total{lango_outcome=\"refused\"} 1",
            "lango_members{lango_state=\"answering\"} 1",
            "lango_members{lango_state=\"silent\"} 1",
            "lango_members{lango_state=\"unasked\"} 1",
        ]
    );
}

/// Every line is one of Prometheus' text format, each number stands once, and each has its type before it.
#[test]
fn the_text_is_well_formed() {
    let metrics = Metrics::of_coordinator(METHODS, 2);
    metrics.call("/lango.v1.GatewayService/Estimate").ends_with(0);
    metrics.revocation_lists([(1, 2)]);
    let text = metrics.text();
    assert!(text.ends_with('\n') && text.len() < 16 << 10, "{text}");
    let (mut types, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            if let Some(named) = comment.strip_prefix("TYPE ") {
                types.push(named.split(' ').next().unwrap().to_owned());
            }
            assert!(comment.starts_with("TYPE ") || comment.starts_with("HELP "), "{line}");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok() && seen.insert(series.to_owned()), "{line}");
        let name = series.split('{').next().unwrap();
        assert!(types.iter().any(|of| name.starts_with(of.as_str())), "{line}");
    }
}
