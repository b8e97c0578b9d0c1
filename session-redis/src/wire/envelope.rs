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

use super::stream::Io;
use crate::wire::answer;

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

/// The same of several.
pub(crate) fn open_all(answers: Vec<Value>) -> RedisResult<Vec<Value>> {
    answers.into_iter().map(open).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use tokio::{io::AsyncReadExt, runtime};

    use super::*;

    /// A server that says this, piece by piece, and hangs up.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            if let Some(mut piece) = self.0.pop_front() {
                let later = piece.split_off(piece.len().min(buffer.remaining()));
                buffer.put_slice(&piece);
                if !later.is_empty() {
                    self.0.push_front(later);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Pieces {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(data.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// What the driver reads, so much at once.
    fn read(said: Vec<Vec<u8>>, is_on: bool, at_once: usize) -> Vec<u8> {
        let mut io = Enveloped::new(Box::new(Pieces(said.into())), Arc::new(AtomicBool::new(is_on)));
        let (mut all, mut buffer) = (Vec::new(), vec![0; at_once]);
        let reading = async {
            loop {
                match io.read(&mut buffer).await.unwrap() {
                    0 => return all,
                    length => all.extend_from_slice(&buffer[..length]),
                }
            }
        };
        runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(reading)
    }

    /// An answer, and what the driver is to read of it.
    fn answer() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let text = prop::collection::vec(any::<u8>(), 0..40);
        let bulk = text.prop_map(|text| [format!("${}\r\n", text.len()).as_bytes(), &text, b"\r\n"].concat());
        let inside = prop_oneof![bulk, Just(b"*1\r\n*0\r\n".to_vec()), Just(b"$-1\r\n".to_vec())];
        let outside = prop::sample::select(vec![
            b"+OK\r\n".to_vec(),
            b":12\r\n".to_vec(),
            b"-NOSCRIPT no\r\n".to_vec(),
            b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n".to_vec(),
        ]);
        prop_oneof![
            inside.prop_map(|answer| {
                let envelope = [format!("${}\r\n", answer.len()).as_bytes(), &answer, b"\r\n"].concat();
                (answer, envelope)
            }),
            outside.prop_map(|answer| (answer.clone(), answer)),
        ]
    }

    proptest! {
        #[test]
        fn the_driver_gets_each_answer_once_however_it_comes(
            answers in prop::collection::vec(answer(), 0..8),
            piece in 1..60_usize,
            at_once in 1..100_usize,
        ) {
            let (said, expected): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
            let pieces: Vec<_> = said.concat().chunks(piece).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(read(pieces.clone(), true, at_once), expected.concat());
            prop_assert_eq!(read(pieces, false, at_once), said.concat());
        }
    }

    #[test]
    fn what_is_in_an_envelope_is_what_was_answered() {
        let envelope = |text: &[u8]| open(Value::BulkString(text.to_vec()));
        assert_eq!(envelope(b"$2\r\nhi\r\n").unwrap(), Value::BulkString(b"hi".to_vec()));
        assert_eq!(envelope(b"*1\r\n:5\r\n").unwrap(), Value::Array(vec![Value::Int(5)]));
        assert!(envelope(b"hi").is_err());
        assert_eq!(open(Value::Okay).unwrap(), Value::Okay);
    }
}
