use std::net::IpAddr;

use http::{HeaderMap, header};
use time::OffsetDateTime;

use super::user_agent;
use crate::{About, Error, Lifetime, Login, layer::Config};

/// What a login says besides who it is, for [`Session::login_with`](crate::Session::login_with).
///
/// ```
/// use session_core::{Error, Lifetime, LoginOptions, Session};
///
/// async fn admin_login(session: Session, headers: axum::http::HeaderMap) -> Result<(), Error> {
///     let options = LoginOptions::new()
///         .device(&headers)
///         .class("privileged")
///         .lifetime(Lifetime::FEDRAMP_HIGH);
///     session.login_with("root", options)
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct LoginOptions {
    about: About,
    lifetime: Option<Lifetime>,
}

impl LoginOptions {
    /// Nothing but who it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Labels the session with what the request's `User-Agent` tells of the device, as "Firefox on Windows". A browser
    /// can claim what it likes.
    pub fn device(mut self, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        self.about.label = agent.and_then(user_agent::label);
        self
    }

    /// Labels the session, with at most 100 characters. Control characters are left out.
    pub fn label(mut self, label: &str) -> Self {
        let printable = label.chars().filter(|char| !char.is_control());
        self.about.label = Some(printable.take(100).collect());
        self
    }

    /// Says where the login came from: the address as the app trusts it, behind its proxies.
    pub const fn address(mut self, address: IpAddr) -> Self {
        self.about.address = Some(address);
        self
    }

    /// Says when the user showed who they are, if that was earlier, as a single sign-on tells it (`auth_time`). A time
    /// after the login counts as the login's.
    pub const fn authenticated(mut self, time: OffsetDateTime) -> Self {
        self.about.authenticated = Some(time);
        self
    }

    /// Names the kind of session, by which [limits](crate::SessionLayer::session_limit_of) count. Default: no name.
    pub fn class(mut self, class: impl Into<String>) -> Self {
        self.about.class = class.into();
        self
    }

    /// Gives the session other timeouts than the layer's, as stricter ones for administrators. Its token is renewed as
    /// the layer says, unless the lifetime says otherwise; [`Lifetime::UNLIMITED`] is never.
    pub const fn lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let class = &self.about.class;
        if class.len() > 255 || class.contains('\0') {
            let reason = "its class must have at most 255 bytes, and no U+0000".into();
            return Err(Error::InvalidLogin { reason });
        }
        let lifetime = self.lifetime.as_ref();
        let checked = lifetime.map_or(Ok(()), Lifetime::check);
        checked.map_err(|reason| Error::InvalidLogin { reason })
    }

    /// The login that these are under a layer with these settings.
    pub(crate) fn login(&self, config: &Config) -> Login {
        let lifetime = self.lifetime.unwrap_or(config.lifetime);
        Login {
            lifetime: Lifetime {
                renewal: lifetime.renewal.or(config.lifetime.renewal),
                ..lifetime
            },
            limit: config.limit(&self.about.class),
            about: self.about.clone(),
        }
    }
}
