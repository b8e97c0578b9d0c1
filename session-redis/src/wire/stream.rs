use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{address::Address, tls::Tls};
use crate::error::ConnectError;

/// How long data may stay unacknowledged before the system gives the connection up.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is written to and read from the server, through TLS where that is asked for.
pub(crate) struct Stream {
    pub(crate) io: Box<dyn Io>,
    /// The bytes written so far.
    pub(crate) written: Arc<AtomicU64>,
}

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Stream {
    /// Connects; nobody is logged in yet.
    pub(crate) async fn open(address: &Address, tls: Option<&Tls>) -> Result<Self, ConnectError> {
        let unreachable = |source| {
            let address = address.clone();
            ConnectError::Unreachable { address, source }
        };
        let wire = Wire::connect(&address.host, address.port).await.map_err(unreachable)?;
        let written = Arc::clone(&wire.written);
        let Some(tls) = tls else {
            let io = Box::new(wire);
            return Ok(Self { io, written });
        };
        match tls.connect(&address.host, wire).await {
            Ok(stream) => {
                let io = Box::new(stream);
                Ok(Self { io, written })
            }
            // rustls' own errors come as this kind of I/O error.
            Err(source) if source.kind() == io::ErrorKind::InvalidData => {
                let address = address.clone();
                Err(ConnectError::Tls { address, source })
            }
            Err(source) => Err(unreachable(source)),
        }
    }
}

/// A TCP connection that counts what it writes, and writes nothing once the other end has hung up.
///
/// So that a command is known not to have been sent, and can be sent again, if the server was restarted since the
/// connection was last used.
struct Wire {
    tcp: TcpStream,
    written: Arc<AtomicU64>,
}

impl Wire {
    async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let tcp = TcpStream::connect((host, port)).await?;
        tcp.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(10))
            .with_interval(Duration::from_secs(3))
            .with_retries(3);
        let socket = SockRef::from(&tcp);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        Ok(Self {
            tcp,
            written: Arc::default(),
        })
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        check_open(&self.tcp)?;
        let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, data))?;
        self.written.fetch_add(written as u64, Ordering::Release);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Asks the system itself: the runtime may not have heard yet that the other end has hung up.
fn check_open(tcp: &TcpStream) -> io::Result<()> {
    match SockRef::from(tcp).peek(&mut [MaybeUninit::uninit()]) {
        Ok(0) => Err(io::ErrorKind::BrokenPipe.into()),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
        Err(error) => Err(error),
    }
}
