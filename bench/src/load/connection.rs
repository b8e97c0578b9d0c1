use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The most headers a response may have.
const HEADERS: usize = 32;

/// A connection of HTTP/1.1 that stays open, with one request at a time.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What a response says. Its body stays in the connection.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    /// What each `Set-Cookie` says.
    pub(super) cookies: Vec<String>,
    head: usize,
    body: usize,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(8 * 1024),
        })
    }

    /// Sends a request and reads the whole response.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> io::Result<Response> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let response = loop {
            self.receive().await?;
            if let Some(response) = parse(&self.received)? {
                break response;
            }
        };
        while self.received.len() < response.head + response.body {
            self.receive().await?;
        }
        Ok(response)
    }

    /// The body of the last response.
    pub(super) fn body(&self, response: &Response) -> &[u8] {
        &self.received[response.head..response.head + response.body]
    }

    async fn receive(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The head of a response, if all of it is there.
fn parse(received: &[u8]) -> io::Result<Option<Response>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = parsed.parse(received).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let mut response = Response {
        status: parsed.code.unwrap_or_default(),
        cookies: Vec::new(),
        head,
        body: 0,
    };
    let mut has_length = false;
    for header in parsed.headers {
        let value = str::from_utf8(header.value).map_err(io::Error::other)?;
        if header.name.eq_ignore_ascii_case("content-length") {
            response.body = value.parse().map_err(io::Error::other)?;
            has_length = true;
        } else if header.name.eq_ignore_ascii_case("set-cookie") {
            response.cookies.push(value.to_owned());
        }
    }
    if has_length {
        Ok(Some(response))
    } else {
        Err(io::Error::other("a response does not say how long it is"))
    }
}
