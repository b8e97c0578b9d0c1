use std::{
    fmt,
    future::Future,
    sync::{Arc, MutexGuard},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{Handle, LoginOptions, audit::Event, state::State, step::Intent, vault::Unreadable};
use crate::{Error, SessionId, SessionInfo, Value, until_ended};

/// The session of a request: what an axum handler extracts.
///
/// Extracting it loads the session, once a request however often it is extracted. Reading and writing are then
/// without waiting; the layer commits what changed, and only that, before the response's head is sent. All clones are
/// the same session.
///
/// ```
/// use session_core::{Error, Session};
///
/// async fn set_theme(session: Session) -> Result<&'static str, Error> {
///     session.insert("theme", "dark")?;
///     Ok("the next page is dark, on every instance")
/// }
///
/// async fn login(session: Session, name: String) -> Result<(), Error> {
///     // ... after checking who it is:
///     session.login(name) // a new token, when the response is sent
/// }
///
/// async fn logout(session: Session) -> Result<(), Error> {
///     session.logout().await // at once
/// }
/// ```
///
/// A handler that answers 5xx commits nothing, and one that answers 4xx logs nobody in. What cannot be kept is answered
/// by an error, never by success: 409 if the session ended meanwhile, 503 if the store is down.
#[derive(Clone)]
pub struct Session {
    pub(super) handle: Arc<Handle>,
}

impl Session {
    pub(crate) fn of(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    /// The value of `key`, as this request sees it: what it wrote itself comes first.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] if the value is damaged or is no `T`, and other keys are not affected; [`Error::Locked`].
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let value = self.unlocked()?.value(key);
        let decoded = value
            .map_err(|source| undecodable(key, source))
            .and_then(|value| value.map(|value| decode(key, &value)).transpose());
        decoded.inspect_err(|error| self.audit_decode(error))
    }

    /// Sets `key` to `value`, in the store when the request commits.
    ///
    /// Setting the value that is there already is a write too, for another request may have changed it meanwhile. A
    /// visitor who has no session gets one.
    ///
    /// # Errors
    ///
    /// [`Error::ValueTooLarge`], [`Error::InvalidKey`] and [`Error::Encode`]; [`Error::TooLate`] for a visitor without
    /// a session whose response has begun; [`Error::Locked`].
    pub fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Error> {
        let value = self.encode(key, value)?;
        let mut state = self.handle.state();
        if state.is_locked() && !self.handle.config.names_user(key) {
            return Err(Error::Locked);
        }
        if state.closed && state.current.is_none() {
            let error = Error::TooLate {
                action: "write to a new session",
            };
            tracing::error!(key, "{error}");
            return Err(error);
        }
        state.delta.set(key, value)
    }

    /// Removes `key`, in the store when the request commits. A key that is not there is none to remove.
    pub fn remove(&self, key: &str) {
        self.handle.state().delta.remove(key);
    }

    /// Whether `key` has a value, as this request sees it.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.handle.state().contains(key)
    }

    /// The keys that have values, as this request sees them, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.handle.state().keys()
    }

    /// Removes every key this request sees. Keys that another request adds meanwhile stay, and the user stays logged
    /// in: see [`logout`](Self::logout).
    pub fn clear(&self) {
        let mut state = self.handle.state();
        for key in state.keys() {
            state.delta.remove(key);
        }
    }

    /// Logs `user` in, when the request commits: the session moves, with its data and this request's changes, to a
    /// new token in the login cookie, and a new lifetime begins. The old token opens nothing any more.
    ///
    /// If somebody else was logged in, nothing of theirs moves: the session begins with this request's changes alone.
    ///
    /// A response of 4xx or 5xx logs nobody in, and does not keep what was written along with it: so a handler that
    /// was given up half-way leaves no half login. To know the outcome in the handler, call [`save`](Self::save).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUser`] unless the name has 1 to 255 bytes and no U+0000; [`Error::TooLate`] if the response has
    /// begun.
    pub fn login(&self, user: impl Into<String>) -> Result<(), Error> {
        self.login_with(user, LoginOptions::new())
    }

    /// Logs `user` in like [`login`](Self::login), and says more: the device, where it came from, how long the session
    /// may live, which limit counts it.
    ///
    /// With a [limit](crate::SessionLayer::session_limit) that is reached, the commit refuses the login: the response
    /// is 409, or what the handler makes of the error of [`save`](Self::save).
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login); [`Error::InvalidLogin`] if the options cannot be kept.
    pub fn login_with(&self, user: impl Into<String>, options: LoginOptions) -> Result<(), Error> {
        let user = user.into();
        check_user(&user)?;
        options.check()?;
        self.intend(Intent::Login(Some(user), Box::new(options)), "log in")
    }

    /// Gives the session a new token when the request commits, as after every change of rights. Data, user and
    /// lifetime stay; the old token opens nothing any more. Without a session there is nothing to renew.
    ///
    /// # Errors
    ///
    /// [`Error::TooLate`] if the response has begun; [`Error::Locked`].
    pub fn renew(&self) -> Result<(), Error> {
        if self.unlocked()?.current.is_none() {
            return Ok(());
        }
        self.intend_renewal()
    }

    /// Renews the session; if there is none by then, what is written begins one under the login cookie. A locked one is
    /// renewed by a login only, which may yet be written.
    pub(crate) fn intend_renewal(&self) -> Result<(), Error> {
        if self.handle.state().is_login_pending() {
            return Ok(());
        }
        self.intend(Intent::Renew, "renew the session")
    }

    fn intend(&self, intent: Intent, action: &'static str) -> Result<(), Error> {
        let mut state = self.handle.state();
        if state.closed {
            return Err(Error::TooLate { action });
        }
        state.intent = Some(intent);
        Ok(())
    }

    /// Ends the session now, on every instance, and leaves the browser without its cookie.
    ///
    /// It completes even if the handler is dropped. Changes not committed yet are dropped; what is written after it
    /// begins a new session.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] or [`Error::Unknown`] if the store may not have ended it. A handler that answers with
    /// success all the same is overruled: the response becomes 503.
    ///
    /// [`Error::Ended`] once the response has begun, if the session is not there any more, or under an id that it got
    /// more than five minutes ago.
    pub async fn logout(&self) -> Result<(), Error> {
        self.handle.logout().await
    }

    /// Who is logged in; a login of this request counts.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.handle.state().user().map(String::from)
    }

    /// The session's id: not a secret, fit for logs. `None` for a visitor without a session; a login or renewal
    /// changes it when it is committed.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.handle.state().current.as_ref().map(|current| current.id)
    }

    /// When the session began, was last seen, and ends at the latest, by the store's clock when it was loaded. `None`
    /// for a session that this request began or renewed, until it is [reloaded](Self::reload).
    #[must_use]
    pub fn info(&self) -> Option<SessionInfo> {
        self.handle.state().current.as_ref()?.info()
    }

    /// Commits now what is to be committed, for handlers that must know the outcome, and for what a response writes
    /// after its head was sent (streams, WebSockets).
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the session ended or was renewed meanwhile, [`Error::LimitReached`] for a login that is one
    /// too many, [`Error::TooLarge`], [`Error::TooLate`], [`Error::Unavailable`], [`Error::Unknown`]. The changes are
    /// then given up, and the response is the handler's.
    pub async fn save(&self) -> Result<(), Error> {
        self.handle.commit().await
    }

    /// Reads the session again, to see what other requests did meanwhile. Changes of this request stay, unsaved.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the session ended or was renewed meanwhile: what this request read stays, and what it
    /// changed is refused by the commit. [`Error::Unavailable`] if the store cannot be asked.
    pub async fn reload(&self) -> Result<(), Error> {
        self.handle.reload().await
    }

    /// Counts as activity now, as streams and WebSockets want that outlive the idle timeout. An ordinary request
    /// counts by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the session is not alive; [`Error::Unavailable`] or [`Error::Unknown`].
    pub async fn touch(&self) -> Result<(), Error> {
        self.handle.touch().await
    }

    /// Waits until this session has ended, anywhere and for whatever reason: logout, an end by another device or an
    /// administrator, expiry. It outlives the handler, for streams and WebSockets that must not.
    ///
    /// An end on another instance is known at once as a rule, within a second if the link to the store broke, and in
    /// about two if it died without a word. A [renewal](Self::renew) does not end the session, and a
    /// [login](Self::login) from it does. So does the [lock](crate::Lifetime::lock_when_idle): what a locked session
    /// may not show to a request, no stream goes on showing. After the login that opens it a page connects anew. It is
    /// the session as this request knows it now: after a `login`, or a visitor's first write, [`save`](Self::save)
    /// comes first. Without a session it is done at once: there is nothing that could go on. While the store is down it
    /// waits.
    ///
    /// It costs no connection and no task, however many wait. It does not count as activity: see
    /// [`touch`](Self::touch).
    ///
    /// ```
    /// # use session_core::Session;
    /// # async fn serve_socket() {}
    /// async fn socket(session: Session) {
    ///     let ended = session.ended();
    ///     tokio::spawn(async move {
    ///         tokio::select! {
    ///             () = serve_socket() => {}
    ///             () = ended => {} // whatever the socket served, it stops
    ///         }
    ///     });
    /// }
    /// ```
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (store, id) = (self.handle.store(), self.id());
        async move {
            if let Some(id) = id {
                until_ended(store, id).await;
            }
        }
    }

    /// Keeps this handler's response even if the session ended before the changes could be kept, instead of 409.
    pub fn best_effort(&self) {
        self.handle.state().best_effort = true;
    }

    pub(super) fn audit_decode(&self, error: &Error) {
        if matches!(error, Error::Decode { .. }) {
            let user = self.user();
            self.handle
                .audit(Event::Undecodable, self.id().as_ref(), user.as_deref());
        }
    }

    /// The state of a session that may be read and written.
    pub(super) fn unlocked(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.handle.state();
        if state.is_locked() {
            Err(Error::Locked)
        } else {
            Ok(state)
        }
    }

    pub(super) fn encode<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<Value, Error> {
        let value = Value::encode(value).map_err(|source| Error::Encode {
            key: key.into(),
            source: source.into(),
        })?;
        self.handle.check_size(key, &value)?;
        Ok(value)
    }
}

pub(crate) fn check_user(user: &str) -> Result<(), Error> {
    match user.len() {
        1..=255 if !user.contains('\0') => Ok(()),
        _ => Err(Error::InvalidUser),
    }
}

pub(super) fn decode<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T, Error> {
    value.decode().map_err(|source| undecodable(key, source.into()))
}

pub(super) fn undecodable(key: &str, source: Unreadable) -> Error {
    tracing::warn!(key, %source, "a session value cannot be decoded");
    let key = key.into();
    Error::Decode { key, source }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
