//! The schema and its versions.

use std::{sync::Arc, time::Duration};

use session_core::Error;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnection};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    PostgresOptions,
    error::{ConnectError, MigrateError},
    statement::fill_in,
};

/// What makes each version out of the one before it, the first one out of nothing. Only ever added to.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_session_and_marker.sql"),
    include_str!("migrations/0002_work.sql"),
    include_str!("migrations/0003_about_lock_seal.sql"),
    include_str!("migrations/0004_renewal_by_time.sql"),
    include_str!("migrations/0005_near_cache.sql"),
];

/// The version that they make.
pub(crate) const NEWEST: i32 = MIGRATIONS.len() as i32;

/// How long it may take, waiting for others who do the same included.
const LIMIT: Duration = Duration::from_secs(60);

/// How long it waits for a lock on a table. Every statement of every instance waits behind it meanwhile, so this is
/// well below what they wait.
const LOCK_LIMIT: Duration = Duration::from_millis(250);

/// For how long it tries that again, and how long it lets the others go on before it does.
const LOCK_PATIENCE: Duration = Duration::from_secs(20);
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// Brings the schema up to date.
///
/// All is one transaction, which also holds the lock that lets one at a time do this. So the lock is released on every
/// path: by the end of the transaction, of the connection, or of the time that the server waits for us.
///
/// What changes a table waits until whoever reads it is done, a dump perhaps, and whoever comes next waits for both. So
/// it gives up soon, lets the others go on, and tries again.
pub(crate) async fn run(options: &PostgresOptions) -> Result<(), Error> {
    let server = options
        .server(LIMIT * 9 / 10)
        .options([("idle_in_transaction_session_timeout", LIMIT.as_millis())]);
    let connection = match timeout(options.connect_timeout, server.connect()).await {
        Ok(connection) => connection.map_err(|source| ConnectError::new(options, source)),
        Err(_) => Err(ConnectError::late(options, options.connect_timeout)),
    };
    let mut connection = connection.map_err(|error| Arc::new(error).into_error())?;
    match timeout(LIMIT, migrate(&mut connection, &options.schema)).await {
        Ok(result) => result,
        Err(late) => Err(Error::unknown(late)),
    }
}

async fn migrate(connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
    let failed = |source| MigrateError::new(schema, source).into_error();
    let mut transaction = connection.begin().await.map_err(failed)?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('session-postgres ' || $1, 0))")
        .bind(schema)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    let limit = format!("SET LOCAL lock_timeout = {}", LOCK_LIMIT.as_millis());
    run_text(&mut transaction, &limit, schema).await.map_err(failed)?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        // A savepoint: what is undone gives its locks back, and others who would try are still kept out.
        let mut attempt = transaction.begin().await.map_err(failed)?;
        let error = match bring_up_to_date(&mut attempt, schema).await {
            Ok(()) => {
                attempt.commit().await.map_err(failed)?;
                break;
            }
            Err(error) => MigrateError::new(schema, error),
        };
        if !error.is_locked() {
            return Err(error.into_error());
        }
        attempt.rollback().await.map_err(failed)?;
        if Instant::now() >= deadline {
            let holders = lock_holders(&mut transaction, schema).await.map_err(failed)?;
            return Err(error.held_by(&holders).into_error());
        }
        tracing::debug!(
            schema,
            "a table of the session store is in use, and is brought up to date later"
        );
        sleep(LOCK_PAUSE).await;
    }
    match transaction.commit().await {
        Err(error @ sqlx::Error::Database(_)) => Err(failed(error)),
        done => done.map_err(Error::unknown),
    }
}

/// The server's processes that have locks on something in the schema.
async fn lock_holders(connection: &mut PgConnection, schema: &str) -> Result<Vec<i32>, sqlx::Error> {
    let query = "SELECT DISTINCT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation \
                 WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                 AND relnamespace = to_regnamespace(quote_ident($1)) AND granted AND pid <> pg_backend_pid()";
    sqlx::query_scalar(query).bind(schema).fetch_all(connection).await
}

async fn bring_up_to_date(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    // `IF NOT EXISTS` would ask for the right to make it also where it is there.
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        run_text(connection, "CREATE SCHEMA {schema}", schema).await?;
    }
    let there: bool = sqlx::query_scalar("SELECT to_regclass(quote_ident($1) || '.migration') IS NOT NULL")
        .bind(schema)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        let table = "CREATE TABLE {schema}.migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";
        run_text(connection, table, schema).await?;
    }
    let query = fill_in("SELECT coalesce(max(version), 0) FROM {schema}.migration", schema);
    let version: i32 = sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_one(&mut *connection)
        .await?;
    // A newer version, of a newer instance, is left as it is.
    for (migration, version) in MIGRATIONS.iter().zip(1..).skip(usize::try_from(version).unwrap_or(0)) {
        run_text(connection, migration, schema).await?;
        let text = format!("INSERT INTO {{schema}}.migration (version) VALUES ({version})");
        run_text(connection, &text, schema).await?;
        tracing::info!(schema, version, "made the tables of the session store");
    }
    Ok(())
}

async fn run_text(connection: &mut PgConnection, template: &str, schema: &str) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(fill_in(template, schema));
    sqlx::raw_sql(text).execute(connection).await.map(drop)
}
