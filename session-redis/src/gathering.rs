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

use crate::wire::Io;

/// A connection that lets the tasks that are ready have their turn before it writes, and so writes together what they
/// have to say: a write costs the app and the server more than the command that it brings.
///
/// Nobody waits for others to come. Whoever is alone writes at once, for a turn of the runtime's costs more than it saves.
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
