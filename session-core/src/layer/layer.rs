use std::{
    sync::{Arc, Once},
    time::Duration,
};

use tower_layer::Layer;

use super::{Config, ConfigError, SameSite, SessionService, purge::Purge};
use crate::{
    Lifetime, SessionLimit, SessionStore, Value,
    session::{Contenders, check_user},
};

/// The tower layer that gives each request its [`Session`](crate::Session); itself the builder of its settings.
///
/// The defaults are safe for production over https, so most apps set nothing:
///
/// ```
/// use axum::{Router, routing::get};
/// use session_core::{Error, MemoryStore, Session, SessionLayer};
///
/// async fn visits(session: Session) -> Result<String, Error> {
///     let visits: u64 = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
///     Ok(format!("visit {visits}"))
/// }
///
/// let app: Router = Router::new()
///     .route("/", get(visits))
///     .layer(SessionLayer::new(MemoryStore::new()));
/// ```
///
/// | setting | default |
/// |---|---|
/// | [`cookie_name`](Self::cookie_name), [`visitor_cookie_name`](Self::visitor_cookie_name) | `__Host-id`, `__Host-visitor` |
/// | [`path`](Self::path), [`domain`](Self::domain) | `/`, none |
/// | [`same_site`](Self::same_site), [`secure`](Self::secure), [`http_only`](Self::http_only) | Lax, yes, yes |
/// | [`idle_timeout`](Self::idle_timeout), [`absolute_timeout`](Self::absolute_timeout) | 30 minutes, 12 hours |
/// | [`renew_every`](Self::renew_every) | never |
/// | [`session_limit`](Self::session_limit), [`session_limit_of`](Self::session_limit_of) | none |
/// | [`touch_interval`](Self::touch_interval) | 1 minute |
/// | [`store_timeout`](Self::store_timeout) | 2 seconds a request |
/// | [`instance`](Self::instance), in audit events | the process id |
/// | [`max_value_size`](Self::max_value_size), [`max_size`](Self::max_size) | 64 KiB, 256 KiB |
/// | `seal`, `seal_only` (feature `seal`) | no |
///
/// A layer covers the routes that were added to the router before it.
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionLayer {
    config: Config,
    shared: Arc<Shared>,
}

/// What all services of a layer, one a route, have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) contenders: Contenders,
    pub(crate) purge: Purge,
    warned: Once,
}

/// What a service needs in each request, in one piece, so that a request takes hold of it at once.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) config: Arc<Config>,
    pub(crate) shared: Arc<Shared>,
}

impl SessionLayer {
    /// A layer over `store`, which may be an `Arc<dyn SessionStore>`.
    pub fn new(store: impl SessionStore) -> Self {
        Self {
            config: Config::default(),
            shared: Arc::new(Shared {
                store: Arc::new(store),
                contenders: Contenders::default(),
                purge: Purge::default(),
                warned: Once::new(),
            }),
        }
    }

    /// Names the cookie of sessions made by a login or a renewal. Default: `__Host-id`.
    ///
    /// The cookie of tokens that were [renewed by time](Self::renew_every) has this name and `-renewed`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.config.cookie.login = name.into();
        self.config.cookie.renewed = format!("{}-renewed", self.config.cookie.login);
        self
    }

    /// Names the cookie of sessions that a visitor's first write made. Default: `__Host-visitor`.
    pub fn visitor_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.config.cookie.visitor = name.into();
        self
    }

    /// Sets the path below which the browser sends the cookies. Default: `/`, which a `__Host-` name asks for.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.config.cookie.path = path.into();
        self
    }

    /// Sends the cookies to all hosts below `domain` too. Default: to this host only, which a `__Host-` name asks for.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.config.cookie.domain = Some(domain.into());
        self
    }

    /// Sets whether the cookies go along with requests that other sites cause. Default: [`SameSite::Lax`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.config.cookie.same_site = same_site;
        self
    }

    /// Sets whether the cookies travel over https only. Default: yes, which a `__Host-` name asks for.
    pub fn secure(mut self, secure: bool) -> Self {
        self.config.cookie.secure = secure;
        self
    }

    /// Sets whether the cookies are hidden from scripts. Default: yes.
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.config.cookie.http_only = http_only;
        self
    }

    /// Works over plain http, for development: the cookies lose `Secure` and the prefix of their names.
    ///
    /// Anybody on the network can then read and plant them; a warning at start says so.
    pub fn insecure(mut self) -> Self {
        self.config.cookie.make_insecure();
        self
    }

    /// Sets the timeouts of sessions that begin from now on, as by one of the presets. Default:
    /// [`Lifetime::FEDRAMP_MODERATE`].
    ///
    /// It replaces what [`idle_timeout`](Self::idle_timeout) and [`absolute_timeout`](Self::absolute_timeout) said
    /// before.
    ///
    /// A login may bring its own, see [`LoginOptions::lifetime`](crate::LoginOptions::lifetime).
    ///
    /// ```
    /// # use session_core::{Lifetime, MemoryStore, SessionLayer};
    /// let layer = SessionLayer::new(MemoryStore::new()).lifetime(Lifetime::AAL3.lock_when_idle());
    /// ```
    pub fn lifetime(mut self, lifetime: Lifetime) -> Self {
        let renewal = lifetime.renewal.or(self.config.lifetime.renewal);
        self.config.lifetime = Lifetime { renewal, ..lifetime };
        self
    }

    /// Limits how many sessions a user may have at a time, of each [class](crate::LoginOptions::class) that has no
    /// [limit of its own](Self::session_limit_of). Default: no limit. An app that names no classes has one.
    ///
    /// It counts the sessions that are alive, decided in the store's one step: two logins at once cannot exceed it.
    pub fn session_limit(self, limit: SessionLimit) -> Self {
        self.session_limit_of("", limit)
    }

    /// Limits how many sessions of a [class](crate::LoginOptions::class) a user may have at a time, instead of
    /// [`session_limit`](Self::session_limit).
    ///
    /// ```
    /// # use session_core::{Excess, MemoryStore, SessionLayer, SessionLimit};
    /// // NIST SP 800-53 AC-10 as FedRAMP High sets it
    /// let layer = SessionLayer::new(MemoryStore::new())
    ///     .session_limit_of("privileged", SessionLimit::new(3))
    ///     .session_limit(SessionLimit::new(2).excess(Excess::EndOldest));
    /// ```
    pub fn session_limit_of(mut self, class: impl Into<String>, limit: SessionLimit) -> Self {
        let class = class.into();
        self.config.limits.retain(|(name, _)| *name != class);
        self.config.limits.push((class, limit));
        self
    }

    /// Ends a session after this long without a request that opened it, or locks it, under a lifetime that
    /// [locks](Lifetime::lock_when_idle). Default: 30 minutes.
    ///
    /// It holds for sessions that begin from now on; each keeps the timeout it began with.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        let lifetime = &mut self.config.lifetime;
        *lifetime.lock.as_mut().unwrap_or(&mut lifetime.idle) = timeout;
        self
    }

    /// Ends a session this long after it began or its user logged in. Default: 12 hours.
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        let lifetime = &mut self.config.lifetime;
        if lifetime.lock.is_some() && lifetime.idle == lifetime.absolute {
            // Locked sessions are kept until their end.
            lifetime.idle = timeout;
        }
        lifetime.absolute = timeout;
        self
    }

    /// Renews the token of a session each time it is this old and a request opens it. Default: never.
    ///
    /// So a token from a log or a backup is worth nothing after this time; one that is shown later is an audit event,
    /// `reused_token`. A thief who goes on using the session goes on having it, as its browser does: until it ends.
    ///
    /// Neither requests at the same moment nor a lost response log anybody out: for half a minute
    /// ([`Loaded::GRACE`](crate::Loaded::GRACE)) the old token finds the new one. It comes in a [cookie of its
    /// own](Self::cookie_name), so that no late response takes the place of a login's. A `Session` that is kept, as by
    /// a stream, follows renewals that are less than five minutes old: await [`Session::ended`](crate::Session::ended),
    /// or [reload](crate::Session::reload) it now and then.
    ///
    /// Instances of an older version do not know that cookie. So an app that runs updates all of them first, and sets
    /// this in the next deploy.
    ///
    /// ```
    /// # use session_core::{MemoryStore, SessionLayer};
    /// # use std::time::Duration;
    /// let layer = SessionLayer::new(MemoryStore::new()).renew_every(Duration::from_secs(15 * 60));
    /// ```
    pub fn renew_every(mut self, interval: Duration) -> Self {
        self.config.lifetime.renewal = Some(interval);
        self
    }

    /// Records activity at most once in this time, so that a reader costs no write. Default: 1 minute.
    ///
    /// It is never more than a tenth of the session's idle timeout.
    pub fn touch_interval(mut self, interval: Duration) -> Self {
        self.config.touch_interval = interval;
        self
    }

    /// Sets the time that all store calls of one request may take together. Default: 2 seconds.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.config.store_timeout = timeout;
        self
    }

    /// Sets the largest value, in bytes of its JSON text; `insert` refuses a larger one. Default: 64 KiB.
    pub fn max_value_size(mut self, bytes: u64) -> Self {
        self.config.max_value_size = bytes;
        self
    }

    /// Sets the largest record, in bytes of all its keys and values; the store refuses to go beyond. Default: 256 KiB.
    ///
    /// A record that a lower limit finds too large can be read and ended, and written to once it has been made to fit;
    /// until then its user cannot log in under it either.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.config.max_size = bytes;
        self
    }

    /// Names this instance in audit events, as by the platform's index or name of it. Default: the process id.
    ///
    /// The events are `tracing` events with the target `session::audit`, one for each login, logout, renewal, refused
    /// login, end by another device, opening of a locked session, unknown token and value that cannot be read. None has
    /// a token or a value.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.config.instance = name.into();
        self
    }

    /// Binds the user from a value, for code that keeps the user in the session's data and never calls
    /// [`Session::login`](crate::Session::login), as axum-login does under the key `axum-login.data`.
    ///
    /// When a request that changed the value of `key` commits, that is a login as the user `user_of` finds in it: the
    /// session gets a new token, and a second login as somebody else gets one too, with nothing of the first one's data
    /// but what this request wrote. `None` logs in as nobody. A name that cannot be bound, for it is empty or has more
    /// than 255 bytes, is refused with [`Error::InvalidUser`](crate::Error::InvalidUser), and nothing is committed.
    ///
    /// ```
    /// # use session_core::{MemoryStore, SessionLayer};
    /// let layer = SessionLayer::new(MemoryStore::new())
    ///     .user_from("axum-login.data", |data| data["user_id"].as_str().map(String::from));
    /// ```
    pub fn user_from(
        mut self,
        key: impl Into<String>,
        user_of: impl Fn(&serde_json::Value) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let user_of = move |value: &Value| {
            let user = value.decode().ok().and_then(|value| user_of(&value));
            user.as_deref().map_or(Ok(()), check_user)?;
            Ok(user)
        };
        self.config.user_from = Some((key.into(), Arc::new(user_of)));
        self
    }

    /// Seals the values of sessions, so that stores see what only the session's own token opens. Default: no.
    ///
    /// Each session has a random key, which its token unlocks; a login or renewal locks it anew and leaves the data as
    /// it is. Who has the database without the cookies can read no value, and a value that was changed or swapped is
    /// [`Error::Decode`](crate::Error::Decode) for its key alone. The names of keys and users, times and sizes stay
    /// visible, and there is no way to the data of a lost cookie.
    ///
    /// A session that is alive without a seal gets one with its next write, and what it held before stays readable. One
    /// that has a seal is read and written under it by every layer with the feature `seal`, set or not. So an app that
    /// runs switches it on in two deploys: the feature first, then this setting.
    ///
    /// A sealed value takes a third more room and 40 bytes. [`max_size`](Self::max_size) counts them,
    /// [`max_value_size`](Self::max_value_size) does not.
    ///
    /// ```
    /// # use session_core::{MemoryStore, SessionLayer};
    /// let layer = SessionLayer::new(MemoryStore::new()).seal();
    /// ```
    #[cfg(feature = "seal")]
    pub fn seal(mut self) -> Self {
        self.config.sealing = crate::sealing::Policy::Seal;
        self
    }

    /// [Seals](Self::seal), and refuses to read what is not sealed, with [`Error::Decode`](crate::Error::Decode).
    ///
    /// Otherwise whoever can write to the store may take a session's seal away and give it plain values. Set it once no
    /// unsealed session can be alive: an absolute timeout after the last instance without [`seal`](Self::seal) stopped.
    #[cfg(feature = "seal")]
    pub fn seal_only(mut self) -> Self {
        self.config.sealing = crate::sealing::Policy::SealedOnly;
        self
    }

    /// Checks the settings, as adding the layer to a router does, but without a panic.
    ///
    /// # Errors
    ///
    /// What cannot work, and what to change.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.config.check()
    }

    #[cfg(feature = "testing")]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    #[cfg(feature = "testing")]
    pub(crate) fn store(&self) -> &Arc<dyn SessionStore> {
        &self.shared.store
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    /// Puts the layer around a service.
    ///
    /// # Panics
    ///
    /// If the settings contradict each other, with the message of [`SessionLayer::check`]: at start, not at the first
    /// request.
    fn layer(&self, inner: S) -> SessionService<S> {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
        if !self.config.cookie.secure {
            self.shared.warned.call_once(|| {
                tracing::warn!("session cookies are sent over plain http: fit for development, not for production");
            });
        }
        let setup = Setup {
            config: Arc::new(self.config.clone()),
            shared: Arc::clone(&self.shared),
        };
        SessionService::new(inner, setup)
    }
}
