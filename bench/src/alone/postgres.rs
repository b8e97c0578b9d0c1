use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use session_core::{Delta, Lifetime, SessionId, SessionStore};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{
    driver::Driver,
    operation::{Operation, new_session, page},
    scene::Scene,
};
use crate::Failure;

/// sqlx on one connection, sending the statements that the server saw a store send.
pub(super) struct PostgresDriver {
    connection: PgConnection,
    seen: BTreeMap<Operation, String>,
    /// The data of a new session, and of a change, as the column holds them.
    record: String,
    change: String,
}

/// Lets `pg_stat_activity` show statements as long as they are, once the server has been started again.
pub(super) async fn show_whole_statements(url: &str) -> Result<(), Failure> {
    let mut connection = PgConnection::connect(url).await?;
    connection
        .execute("ALTER SYSTEM SET track_activity_query_size = '64kB'")
        .await?;
    Ok(connection.close().await?)
}

impl PostgresDriver {
    /// `store` has one connection.
    pub(super) async fn connect(url: &str, store: &impl SessionStore) -> Result<Self, Failure> {
        let mut connection = PgConnection::connect(url).await?;
        // As the store's connections have it.
        connection
            .execute(
                "SET enable_seqscan = off; SET enable_mergejoin = off; SET jit = off; \
                 SET plan_cache_mode = force_generic_plan",
            )
            .await?;
        let mut seen = BTreeMap::new();
        for operation in Operation::ALL {
            let scene = Scene::set(store, operation).await?;
            operation.perform(store, &scene).await?;
            let look = "SELECT query FROM pg_stat_activity WHERE application_name = 'session-postgres' \
                        ORDER BY query_start DESC LIMIT 1";
            seen.insert(operation, connection.fetch_one(look).await?.try_get(0)?);
        }
        Ok(Self {
            connection,
            seen,
            record: column(&new_session()?.delta)?,
            change: column(&page()?)?,
        })
    }
}

impl Driver for PostgresDriver {
    async fn perform(&mut self, operation: Operation, scene: &Scene) -> Result<Duration, Failure> {
        let statement = self.seen.get(&operation).ok_or("an operation was not seen")?;
        let statement = sqlx::query(AssertSqlSafe(statement.as_str()));
        let statement = bind(statement, operation, scene, &self.record, &self.change);
        let start = Instant::now();
        let rows = self.connection.fetch_all(statement).await?;
        let took = start.elapsed();
        let row = rows
            .first()
            .ok_or_else(|| format!("the driver's {operation} did nothing"))?;
        // Not all say how it went.
        match row.try_get::<&str, _>("outcome") {
            Ok("done") | Err(_) => Ok(took),
            Ok(outcome) => Err(format!("the driver's {operation} was answered {outcome}").into()),
        }
    }
}

/// The parameters of a statement: the head of each `.sql` file tells what they are.
fn bind<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    operation: Operation,
    scene: &Scene,
    record: &'q str,
    change: &'q str,
) -> Query<'q, Postgres, PgArguments> {
    const NO_TEXT: Option<&str> = None;
    const NO_BYTES: Option<&[u8]> = None;
    const NO_TIME: Option<i64> = None;
    const NO_NUMBER: Option<i32> = None;
    let no_removals = "[]";
    let max_size = 256 * 1024_i64;
    let lifetime = Lifetime::default();
    let id = uuid(&scene.from);
    // Each is an array, of one.
    match operation {
        Operation::Load | Operation::Touch | Operation::End => statement.bind([id]),
        Operation::Update => statement
            .bind([id])
            .bind([change])
            .bind([no_removals])
            .bind([NO_TEXT])
            .bind([NO_TEXT])
            .bind([false])
            .bind([max_size])
            .bind([NO_BYTES])
            .bind([1_i32]),
        Operation::Create => statement
            .bind([id])
            .bind([record])
            .bind([NO_TEXT])
            .bind([lifetime.idle.as_millis() as i64])
            .bind([lifetime.absolute.as_millis() as i64])
            .bind([NO_TIME])
            .bind([NO_TEXT])
            .bind([NO_BYTES])
            .bind([""])
            .bind([NO_NUMBER])
            .bind([false])
            .bind([NO_TIME]),
        Operation::Renew => statement
            .bind([id])
            .bind([uuid(&scene.to)])
            .bind(["{}"])
            .bind([no_removals])
            .bind([NO_TEXT])
            .bind([false])
            .bind([NO_TIME])
            .bind([NO_TIME])
            .bind([max_size])
            .bind([NO_TIME])
            .bind([NO_TEXT])
            .bind([NO_BYTES])
            .bind([""])
            .bind([NO_NUMBER])
            .bind([false])
            .bind([NO_TIME])
            .bind([NO_BYTES]),
    }
}

fn uuid(id: &SessionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// Keys and the texts of their values.
fn column(delta: &Delta) -> Result<String, Failure> {
    let texts = delta
        .sets()
        .map(|(key, value)| Ok((key, str::from_utf8(value.as_bytes())?)))
        .collect::<Result<BTreeMap<_, _>, Failure>>()?;
    Ok(serde_json::to_string(&texts)?)
}
