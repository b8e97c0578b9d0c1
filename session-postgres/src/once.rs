use std::time::Duration;

use async_trait::async_trait;
use session_core::{Claim, Claimed, Error, OnceStore};
use sqlx::{Row, postgres::PgArguments};
use uuid::Uuid;

use crate::{
    PostgresStore,
    record::encode_duration,
    statement::{Statement, arguments},
};

#[async_trait]
impl OnceStore for PostgresStore {
    async fn claim(&self, claim: &Claim, lease: Duration) -> Result<Claimed, Error> {
        let arguments = arguments![claim.name(), encode_claim(claim), encode_duration(lease)];
        let deadline = self.deadline();
        let rows = self.fetch(&self.statements.work_claim, arguments, deadline).await?;
        let outcome = rows.first().map(|row| row.try_get("outcome")).transpose();
        match outcome.map_err(Error::unknown)? {
            Some("done") => Ok(Claimed::Mine),
            Some("finished") => Ok(Claimed::Done),
            _ => Ok(Claimed::Taken),
        }
    }

    async fn keep(&self, claim: &Claim, lease: Duration) -> Result<bool, Error> {
        let arguments = arguments![claim.name(), encode_claim(claim), encode_duration(lease)];
        self.holds(&self.statements.work_keep, arguments).await
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, Error> {
        let arguments = arguments![claim.name(), encode_claim(claim)];
        self.holds(&self.statements.work_finish, arguments).await
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Error> {
        let arguments = arguments![claim.name(), encode_claim(claim)];
        self.holds(&self.statements.work_give_back, arguments).await.map(drop)
    }
}

impl PostgresStore {
    /// Whether a statement did what it does only if the claim holds.
    async fn holds(&self, statement: &Statement, arguments: PgArguments) -> Result<bool, Error> {
        let rows = self.fetch(statement, arguments, self.deadline()).await?;
        Ok(!rows.is_empty())
    }
}

fn encode_claim(claim: &Claim) -> Uuid {
    Uuid::from_u128(claim.id())
}
