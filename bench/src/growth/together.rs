use std::time::Duration;

use tokio::time::sleep;

use super::{compared::Compared, crowd::Crowd, field::Field, ground::Ground};
use crate::{Failure, workload::Workload};

/// How long a round takes.
const ROUND: Duration = Duration::from_millis(400);

/// How many operations a second there are, 64 at once.
pub(super) async fn measure<G: Ground>(fields: &mut [Field<G>; 2], rounds: usize) -> Result<Vec<Compared>, Failure> {
    let ids = [fields[0].ids(), fields[1].ids()];
    let mut compared = Vec::new();
    for workload in [Workload::Read, Workload::Write] {
        let mut rates = [const { Vec::new() }; 2];
        for round in 0..rounds {
            for place in super::by_turns(round) {
                let crowd = Crowd::start(&fields[place].store(), &ids[place], workload);
                sleep(ROUND).await;
                rates[place].push(crowd.stop().await?.rate);
            }
        }
        let name = match workload {
            Workload::Write => "updates",
            _ => "loads",
        };
        compared.extend(Compared::of(G::BACKEND, &name, rates, |few, many| few / many));
    }
    Ok(compared)
}
