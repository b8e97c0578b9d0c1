use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Io;

/// A connection that lets the tasks that are ready have their turn before it writes, and so writes together what they
/// have to say: a write costs the app and the server more than the command that it brings.
///
/// Nobody waits for others to come. Whoever is alone writes at once, for a turn of the runtime's costs more than it
/// saves.
pub(crate) struct Gathering {
    io: Box<dyn Io>,
    /// How many exchanges are under way.
    under_way: Arc<AtomicUsize>,
    /// Whether those who were ready have had their turn.
    is_due: bool,
}

impl Gathering {
    pub(crate) fn new(io: Box<dyn Io>, under_way: Arc<AtomicUsize>) -> Self {
        Self {
            io,
            under_way,
            is_due: false,
        }
    }
}

impl AsyncRead for Gathering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gathering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if !self.is_due && self.under_way.load(Ordering::Relaxed) > 1 {
            self.is_due = true;
            // The runtime puts a task that wakes itself behind all that are ready.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.is_due = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, task::Waker};

    use super::*;

    /// What was written, piece by piece.
    #[derive(Clone, Default)]
    struct Pieces(Arc<Mutex<Vec<Vec<u8>>>>);

    impl AsyncRead for Pieces {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Pieces {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().push(data.to_vec());
            Poll::Ready(Ok(data.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn others_have_one_turn_before_what_is_not_alone_is_written() {
        let (pieces, under_way) = (Pieces::default(), Arc::new(AtomicUsize::new(1)));
        let mut gathering = Gathering::new(Box::new(pieces.clone()), Arc::clone(&under_way));
        let mut cx = Context::from_waker(Waker::noop());
        let mut write = |data: &[u8]| Pin::new(&mut gathering).poll_write(&mut cx, data).is_ready();
        assert!(write(b"alone"));
        under_way.store(2, Ordering::Relaxed);
        assert!(!write(b"one"));
        assert!(write(b"one, another"));
        // What the system did not take at once waits no more.
        assert!(write(b"the rest"));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut gathering).poll_flush(&mut cx).is_ready());
        assert!(Pin::new(&mut gathering).poll_write(&mut cx, b"next").is_pending());
        let written = pieces.0.lock().unwrap().concat();
        assert_eq!(written, b"aloneone, anotherthe rest");
    }
}
