use std::sync::Arc;

use proptest::{collection::vec, prelude::*};

use super::{History, Operation};
use crate::{MemoryStore, conformance::SharedStore};

proptest! {
    /// As the suite does, compared after each operation, and shrunk to the shortest history that breaks a law.
    #[test]
    fn short_histories_obey_the_laws(dice in vec(any::<[u8; 8]>(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store: SharedStore = Arc::new(MemoryStore::new());
            let mut history = History::new(&store);
            for dice in dice {
                history.apply(&Operation::of(dice)).await;
                history.compare().await;
            }
        });
    }
}
