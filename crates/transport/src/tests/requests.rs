//! What an established connection may ask for, and how long it may stay.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use hyper::body::Body as _;
use tokio::time::{sleep, timeout};
use tonic::{Code, service::Routes};

use crate::{
    ServerLimits,
    limits::REQUEST_BYTES,
    tests::{
        raw::{GOAWAY, Raw},
        world::{Echo, SOON, World, call, code},
    },
};

async fn serving(world: &World, limits: ServerLimits) -> (std::net::SocketAddr, Echo) {
    let echo = Echo::default();
    let (gateway, _) = world.serving(limits, Routes::new(echo.clone()), std::future::pending()).await;
    (gateway, echo)
}

#[tokio::test]
async fn a_request_that_never_ends_is_ended_and_its_connection_goes_on() {
    let world = World::new();
    let limits = ServerLimits { request_body: Duration::from_millis(300), ..ServerLimits::default() };
    let (gateway, _) = serving(&world, limits).await;
    let caller = world.caller(gateway).await;
    for bytes in [0, 1, 100_000] {
        let begun = Instant::now();
        let response = timeout(SOON, call(&caller, "read", bytes, true)).await.unwrap().unwrap();
        assert_eq!(code(&response), Some(Code::DeadlineExceeded), "{bytes}");
        assert!(begun.elapsed() >= Duration::from_millis(250));
    }
    let response = call(&caller, "read", 100_000, false).await.unwrap();
    assert_eq!((response.status().as_u16(), code(&response)), (200, None));
}

#[tokio::test]
async fn bytes_of_unanswered_requests_are_bounded_for_each_connection_and_each_address() {
    let world = World::new();
    let limits = ServerLimits {
        request_bytes_per_connection: 150_000,
        request_bytes_per_address: 250_000,
        request_body: Duration::from_secs(600),
        ..ServerLimits::default()
    };
    let (gateway, _) = serving(&world, limits).await;
    let callers = [world.caller(gateway).await, world.caller(gateway).await];
    let hold = |caller: usize| {
        let caller = callers[caller].clone();
        tokio::spawn(async move { call(&caller, "read", 100_000, true).await })
    };
    let first = hold(0);
    sleep(Duration::from_millis(200)).await;
    // The connection has 50,000 left.
    let refused = timeout(SOON, call(&callers[0], "read", 100_000, false)).await.unwrap().unwrap();
    assert_eq!(code(&refused), Some(Code::ResourceExhausted));
    let second = hold(1);
    sleep(Duration::from_millis(200)).await;
    // The address has 50,000 left, whichever connection asks.
    let third = world.caller(gateway).await;
    let refused = timeout(SOON, call(&third, "read", 100_000, false)).await.unwrap().unwrap();
    assert_eq!(code(&refused), Some(Code::ResourceExhausted));
    first.abort();
    second.abort();
    let served = async {
        while code(&call(&third, "read", 100_000, false).await.unwrap()).is_some() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, served).await.expect("what was held is given back");
}

#[tokio::test]
async fn a_request_counts_before_its_body_has_come() {
    let world = World::new();
    let limits = ServerLimits { request_bytes_per_connection: 3 * REQUEST_BYTES, ..ServerLimits::default() };
    let (gateway, _) = serving(&world, limits).await;
    let caller = world.caller(gateway).await;
    let asked = (0..8).map(|_| {
        let caller = caller.clone();
        tokio::spawn(async move { code(&call(&caller, "wait", 0, false).await.unwrap()) })
    });
    let mut refused = 0;
    for asked in asked.collect::<Vec<_>>() {
        refused += usize::from(asked.await.unwrap() == Some(Code::ResourceExhausted));
    }
    assert_eq!(refused, 5);
    assert_eq!(code(&call(&caller, "read", 0, false).await.unwrap()), None, "what was held is given back");
}

#[tokio::test]
async fn a_connection_has_no_more_requests_at_once_than_it_may() {
    let world = World::new();
    let limits = ServerLimits { streams_per_connection: 2, ..ServerLimits::default() };
    let (gateway, echo) = serving(&world, limits).await;
    let caller = world.caller(gateway).await;
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let caller = caller.clone();
            tokio::spawn(async move { call(&caller, "wait", 1, false).await })
        })
        .collect();
    for call in calls {
        assert_eq!(code(&call.await.unwrap().unwrap()), None);
    }
    assert_eq!(echo.at_once_most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_without_requests_and_one_past_its_age_are_closed_in_good_order() {
    let world = World::new();
    let (short, long) = (Duration::from_millis(300), Duration::from_secs(600));
    for (what, idle, connection_age) in [("idle", short, long), ("age", long, short)] {
        let limits = ServerLimits { idle, connection_age, ..ServerLimits::default() };
        let (gateway, _) = serving(&world, limits).await;
        let mut raw = Raw::connect(&world, "127.0.0.1", gateway).await.unwrap();
        let begun = Instant::now();
        let frames = raw.rest(SOON).await;
        assert!(frames.contains(&GOAWAY), "{what}: {frames:?}");
        assert!(begun.elapsed() >= Duration::from_millis(200), "{what}");
        // A request that is under way is finished, and the next one has a new connection.
        let caller = world.caller(gateway).await;
        for _ in 0..3 {
            let response = call(&caller, "wait", 1, false).await.unwrap();
            assert_eq!((response.status().as_u16(), code(&response)), (200, None), "{what}");
        }
    }
}

#[tokio::test]
async fn a_peer_that_does_not_take_its_answer_loses_its_connection() {
    let world = World::new();
    let limits = ServerLimits { answer_stall: Duration::from_millis(300), ..ServerLimits::default() };
    let (gateway, _) = serving(&world, limits).await;
    let caller = world.caller(gateway).await;
    // One that is taken at once arrives whole.
    assert_eq!(taken(call(&caller, "big", 1, false).await.unwrap().into_body()).await, Ok(super::world::BIG));
    let mut stalled = call(&caller, "big", 1, false).await.unwrap().into_body();
    sleep(Duration::from_millis(1_000)).await;
    assert!(timeout(SOON, taken(std::mem::take(&mut stalled))).await.unwrap().is_err());
}

/// How many bytes come of a body, or that it breaks off.
async fn taken(mut body: tonic::body::Body) -> Result<usize, ()> {
    let mut bytes = 0;
    while let Some(frame) =
        std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await
    {
        bytes += frame.map_err(drop)?.data_ref().map_or(0, |data| data.len());
    }
    Ok(bytes)
}
