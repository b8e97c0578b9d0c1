//! An app's own work that is to be done once, by whichever instance comes first.

mod claim;
mod claimed;
#[cfg(feature = "once")]
mod hold;
#[cfg(feature = "once")]
mod run;
mod store;
#[cfg(all(test, feature = "once"))]
mod tests;

pub use claim::Claim;
pub use claimed::Claimed;
#[cfg(feature = "once")]
pub use run::run_once;
#[cfg(feature = "conformance")]
pub(crate) use run::run_once_with;
pub use store::OnceStore;
