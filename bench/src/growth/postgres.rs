use session_core::{SessionId, SessionStore};
use session_postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use uuid::Uuid;

use super::{ground::Ground, member::Member, size::Size};
use crate::{Failure, variant::Backend};

/// How many rows a statement makes or changes.
const TOGETHER: usize = 10_000;

/// A schema whose sessions are copies of one that the store made.
pub(super) struct PostgresGround {
    store: PostgresStore,
    pub(super) connection: PgConnection,
    schema: &'static str,
    sessions: usize,
}

/// Lets the server keep more pages in its memory, once it has been started again.
pub(super) async fn set_shared_buffers(url: &str, buffers: &str) -> Result<(), Failure> {
    let mut connection = PgConnection::connect(url).await?;
    let quoted = buffers.replace('\'', "''");
    let set = format!("ALTER SYSTEM SET shared_buffers = '{quoted}'");
    connection.execute(AssertSqlSafe(set)).await?;
    Ok(connection.close().await?)
}

impl PostgresGround {
    pub(super) async fn open(url: &str, schema: &'static str) -> Result<Self, Failure> {
        let store = PostgresStore::connect(PostgresOptions::from_url(url)?.schema(schema)).await?;
        store.migrate().await?;
        Ok(Self {
            store,
            connection: PgConnection::connect(url).await?,
            schema,
            sessions: 0,
        })
    }

    pub(super) const fn schema(&self) -> &'static str {
        self.schema
    }

    /// What the autovacuum has done by the time that the app has been up for a while: so nothing that is measured is
    /// the aftermath of the filling.
    async fn settle(&mut self) -> Result<(), Failure> {
        let vacuum = format!("VACUUM (ANALYZE) {}.session", self.schema);
        self.connection.execute(AssertSqlSafe(vacuum)).await?;
        self.connection.execute("CHECKPOINT").await?;
        Ok(())
    }

    /// The columns of a session that are the same in copies, and none that the server works out.
    async fn columns(&mut self) -> Result<Vec<String>, Failure> {
        let columns = sqlx::query(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = $1 AND table_name = 'session' AND is_generated = 'NEVER' \
                AND column_name NOT IN ('id', 'user_id')",
        );
        let rows = self.connection.fetch_all(columns.bind(self.schema)).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }
}

impl Ground for PostgresGround {
    type Store = PostgresStore;

    const BACKEND: Backend = Backend::Postgres;

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    async fn fill(&mut self, members: &[Member]) -> Result<(), Failure> {
        let (original, copies) = members.split_first().ok_or("there are no sessions to make")?;
        self.store.create(&original.id, &original.new_session()?).await?;
        let columns = self.columns().await?.join(", ");
        let copy = format!(
            "INSERT INTO {schema}.session (id, user_id, {columns}) SELECT copy.id, copy.user_id, {columns} \
             FROM unnest($1::uuid[], $2::text[]) AS copy (id, user_id), \
                (SELECT {columns} FROM {schema}.session WHERE id = $3) AS original",
            schema = self.schema,
        );
        for copies in copies.chunks(TOGETHER) {
            let users: Vec<_> = copies.iter().map(Member::user_name).collect();
            let copy = sqlx::query(AssertSqlSafe(copy.as_str())).bind(ids(copies)).bind(users);
            self.connection.execute(copy.bind(uuid(&original.id))).await?;
        }
        self.sessions = members.len();
        self.settle().await
    }

    async fn sizes(&mut self) -> Result<Vec<Size>, Failure> {
        let sizes = sqlx::query(
            "SELECT 'rows' AS part, pg_relation_size(t) FROM to_regclass($1) AS t \
             UNION ALL SELECT 'toast and maps', pg_table_size(t) - pg_relation_size(t) FROM to_regclass($1) AS t \
             UNION ALL SELECT replace(relname::text, '_', ' '), pg_relation_size(indexrelid) \
                FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = to_regclass($1)",
        );
        let rows = self
            .connection
            .fetch_all(sizes.bind(format!("{}.session", self.schema)))
            .await?;
        let sizes = rows.iter().map(|row| {
            Ok(Size {
                backend: Self::BACKEND,
                part: row.try_get(0)?,
                bytes: row.try_get::<i64, _>(1)?.try_into()?,
                sessions: self.sessions,
            })
        });
        sizes.collect()
    }

    fn is_purged(_: &Member) -> bool {
        true
    }

    /// As though nobody had used them for twice as long as they may be idle.
    async fn expire(&mut self, members: &[Member]) -> Result<(), Failure> {
        let schema = self.schema;
        let set_back =
            format!("UPDATE {schema}.session SET last_seen = last_seen - 2 * idle_timeout WHERE id = ANY ($1)");
        for members in members.chunks(TOGETHER) {
            let set_back = sqlx::query(AssertSqlSafe(set_back.as_str())).bind(ids(members));
            let changed = self.connection.execute(set_back).await?.rows_affected();
            if changed != members.len() as u64 {
                return Err(format!("{changed} of {} sessions were set back", members.len()).into());
            }
        }
        self.settle().await
    }
}

fn ids(members: &[Member]) -> Vec<Uuid> {
    members.iter().map(|member| uuid(&member.id)).collect()
}

fn uuid(id: &SessionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}
