use std::sync::{Arc, Mutex};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::barrier::Barrier;

/// A link to a server on this machine, that holds back what is sent on its way when it is told to.
pub(super) struct Link {
    port: u16,
    hold: Arc<Mutex<Option<Hold>>>,
}

struct Hold {
    /// How many sendings still go through.
    before: usize,
    barrier: Barrier,
}

impl Link {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Self {
            port: listener.local_addr().unwrap().port(),
            hold: Arc::default(),
        };
        let hold = Arc::clone(&link.hold);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(pass_on(from_client, to_server, Arc::clone(&hold)));
                tokio::spawn(pass_on(from_server, to_client, Arc::default()));
            }
        });
        link
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Lets `before` more sendings through to the server, and holds the one after them.
    pub(super) fn hold_after(&self, before: usize) -> Barrier {
        let barrier = Barrier::new();
        *self.hold.lock().unwrap() = Some(Hold {
            before,
            barrier: barrier.clone(),
        });
        barrier
    }
}

async fn pass_on(
    mut from: impl io::AsyncRead + Unpin,
    mut to: impl io::AsyncWrite + Unpin,
    hold: Arc<Mutex<Option<Hold>>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Some(barrier) = held(&hold) {
            barrier.wait().await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Counts a sending, and says where it has to wait.
fn held(hold: &Mutex<Option<Hold>>) -> Option<Barrier> {
    let mut hold = hold.lock().unwrap();
    let Hold { before, .. } = hold.as_mut()?;
    match before.checked_sub(1) {
        Some(less) => {
            *before = less;
            None
        }
        None => hold.take().map(|hold| hold.barrier),
    }
}
