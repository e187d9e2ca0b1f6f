//! A peer that does no more of TLS and HTTP/2 than a test wants.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::tests::world::{CALLER, GATEWAY, SOON, World};

const HEADERS: u8 = 1;
const END_OF_STREAM: u8 = 1;
const END_OF_HEADERS: u8 = 4;
const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// Opens a TCP connection from an address of the loopback.
pub(super) async fn dial(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    timeout(SOON, socket.connect(to)).await.expect("a connection is accepted").unwrap()
}

/// Whether the server closes a connection within a time.
pub(super) async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    let mut rest = Vec::new();
    // An end and a reset are both a close.
    timeout(within, stream.read_to_end(&mut rest)).await.is_ok()
}

/// A connection after TLS and the first frames of HTTP/2.
pub(super) struct Raw(TlsStream<TcpStream>);

impl Raw {
    /// Connects from an address of the loopback; nothing where the server does not want it.
    pub async fn connect(world: &World, from: &str, to: SocketAddr) -> Option<Self> {
        let connector = TlsConnector::from(world.client(&world.today(CALLER), GATEWAY));
        let stream = dial(from, to).await;
        let name = "127.0.0.1".try_into().unwrap();
        let mut stream = timeout(SOON, connector.connect(name, stream)).await.unwrap().ok()?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.ok()?;
        let mut raw = Self(stream);
        // Its SETTINGS.
        raw.frame().await.map(|_| raw)
    }

    /// Sends a request without a body, whose answer nobody reads.
    pub async fn ask(&mut self, path: &str) {
        // Of HPACK's static table: POST, https, a path that is written out and not remembered.
        let block = [&[0x83, 0x87, 0x04, path.len() as u8], path.as_bytes()].concat();
        let head = [0, 0, block.len() as u8, HEADERS, END_OF_HEADERS | END_OF_STREAM, 0, 0, 0, 1];
        self.0.write_all(&[&head[..], &block].concat()).await.unwrap();
    }

    /// The type of the next frame; nothing at the end. Pings are answered, as peers must.
    pub async fn frame(&mut self) -> Option<u8> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        if head[3] == PING && head[4] & ACK == 0 {
            head[4] = ACK;
            self.0.write_all(&[&head[..], &payload].concat()).await.ok()?;
        }
        Some(head[3])
    }

    /// The types of all frames until the server closes the connection, which it must within a time.
    pub async fn rest(&mut self, within: Duration) -> Vec<u8> {
        let mut frames = Vec::new();
        let read = async {
            while let Some(frame) = self.frame().await {
                frames.push(frame);
            }
        };
        timeout(within, read).await.expect("the server closes the connection");
        frames
    }
}
