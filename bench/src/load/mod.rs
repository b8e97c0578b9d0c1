//! The load: browsers that keep their cookies, on connections that stay open, in a process of its own.
//!
//! It reads orders from its input, a line of JSON each, and answers each with another.

mod browser;
mod connection;
mod jar;
mod lane;
mod order;
mod round;
mod tally;

use std::{
    io::{self, BufRead, Write},
    net::SocketAddr,
};

pub(crate) use order::{Job, Order};
pub(crate) use round::Round;

use self::lane::Lane;
use crate::Failure;

/// The most connections to a server.
pub(crate) const CONNECTIONS: usize = 64;

/// Obeys orders until the input ends, against the server at `address`. `elsewhere` is another instance over the same
/// store.
pub(crate) async fn obey(address: SocketAddr, elsewhere: SocketAddr) -> Result<(), Failure> {
    let mut lanes: Vec<_> = (0..CONNECTIONS)
        .map(|number| Lane::new(number, address, elsewhere))
        .collect();
    // Nothing else is to be done meanwhile, so it may block.
    for line in io::stdin().lock().lines() {
        let round = match serde_json::from_str(&line?)? {
            Order::Begin { size, sessions } => round::begin(&mut lanes, size, sessions).await,
            Order::Round(job) => round::run(&mut lanes, job).await,
        };
        let mut output = io::stdout().lock();
        serde_json::to_writer(&mut output, &round)?;
        writeln!(output)?;
        output.flush()?;
    }
    Ok(())
}
