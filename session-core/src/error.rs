use std::{convert::Infallible, error::Error as StdError};

use crate::Value;

/// What a store or a session could not do, and why.
///
/// In axum it is a response too: 503 with `Retry-After` where the store is down or an outcome unknown, 409 where the
/// session ended, was renewed or changed meanwhile or is one too many, 401 where nobody is logged in, the session is
/// locked or its login too old, 413 where something is too large, 400 for a text that is no user or no id, else 500.
/// The layer answers so if it cannot keep what a handler did. Such a response has the error in its extensions, for an
/// app that has pages of its own for them:
///
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use std::sync::Arc;
///
/// use axum::{Router, body::Body, middleware::map_response, response::Response};
/// use session_core::{Error, MemoryStore, SessionLayer};
///
/// async fn show_error(response: Response) -> Response {
///     let error = response.extensions().get::<Arc<Error>>();
///     match error.map(|error| format!("{{\"error\": \"{error}\"}}")) {
///         Some(page) => response.map(|_| Body::from(page)), // the status and the cookies stay
///         None => response,
///     }
/// }
///
/// let app: Router = Router::new()
///     .layer(SessionLayer::new(MemoryStore::new()))
///     .layer(map_response(show_error));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another request changed the value that an update expected. Stores say so; `Session::update` tries again.
    #[error("another request changed the value meanwhile")]
    Conflict {
        /// The value now; `None` if the key is gone.
        current: Option<Value>,
    },

    /// A value in the store is not what was asked for. Other keys are not affected.
    #[error("the value of the session key {key:?} cannot be decoded as the type asked for")]
    Decode {
        /// The key.
        key: String,
        /// What is wrong with the value.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// A value cannot be written as JSON.
    #[error("the value for the session key {key:?} cannot be encoded as JSON")]
    Encode {
        /// The key.
        key: String,
        /// What is wrong with the value.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The session has ended, or a login gave it a new token, so what this request did to it is not kept.
    #[error("the session ended or was renewed while this request ran; reload the page and try again")]
    Ended,

    /// A session with this id exists already, and is not the one that was to be created.
    #[error("a session with this id exists already")]
    IdInUse,

    /// The text is no session id.
    #[error("a session id is 32 hexadecimal digits")]
    InvalidId,

    /// The key cannot name a value.
    #[error("the session key {key:?} cannot be used: {reason}")]
    InvalidKey {
        /// The key, or its first 40 characters.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// The user cannot be bound to a session.
    #[error("a user to log in is named by 1 to 255 bytes without the character U+0000")]
    InvalidUser,

    /// A login cannot be as it was asked for.
    #[error("the login cannot be made: {reason}")]
    InvalidLogin {
        /// What is wrong with it.
        reason: String,
    },

    /// The text names no work.
    #[error("work to be done once is named by 1 to 255 bytes without the character U+0000")]
    InvalidWork,

    /// The user has as many sessions as are allowed, so the login was refused.
    #[error("this user has {max} sessions already, and no more are allowed: end one and log in again")]
    LimitReached {
        /// The most that are allowed.
        max: u32,
    },

    /// The login is too long ago for what was to be done.
    #[error("this asks for a recent login: log in again")]
    LoginTooOld,

    /// The session was not used for so long that it is locked: a login opens it again, with its data.
    #[error("the session is locked because it was not used for a while: log in again")]
    Locked,

    /// The head of the response has been sent, so no cookie can be set any more.
    #[error("the response has begun, so its cookies are fixed: {action} before it is returned, or call save() earlier")]
    TooLate {
        /// What would have needed a cookie.
        action: &'static str,
    },

    /// The record would become too large. The store refused the write as a whole.
    #[error("the session's data would have {size} bytes, and {limit} are allowed")]
    TooLarge {
        /// The bytes of all keys and values.
        size: u64,
        /// The most that is allowed.
        limit: u64,
    },

    /// Nobody is logged in, and what was to be done is for users only.
    #[error("nobody is logged in: log in and try again")]
    NotLoggedIn,

    /// There is no session layer around the handler.
    #[error(
        "no SessionLayer ran for this request: add it with `.layer(SessionLayer::new(store))` \
         below the routes that use a Session; a layer covers only routes added before it"
    )]
    NoLayer,

    /// Two session layers with the same cookie name are around each other.
    #[error(
        "two SessionLayers with the cookie {cookie:?} are around this route: remove one, or name its cookies apart"
    )]
    NestedLayers {
        /// The name of the cookie.
        cookie: String,
    },

    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes for a session token")]
    Random {
        /// What it says.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The session's values cannot be sealed. Nothing was done. A damaged seal gives way to a new one at the next login
    /// or renewal.
    #[error("the session's values cannot be sealed")]
    Seal {
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The store cannot be reached or refuses to work. Nothing was done.
    #[error("the session store {}", if is_lasting(&**.source) { "cannot be used as it is set up" } else { "is not available" })]
    Unavailable {
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// The store was asked, and whether it did it is not known: it did not answer in time, or the link was lost.
    #[error("the session store did not answer, so whether it did what was asked is not known")]
    Unknown {
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },

    /// A value is too large.
    #[error("the value for the session key {key:?} has {size} bytes, and {limit} are allowed")]
    ValueTooLarge {
        /// The key.
        key: String,
        /// The bytes of the value's JSON text.
        size: u64,
        /// The most that is allowed.
        limit: u64,
    },

    /// An app's own work, which was to be done once, failed. It has been given back, for others to try.
    #[error("the work {name:?} failed")]
    Work {
        /// The name of the work.
        name: String,
        /// What it says.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// The store cannot be reached or refuses to work, for this reason. Nothing was done.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable { source: source.into() }
    }

    /// The same, and waiting does not mend it: a setting is wrong, a password, or a certificate.
    pub fn lasting(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::unavailable(Lasting(source.into()))
    }

    /// Whether the store cannot be used until somebody changes something. What starts while the store is away can wait
    /// for it, and had better end if this is true.
    ///
    /// ```
    /// use session_core::Error;
    ///
    /// let lasting = Error::lasting("the password is wrong");
    /// assert!(lasting.is_lasting());
    /// assert_eq!(lasting.to_string(), "the session store cannot be used as it is set up");
    /// assert!(!Error::unavailable("the connection was refused").is_lasting());
    /// ```
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Unavailable { source } if is_lasting(&**source))
    }

    /// Whether the store did what was asked is not known, for this reason.
    pub fn unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unknown { source: source.into() }
    }
}

/// A reason that lasts. It says what the reason says.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Lasting(Box<dyn StdError + Send + Sync>);

fn is_lasting(source: &(dyn StdError + Send + Sync + 'static)) -> bool {
    source.is::<Lasting>()
}

/// For conversions that cannot fail, so that a store can be opened with settings or with a URL they are in.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
