use serde::{Serialize, de::DeserializeOwned};

use super::{Session, session::decode};
use crate::{Change, Error, Value};

/// What changes one value in the store at once, by what it is there.
impl Session {
    /// Applies `f` to the newest value of `key` in the store, whatever other requests do meanwhile, and returns what
    /// it became.
    ///
    /// It does not wait for the commit, and stands also if the response is 5xx. `f` may be called several times and
    /// should do nothing but compute; of all calls, exactly one counts.
    ///
    /// ```
    /// # use session_core::{Error, Session};
    /// # async fn handler(session: Session) -> Result<(), Error> {
    /// let visits: u64 = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] if the store did not answer: the change was made once or not at all, and is not tried
    /// again. [`Error::Ended`], [`Error::Unavailable`], [`Error::Decode`], [`Error::TooLarge`], [`Error::InvalidKey`]
    /// for the key of [`user_from`](crate::SessionLayer::user_from), and what [`insert`](Self::insert) may answer;
    /// nothing was changed then.
    pub async fn update<T, F>(&self, key: &str, mut f: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnMut(Option<T>) -> T + Send,
    {
        let newest = self.change(key, |value| Some(Some(f(value)))).await?;
        newest.ok_or(Error::Ended)
    }

    /// [Updates](Self::update) a value unless `f` refuses to, and removes it if `f` returns `None`. Returns what it
    /// became.
    ///
    /// What `f` refuses is the newest value too: if need be, the session is read once more for that.
    ///
    /// ```
    /// # use session_core::{Error, Session};
    /// # enum Refusal { NoneLeft, Session(Error) }
    /// # impl From<Error> for Refusal { fn from(error: Error) -> Self { Self::Session(error) } }
    /// /// Of several requests at once, on whatever instances, no more use a ticket than there are.
    /// async fn use_ticket(session: Session) -> Result<(), Refusal> {
    ///     let one_less = |left: Option<u32>| match left {
    ///         None | Some(0) => Err(Refusal::NoneLeft),
    ///         Some(1) => Ok(None),
    ///         Some(left) => Ok(Some(left - 1)),
    ///     };
    ///     session.try_update("tickets", one_less).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What `f` returned, and nothing was changed; what [`update`](Self::update) may answer.
    pub async fn try_update<T, E, F>(&self, key: &str, mut f: F) -> Result<Option<T>, E>
    where
        T: Serialize + DeserializeOwned + Send,
        E: From<Error> + Send,
        F: FnMut(Option<T>) -> Result<Option<T>, E> + Send,
    {
        let mut refusal = None;
        let newest = self.change(key, |value| match f(value) {
            Ok(new) => {
                refusal = None;
                Some(new)
            }
            Err(reason) => {
                refusal = Some(reason);
                None
            }
        });
        let newest = newest.await?;
        refusal.map_or(Ok(newest), Err)
    }

    /// Removes `key` at once and returns the value that it had: what is to be used once, as a message to show or the
    /// `state` of an OAuth login, is had by one request, whatever others do at the same moment.
    ///
    /// `None` if it has none, as this request sees it or by now. It does not wait for the commit, and stands also if
    /// the response is 5xx. A request that sees none asks nothing of the store.
    ///
    /// ```
    /// # use session_core::{Error, Session};
    /// # async fn handler(session: Session) -> Result<(), Error> {
    /// let message: Option<String> = session.take("message").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update). After [`Error::Unknown`] the value may be gone, and nobody has it.
    pub async fn take<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<T>, Error> {
        if !self.unlocked()?.contains(key) {
            return Ok(None);
        }
        let mut taken = None;
        let mut apply = |value: Option<&Value>| {
            taken = value.map(|value| decode(key, value)).transpose()?;
            Ok(taken.is_some().then_some(Change::Remove))
        };
        let removed = self.handle.update(key, &mut apply).await;
        removed.inspect_err(|error| self.audit_decode(error))?;
        Ok(taken)
    }

    /// Makes a value what `f` makes of it, removes it, or leaves it as it is.
    async fn change<T, F>(&self, key: &str, mut f: F) -> Result<Option<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnMut(Option<T>) -> Option<Option<T>> + Send,
    {
        let mut newest = None;
        let mut apply = |value: Option<&Value>| {
            let old = value.map(|value| decode(key, value)).transpose()?;
            let Some(new) = f(old) else { return Ok(None) };
            let change = match &new {
                Some(new) => Change::Set(self.encode(key, new)?),
                None => Change::Remove,
            };
            newest = new;
            Ok(Some(change))
        };
        let changed = self.handle.update(key, &mut apply).await;
        changed.inspect_err(|error| self.audit_decode(error))?;
        Ok(newest)
    }
}
