use super::{compared::Compared, field::Field, ground::Ground, operation::Operation};
use crate::{Failure, quartiles::Quartiles};

/// How many of each are done in a turn. A turn counts with its median.
const TURN: usize = 20;

/// What each operation takes, one at a time, in microseconds.
pub(super) async fn measure<G: Ground>(fields: &mut [Field<G>; 2], turns: usize) -> Result<Vec<Compared>, Failure> {
    let mut compared = Vec::new();
    for operation in Operation::ALL {
        let mut times = [const { Vec::new() }; 2];
        for turn in 0..turns {
            for place in super::by_turns(turn) {
                times[place].push(median(&mut fields[place], operation).await?);
            }
        }
        compared.extend(Compared::of(G::BACKEND, &operation, times, |few, many| many / few));
    }
    Ok(compared)
}

/// The median of a turn.
async fn median<G: Ground>(field: &mut Field<G>, operation: Operation) -> Result<f64, Failure> {
    let mut times = Vec::with_capacity(TURN);
    for nth in 0..TURN {
        times.push(operation.perform(field, nth).await?.as_secs_f64() * 1e6);
    }
    Ok(Quartiles::of(times).map_or(0.0, |times| times.median))
}
