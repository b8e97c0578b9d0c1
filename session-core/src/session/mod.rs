//! What a handler holds, and how what it did reaches the store.
//!
//! `Session` (the public face) → `Handle` (one a request that asks: load, commit, logout) → `State` (what is known and
//! what is to be done, as one `Step`) → the store, every call within the request's `Budget`.

mod atomic;
mod audit;
mod budget;
mod commit;
mod contenders;
mod current;
mod device;
mod devices;
mod extract;
mod find;
mod handle;
mod lazy;
mod life;
mod lifetimes;
mod login_options;
#[allow(clippy::module_inception, reason = "the folder is named after its public type")]
mod session;
mod state;
mod step;
mod to_its_end;
mod update;
mod user_agent;
mod vault;
mod views;

pub(crate) use contenders::Contenders;
pub use device::Device;
pub(crate) use handle::Handle;
pub(crate) use lazy::LazyHandle;
pub use login_options::LoginOptions;
pub use session::Session;
pub(crate) use session::check_user;
#[cfg(feature = "testing")]
pub(crate) use vault::Vault;
pub(crate) use views::{View, Views};
