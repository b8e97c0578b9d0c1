use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::json::{self, Json};
use crate::{Delta, Error, Lifetime, Loaded, NewSession, SessionId, SessionStore, Update, layer::Purge};

/// Where a record carries what it was loaded with. U+0000 keeps it apart from every key that a store accepts.
const SEEN: &str = "\0seen";

/// Any of our stores, as a store for the stock `tower_sessions::SessionManagerLayer` of 0.15 and 0.14.
///
/// The stock layer loads and saves whole records; this store saves only what changed between the two, and never
/// into a session that has ended. Which promises that keeps is said [one level up](super). A record may have 256 KiB.
/// What expired is purged now and then as sessions are created; `continuously_delete_expired` is not needed.
///
/// ```
/// use session_core::{MemoryStore, tower_sessions::TowerSessionsStore};
/// # #[cfg(feature = "tower-sessions")]
/// use tower_sessions::{Expiry, SessionManagerLayer};
///
/// let store = TowerSessionsStore::new(MemoryStore::new());
/// # #[cfg(feature = "tower-sessions")]
/// let layer = SessionManagerLayer::new(store).with_expiry(Expiry::OnInactivity(time::Duration::hours(1)));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TowerSessionsStore {
    store: Arc<dyn SessionStore>,
    absolute_timeout: Option<Duration>,
    purge: Arc<Purge>,
}

/// What was loaded: what is compared with when the record comes back.
#[derive(Deserialize, Serialize)]
struct Seen {
    data: Json,
    /// A later expiry than this, in milliseconds since 1970, is worth a write.
    touch_after: i64,
}

impl TowerSessionsStore {
    /// An adapter over `store`, which may be an `Arc<dyn SessionStore>`.
    pub fn new(store: impl SessionStore) -> Self {
        Self {
            store: Arc::new(store),
            absolute_timeout: None,
            purge: Arc::default(),
        }
    }

    /// Ends a session this long after it was created, whatever its use. Default: 12 hours, or the expiry that it was
    /// created with if that is longer.
    pub const fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.absolute_timeout = Some(timeout);
        self
    }

    /// Creates a session under an id of its own, always a new one: an id that somebody else chose is never used.
    pub(super) async fn create_record(&self, data: &mut Json, expiry: OffsetDateTime) -> Result<i128, Error> {
        data.remove(SEEN);
        let lifetime = self.lifetime(expiry);
        let new = NewSession::new(lifetime).with_delta(json::diff(&Json::new(), data)?);
        let id = random_id()?;
        match self.store.create(&digest(id), &new).await {
            // Created twice it is the same.
            Err(Error::Unknown { .. }) => self.store.create(&digest(id), &new).await?,
            outcome => outcome?,
        };
        self.purge.run_if_due(&self.store);
        hide_seen(data, touch_after(expiry, lifetime.idle));
        Ok(id)
    }

    pub(super) async fn load_record(&self, id: i128) -> Result<Option<(Json, OffsetDateTime)>, Error> {
        let Loaded::Live(_, record) = self.store.load(&[digest(id)]).await? else {
            return Ok(None);
        };
        let mut data = json::decode(&record.data);
        hide_seen(&mut data, touch_after(record.expires(), record.idle_timeout));
        Ok(Some((data, record.expires())))
    }

    /// Saves what changed, into a session that is alive.
    pub(super) async fn save_record(&self, id: i128, data: &Json, expiry: OffsetDateTime) -> Result<(), Error> {
        let id = digest(id);
        if expiry <= OffsetDateTime::now_utc() {
            return self.store.end(&id).await;
        }
        let mut data = data.clone();
        let (delta, touch) = match data.remove(SEEN).map(serde_json::from_value::<Seen>) {
            Some(Ok(seen)) => (json::diff(&seen.data, &data)?, in_millis(expiry) > seen.touch_after),
            // A record that was cleared has lost it, and replaces all there is.
            _ => (self.replacement(&id, &data).await?, true),
        };
        if !delta.is_empty() {
            let mut update = Update::new(delta);
            update.touch = touch;
            self.store.update(&id, &update).await?;
        } else if touch {
            self.store.touch(&id).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_record(&self, id: i128) -> Result<(), Error> {
        self.store.end(&digest(id)).await
    }

    pub(super) async fn purge(&self) -> Result<(), Error> {
        const BATCH: u32 = 1000;
        while self.store.purge(BATCH).await? >= u64::from(BATCH) {}
        Ok(())
    }

    async fn replacement(&self, id: &SessionId, data: &Json) -> Result<Delta, Error> {
        match self.store.load(&[*id]).await? {
            Loaded::Live(_, record) => json::diff(&json::decode(&record.data), data),
            Loaded::Renewed(_) | Loaded::Missing => Err(Error::Ended),
        }
    }

    /// The stock layer's expiry is our idle timeout: it moves on when the session is saved.
    fn lifetime(&self, expiry: OffsetDateTime) -> Lifetime {
        let rest = (expiry - OffsetDateTime::now_utc()).max(time::Duration::MILLISECOND);
        let idle = rest.unsigned_abs();
        let absolute = self
            .absolute_timeout
            .unwrap_or_else(|| Lifetime::default().absolute.max(idle));
        Lifetime::new(idle, absolute)
    }
}

/// Saving moves the end of a session by a minute, or a tenth of its idle timeout, or not at all: an expiry at a fixed
/// time stays where it is, and a session that is saved all the time is not written all the time.
fn touch_after(expiry: OffsetDateTime, idle: Duration) -> i64 {
    in_millis(expiry.saturating_add(time::Duration::MINUTE.min(to_signed(idle / 10))))
}

fn to_signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}

fn in_millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

fn hide_seen(data: &mut Json, touch_after: i64) {
    let seen = Seen {
        data: data.clone(),
        touch_after,
    };
    // It is made of JSON, so it can be written as JSON; without it, a save would replace all there is.
    if let Ok(seen) = serde_json::to_value(seen) {
        data.insert(SEEN.into(), seen);
    }
}

fn random_id() -> Result<i128, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|source| Error::Random {
        source: Box::new(source),
    })?;
    Ok(i128::from_be_bytes(bytes))
}

/// The session id of a tower-sessions id, which is the secret in the cookie: 16 bytes of its SHA-256, the last two of
/// which are the shard tag.
fn digest(id: i128) -> SessionId {
    let digest = Sha256::digest(id.to_be_bytes());
    let mut bytes = [0; SessionId::LEN];
    bytes.copy_from_slice(&digest[..SessionId::LEN]);
    SessionId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_cookie_is_pinned() {
        // SHA-256 of the 16 bytes 00..0f is be45cb2605bf36bebde684841a28f0fd43c69850a3dce5fedba69928ee3a8991.
        let id = i128::from_be_bytes(std::array::from_fn(|i| i as u8));
        assert_eq!(digest(id).to_string(), "be45cb2605bf36bebde684841a28f0fd");
    }
}
