use std::sync::Arc;

use super::{Device, Handle, Session, audit::Event};
use crate::{Error, Loaded, Page, SessionId};

/// The other sessions of this session's user (promise P10).
impl Session {
    /// The user's sessions, this one among them: the first hundred, in the order of their ids. None if nobody is logged
    /// in.
    ///
    /// ```
    /// # use session_core::{Error, Session};
    /// # async fn handler(session: Session) -> Result<(), Error> {
    /// for device in session.devices().await? {
    ///     let this = if device.is_this { ", this one" } else { "" };
    ///     println!("{}{this}", device.about.label.as_deref().unwrap_or("a device"));
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the store cannot be asked; [`Error::Locked`].
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        self.devices_on(&Page::default()).await
    }

    /// A page of the user's sessions, for users with more than a hundred. A login of this request is one of them once
    /// it is [saved](Self::save).
    ///
    /// # Errors
    ///
    /// As [`devices`](Self::devices).
    pub async fn devices_on(&self, page: &Page) -> Result<Vec<Device>, Error> {
        let Some((user, this)) = self.bound()? else {
            return Ok(Vec::new());
        };
        let listed = self
            .handle
            .budget
            .read(self.handle.shared.store.of_user(&user, page))
            .await?;
        let devices = listed.into_iter().map(|info| Device {
            is_this: info.id == this,
            info,
        });
        Ok(devices.collect())
    }

    /// Ends one of the user's sessions now, on every instance; this one as [`logout`](Self::logout) does. Whether there
    /// was one: another user's is none.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] or [`Error::Unknown`] if the store may not have ended it; [`Error::Locked`].
    pub async fn end_device(&self, id: &SessionId) -> Result<bool, Error> {
        self.save_login().await?;
        let Some((user, this)) = self.bound()? else {
            return Ok(false);
        };
        if *id == this {
            return self.logout().await.map(|()| true);
        }
        let id = *id;
        self.ending(async move |handle| {
            let store = &handle.shared.store;
            let mut id = id;
            loop {
                // Whose a session is never changes under one id, so what is seen here still holds when it is ended.
                match handle.budget.read(store.load(&[id])).await? {
                    Loaded::Live(_, record) if record.user.as_ref() == Some(&user) => {
                        handle.budget.write(store.end(&id)).await?;
                        handle.audit(Event::EndDevice, Some(&id), Some(&user));
                        return Ok(true);
                    }
                    // The device went on meanwhile.
                    Loaded::Renewed(marker) => id = marker.successor,
                    _ => return Ok(false),
                }
            }
        })
        .await
    }

    /// Ends the user's other sessions now, on every instance, and returns how many: as after a new password. A login of
    /// this request is [saved](Self::save) first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] or [`Error::Unknown`] if the store may not have ended them all: call it again;
    /// [`Error::Locked`]; with a login, also those of [`save`](Self::save).
    pub async fn end_others(&self) -> Result<u64, Error> {
        self.save_login().await?;
        let Some((user, this)) = self.bound()? else {
            return Ok(0);
        };
        self.ending(async move |handle| {
            // A commit that held the turn may have renewed this one meanwhile.
            let this = handle.state().current.as_ref().map_or(this, |current| current.id);
            let all = handle.shared.store.end_all(&user, Some(&this));
            let ended = handle.budget.write(all).await?;
            handle.audit(Event::EndAll, Some(&this), Some(&user));
            Ok(ended)
        })
        .await
    }

    /// Ends all of the user's sessions now, on every instance, and leaves this browser without its cookie; returns how
    /// many there were.
    ///
    /// # Errors
    ///
    /// As [`end_others`](Self::end_others).
    pub async fn end_everywhere(&self) -> Result<u64, Error> {
        self.save_login().await?;
        let Some((user, this)) = self.bound()? else {
            return Ok(0);
        };
        let ended = self
            .ending(async move |handle| {
                let ended = handle.budget.write(handle.shared.store.end_all(&user, None)).await?;
                handle.audit(Event::EndAll, Some(&this), Some(&user));
                Ok(ended)
            })
            .await?;
        self.logout().await?;
        Ok(ended)
    }

    /// Ends something as the only one, to the end also if the caller goes away. A failure that the handler ignores
    /// becomes its response.
    async fn ending<T, F>(&self, work: impl FnOnce(Arc<Handle>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let work = work(Arc::clone(&self.handle));
        let done = self.handle.in_turn(async move |handle| {
            let outcome = work.await;
            if outcome.is_err() {
                handle.state().failure = Some(Error::unknown("a session that was to end may not have ended"));
            }
            outcome
        });
        done.await
    }

    /// Saves the login of this request, if there is one: rights are taken away from what it makes of the session.
    async fn save_login(&self) -> Result<(), Error> {
        if self.handle.state().is_login_pending() {
            self.save().await?;
        }
        Ok(())
    }

    /// Who is logged in, and under which id. A login of this request counts when it has been saved.
    fn bound(&self) -> Result<Option<(String, SessionId)>, Error> {
        let state = self.handle.state();
        if state.is_locked() {
            return Err(Error::Locked);
        }
        let current = state.current.as_ref().filter(|_| !state.is_login_pending());
        Ok(current.and_then(|current| Some((current.user.clone()?, current.id))))
    }
}
