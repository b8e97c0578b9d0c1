use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::jar::Jar;

/// Longer than an instance may take, connections that wait to be accepted included.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser's connection, which stays open.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    pub(super) jar: Jar,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(port: u16) -> io::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(("127.0.0.1", port)))
            .await
            .map_err(io::Error::other)??;
        Ok(Self {
            stream,
            jar: Jar::default(),
            buffer: Vec::new(),
        })
    }

    /// The status and the body that a request is answered with.
    pub(super) async fn request(&mut self, method: &str, path: &str) -> io::Result<(u16, String)> {
        let cookies = self.jar.header();
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\ncookie: {cookies}\r\n\r\n");
        timeout(PATIENCE, self.exchange(&request))
            .await
            .map_err(io::Error::other)?
    }

    async fn exchange(&mut self, request: &str) -> io::Result<(u16, String)> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = crate::http::parse(&self.buffer) {
                self.jar.take(&answer.cookies);
                return Ok((answer.status, answer.body));
            }
        }
    }
}
