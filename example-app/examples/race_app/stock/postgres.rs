use async_trait::async_trait;
use sqlx::{PgPool, raw_sql};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// Whole records in rows of their own: an upsert, a select, a delete.
#[derive(Clone, Debug)]
pub(super) struct WholeRecords(PgPool);

impl WholeRecords {
    pub(super) async fn connect(url: &str) -> sqlx::Result<Self> {
        let pool = PgPool::connect(url).await?;
        // The lock is for apps that start at once: `if not exists` alone fails one of them.
        raw_sql(
            "begin;
             select pg_advisory_xact_lock(1);
             create table if not exists whole_record
                 (id text primary key not null, data bytea not null, expiry_date timestamptz not null);
             commit",
        )
        .execute(&pool)
        .await?;
        Ok(Self(pool))
    }
}

#[async_trait]
impl SessionStore for WholeRecords {
    // The published store first looks whether the id is taken. Ids are random, so none ever is.
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_vec(record).map_err(|error| Error::Encode(error.to_string()))?;
        let upsert = "insert into whole_record (id, data, expiry_date) values ($1, $2, $3)
             on conflict (id) do update set data = excluded.data, expiry_date = excluded.expiry_date";
        let upsert = sqlx::query(upsert).bind(record.id.to_string()).bind(data).bind(record.expiry_date);
        upsert.execute(&self.0).await.map(drop).map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let select = "select data from whole_record where id = $1 and expiry_date > $2";
        let select = sqlx::query_scalar(select).bind(id.to_string()).bind(OffsetDateTime::now_utc());
        let data: Option<Vec<u8>> = select.fetch_optional(&self.0).await.map_err(backend)?;
        let record = data.map(|data| serde_json::from_slice(&data)).transpose();
        record.map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let delete = sqlx::query("delete from whole_record where id = $1").bind(id.to_string());
        delete.execute(&self.0).await.map(drop).map_err(backend)
    }
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
