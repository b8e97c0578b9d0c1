use std::{fmt, sync::OnceLock};

use super::Unreadable;
use crate::{
    Delta, Error, Seal, SessionToken, Value,
    layer::Config,
    sealing::{Birth, Flaw, Policy, SessionKey, is_sealed, unwrap, wrap},
};

/// Reads and writes the values of the session that has this token and this seal.
///
/// The seal is opened when the first value asks for it. What the record has counts, and the layer's own policy only
/// for what has no seal yet: so instances with and without it work on one session.
pub(crate) struct Vault {
    token: SessionToken,
    seal: Option<Seal>,
    policy: Policy,
    unsealed: OnceLock<Result<Unsealed, Flaw>>,
}

/// What is under the seal; of a session without one, what would be.
struct Unsealed {
    key: SessionKey,
    birth: Birth,
}

impl Vault {
    /// The vault of a session in a store.
    pub(crate) fn new(token: &SessionToken, seal: Option<Seal>, config: &Config) -> Self {
        Self::of(token, seal, config.sealing)
    }

    /// The vault of a session that begins now.
    pub(crate) fn begin(token: &SessionToken, config: &Config) -> Result<Self, Error> {
        match config.sealing {
            Policy::AsFound => Ok(Self::of(token, None, config.sealing)),
            Policy::Seal | Policy::SealedOnly => Self::with_new_key(token, config.sealing),
        }
    }

    /// The vault of the same session once it has this token. If the seal is damaged, what was sealed stays lost, and
    /// what is written from now on has a new key.
    pub(crate) fn move_to(&self, token: &SessionToken) -> Result<Self, Error> {
        if self.seal.is_none() && self.policy == Policy::AsFound {
            return Ok(Self::of(token, None, self.policy));
        }
        match self.unsealed() {
            Ok(unsealed) => {
                let seal = wrap(&unsealed.key, unsealed.birth, token).map_err(unable)?;
                Ok(Self::of(token, Some(seal), self.policy))
            }
            Err(Flaw::Seal) => Self::with_new_key(token, self.policy),
            Err(flaw) => Err(unable(*flaw)),
        }
    }

    /// Whether it opens.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &self.seal {
            Some(_) => self.unsealed().map(drop).map_err(|flaw| unable(*flaw)),
            None => Ok(()),
        }
    }

    pub(crate) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// The value of `key`, of the one that the store has.
    pub(crate) fn open(&self, key: &str, value: &Value) -> Result<Value, Unreadable> {
        if is_sealed(value) {
            return Ok(self.unsealed().map_err(|flaw| *flaw)?.key.open(key, value)?);
        }
        let may_be_plain = match &self.seal {
            _ if self.policy == Policy::SealedOnly => false,
            None => true,
            Some(_) => self.unsealed().map_err(|flaw| *flaw)?.birth == Birth::Unsealed,
        };
        may_be_plain.then(|| value.clone()).ok_or_else(|| Flaw::Plain.into())
    }

    /// The changes as the store may see them, and the seal that they need if the session has none yet.
    pub(crate) fn close(&self, delta: &Delta) -> Result<(Delta, Option<Seal>), Error> {
        let needs_no_key = delta.sets().next().is_none();
        if needs_no_key || (self.seal.is_none() && self.policy == Policy::AsFound) {
            return Ok((delta.clone(), None));
        }
        let Unsealed { key, birth } = self.unsealed().map_err(|flaw| unable(*flaw))?;
        let mut sealed = delta.clone();
        for (name, value) in delta.sets() {
            sealed.set(name, key.seal(name, value).map_err(unable)?)?;
        }
        let seal = match self.seal {
            None => Some(wrap(key, *birth, &self.token).map_err(unable)?),
            Some(_) => None,
        };
        Ok((sealed, seal))
    }

    fn of(token: &SessionToken, seal: Option<Seal>, policy: Policy) -> Self {
        Self {
            token: token.clone(),
            seal,
            policy,
            unsealed: OnceLock::new(),
        }
    }

    fn with_new_key(token: &SessionToken, policy: Policy) -> Result<Self, Error> {
        let key = SessionKey::random().map_err(unable)?;
        let seal = wrap(&key, Birth::Sealed, token).map_err(unable)?;
        Ok(Self::of(token, Some(seal), policy))
    }

    fn unsealed(&self) -> Result<&Unsealed, &Flaw> {
        let unsealed = self.unsealed.get_or_init(|| {
            let (key, birth) = match &self.seal {
                Some(seal) => unwrap(seal, &self.token).inspect_err(|flaw| {
                    let (error, session) = (flaw as &dyn std::error::Error, self.token.id());
                    tracing::warn!(error, %session, "no sealed value of a session can be read");
                })?,
                None => (SessionKey::of_token(&self.token)?, Birth::Unsealed),
            };
            Ok(Unsealed { key, birth })
        });
        unsealed.as_ref()
    }
}

/// Shows nothing of the token and the key.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("seal", &self.seal)
            .finish_non_exhaustive()
    }
}

fn unable(flaw: Flaw) -> Error {
    Error::Seal { source: flaw.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_of_the_seal_and_nothing_else() {
        let token = SessionToken::from_bytes([b'x'; SessionToken::LEN]);
        let vault = Vault::with_new_key(&token, Policy::Seal).unwrap();
        vault.unsealed().unwrap();
        assert_eq!(format!("{vault:?}"), "Vault { seal: Some(Seal(42 bytes)), .. }");
    }
}
