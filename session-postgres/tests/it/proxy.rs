//! A link to a server that counts, and that loses what it is told to lose.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    opened: AtomicUsize,
    forgotten: AtomicUsize,
    lose_next: AtomicBool,
    requests: AtomicUsize,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let state = Arc::clone(&proxy.state);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let number = state.opened.fetch_add(1, SeqCst);
                tokio::spawn(pass_on(client, server, number, Arc::clone(&state)));
            }
        });
        proxy
    }

    /// Loses the server's next answer: when it has come, so that all was done, the link breaks.
    pub(crate) fn lose_next_answer(&self) {
        self.state.lose_next.store(true, SeqCst);
    }

    /// Whether an answer was lost since it was last told to.
    pub(crate) fn has_lost(&self) -> bool {
        !self.state.lose_next.load(SeqCst)
    }

    /// From now on passes nothing on through the links there are, and closes none: so does a middlebox that forgot
    /// them.
    pub(crate) fn forget_links(&self) {
        self.state.forgotten.store(self.opened(), SeqCst);
    }

    /// How many links were opened.
    pub(crate) fn opened(&self) -> usize {
        self.state.opened.load(SeqCst)
    }

    /// How often the client has sent something.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(SeqCst)
    }
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, number: usize, state: Arc<State>) {
    let (mut request, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            length = client.read(&mut request) => {
                state.requests.fetch_add(1, SeqCst);
                let Ok(length @ 1..) = length else { return };
                let is_forgotten = number < state.forgotten.load(SeqCst);
                if !is_forgotten && server.write_all(&request[..length]).await.is_err() {
                    return;
                }
            }
            length = server.read(&mut answer) => {
                let Ok(length @ 1..) = length else { return };
                if state.lose_next.swap(false, SeqCst) || client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
