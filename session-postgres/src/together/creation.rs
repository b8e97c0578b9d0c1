use std::slice;

use session_core::{Error, NewSession, Seal, SessionId};
use sqlx::postgres::PgArguments;

use super::{Ask, column};
use crate::{
    record::{encode_duration, encode_id, encode_max, encode_sets, ends_oldest},
    statement::{Statement, Statements, arguments},
};

/// What `create.sql` asks for.
pub(crate) struct Creation {
    id: SessionId,
    data: String,
    user: Option<String>,
    idle: i64,
    life: i64,
    lock: Option<i64>,
    about: Option<String>,
    seal: Option<Seal>,
    class: String,
    max: Option<i32>,
    ends_oldest: bool,
    renewal: Option<i64>,
}

impl Creation {
    pub(crate) fn new(id: SessionId, new: &NewSession) -> Result<Self, Error> {
        let limit = new.limit.filter(|_| new.user.is_some());
        Ok(Self {
            id,
            data: encode_sets(&new.delta)?,
            user: new.user.clone(),
            idle: encode_duration(new.lifetime.idle),
            life: encode_duration(new.lifetime.absolute),
            lock: new.lifetime.lock.map(encode_duration),
            about: new.about.to_json(),
            seal: new.seal.clone(),
            class: new.about.class.clone(),
            max: limit.map(encode_max),
            ends_oldest: ends_oldest(limit),
            renewal: new.lifetime.renewal.map(encode_duration),
        })
    }
}

impl Ask for Creation {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = true;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.id)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.data.len()
    }

    /// With a limit it locks its user, and then counts.
    fn is_apart(&self) -> bool {
        self.max.is_some()
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.create
    }

    fn together<'a>(statements: &'a Statements, _asks: &[&Self]) -> &'a Statement {
        &statements.create
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        Ok(arguments![
            column(asks, |ask| encode_id(&ask.id)),
            column(asks, |ask| ask.data.as_str()),
            column(asks, |ask| ask.user.as_deref()),
            column(asks, |ask| ask.idle),
            column(asks, |ask| ask.life),
            column(asks, |ask| ask.lock),
            column(asks, |ask| ask.about.as_deref()),
            column(asks, |ask| ask.seal.as_ref().map(Seal::as_bytes)),
            column(asks, |ask| ask.class.as_str()),
            column(asks, |ask| ask.max),
            column(asks, |ask| ask.ends_oldest),
            column(asks, |ask| ask.renewal),
        ])
    }
}
