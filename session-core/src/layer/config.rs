use std::{fmt, sync::Arc, time::Duration};

use super::SameSite;
use crate::{DEFAULT_MAX_SIZE, Error, Lifetime, SessionLimit, Value};

/// Reads the user out of a committed value, for [`SessionLayer::user_from`](super::SessionLayer::user_from).
type UserOf = Arc<dyn Fn(&Value) -> Result<Option<String>, Error> + Send + Sync>;

/// The settings of a layer.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) cookie: Cookie,
    pub(crate) lifetime: Lifetime,
    /// How many sessions a user may have of each class; that of no name is for all that are not here.
    pub(crate) limits: Vec<(String, SessionLimit)>,
    pub(crate) touch_interval: Duration,
    pub(crate) store_timeout: Duration,
    pub(crate) max_value_size: u64,
    pub(crate) max_size: u64,
    #[cfg(feature = "seal")]
    pub(crate) sealing: crate::sealing::Policy,
    /// What audit events call this instance.
    pub(crate) instance: String,
    pub(crate) user_from: Option<(String, UserOf)>,
}

/// The names and attributes of the cookies.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    pub(crate) login: String,
    pub(crate) renewed: String,
    pub(crate) visitor: String,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cookie: Cookie::default(),
            lifetime: Lifetime::default(),
            limits: Vec::new(),
            touch_interval: Duration::from_secs(60),
            store_timeout: Duration::from_secs(2),
            max_value_size: 64 * 1024,
            max_size: DEFAULT_MAX_SIZE,
            #[cfg(feature = "seal")]
            sealing: crate::sealing::Policy::default(),
            instance: std::process::id().to_string(),
            user_from: None,
        }
    }
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            login: "__Host-id".into(),
            renewed: "__Host-id-renewed".into(),
            visitor: "__Host-visitor".into(),
            path: "/".into(),
            domain: None,
            same_site: SameSite::default(),
            secure: true,
            http_only: true,
        }
    }
}

/// Why a layer's settings cannot work, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("session layer: {0}")]
pub struct ConfigError(String);

impl Config {
    /// Whether this key's value says who the user is.
    pub(crate) fn names_user(&self, key: &str) -> bool {
        self.user_from.as_ref().is_some_and(|(names_user, _)| names_user == key)
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.cookie.check().map_err(ConfigError)?;
        self.lifetime.check().map_err(ConfigError)?;
        if self.store_timeout < Duration::from_millis(1) {
            return Err(ConfigError("store_timeout must be at least a millisecond".into()));
        }
        Ok(())
    }

    /// How many sessions of a class a user may have, if that is limited.
    pub(crate) fn limit(&self, class: &str) -> Option<SessionLimit> {
        let limit_of = |class: &str| self.limits.iter().find(|(name, _)| name == class);
        let found = limit_of(class).or_else(|| limit_of(""));
        found.map(|(_, limit)| *limit)
    }
}

impl Cookie {
    fn check(&self) -> Result<(), String> {
        let names = self.names();
        for (i, name) in names.into_iter().enumerate() {
            self.check_name(name)?;
            if names[..i].contains(&name) {
                return Err(format!("two cookies are named {name:?}: give them two names"));
            }
        }
        if !self.path.starts_with('/') || !is_attribute(&self.path) {
            return Err(format!(
                "the path {:?} must begin with / and hold no ; or control character",
                self.path
            ));
        }
        if let Some(domain) = self
            .domain
            .as_deref()
            .filter(|domain| domain.is_empty() || !is_attribute(domain))
        {
            return Err(format!(
                "the domain {domain:?} must not be empty or hold ; or a control character"
            ));
        }
        if self.same_site == SameSite::None && !self.secure {
            return Err("browsers drop SameSite=None cookies that are not Secure: set .secure(true) or .same_site(SameSite::Lax)".into());
        }
        Ok(())
    }

    pub(crate) fn names(&self) -> [&String; 3] {
        [&self.login, &self.renewed, &self.visitor]
    }

    fn check_name(&self, name: &str) -> Result<(), String> {
        let separators = b"()<>@,;:\\\"/[]?={}";
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !separators.contains(&byte))
        {
            return Err(format!("{name:?} cannot name a cookie: use letters, digits, - and _"));
        }
        if name.eq_ignore_ascii_case("JSESSIONID") {
            return Err(
                "the cookie name JSESSIONID switches on the platform router's sticky sessions: choose another".into(),
            );
        }
        if has_prefix(name, "__Host-") && (!self.secure || self.domain.is_some() || self.path != "/") {
            return Err(format!(
                "browsers drop the cookie {name:?} unless it is Secure, has Path=/ and no Domain: \
                 remove .secure(false), .path(..) and .domain(..), or name it without __Host-"
            ));
        }
        if has_prefix(name, "__Secure-") && !self.secure {
            return Err(format!(
                "browsers drop the cookie {name:?} unless it is Secure: remove .secure(false), or name it without __Secure-"
            ));
        }
        Ok(())
    }

    /// Drops what a browser ties to https.
    pub(crate) fn make_insecure(&mut self) {
        self.secure = false;
        for name in [&mut self.login, &mut self.renewed, &mut self.visitor] {
            for prefix in ["__Host-", "__Secure-"] {
                if has_prefix(name, prefix) {
                    name.drain(..prefix.len());
                }
            }
        }
    }
}

/// Browsers match the prefixes without regard to case.
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_attribute(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b';')
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut config = f.debug_struct("Config");
        #[cfg(feature = "seal")]
        config.field("sealing", &self.sealing);
        config
            .field("cookie", &self.cookie)
            .field("lifetime", &self.lifetime)
            .field("limits", &self.limits)
            .field("touch_interval", &self.touch_interval)
            .field("store_timeout", &self.store_timeout)
            .field("max_value_size", &self.max_value_size)
            .field("max_size", &self.max_size)
            .field("instance", &self.instance)
            .field("user_from", &self.user_from.as_ref().map(|(key, _)| key))
            .finish()
    }
}
