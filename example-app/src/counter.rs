use session_core::{Error, Session};

const KEY: &str = "counter";

/// Adds one: exactly one, whatever other tabs and other instances add at the same moment.
pub(crate) async fn increment(session: &Session) -> Result<u64, Error> {
    let add = |count: Option<u64>| count.unwrap_or(0).saturating_add(1);
    session.update(KEY, add).await
}

/// The count so far.
pub(crate) fn of(session: &Session) -> Result<u64, Error> {
    Ok(session.get(KEY)?.unwrap_or_default())
}
