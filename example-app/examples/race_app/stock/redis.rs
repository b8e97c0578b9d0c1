use async_trait::async_trait;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisError, RedisResult, Value, aio::MultiplexedConnection};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::PATIENCE;

/// Whole records under their ids: `SET` with `NX` or `XX` and an expiry, `GET`, `DEL`.
#[derive(Clone, Debug)]
pub(super) struct WholeRecords(MultiplexedConnection);

impl WholeRecords {
    pub(super) async fn connect(url: &str) -> RedisResult<Self> {
        // As patient as ours here, so that on a busy machine too it is the race that decides.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(url)?;
        Ok(Self(
            client.get_multiplexed_async_connection_with_config(&config).await?,
        ))
    }

    async fn set(&self, record: &Record, condition: &str) -> Result<()> {
        let text = serde_json::to_string(record).map_err(|error| Error::Encode(error.to_string()))?;
        let mut set = redis::cmd("SET");
        set.arg(key(&record.id)).arg(text).arg(condition);
        set.arg("EXAT").arg(record.expiry_date.unix_timestamp());
        match set
            .query_async(&mut self.0.clone())
            .await
            .map_err(|error| backend(&error))?
        {
            // Not set. The published store says so by failing to make a bool of it.
            Value::Nil => Err(Error::Backend("Could not convert to bool".into())),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl SessionStore for WholeRecords {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.set(record, "NX").await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.set(record, "XX").await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let text: Option<String> = self.0.clone().get(key(id)).await.map_err(|error| backend(&error))?;
        let record = text.map(|text| serde_json::from_str(&text)).transpose();
        record.map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.clone().del(key(id)).await.map_err(|error| backend(&error))
    }
}

fn key(id: &Id) -> String {
    id.to_string()
}

fn backend(error: &RedisError) -> Error {
    Error::Backend(error.to_string())
}
