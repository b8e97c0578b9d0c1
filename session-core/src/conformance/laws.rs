mod history;
mod model;
mod operation;
#[cfg(test)]
mod tests;

use history::History;
use operation::Operation;

use super::random::Random;
use crate::conformance::SharedStore;

/// How many histories there are, how long they are, and after how many operations all is compared.
const HISTORIES: usize = 3;
const LENGTH: usize = 60;
const COMPARED: usize = 10;

/// Whatever is done in whatever order, the answers and the sessions are those of a plain map (promises P1, P2, P3, P6
/// and P10). With the seed that it prints in the variable `SEED`, it does the same again.
pub async fn random_histories_obey_the_laws(store: &SharedStore) {
    let mut random = Random::seeded();
    for _ in 0..HISTORIES {
        let mut history = History::new(store);
        for step in 1..=LENGTH {
            let dice = random.next().to_be_bytes();
            history.apply(&Operation::of(dice)).await;
            if step % COMPARED == 0 {
                history.compare().await;
            }
        }
    }
}
