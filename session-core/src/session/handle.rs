use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use http::{Extensions, HeaderMap, StatusCode};
use tokio::sync::OnceCell;

use super::{View, Views, budget::Budget, state::State};
use crate::{
    Error, SessionId, Value,
    layer::{Config, Place, RequestCookies, Shared},
};

/// The session of one request, opened when it is first asked for.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(super) config: Arc<Config>,
    pub(super) shared: Shared,
    pub(super) budget: Budget,
    /// Whoever commits, or creates the session, holds it.
    pub(super) turn: tokio::sync::Mutex<()>,
    cookies: RequestCookies,
    opened: OnceCell<()>,
    /// Weak, for a view holds the handle, and belongs to its request.
    views: OnceLock<Vec<Weak<dyn View>>>,
    state: Mutex<State>,
}

impl Handle {
    pub(crate) fn new(config: &Arc<Config>, shared: &Shared, headers: &HeaderMap) -> Arc<Self> {
        Arc::new(Self {
            config: Arc::clone(config),
            shared: shared.clone(),
            budget: Budget::new(config.store_timeout),
            turn: tokio::sync::Mutex::default(),
            cookies: RequestCookies::of(headers),
            opened: OnceCell::new(),
            views: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// Makes the session known to the extractors, ours and those of other crates, whose views live until the returned
    /// value is dropped.
    #[must_use]
    pub(crate) fn enter(self: &Arc<Self>, extensions: &mut Extensions) -> Views {
        extensions.insert(Arc::clone(self));
        let views = super::views::enter(self, extensions);
        let weak = views.iter().map(Arc::downgrade).collect();
        // A handle is entered once.
        let _ = self.views.set(weak);
        views
    }

    /// The name of a cookie that this layer and one with the settings `other` would both set.
    pub(crate) fn shared_cookie(&self, other: &Config) -> Option<String> {
        let ours = [&self.config.cookie.login, &self.config.cookie.visitor];
        let theirs = [&other.cookie.login, &other.cookie.visitor];
        ours.into_iter().find(|name| theirs.contains(name)).cloned()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the session, once a request; a request without a well-formed token asks nothing of the store.
    pub(crate) async fn open(&self) -> Result<(), Error> {
        self.opened.get_or_try_init(|| self.load(None)).await.copied()
    }

    /// Loads the session again, under the id it has by now.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        let id = self.state().current.as_ref().map(|current| current.id);
        self.load(id).await
    }

    async fn load(&self, known: Option<SessionId>) -> Result<(), Error> {
        let candidates = self.candidates().into_iter().filter(|id| Some(*id) != known);
        let ids: Vec<SessionId> = known.into_iter().chain(candidates).collect();
        if !ids.is_empty() {
            let loaded = self.budget.read(self.shared.store.load(&ids)).await?;
            self.state().open(loaded, &self.config);
        }
        Ok(())
    }

    /// The ids of the tokens in the request's cookies, whether or not they are sessions.
    pub(crate) fn candidates(&self) -> Vec<SessionId> {
        self.cookies.candidates(&self.config.cookie)
    }

    /// Whether the request asked for its session, with success or without.
    pub(crate) fn is_used(&self) -> bool {
        self.opened.initialized() || self.state().refusal.is_some()
    }

    /// Takes over what the views changed, in their order.
    pub(crate) async fn collect(&self) {
        for view in self.views.get().into_iter().flatten().filter_map(Weak::upgrade) {
            view.collect().await;
        }
    }

    /// Ends the session now. What was changed before it, in whatever view, is dropped.
    pub(crate) async fn logout(self: &Arc<Self>) -> Result<(), Error> {
        // A view may end what nobody opened: there is nothing left to load. Otherwise this does nothing.
        let _ = self.opened.set(());
        self.collect().await;
        self.end().await
    }

    /// Ends the session now, and every other that a cookie of this request names, so that the browser is left with
    /// none. It completes even if the caller goes away.
    pub(crate) async fn end(self: &Arc<Self>) -> Result<(), Error> {
        let mut ids = self.candidates();
        {
            let mut state = self.state();
            state.discard();
            ids.extend(state.current.as_ref().map(|current| current.id));
        }
        let handle = Arc::clone(self);
        let ended = tokio::spawn(async move {
            let _turn = handle.turn.lock().await;
            // What a commit that held the turn has renewed meanwhile is ended too.
            ids.extend(handle.state().current.as_ref().map(|current| current.id));
            ids.sort_unstable();
            ids.dedup();
            for id in &ids {
                handle.budget.write(handle.shared.store.end(id)).await?;
            }
            handle.forget();
            Ok(())
        });
        let outcome = ended.await.unwrap_or_else(|panicked| Err(Error::unknown(panicked)));
        if outcome.is_err() {
            self.state().failure = Some(Error::unavailable("a logout did not reach the session store"));
        }
        outcome
    }

    /// Leaves the browser without our cookies.
    fn forget(&self) {
        let mut state = self.state();
        state.current = None;
        state.discard();
        state.cookies.remove(Place::Login);
        state.cookies.remove(Place::Visitor);
    }

    /// Counts as activity now.
    pub(crate) async fn touch(&self) -> Result<(), Error> {
        let id = self.state().current.as_ref().map(|current| current.id);
        let id = id.ok_or(Error::Ended)?;
        self.budget.write(self.shared.store.touch(&id)).await
    }

    /// Refuses a value that is too large.
    pub(crate) fn check_size(&self, key: &str, value: &Value) -> Result<(), Error> {
        let (size, limit) = (value.len() as u64, self.config.max_value_size);
        if size > limit {
            let key = key.into();
            return Err(Error::ValueTooLarge { key, size, limit });
        }
        Ok(())
    }

    /// Takes back what was not committed, for a response that says the request failed.
    pub(crate) fn discard(&self) {
        self.state().discard();
    }

    pub(crate) fn is_best_effort(&self) -> bool {
        self.state().best_effort
    }

    /// The error that a view met, unless the handler wants its response to stand.
    pub(crate) fn take_refusal(&self) -> Option<Error> {
        let mut state = self.state();
        let best_effort = state.best_effort;
        let refusal = state.refusal.take();
        refusal.filter(|error| !(best_effort && matches!(error, Error::Ended)))
    }

    /// The failure that a response with this status would hide.
    pub(crate) fn failure_behind(&self, status: StatusCode) -> Result<(), Error> {
        let failure = self.state().failure.take().filter(|_| status.as_u16() < 400);
        failure.map_or(Ok(()), Err)
    }

    /// Writes the cookies; from now on there is no way to set any.
    pub(crate) fn send_head(&self, headers: &mut HeaderMap) {
        let mut state = self.state();
        state.head_sent = true;
        state.cookies.write(&self.config.cookie, &self.cookies, headers);
    }

    pub(crate) fn purge_if_due(&self) {
        self.shared.purge.run_if_due(&self.shared.store);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.head_sent && !state.delta.is_empty() {
            let keys: Vec<&str> = state.delta.iter().map(|(key, _)| key).collect();
            tracing::error!(
                ?keys,
                "changes made after the response began were never saved: call session.save().await"
            );
        }
    }
}
