use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// What a link does with what is sent over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Whole,
    /// All connections are closed, and new ones at once.
    Cut,
    /// Connections stay, and nothing comes through any more.
    Mute,
    /// All that is sent comes later by this.
    Slow(Duration),
    /// Each connection breaks after a moment.
    Brittle,
}

/// The name of a server, as instances know it: a port that leads to the server, wherever that is.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    target: Arc<AtomicU16>,
    link: watch::Sender<Link>,
    opened: Arc<Mutex<Vec<Instant>>>,
    acceptor: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (link, links) = watch::channel(Link::Whole);
        let target = Arc::new(AtomicU16::new(port));
        let opened = Arc::<Mutex<Vec<Instant>>>::default();
        Ok(Self {
            port: listener.local_addr()?.port(),
            acceptor: tokio::spawn(accept(listener, Arc::clone(&target), links, Arc::clone(&opened))),
            target,
            link,
            opened,
        })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Leads to another server from now on. Connections that there are stay where they are.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, link: Link) {
        self.link.send_replace(link);
    }

    /// The most connections that were opened in any second, and forgets them.
    pub(crate) fn take_most_in_a_second(&self) -> usize {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = std::mem::take(&mut *opened);
        let within = |first: &Instant| {
            let later = opened.iter().filter(|at| *at >= first);
            later
                .filter(|at| at.duration_since(*first) < Duration::from_secs(1))
                .count()
        };
        opened.iter().map(within).max().unwrap_or(0)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: Arc<AtomicU16>,
    links: watch::Receiver<Link>,
    opened: Arc<Mutex<Vec<Instant>>>,
) {
    while let Ok((client, _)) = listener.accept().await {
        opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Instant::now());
        if *links.borrow() == Link::Cut {
            continue;
        }
        let (target, links) = (target.load(Ordering::Relaxed), links.clone());
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else {
                return;
            };
            let _nodelay = (client.set_nodelay(true), server.set_nodelay(true));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            // Either end's end is both's.
            tokio::select! {
                () = pass(from_client, to_server, links.clone()) => {}
                () = pass(from_server, to_client, links.clone()) => {}
                () = broken(links) => {}
            }
        });
    }
}

/// Waits until the link breaks what goes over it.
async fn broken(mut links: watch::Receiver<Link>) {
    static CONNECTION: AtomicU64 = AtomicU64::new(0);
    let number = CONNECTION.fetch_add(1, Ordering::Relaxed);
    loop {
        let link = *links.borrow_and_update();
        match link {
            Link::Cut => return,
            Link::Brittle => {
                // 20 to 180 ms.
                let moment = Duration::from_millis(20 + number * 37 % 160);
                tokio::select! {
                    () = sleep(moment) => return,
                    changed = links.changed() => if changed.is_err() { return },
                }
            }
            _ => {
                if links.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn pass(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut links: watch::Receiver<Link>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let link = *links.borrow();
        match link {
            Link::Slow(by) => sleep(by).await,
            // What comes while it is mute never arrives, nor what comes after: a link does not forget the middle.
            Link::Mute => {
                let ended = links.wait_for(|link| *link == Link::Cut).await;
                drop(ended);
                return;
            }
            _ => {}
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
