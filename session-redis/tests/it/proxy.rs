//! A link to a server that loses, holds back or changes answers when it is told to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

pub(crate) struct Proxy {
    pub(crate) port: u16,
    server: Arc<AtomicU16>,
    next: Arc<Mutex<Option<Trick>>>,
    opened: Arc<AtomicUsize>,
    passed: Arc<AtomicUsize>,
}

enum Trick {
    Lose,
    Hold {
        come: oneshot::Sender<()>,
        released: oneshot::Receiver<()>,
    },
    TurnBack {
        seconds: u64,
    },
}

/// An answer that is held back, once it comes, until this is let go.
pub(crate) struct Held {
    come: Option<oneshot::Receiver<()>>,
    _release: oneshot::Sender<()>,
}

impl Held {
    /// Waits until the answer has come, so that what was asked is done.
    pub(crate) async fn has_come(&mut self) {
        self.come.take().unwrap().await.unwrap();
    }
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            server: Arc::new(port.into()),
            next: Arc::default(),
            opened: Arc::default(),
            passed: Arc::default(),
        };
        let server = Arc::clone(&proxy.server);
        let (next, opened, passed) = (
            Arc::clone(&proxy.next),
            Arc::clone(&proxy.opened),
            Arc::clone(&proxy.passed),
        );
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                opened.fetch_add(1, Ordering::SeqCst);
                let port = server.load(Ordering::SeqCst);
                tokio::spawn(pass_on(client, port, Arc::clone(&next), Arc::clone(&passed)));
            }
        });
        proxy
    }

    /// Leads new connections to another server.
    pub(crate) fn lead_to(&self, port: u16) {
        self.server.store(port, Ordering::SeqCst);
    }

    /// Loses the server's next answer: when it has come, so that all was done, the link breaks.
    pub(crate) fn lose_next_answer(&self) {
        *self.next.lock().unwrap() = Some(Trick::Lose);
    }

    /// Whether the answer to lose has come.
    pub(crate) fn has_lost(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }

    /// Holds the server's next answer back.
    pub(crate) fn hold_next_answer(&self) -> Held {
        let (come, has_come) = oneshot::channel();
        let (release, released) = oneshot::channel();
        *self.next.lock().unwrap() = Some(Trick::Hold { come, released });
        Held {
            come: Some(has_come),
            _release: release,
        }
    }

    /// Makes the server's clock seem to have been that late when it is looked at next.
    pub(crate) fn turn_clock_back(&self, seconds: u64) {
        *self.next.lock().unwrap() = Some(Trick::TurnBack { seconds });
    }

    /// How many connections were opened through it.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// How often the client has sent something.
    pub(crate) fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

async fn pass_on(client: TcpStream, port: u16, next: Arc<Mutex<Option<Trick>>>, passed: Arc<AtomicUsize>) {
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            passed.fetch_add(1, Ordering::SeqCst);
            if to_server.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
        let trick = next.lock().unwrap().take();
        match trick {
            Some(Trick::Lose) => break,
            Some(Trick::Hold { come, released }) => {
                let _nobody_waits = come.send(());
                // An error is what letting go looks like from here.
                let _released = released.await;
            }
            Some(Trick::TurnBack { seconds }) if !turn_back(&mut buffer[..length], seconds) => {
                *next.lock().unwrap() = Some(Trick::TurnBack { seconds });
            }
            Some(Trick::TurnBack { .. }) | None => {}
        }
        if to_client.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    requests.abort();
}

/// Changes the answer to `TIME` among these, if there is one.
fn turn_back(answers: &mut [u8], by: u64) -> bool {
    const TIME: &[u8] = b"*2\r\n$10\r\n";
    let Some(at) = answers.windows(TIME.len()).position(|bytes| bytes == TIME) else {
        return false;
    };
    let seconds = &mut answers[at + TIME.len()..][..10];
    let time: u64 = str::from_utf8(seconds).unwrap().parse().unwrap();
    seconds.copy_from_slice((time - by).to_string().as_bytes());
    true
}
