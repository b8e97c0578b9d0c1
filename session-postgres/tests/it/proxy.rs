//! A link to a server that loses answers when it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Proxy {
    pub(crate) port: u16,
    lose_next: Arc<AtomicBool>,
    opened: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            lose_next: Arc::default(),
            opened: Arc::default(),
        };
        let (lose_next, opened) = (Arc::clone(&proxy.lose_next), Arc::clone(&proxy.opened));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass_on(client, port, Arc::clone(&lose_next)));
            }
        });
        proxy
    }

    /// Loses the server's next answer: when it has come, so that all was done, the link breaks.
    pub(crate) fn lose_next_answer(&self) {
        self.lose_next.store(true, Ordering::SeqCst);
    }

    /// Whether an answer was lost since it was last told to.
    pub(crate) fn has_lost(&self) -> bool {
        !self.lose_next.load(Ordering::SeqCst)
    }

    /// How many connections were opened through it.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

async fn pass_on(client: TcpStream, port: u16, lose_next: Arc<AtomicBool>) {
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
        if lose_next.swap(false, Ordering::SeqCst) || to_client.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    requests.abort();
}
