use std::sync::Arc;

/// How long a marker stands, in milliseconds.
const MARKER_MS: &str = "300000";

/// What sets locks on users apart from other locks of the database's applications: "sess" in ASCII.
const USER_LOCK: &str = "1936028531";

/// The length of an expiry bucket, in milliseconds.
const BUCKET_MS: &str = "600000";

/// The channel on which statements tell what happens to sessions. It is the same for all schemas of a database, for a
/// schema's name may be as long as a channel's: ids are random, so what is told of another schema's means nothing here.
pub(crate) const CHANGES: &str = "session_changes";

/// The last millisecond of the year 9999, after which no time is kept.
pub(crate) const LAST_MS: i64 = 253_402_300_799_999;

/// The server's clock. It goes on during a statement, unlike `now()`, which would revive what expired while the
/// statement waited for a lock.
const NOW: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// What updates sessions that it touches, and not the others.
const TOUCH: &str = "last_seen = CASE WHEN judged.touch THEN judged.now ELSE judged.last_seen END,";

/// The arguments of a statement, in the order of its parameters.
macro_rules! arguments {
    ($($value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "there may be none")]
        let mut arguments = sqlx::postgres::PgArguments::default();
        $(sqlx::Arguments::add(&mut arguments, $value).map_err(session_core::Error::unavailable)?;)*
        arguments
    }};
}
pub(crate) use arguments;

/// A statement, prepared by each connection when it first runs it.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) text: Arc<str>,
    /// Whether it may change something, so that it matters whether it was done.
    pub(crate) writes: bool,
}

/// All that the store says to the server, but for the migrations.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) create: Statement,
    pub(crate) end: Statement,
    pub(crate) end_together: Statement,
    pub(crate) end_all: Statement,
    pub(crate) end_everyone: Statement,
    pub(crate) fates: Statement,
    pub(crate) follow: Statement,
    pub(crate) is_migrated: Statement,
    pub(crate) load: Statement,
    pub(crate) of_user: Statement,
    pub(crate) ping: Statement,
    pub(crate) purge_markers: Statement,
    pub(crate) purge_sessions: Statement,
    pub(crate) renew: Statement,
    pub(crate) renew_together: Statement,
    pub(crate) renewed: Statement,
    pub(crate) touch: Statement,
    pub(crate) touch_together: Statement,
    pub(crate) update: Statement,
    pub(crate) update_together: Statement,
    /// For several of which none is a touch: what depends on when a session was last seen stays as it is, and the
    /// server need not prepare to generate it, which takes it a third of a small batch's time.
    pub(crate) update_untouched: Statement,
    pub(crate) work_claim: Statement,
    pub(crate) work_finish: Statement,
    pub(crate) work_give_back: Statement,
    pub(crate) work_keep: Statement,
}

impl Statements {
    pub(crate) fn new(schema: &str) -> Self {
        let read = |template: &str| Statement {
            text: fill_in(template, schema).into(),
            writes: false,
        };
        let write = |template: &str| Statement {
            writes: true,
            ..read(template)
        };
        // Those of many lock what nobody else has locked.
        let (alone, together) = ("FOR UPDATE OF session", "FOR UPDATE OF session SKIP LOCKED");
        let write_together = |template: &str| write(&template.replace(alone, together));
        Self {
            create: write(include_str!("statements/create.sql")),
            end: write(include_str!("statements/end.sql")),
            end_together: write_together(include_str!("statements/end.sql")),
            end_all: write(include_str!("statements/end_all.sql")),
            end_everyone: write(include_str!("statements/end_everyone.sql")),
            fates: read(include_str!("statements/fates.sql")),
            follow: read(include_str!("statements/follow.sql")),
            is_migrated: read(include_str!("statements/is_migrated.sql")),
            load: read(include_str!("statements/load.sql")),
            of_user: read(include_str!("statements/of_user.sql")),
            ping: read(include_str!("statements/ping.sql")),
            purge_markers: write(include_str!("statements/purge_markers.sql")),
            purge_sessions: write(include_str!("statements/purge_sessions.sql")),
            renew: write(include_str!("statements/renew.sql")),
            renew_together: write_together(include_str!("statements/renew.sql")),
            renewed: read(include_str!("statements/renewed.sql")),
            touch: write(include_str!("statements/touch.sql")),
            touch_together: write_together(include_str!("statements/touch.sql")),
            update: write(include_str!("statements/update.sql")),
            update_together: write_together(include_str!("statements/update.sql")),
            update_untouched: write_together(&include_str!("statements/update.sql").replace(TOUCH, "")),
            work_claim: write(include_str!("statements/work_claim.sql")),
            work_finish: write(include_str!("statements/work_finish.sql")),
            work_give_back: write(include_str!("statements/work_give_back.sql")),
            work_keep: write(include_str!("statements/work_keep.sql")),
        }
    }
}

/// The text of a statement, without its comments: they need not travel to the server with each preparation.
///
/// `schema` was checked by [`PostgresOptions::check`](crate::PostgresOptions); the rest is constant.
pub(crate) fn fill_in(template: &str, schema: &str) -> String {
    let lines = template.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines
        .collect::<Vec<_>>()
        .join("\n")
        .replace("{schema}", &format!("\"{schema}\""))
        .replace("{now}", NOW)
        .replace("{changes}", CHANGES)
        .replace("{marker_ms}", MARKER_MS)
        .replace("{user_lock}", USER_LOCK)
        .replace("{bucket_ms}", BUCKET_MS)
        .replace("{last_ms}", &LAST_MS.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in() {
        let statements = format!("{:?}", Statements::new("web"));
        let fields = statements.replace("Statement {", "").replace("Statements {", "");
        assert!(!fields.contains('{'), "{statements}");
        assert!(statements.contains(r#"\"web\".session"#));
    }

    #[test]
    fn only_an_update_that_touches_writes_when_a_session_was_last_seen() {
        let statements = Statements::new("web");
        let writes = |statement: &Statement| statement.text.contains("last_seen = ");
        assert!(writes(&statements.update) && writes(&statements.update_together));
        assert!(!writes(&statements.update_untouched));
    }
}
