//! Which servers there are, and which of them is written to: one, one that sentinels name, or the nodes of a cluster.

mod sentinels;
mod server;
#[allow(clippy::module_inception, reason = "the folder is named after what it is")]
mod servers;
mod topology;

pub(crate) use sentinels::Sentinels;
pub(crate) use server::Server;
pub(crate) use servers::{ListeningPost, Servers};
pub(crate) use topology::{Read, Topology};
// Only what the fuzz targets and tests reach into.
#[cfg(any(fuzzing, test))]
pub(crate) use sentinels::read_primary;
