use std::{error::Error as StdError, io};

use session_core::Error;

use crate::Failure;

/// A store whose certificate is not trusted. How the app is told whom to trust only the app knows.
#[derive(Debug, thiserror::Error)]
#[error(
    "the store's certificate is not trusted: if its authority is none of the system's, name a file that has it with \
     --ca-file or SESSION_CA_FILE"
)]
struct Untrusted(#[source] Error);

/// An error of a store that is to be told, with what to do about it as far as that is the app's to say.
pub(crate) fn explain(error: Error) -> Failure {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(is_of_certificate) {
            break;
        }
        cause = error.source();
    }
    if error.is_lasting() && cause.is_some() {
        Untrusted(error).into()
    } else {
        error.into()
    }
}

/// What verifies certificates hands its verdict on as such an error, under both stores.
fn is_of_certificate(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}
