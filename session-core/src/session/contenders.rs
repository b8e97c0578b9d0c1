use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::SessionId;

const STRIPES: usize = 256;

/// Lets one request of this instance at a time update a key of a session, so that they do not make each other's
/// compare-and-set fail. Correctness does not rest on it: the store decides.
#[derive(Debug)]
pub(crate) struct Contenders {
    hasher: RandomState,
    stripes: Box<[Mutex<()>]>,
}

impl Default for Contenders {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Contenders {
    pub(crate) async fn turn(&self, id: &SessionId, key: &str) -> MutexGuard<'_, ()> {
        let stripe = self.hasher.hash_one((id, key)) as usize % STRIPES;
        self.stripes[stripe].lock().await
    }
}
