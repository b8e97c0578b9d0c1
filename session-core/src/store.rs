use std::{fmt::Debug, ops::Deref, sync::Arc};

use async_trait::async_trait;

use crate::{
    Error, Fate, Loaded, NearCache, NewSession, Page, Renewal, SessionId, SessionInfo, Update, Version, Watch,
};

/// Where sessions are kept, and where every promise about them is made true.
///
/// Every method is one atomic step: whatever else runs, on this instance or another, it happens as a whole or not at
/// all. A method that writes never makes a session that is not there (only [`create`](Self::create) does), so what
/// has ended stays ended. Time is the store's: no caller's clock decides whether a session lives.
///
/// There are no default methods, for each one is a promise. The suite in the feature `conformance` checks
/// them; a store that passes it keeps the promises of the README.
///
/// # Errors
///
/// Besides what each method names: [`Error::Unavailable`] if nothing was done, and [`Error::Unknown`] if that cannot
/// be told. No method waits for ever, and none tries a write again whose outcome is unknown.
///
/// # Cancellation
///
/// A caller may drop the future. The step then happens or does not, as with an unknown outcome, and the store goes
/// on working.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Creates a session.
    ///
    /// Doing it again with the same id and content, while nothing has changed it, is answered like the first time: so
    /// a caller whose acknowledgement was lost may repeat it. Ids come from random tokens and are never used again.
    ///
    /// # Errors
    ///
    /// [`Error::IdInUse`], [`Error::TooLarge`], [`Error::LimitReached`].
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error>;

    /// Reads the first of `ids` that is a live session, or tells of one that was renewed, as [`Loaded::first`] says.
    ///
    /// A record that cannot be read is a missing session and is logged; a value that cannot be decoded is read as it
    /// is (promise P12). A locked session is read like any other: its record says that it is.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error>;

    /// Merges a change into a session: exactly the keys the delta names.
    ///
    /// A session that was renewed, but not by a login, is still the same session: the change is made under its new
    /// id.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if it is not there, [`Error::Locked`] if it is locked, [`Error::Conflict`] if the expectation
    /// does not hold, and [`Error::TooLarge`]; nothing has changed then.
    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error>;

    /// Starts a session's idle timeout again. It never moves the absolute end.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if it is not there, [`Error::Locked`] if it is locked.
    async fn touch(&self, id: &SessionId) -> Result<(), Error>;

    /// Gives the session `from` the id `to`, which has the same shard tag, and makes the renewal's changes.
    ///
    /// Data and creation stay, unless it is a login, which starts a new lifetime, and as somebody else leaves the data
    /// behind. From then on `from` opens nothing. For five minutes it is a *marker* that says which id came after, so
    /// that a request still in flight can [`update`](Self::update) or [`end`](Self::end) the session, unless the
    /// renewal was a login. It keeps the renewal's [nonce](Renewal::marker_nonce()). Renewing counts as activity. A
    /// login with a limit counts the user's live sessions of its class, and is refused or ends the oldest of them; a
    /// login alone [creates](Self::create) likewise. Doing it again with the same two ids is answered like the first
    /// time, while `to` is alive.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if `from` is not there or its user is not the renewal's, [`Error::Locked`] if it is locked and
    /// this is no login, [`Error::LimitReached`], [`Error::IdInUse`] if `to` is there, [`Error::TooLarge`]; nothing has
    /// changed then.
    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error>;

    /// Ends a session, under whatever id it has by now if it was renewed, but not by a login. It is not an error if
    /// it is not there.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn end(&self, id: &SessionId) -> Result<(), Error>;

    /// Lists a user's live sessions in the order of their ids.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error>;

    /// Ends all sessions of a user, but for the session `except`, and returns how many.
    ///
    /// When it returns, no session of the user's whose login came before the call is alive, also if it was renewed
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// None of its own. After an error some may have ended; call it again.
    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error>;

    /// Ends all sessions, of users and of visitors, and returns how many: for an incident.
    ///
    /// When it returns, no session is alive that began before the call, also if it was renewed meanwhile. One that
    /// begins during the call may end with them. It is the one method that is not one step: it goes through the
    /// sessions bit by bit, and may take longer than any other.
    ///
    /// # Errors
    ///
    /// None of its own. After an error some may have ended; call it again.
    async fn end_everyone(&self) -> Result<u64, Error>;

    /// Removes up to `limit` things that expired sessions left behind, and returns how many. Housekeeping: without
    /// it, what has expired takes space and is still invisible.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn purge(&self, limit: u32) -> Result<u64, Error>;

    /// Asks the store for a sign of life.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn ping(&self) -> Result<(), Error>;

    /// Tells what has become of sessions: of each of `ids`, in their order. It is no activity.
    ///
    /// A locked session is told from one that has ended; those who [wait](Self::watch) for its end have it all the
    /// same.
    ///
    /// # Errors
    ///
    /// None of its own.
    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error>;

    /// Where to wait for the end of a session. The store begins to listen when it is first called, within a runtime:
    /// from then on it tells the watch, while it has a [link](Watch::link), of all that ends sessions but expiry and
    /// locks, and of renewals, on whatever instance. One link serves all who wait.
    fn watch(&self) -> &Watch;

    /// The sessions that this instance has read, if it may read them again without asking the store. What
    /// [`load`](Self::load) answers is always the newest.
    fn near_cache(&self) -> Option<&NearCache>;
}

#[async_trait]
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        self.deref().create(id, new).await
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        self.deref().load(ids).await
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        self.deref().update(id, update).await
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        self.deref().touch(id).await
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        self.deref().renew(from, to, renewal).await
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        self.deref().end(id).await
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.deref().of_user(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        self.deref().end_all(user, except).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.deref().end_everyone().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.deref().purge(limit).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.deref().ping().await
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        self.deref().fates(ids).await
    }

    fn watch(&self) -> &Watch {
        self.deref().watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.deref().near_cache()
    }
}
