//! Redis Cluster: which node has which slots, and how commands come to the nodes that have their keys.

#[allow(clippy::module_inception, reason = "the folder is named after what it is")]
mod cluster;
mod errand;
mod in_turn;
mod redirect;
mod slot;
mod table;
mod trip;

pub(crate) use cluster::Cluster;
pub(crate) use redirect::Redirect;
pub(crate) use slot::Slot;
// Only what the fuzz targets and tests reach into.
#[cfg(any(fuzzing, test))]
pub(crate) use table::{Table, read_slots};
