use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Pipeline, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisError, Value,
    aio::MultiplexedConnection,
};
use tokio::{task::JoinHandle, time::timeout};

use super::{address::Address, envelope::Enveloped, gathering::Gathering, stream::Stream, tls::Tls};
use crate::{
    connection::Replicated,
    error::{ConnectError, Failure},
    near::{Near, NearEar},
    wire::envelope,
};

/// One connection to the server, on which the commands of all operations follow each other.
///
/// Nothing on it is tried again. Once it is lost it stays so.
pub(crate) struct Link {
    connection: MultiplexedConnection,
    written: Arc<AtomicU64>,
    /// How many exchanges are under way.
    under_way: Arc<AtomicUsize>,
    /// Sends, receives, and ends when the connection does.
    driver: JoinHandle<()>,
    /// With a near cache: what is told to it, and what keeps its lease.
    near: Option<(NearEar, JoinHandle<()>)>,
    /// What looks out for the reason to give this connection up, if something does.
    lookout: Option<JoinHandle<()>>,
    pub(crate) replicated: Replicated,
}

impl Link {
    /// Connects and logs in.
    pub(crate) async fn open(
        address: &Address,
        tls: Option<&Tls>,
        login: &RedisConnectionInfo,
        near: Option<&Arc<Near>>,
    ) -> Result<Self, ConnectError> {
        let Stream { io, written } = Stream::open(address, tls).await?;
        let mut config = AsyncConnectionConfig::new()
            .set_response_timeout(None) // `send` has one
            .set_pipeline_buffer_size(1024)
            .set_write_backpressure_boundary(256 * 1024);
        let mut login = login.clone();
        let ear = near.map(Near::begin);
        if let Some(ear) = ear.clone() {
            // The protocol in which a server tells what nobody asked for.
            login = login.set_protocol(ProtocolVersion::RESP3);
            config = config.set_push_sender(move |push: PushInfo| -> Result<(), Infallible> {
                ear.hear(&push);
                Ok(())
            });
        }
        let (envelopes, under_way) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let io = Box::new(Gathering::new(io, Arc::clone(&under_way)));
        let io = Enveloped::new(io, Arc::clone(&envelopes));
        let opened = MultiplexedConnection::new_with_config(&login, io, config).await;
        let (connection, driver) = opened.map_err(|source| ConnectError::refused(address, &login, source))?;
        // What was answered to the login, the driver has read itself.
        envelopes.store(true, Ordering::Release);
        Ok(Self {
            driver: tokio::spawn(driver),
            near: ear.map(|ear| (ear.clone(), ear.keep(connection.clone()))),
            connection,
            written,
            under_way,
            lookout: None,
            replicated: Replicated::default(),
        })
    }

    /// Gives the connection up when this comes to its end. What is under way then has an unknown outcome.
    pub(crate) fn until(mut self, reason: impl Future<Output = ()> + Send + 'static) -> Self {
        let driver = self.driver.abort_handle();
        self.lookout = Some(tokio::spawn(async move {
            reason.await;
            driver.abort();
        }));
        self
    }

    /// Keeps the near cache from serving anything.
    pub(crate) fn hang_up(&self) {
        if let Some((ear, keeper)) = &self.near {
            ear.hang_up();
            keeper.abort();
        }
    }

    /// Whether it was lost, as far as is known.
    pub(crate) fn is_lost(&self) -> bool {
        self.driver.is_finished()
    }

    /// Sends commands and waits for their answers, errors of the server's among them.
    pub(crate) async fn send(&self, commands: &Pipeline, within: Duration) -> Result<Vec<Value>, Failure> {
        envelope::open_all(self.exchange(commands, within).await?)
            .map_err(|source| Failure::Lost { sent: true, source })
    }

    /// The same, and leaves the answers in their envelopes.
    pub(crate) async fn exchange(&self, commands: &Pipeline, within: Duration) -> Result<Vec<Value>, Failure> {
        let _until_it_is_answered = UnderWay::begin(&self.under_way);
        let written = self.written.load(Ordering::Acquire);
        let mut connection = self.connection.clone();
        let answers = async {
            let mut each = commands.cmd_iter();
            match (each.next(), each.next()) {
                // Alone it costs the driver less.
                (Some(command), None) => Ok(vec![connection.send_packed_command(command).await?]),
                _ => connection.send_packed_commands(commands, 0, commands.len()).await,
            }
        };
        match timeout(within, answers).await {
            Ok(answers) => answers.map_err(|source| self.lost(written, source)),
            Err(_) => Err(Failure::Late(within)),
        }
    }

    /// If nothing at all was written since before a command was given to the driver, nothing of the command was.
    fn lost(&self, written: u64, source: RedisError) -> Failure {
        let sent = self.written.load(Ordering::Acquire) != written;
        Failure::Lost { sent, source }
    }
}

/// An exchange, counted while it is under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.hang_up();
        if let Some(lookout) = &self.lookout {
            lookout.abort();
        }
        self.driver.abort();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("is_lost", &self.is_lost()).finish()
    }
}
