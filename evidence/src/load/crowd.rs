use std::{
    io,
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use super::{connect, connection::Connection, measured::Measured};
use crate::{fleet::Fleet, history::View};

/// How many connections are being made at a time: a server's backlog is bounded.
const AT_A_TIME: usize = 100;

/// How long a browser rests between two requests.
const REST: Duration = Duration::from_millis(500);

/// Browsers that do the same at the same time.
pub(super) struct Crowd {
    connections: Vec<Connection>,
    name: &'static str,
}

impl Crowd {
    pub(super) async fn open(fleet: &Fleet, count: usize, name: &'static str) -> io::Result<Self> {
        let mut connections = Vec::with_capacity(count);
        for first in (0..count).step_by(AT_A_TIME) {
            for number in first..count.min(first + AT_A_TIME) {
                connections.push(connect(fleet, number).await?);
            }
            // It accepts between the requests of others.
            tokio::task::yield_now().await;
        }
        Ok(Self { connections, name })
    }

    /// Has all use the session of another crowd's first.
    pub(super) fn share(&mut self, other: &Self) {
        for connection in &mut self.connections {
            connection.jar = other.connections[0].jar.clone();
        }
    }

    pub(super) async fn login(&mut self) -> Measured {
        let name = self.name;
        self.all(move |number| ("POST", format!("/login/{name}-{number}")))
            .await
    }

    pub(super) async fn read(&mut self) -> Measured {
        self.all(|_| ("GET", "/".to_owned())).await
    }

    pub(super) async fn count(&mut self) -> Measured {
        self.all(|_| ("POST", "/count".to_owned())).await
    }

    /// The counter of the first one's session.
    pub(super) async fn counted(&mut self) -> io::Result<u64> {
        let (_, body) = self.connections[0].request("GET", "/").await?;
        let view: View = serde_json::from_str(&body).map_err(io::Error::other)?;
        Ok(view.count)
    }

    /// Each logs in, and then reads nine times for each time it writes, with rests.
    pub(super) async fn browse(&mut self, during: Duration) -> Measured {
        let until = Instant::now() + during;
        let mut crowd = JoinSet::new();
        for (number, mut connection) in self.connections.drain(..).enumerate() {
            let login = format!("/login/{}-{number}", self.name);
            crowd.spawn(async move {
                let mut measured = Measured::default();
                // They do not come all in the same moment.
                sleep(REST * u32::try_from(number % 100).unwrap_or(0) / 100).await;
                measured.note(&mut connection, "POST", &login).await;
                for turn in 0_u32.. {
                    if Instant::now() > until {
                        break;
                    }
                    sleep(REST).await;
                    let write = format!("/write/a/{turn}");
                    let (method, path) = if turn % 10 == 0 {
                        ("POST", write.as_str())
                    } else {
                        ("GET", "/")
                    };
                    measured.note(&mut connection, method, path).await;
                }
                measured
            });
        }
        sum(crowd).await
    }

    async fn all(&mut self, request: impl Fn(usize) -> (&'static str, String)) -> Measured {
        let mut crowd = JoinSet::new();
        for (number, mut connection) in self.connections.drain(..).enumerate() {
            let (method, path) = request(number);
            crowd.spawn(async move {
                let mut measured = Measured::default();
                measured.note(&mut connection, method, &path).await;
                (connection, measured)
            });
        }
        let mut all = Measured::default();
        while let Some(done) = crowd.join_next().await {
            match done {
                Ok((connection, measured)) => {
                    self.connections.push(connection);
                    all.add(measured);
                }
                Err(error) => all.wrong.push(error.to_string()),
            }
        }
        all
    }
}

async fn sum(mut crowd: JoinSet<Measured>) -> Measured {
    let mut all = Measured::default();
    while let Some(done) = crowd.join_next().await {
        match done {
            Ok(measured) => all.add(measured),
            Err(error) => all.wrong.push(error.to_string()),
        }
    }
    all
}
