use std::slice;

use session_core::{Error, Seal, SessionId, Update};
use sqlx::postgres::PgArguments;

use super::{Ask, column};
use crate::{
    record::{encode_id, encode_removals, encode_sets, encode_size, encode_value},
    statement::{Statement, Statements, arguments},
};

/// What `update.sql` asks for.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) id: SessionId,
    sets: String,
    removals: String,
    key: Option<String>,
    value: Option<String>,
    touch: bool,
    max_size: i64,
    seal: Option<Vec<u8>>,
}

impl Change {
    pub(crate) fn new(id: SessionId, update: &Update) -> Result<Self, Error> {
        let expectation = update.expectation.as_ref();
        let value = expectation.and_then(|expected| Some(encode_value(&expected.key, expected.value.as_ref()?)));
        Ok(Self {
            id,
            sets: encode_sets(&update.delta)?,
            removals: encode_removals(&update.delta)?,
            key: expectation.map(|expected| expected.key.clone()),
            value: value.transpose()?.map(str::to_owned),
            touch: update.touch,
            max_size: encode_size(update.max_size),
            seal: update.seal.as_ref().map(Seal::as_bytes).map(<[u8]>::to_vec),
        })
    }
}

impl Ask for Change {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = true;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.id)
    }

    fn size(&self) -> usize {
        let value = self.value.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.sets.len() + self.removals.len() + value
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.update
    }

    fn together(statements: &Statements) -> &Statement {
        &statements.update_together
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        Ok(arguments![
            column(asks, |ask| encode_id(&ask.id)),
            column(asks, |ask| ask.sets.as_str()),
            column(asks, |ask| ask.removals.as_str()),
            column(asks, |ask| ask.key.as_deref()),
            column(asks, |ask| ask.value.as_deref()),
            column(asks, |ask| ask.touch),
            column(asks, |ask| ask.max_size),
            column(asks, |ask| ask.seal.as_deref()),
        ])
    }
}
