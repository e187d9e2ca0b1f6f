//! A server that stops is gone in time, whatever is open.

use std::time::{Duration, Instant};

use tokio::{io::AsyncWriteExt, sync::oneshot, time::timeout};
use tonic::service::Routes;

use crate::{
    ServerLimits,
    tests::{
        raw::{Raw, dial},
        world::{Echo, SOON, World, call, code},
    },
};

#[tokio::test]
async fn a_server_stops_in_time_whatever_is_open_and_finishes_what_it_can() {
    let world = World::new();
    let limits = ServerLimits { shutdown: Duration::from_secs(2), ..ServerLimits::default() };
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let (gateway, served) = world.serving(limits, Routes::new(Echo::default()), stopped).await;

    let _silent = dial("127.0.0.1", gateway).await;
    let mut half = dial("127.0.0.1", gateway).await;
    half.write_all(&[0x16, 3, 1, 2, 0]).await.unwrap();
    let _idle = Raw::connect(&world, "127.0.0.1", gateway).await.unwrap();
    let caller = world.caller(gateway).await;
    let begin = |method: &'static str, is_endless| {
        let caller = caller.clone();
        tokio::spawn(async move { call(&caller, method, 1, is_endless).await })
    };
    let (never, endless, short) = (begin("never", false), begin("read", true), begin("wait", false));
    tokio::time::sleep(Duration::from_millis(100)).await;

    let begun = Instant::now();
    stop.send(()).unwrap();
    let finished = timeout(SOON, short).await.unwrap().unwrap().unwrap();
    assert_eq!((finished.status().as_u16(), code(&finished)), (200, None));
    assert!(tokio::net::TcpStream::connect(gateway).await.is_err(), "nobody is accepted any more");
    timeout(limits.shutdown, served).await.expect("it stops in time").unwrap();
    assert!(begun.elapsed() >= limits.drain());
    for cut in [never, endless] {
        assert!(timeout(SOON, cut).await.unwrap().unwrap().is_err(), "cut");
    }
}

#[test]
fn the_parts_of_a_stop_fit_into_the_whole() {
    for seconds in [1, 2, 5, 10] {
        let limits = ServerLimits { shutdown: Duration::from_secs(seconds), ..ServerLimits::default() };
        // The server, its store, the program's threads.
        assert!(limits.drain() + limits.close() + limits.close() < limits.end());
        assert!(limits.end() < limits.shutdown);
    }
}
