//! How a session is kept: the fields of its hash, and what is read of them.

mod hash;
mod head;
#[allow(clippy::module_inception, reason = "the folder is named after what it is")]
mod record;

pub(crate) use hash::{answer_of, read_fields, read_hash};
pub(crate) use head::{front, terms};
pub(crate) use record::{Found, META, add_changes, add_pairs, millis, optional_fields, user_field};
// Only what the fuzz targets and tests reach into.
#[cfg(any(fuzzing, test))]
pub(crate) use record::decode;
