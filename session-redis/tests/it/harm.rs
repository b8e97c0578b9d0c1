//! A link to a server that can be harmed for a while.

use session_core::{SessionStore, conformance::NearInstance};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What is wrong with the link.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Harm {
    None,
    /// It is closed, and nobody can open another.
    Cut,
    /// Nothing comes through, and nothing is lost.
    Frozen,
    /// Nothing comes back: the server does what it is asked, and whatever it tells is late.
    Mute,
}

pub(crate) struct HarmedLink {
    pub(crate) port: u16,
    harm: watch::Sender<Harm>,
}

impl HarmedLink {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, (harm, told)) = (listener.local_addr().unwrap().port(), watch::channel(Harm::None));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *told.borrow() != Harm::Cut {
                    tokio::spawn(pass_on(client, server, told.clone()));
                }
            }
        });
        Self { port, harm }
    }

    pub(crate) fn harm(&self, choice: u64) {
        let harms = [Harm::Cut, Harm::Frozen, Harm::Mute];
        self.harm.send_replace(harms[(choice % 3) as usize]);
    }

    pub(crate) fn mend(&self) {
        self.harm.send_replace(Harm::None);
    }
}

/// An instance whose store reaches its server by such a link.
pub(crate) struct HarmedInstance<S> {
    pub(crate) store: S,
    pub(crate) link: HarmedLink,
}

impl<S: SessionStore> NearInstance for HarmedInstance<S> {
    fn store(&self) -> &dyn SessionStore {
        &self.store
    }

    fn harm(&self, choice: u64) {
        self.link.harm(choice);
    }

    fn mend(&self) {
        self.link.mend();
    }
}

async fn pass_on(client: TcpStream, server: u16, mut told: watch::Receiver<Harm>) {
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = one_way(from_client, to_server, told.clone(), |harm| harm != Harm::Frozen);
    let answers = one_way(from_server, to_client, told.clone(), |harm| harm == Harm::None);
    // Both ways end with either.
    tokio::select! {
        () = requests => {}
        () = answers => {}
        _cut = told.wait_for(|harm| *harm == Harm::Cut) => {}
    }
}

async fn one_way(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut told: watch::Receiver<Harm>,
    passes: impl Fn(Harm) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let mended = told.wait_for(|harm| passes(*harm)).await.is_ok();
        if !mended || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
