//! The suite that every store has to pass: one function for each behaviour, named as the promise it checks.
//!
//! A store's crate makes a test of each with one line, see [`conformance_tests!`](crate::conformance_tests):
//!
//! ```
//! # #[cfg(test)]
//! # mod conformance {
//! session_core::conformance_tests!(session_core::MemoryStore::new());
//! # }
//! ```
//!
//! A store that is an [`OnceStore`](crate::OnceStore) too has [`once_tests!`](crate::once_tests) besides.
//!
//! The behaviours look only at sessions and users that they made themselves, under random ids and names, so they run
//! in parallel, on any database, and clear nothing. Those that concern time wait for it: each takes a second or two
//! at most.
//!
//! The suite grows in minor releases: a store that passed an older one may have to be corrected to pass the newer.
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a behaviour panics if it is not kept: that is what it is for"
)]
#![expect(clippy::needless_pass_by_value, reason = "an answer is checked where it is given")]

mod by_turns;
mod checks;
mod given;
mod list;
mod near_history;
mod race;
mod random;
mod read_near;
mod run;

mod about;
mod create;
mod end;
mod end_all;
mod ended;
mod expectation;
mod expiry;
mod housekeeping;
mod keys;
mod laws;
mod lifetimes;
mod limit;
mod list_of_user;
mod load;
mod lock;
mod login;
mod marker;
mod neighbours;
mod once;
mod once_list;
mod once_run;
mod race_changes;
mod race_end;
mod race_limit;
mod race_renewal;
mod renew;
mod renewal_by_time;
mod seal;
mod size;
mod touch;
mod update;
mod users;

pub use by_turns::ByTurns;
pub use near_history::{NearInstance, near_caches_keep_the_promises};
pub use read_near::ReadNear;
#[doc(hidden)]
pub use run::{run, run_on_two};

pub use about::*;
pub use create::*;
pub use end::*;
pub use end_all::*;
pub use ended::*;
pub use expectation::*;
pub use expiry::*;
pub use housekeeping::*;
pub use keys::*;
pub use laws::random_histories_obey_the_laws;
pub use lifetimes::*;
pub use limit::*;
pub use list_of_user::*;
pub use load::*;
pub use lock::*;
pub use login::*;
pub use marker::*;
pub use neighbours::*;
pub use once::*;
pub use once_run::*;
pub use race_changes::*;
pub use race_end::*;
pub use race_limit::*;
pub use race_renewal::*;
pub use renew::*;
pub use renewal_by_time::*;
pub use seal::*;
pub use size::*;
pub use touch::*;
pub use update::*;
pub use users::*;

/// A store as the behaviours use it, from many tasks.
pub type SharedStore = std::sync::Arc<dyn crate::SessionStore>;

/// Two instances' handles to one store, as the behaviours of an [`OnceStore`](crate::OnceStore) use them.
pub type Instances = [std::sync::Arc<dyn crate::OnceStore>; 2];
