use std::time::Duration;

use async_trait::async_trait;
use redis::Cmd;
use session_core::{Claim, Claimed, Error, OnceStore};

use crate::{
    RedisStore,
    error::{Effect, unexpected},
    record::millis,
    reply::Reply,
    script::Script,
};

#[async_trait]
impl OnceStore for RedisStore {
    async fn claim(&self, claim: &Claim, lease: Duration) -> Result<Claimed, Error> {
        let mut call = self.on_work(Script::WorkClaim, claim);
        call.arg(millis(lease));
        match self.call(call).await? {
            Reply::Done(_) => Ok(Claimed::Mine),
            Reply::Finished => Ok(Claimed::Done),
            Reply::InUse => Ok(Claimed::Taken),
            _ => Err(unexpected(Effect::Writes)),
        }
    }

    async fn keep(&self, claim: &Claim, lease: Duration) -> Result<bool, Error> {
        let mut call = self.on_work(Script::WorkKeep, claim);
        call.arg(millis(lease));
        Ok(matches!(self.call(call).await?, Reply::Done(_)))
    }

    async fn finish(&self, claim: &Claim) -> Result<bool, Error> {
        let call = self.on_work(Script::WorkFinish, claim);
        Ok(matches!(self.call(call).await?, Reply::Done(_)))
    }

    async fn give_back(&self, claim: &Claim) -> Result<(), Error> {
        self.call(self.on_work(Script::WorkGiveBack, claim)).await.map(drop)
    }
}

impl RedisStore {
    fn on_work(&self, script: Script, claim: &Claim) -> Cmd {
        let mut call = script.on(&[self.keys.work(claim.name())]);
        call.arg(format!("{:032x}", claim.id()));
        call
    }
}
