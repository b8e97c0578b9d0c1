use std::{
    fmt,
    time::{Duration, Instant},
};

use session_core::{Error, Loaded, Page, Renewal, SessionStore, Update};

use super::{field::Field, ground::Ground, member::SHARE};
use crate::{Failure, alone};

/// What is asked of a store, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Load,
    Update,
    Touch,
    OfUser,
    Create,
    End,
    Renew,
}

impl Operation {
    /// In this order: a Redis keeps the ids of ended sessions on users' lists until it reads them, and markers for a
    /// while, which few sessions would feel more than many.
    pub(super) const ALL: [Self; 7] = [
        Self::Load,
        Self::Update,
        Self::Touch,
        Self::OfUser,
        Self::Create,
        Self::End,
        Self::Renew,
    ];

    /// Does it to any session and says how long that took. One session in four that it is done to has a user. There
    /// are as many sessions after it as before.
    pub(super) async fn perform<G: Ground>(self, field: &mut Field<G>, nth: usize) -> Result<Duration, Failure> {
        let store = field.store();
        let place = field.pick(nth.is_multiple_of(SHARE));
        let id = field.member(place).id;
        match self {
            Self::Load => {
                let (took, loaded) = timed(store.load(&[id])).await?;
                found(&loaded)?;
                Ok(took)
            }
            Self::Update => Ok(timed(store.update(&id, &Update::new(alone::page()?))).await?.0),
            Self::Touch => Ok(timed(store.touch(&id)).await?.0),
            Self::OfUser => {
                let user = field.any_user();
                let (took, sessions) = timed(store.of_user(&user, &Page::default())).await?;
                if sessions.is_empty() {
                    return Err(format!("no sessions of {user} were found").into());
                }
                Ok(took)
            }
            Self::Create | Self::End => {
                let ended = timed(store.end(&id)).await?.0;
                let next = field.successor(place)?;
                let created = timed(store.create(&next.id, &next.new_session()?)).await?.0;
                field.replace(place, next);
                Ok(if self == Self::End { ended } else { created })
            }
            Self::Renew => {
                let next = field.successor(place)?;
                let took = timed(store.renew(&id, &next.id, &Renewal::of(next.user_name())))
                    .await?
                    .0;
                field.replace(place, next);
                Ok(took)
            }
        }
    }
}

/// Makes sure that a load found its session.
pub(super) fn found(loaded: &Loaded) -> Result<(), Failure> {
    match loaded {
        Loaded::Live(..) => Ok(()),
        other => Err(format!("a session that lives was loaded as {other:?}").into()),
    }
}

async fn timed<T>(operation: impl Future<Output = Result<T, Error>>) -> Result<(Duration, T), Failure> {
    let start = Instant::now();
    let done = operation.await?;
    Ok((start.elapsed(), done))
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Load => "load",
            Self::Update => "update",
            Self::Touch => "touch",
            Self::OfUser => "of_user",
            Self::Create => "create",
            Self::End => "end",
            Self::Renew => "renew",
        })
    }
}
