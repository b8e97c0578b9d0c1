use std::fmt;

use session_core::{Delta, Lifetime, NewSession, Renewal, SessionStore, Update, Value};

use super::scene::Scene;
use crate::Failure;

/// What a store does for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Load,
    Update,
    Touch,
    Create,
    Renew,
    End,
}

impl Operation {
    pub(super) const ALL: [Self; 6] = [
        Self::Load,
        Self::Update,
        Self::Touch,
        Self::Create,
        Self::Renew,
        Self::End,
    ];

    /// Does it to the scene's session.
    pub(super) async fn perform(self, store: &impl SessionStore, scene: &Scene) -> Result<(), Failure> {
        match self {
            Self::Load => drop(store.load(&[scene.from]).await?),
            Self::Update => drop(store.update(&scene.from, &Update::new(page()?)).await?),
            Self::Touch => store.touch(&scene.from).await?,
            Self::Create => drop(store.create(&scene.from, &new_session()?).await?),
            Self::Renew => drop(store.renew(&scene.from, &scene.to, &Renewal::of(None)).await?),
            Self::End => store.end(&scene.from).await?,
        }
        Ok(())
    }
}

/// A visitor's session with a record of 300 bytes.
pub(crate) fn new_session() -> Result<NewSession, Failure> {
    let mut delta = page()?;
    for part in 0..4 {
        delta.set(format!("part{part}"), text()?)?;
    }
    Ok(NewSession::new(Lifetime::default()).with_delta(delta))
}

/// A change of one key: a fifth of the record.
pub(crate) fn page() -> Result<Delta, Failure> {
    let mut delta = Delta::default();
    delta.set("page", text()?)?;
    Ok(delta)
}

fn text() -> Result<Value, Failure> {
    Ok(Value::encode(&"x".repeat(50))?)
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Load => "load",
            Self::Update => "update",
            Self::Touch => "touch",
            Self::Create => "create",
            Self::Renew => "renew",
            Self::End => "end",
        })
    }
}
