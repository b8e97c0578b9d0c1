use serde::Serialize;
use session_core::SessionInfo;
use time::{OffsetDateTime, UtcOffset};

/// When a session began, was last seen and ends, by the store's clock, for people to read.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Times {
    pub(crate) created: String,
    pub(crate) seen: String,
    pub(crate) ends: String,
    /// When it ends whatever its use.
    pub(crate) latest: String,
}

impl From<SessionInfo> for Times {
    fn from(info: SessionInfo) -> Self {
        Self {
            created: readable(info.created),
            seen: readable(info.last_seen),
            ends: readable(info.expires),
            latest: readable(info.absolute_end),
        }
    }
}

/// A moment, for people to read.
pub(crate) fn readable(moment: OffsetDateTime) -> String {
    let utc = moment.to_offset(UtcOffset::UTC);
    let (hour, minute, second) = utc.to_hms();
    let month = utc.month().to_string();
    format!("{} {month:.3}, {hour:02}:{minute:02}:{second:02} UTC", utc.day())
}

#[cfg(test)]
mod tests {
    use session_core::{Lifetime, Record, SessionId};
    use time::Duration;

    use super::*;

    fn times(seen: i64) -> Times {
        let created = OffsetDateTime::from_unix_timestamp(1_795_392_005).unwrap();
        let created = created.to_offset(UtcOffset::from_hms(-5, 0, 0).unwrap());
        let id = SessionId::from_bytes([7; 16]);
        let seen = created + Duration::minutes(seen);
        let mut record = Record::new(created, Lifetime::default().idle, created + Duration::hours(12));
        record.last_seen = seen;
        SessionInfo::of(id, &record).into()
    }

    #[test]
    fn a_session_ends_when_it_is_idle() {
        let times = times(1);
        assert_eq!(times.created, "23 Nov, 00:00:05 UTC");
        assert_eq!(times.seen, "23 Nov, 00:01:05 UTC");
        assert_eq!(times.ends, "23 Nov, 00:31:05 UTC");
        assert_eq!(times.latest, "23 Nov, 12:00:05 UTC");
    }

    #[test]
    fn no_use_of_it_moves_its_latest_end() {
        let times = times(11 * 60 + 45);
        assert_eq!(times.ends, times.latest);
    }
}
