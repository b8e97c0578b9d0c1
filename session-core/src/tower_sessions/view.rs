use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::json::{self, Json};
use crate::{Change, Error, Session, SessionId, session::Handle};

tokio::task_local! {
    /// Set while the layer asks a view for its changes, as opposed to an app that saves.
    static COLLECTING: ();
}

/// A key that no session has. A view's data has it from the load until everything is removed: `flush` says nothing to
/// the store after `cycle_id`, and this tells.
const WHOLE: &str = "\0";

/// What the views of both versions have in common: the store of one request's view, and what the view knows.
///
/// tower-sessions reads and writes whole records. A write is therefore compared with what the view knew, and only the
/// difference is a change.
pub(super) struct ViewCore {
    handle: Arc<Handle>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The data that the view began with, or that it last handed over; `None` if it asked for none so far.
    base: Option<Json>,
    /// Whether the view's data had `WHOLE` then.
    whole: bool,
    /// Whether the view cycled the id since it last handed its changes over.
    renewed: bool,
}

impl ViewCore {
    /// A view of a request whose first token has the id `first`. Without one it never loads: it begins without data.
    pub(super) fn new(handle: &Arc<Handle>, first: Option<SessionId>) -> Self {
        Self {
            handle: Arc::clone(handle),
            known: Mutex::new(Known {
                base: first.is_none().then(Json::new),
                ..Known::default()
            }),
        }
    }

    /// The data as the request sees it, if there is a session or something for a new one. The first time it is what
    /// the request has loaded already, or loads now; after that it is read anew.
    pub(super) async fn load(&self) -> Result<Option<Json>, String> {
        let first = self.known().base.is_none();
        let loaded = if first {
            self.handle.open().await
        } else {
            self.handle.reload().await
        };
        match loaded {
            // It is there no more. What the view may yet change is refused by the commit.
            Err(Error::Ended) => {
                self.known().base = Some(Json::new());
                return Ok(None);
            }
            loaded => loaded.map_err(|error| self.refuse(error))?,
        }
        let (exists, data) = {
            let state = self.handle.state();
            let mut data = state.opened();
            state.apply_changes_to(&mut data);
            (state.current.is_some(), data)
        };
        let mut data = json::decode(&data);
        let is_new = !exists && data.is_empty();
        {
            let mut known = self.known();
            known.base = Some(data.clone());
            known.whole = !is_new;
        }
        data.insert(WHOLE.to_owned(), serde_json::Value::Null);
        Ok((!is_new).then_some(data))
    }

    /// Takes over what the view changed, and commits it unless the layer is about to. Returns the id it is kept under.
    pub(super) async fn save(&self, data: &Json) -> Result<Option<SessionId>, String> {
        let saved = async {
            self.record(data).await?;
            if COLLECTING.try_with(|()| ()).is_err() {
                self.handle.commit().await?;
            }
            Ok(self.handle.state().current.as_ref().map(|current| current.id))
        };
        saved.await.map_err(|error: Error| self.refuse(error))
    }

    async fn record(&self, data: &Json) -> Result<(), Error> {
        self.handle.open().await?;
        let mut data = data.clone();
        let whole = data.remove(WHOLE).is_some();
        let new = Known {
            base: Some(data.clone()),
            whole,
            renewed: false,
        };
        let old = std::mem::replace(&mut *self.known(), new);
        // A view that was cleared before it loaded anything replaces all there is.
        let base = old.base.unwrap_or_else(|| json::decode(&self.handle.state().opened()));
        let delta = json::diff(&base, &data)?;
        for (key, value) in delta.sets() {
            self.handle.check_size(key, value)?;
        }
        if old.renewed && old.whole && !whole {
            self.handle.end().await?;
        }
        let mut state = self.handle.state();
        for (key, change) in delta.iter() {
            match change {
                Change::Set(value) => state.delta.set(key, value.clone())?,
                Change::Remove => state.delta.remove(key),
            }
        }
        Ok(())
    }

    /// Renews the session, in the commit.
    pub(super) fn renew(&self) -> Result<(), String> {
        self.known().renewed = true;
        let session = Session::of(Arc::clone(&self.handle));
        session.intend_renewal().map_err(|error| self.refuse(error))
    }

    /// Ends the session, now.
    pub(super) async fn logout(&self) -> Result<(), String> {
        self.handle.logout().await.map_err(|error| self.refuse(error))
    }

    /// Makes the response of `error`, for all that the view's crate can say is that something failed.
    fn refuse(&self, error: Error) -> String {
        tracing::warn!(error = &error as &dyn std::error::Error, "a view of the session failed");
        let text = error.to_string();
        self.handle.state().refusal.get_or_insert(error);
        text
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a view's `save` for the layer, which commits by itself.
pub(super) async fn collecting<T>(save: impl Future<Output = T>) -> T {
    COLLECTING.scope((), save).await
}

impl fmt::Debug for ViewCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewCore(..)")
    }
}
