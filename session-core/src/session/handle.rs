use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use http::HeaderMap;
use tokio::sync::{OnceCell, oneshot};

use super::{View, audit::Event, budget::Budget, state::State};
use crate::{
    Error, Loaded, SessionId, SessionStore, Value,
    layer::{Config, RequestCookies, Setup, Shared},
};

/// The session of one request, opened when it is first asked for.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(super) config: Arc<Config>,
    pub(super) shared: Arc<Shared>,
    pub(super) budget: Budget,
    /// Whoever commits, or creates the session, holds it.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) cookies: RequestCookies,
    opened: OnceCell<()>,
    /// Weak, for a view holds the handle, and belongs to its request.
    views: OnceLock<Vec<Weak<dyn View>>>,
    state: Mutex<State>,
}

impl Handle {
    pub(crate) fn new(setup: &Setup, headers: &HeaderMap) -> Arc<Self> {
        Arc::new(Self {
            config: Arc::clone(&setup.config),
            shared: Arc::clone(&setup.shared),
            budget: Budget::new(setup.config.store_timeout),
            turn: tokio::sync::Mutex::default(),
            cookies: RequestCookies::of(headers),
            opened: OnceCell::new(),
            views: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// Makes the views known that are to be asked what they changed, once.
    #[cfg(any(feature = "tower-sessions", feature = "tower-sessions-014"))]
    pub(crate) fn ask_later(&self, views: &[Arc<dyn View>]) {
        let weak = views.iter().map(Arc::downgrade).collect();
        let _ = self.views.set(weak);
    }

    pub(super) fn store(&self) -> Arc<dyn SessionStore> {
        Arc::clone(&self.shared.store)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the session, once a request; a request without a well-formed token asks nothing of the store.
    pub(crate) async fn open(&self) -> Result<(), Error> {
        self.opened.get_or_try_init(|| self.load()).await.copied()
    }

    /// Loads the session again, under the id it has by now. One that ended stays this request's session, so that what
    /// was done to it is refused, and not done to a new one.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        let current = self
            .state()
            .current
            .as_ref()
            .map(|current| (current.id, current.token.clone()));
        let Some((id, token)) = current else {
            return self.load().await;
        };
        let found = self.find(vec![(id, token)], Duration::MAX).await?;
        if !matches!(found.loaded, Loaded::Live(..)) {
            return Err(Error::Ended);
        }
        self.take_over(found);
        Ok(())
    }

    /// The ids of the tokens in the request's cookies, whether or not they are sessions.
    pub(crate) fn candidates(&self) -> Vec<SessionId> {
        let candidates = self.cookies.candidates(&self.config.cookie);
        candidates.into_iter().map(|(id, _)| id).collect()
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
        if self.state().closed {
            // It may have been kept for long, and have another id by now. What cannot be found is not said to have
            // ended.
            self.reload().await?;
        }
        let mut ids = self.candidates();
        {
            let mut state = self.state();
            state.discard();
            ids.extend(state.current.as_ref().map(|current| current.id));
        }
        self.in_turn(async move |handle| {
            // What a commit that held the turn has renewed meanwhile is ended too.
            ids.extend(handle.state().current.as_ref().map(|current| current.id));
            ids.sort_unstable();
            ids.dedup();
            let mut outcome = Ok(());
            for id in &ids {
                outcome = outcome.and(handle.budget.write(handle.shared.store.end(id)).await);
            }
            match outcome {
                Ok(()) => {
                    let mut state = handle.state();
                    match &state.current {
                        Some(current) => handle.audit(Event::Logout, Some(&current.id), current.user.as_deref()),
                        // It was not read, or has another token by now.
                        None if !ids.is_empty() => handle.audit(Event::Logout, ids.first(), None),
                        None => {}
                    }
                    state.forget();
                }
                // A handler may ignore it. Its response must not.
                Err(_) => {
                    handle.state().failure = Some(Error::unknown("a logout may not have reached the session store"))
                }
            }
            outcome
        })
        .await
    }

    /// Does `work` as the only one, to its end also if the caller goes away. An error that the caller has not heard
    /// when the response is made becomes the response.
    pub(super) async fn in_turn<T, F>(self: &Arc<Self>, work: impl FnOnce(Arc<Self>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let handle = Arc::clone(self);
        let work = work(Arc::clone(self));
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move {
            let _turn = handle.turn.lock().await;
            let outcome = work.await.map_err(|error| handle.state().leave(error));
            let _ = sender.send(outcome);
        });
        match receiver.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(place)) => Err(self.state().hear(place).unwrap_or(Error::Ended)),
            Err(panicked) => Err(Error::unknown(panicked)),
        }
    }

    /// Counts as activity now.
    pub(crate) async fn touch(&self) -> Result<(), Error> {
        match self.touch_current().await {
            Err(Error::Ended) if self.catch_up().await? => self.touch_current().await,
            outcome => outcome,
        }
    }

    async fn touch_current(&self) -> Result<(), Error> {
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

    /// Writes the cookies that the last commit left.
    pub(crate) fn send_head(&self, headers: &mut HeaderMap) {
        let state = self.state();
        self.budget.renew_for_each_call();
        state.cookies.write(&self.config.cookie, &self.cookies, headers);
        let is_news = state.has_written || (state.has_begun && !self.candidates().is_empty());
        if let (true, Some(cache)) = (is_news, self.shared.store.near_cache()) {
            self.config.cookie.write_bypass(cache, headers);
        }
    }

    pub(crate) fn purge_if_due(&self) {
        self.shared.purge.run_if_due(&self.shared.store);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.closed && !state.delta.is_empty() {
            let keys: Vec<&str> = state.delta.iter().map(|(key, _)| key).collect();
            tracing::error!(
                ?keys,
                "changes made after the response began were never saved: call session.save().await"
            );
        }
    }
}
