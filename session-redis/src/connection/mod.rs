//! The connection to a server: opened when it is needed, greeted, shared by all, and opened anew when it is lost.

mod clock;
#[allow(clippy::module_inception, reason = "the folder is named after what it is")]
mod connection;
mod dialer;
mod ended_lately;
mod greet;
mod place;
mod replicas;

pub(crate) use connection::Connection;
pub(crate) use dialer::Dialer;
pub(crate) use ended_lately::Ending;
pub(crate) use place::Place;
pub(crate) use replicas::{Replicas, Replicated};
