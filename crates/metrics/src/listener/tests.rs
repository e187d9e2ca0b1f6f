use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn listening() -> (SocketAddr, Metrics) {
    let metrics = Metrics::of_gateway(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(keep(listener, metrics.clone()));
    (address, metrics)
}

async fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    // A connection that is cut reads as an end or as a failure.
    let _ = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn it_answers_one_page_and_nothing_else() {
    let (address, _metrics) = listening().await;
    let too_long = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    for (head, begins, holds) in [
        ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "\nprocess_start_time_seconds "),
        ("GET /metrics?x HTTP/1.0\r\n\r\n", "HTTP/1.", "\nprocess_start_time_seconds "),
        ("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "version=0.0.4"),
        ("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405", ""),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", "at /metrics"),
        ("GET /metrics/../metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", ""),
        ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "", ""),
        (too_long.as_str(), "HTTP/1.1 431", ""),
    ] {
        let answer = ask(address, head).await;
        assert!(
            answer.starts_with(begins) && answer.contains(holds),
            "{}: {answer}",
            &head[..20.min(head.len())]
        );
        let is_first = answer.starts_with("HTTP/1.1 200");
        assert!(!is_first || answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn those_who_come_and_say_nothing_keep_nobody_out() {
    let (address, _metrics) = listening().await;
    let mut silent = Vec::new();
    for which in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Some begin a head, and some send one and read nothing.
        let begun = ["", "GET /met", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"][which % 3];
        stream.write_all(begun.as_bytes()).await.unwrap();
        silent.push(stream);
        if which % 20 == 0 {
            let begun = Instant::now();
            let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{which}: {answer}");
            assert!(begun.elapsed() < Duration::from_secs(1), "{which}: {:?}", begun.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_in_time() {
    let (address, _metrics) = listening().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n").await.unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(begun.elapsed() <= TIME_MAX + Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_numbers_are_written_down_once_a_second() {
    let page = Page { metrics: Metrics::of_gateway(&[]), last: Mutex::default() };
    let first = page.text().await;
    page.metrics.call("/x").ends_with(0);
    assert_eq!(page.text().await, first);
    tokio::time::advance(FRESH).await;
    assert_ne!(page.text().await, first);
}
