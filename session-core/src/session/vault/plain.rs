use super::Unreadable;
use crate::{Delta, Error, Seal, SessionToken, Value, layer::Config};

/// Values are kept as they are. A session that a build with the feature sealed can be used, but not written to: the
/// others would not read it.
#[derive(Debug)]
pub(crate) struct Vault {
    seal: Option<Seal>,
}

impl Vault {
    pub(crate) fn new(_token: &SessionToken, seal: Option<Seal>, _config: &Config) -> Self {
        Self { seal }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the other face may fail")]
    pub(crate) fn begin(_token: &SessionToken, _config: &Config) -> Result<Self, Error> {
        Ok(Self { seal: None })
    }

    pub(crate) fn move_to(&self, _token: &SessionToken) -> Result<Self, Error> {
        self.check().map(|()| Self { seal: None })
    }

    pub(crate) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    #[expect(clippy::unnecessary_wraps, reason = "the other face may fail")]
    pub(crate) fn open(&self, _key: &str, value: &Value) -> Result<Value, Unreadable> {
        Ok(value.clone())
    }

    pub(crate) fn close(&self, delta: &Delta) -> Result<(Delta, Option<Seal>), Error> {
        if delta.sets().next().is_some() {
            self.check()?;
        }
        Ok((delta.clone(), None))
    }

    /// Whether it opens.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.seal {
            None => Ok(()),
            Some(_) => Err(Error::Seal {
                source: "it is sealed, and this build of session-core has no feature `seal`".into(),
            }),
        }
    }
}
