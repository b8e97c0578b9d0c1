//! The list of a user's sessions: who is on it, how many may be, and how all of them end.

mod end_all;
mod limit;
mod list;
mod of_user;
mod purge;
mod reserve;
mod scan;

// Only what the fuzz targets and tests reach into.
#[cfg(any(fuzzing, test))]
pub(crate) use list::List;
pub(crate) use reserve::Listing;
pub(crate) use scan::Spot;
