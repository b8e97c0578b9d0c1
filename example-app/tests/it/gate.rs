use std::time::Duration;

use axum::http::request::Builder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Where the race app's requests wait until the test lets them go on.
pub(crate) struct Gate(TcpListener);

/// Where a request waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// It was received, and its session is not open yet.
    Unopened,
    /// Its session is open, and nothing is committed yet.
    Opened,
}

/// A request that waits. Without a word it waits until the test ends, and is then answered by an error.
pub(crate) struct Waiting(TcpStream);

impl Gate {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Makes a request wait here.
    pub(crate) fn hold(&self, request: Builder, place: Place) -> Builder {
        let address = self.0.local_addr().unwrap();
        request.header("x-gate", address.to_string()).header("x-hold", place.name())
    }

    /// Waits until `number` requests wait here, each at `place` and all at once: this is the proof that they overlap.
    pub(crate) async fn arrivals(&self, number: usize, place: Place) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        while waiting.len() < number {
            let Ok(arrival) = timeout(Duration::from_secs(60), self.0.accept()).await else {
                panic!("of {number} requests only {} came to wait", waiting.len());
            };
            let (mut stream, _) = arrival.unwrap();
            let mut name = String::new();
            stream.read_to_string(&mut name).await.unwrap();
            assert_eq!(name, place.name());
            waiting.push(Waiting(stream));
        }
        waiting
    }
}

impl Waiting {
    pub(crate) async fn go(mut self) {
        self.0.write_u8(b'!').await.unwrap();
    }
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Unopened => "unopened",
            Self::Opened => "opened",
        }
    }
}
