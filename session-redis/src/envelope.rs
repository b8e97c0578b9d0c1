use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use redis::{RedisResult, Value};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{answer, wire::Io};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// A connection that gives the driver each answer which is a string, or has parts, in an envelope: one string, whose
/// bytes are the answer's. So the driver does not take it apart, which [`open`] does faster.
///
/// What the driver has to see itself passes as it came: errors, and what the server sends unasked.
pub(crate) struct Enveloped {
    io: Box<dyn Io>,
    is_on: Arc<AtomicBool>,
    chunk: Box<[u8]>,
    /// What has come and is no whole answer yet.
    come: Vec<u8>,
    /// What goes to the driver, from `passed` on.
    ready: Vec<u8>,
    passed: usize,
}

impl Enveloped {
    /// Uses envelopes from when `is_on` is set, which must be at a time when no answer is awaited.
    pub(crate) fn new(io: Box<dyn Io>, is_on: Arc<AtomicBool>) -> Self {
        Self {
            io,
            is_on,
            chunk: vec![0; CHUNK].into(),
            come: Vec::new(),
            ready: Vec::new(),
            passed: 0,
        }
    }

    /// Makes what has come ready as far as it is whole.
    fn prepare(&mut self) {
        let mut done = 0;
        while let Some(length) = answer::length(&self.come[done..]) {
            let answer = &self.come[done..done + length];
            done += length;
            if matches!(answer.first(), Some(b'$' | b'*' | b'%' | b'~')) {
                self.ready.push(b'$');
                self.ready.extend_from_slice(length.to_string().as_bytes());
                self.ready.extend_from_slice(b"\r\n");
                self.ready.extend_from_slice(answer);
                self.ready.extend_from_slice(b"\r\n");
            } else {
                self.ready.extend_from_slice(answer);
            }
        }
        self.come.drain(..done);
    }

    /// Gives the driver what is ready, and returns whether there was anything.
    fn pass(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let left = &self.ready[self.passed..];
        let now = &left[..left.len().min(buffer.remaining())];
        buffer.put_slice(now);
        self.passed += now.len();
        let is_some = !now.is_empty();
        if self.passed == self.ready.len() {
            self.ready.clear();
            self.passed = 0;
            // One large answer does not cost its memory for ever.
            self.ready.shrink_to(4 * CHUNK);
            self.come.shrink_to(4 * CHUNK);
        }
        is_some
    }
}

impl AsyncRead for Enveloped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_on.load(Ordering::Acquire) {
            return Pin::new(&mut this.io).poll_read(cx, buffer);
        }
        while !this.pass(buffer) {
            let mut chunk = ReadBuf::new(&mut this.chunk);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                // The other end has hung up.
                break;
            }
            this.come.extend_from_slice(chunk.filled());
            this.prepare();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Enveloped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// What the server answered.
pub(crate) fn open(answer: Value) -> RedisResult<Value> {
    match answer {
        Value::BulkString(envelope) => answer::read(&envelope),
        answer => Ok(answer),
    }
}
