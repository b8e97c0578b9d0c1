use std::slice;

use session_core::{Error, Renewal, RenewalNonce, Seal, SessionId};
use sqlx::postgres::PgArguments;

use super::{Ask, column};
use crate::{
    record::{encode_duration, encode_id, encode_max, encode_removals, encode_sets, encode_size, ends_oldest},
    statement::{Statement, Statements, arguments},
};

/// What `renew.sql` asks for.
#[derive(Clone)]
pub(crate) struct Renewing {
    from: SessionId,
    to: SessionId,
    sets: String,
    removals: String,
    user: Option<String>,
    is_login: bool,
    idle: Option<i64>,
    life: Option<i64>,
    max_size: i64,
    lock: Option<i64>,
    about: Option<String>,
    seal: Option<Seal>,
    class: String,
    max: Option<i32>,
    ends_oldest: bool,
    renewal: Option<i64>,
    nonce: Option<RenewalNonce>,
}

impl Renewing {
    pub(crate) fn new(from: SessionId, to: SessionId, renewal: &Renewal) -> Result<Self, Error> {
        let login = renewal.login.as_ref();
        let lifetime = login.map(|login| login.lifetime);
        let limit = login.and_then(|login| login.limit).filter(|_| renewal.user.is_some());
        Ok(Self {
            from,
            to,
            sets: encode_sets(&renewal.delta)?,
            removals: encode_removals(&renewal.delta)?,
            user: renewal.user.clone(),
            is_login: login.is_some(),
            idle: lifetime.map(|lifetime| encode_duration(lifetime.idle)),
            life: lifetime.map(|lifetime| encode_duration(lifetime.absolute)),
            max_size: encode_size(renewal.max_size),
            lock: lifetime.and_then(|lifetime| lifetime.lock).map(encode_duration),
            about: login.and_then(|login| login.about.to_json()),
            seal: renewal.seal.clone(),
            class: login.map(|login| login.about.class.clone()).unwrap_or_default(),
            max: limit.map(encode_max),
            ends_oldest: ends_oldest(limit),
            renewal: lifetime.and_then(|lifetime| lifetime.renewal).map(encode_duration),
            nonce: renewal.marker_nonce().copied(),
        })
    }
}

impl Ask for Renewing {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = true;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.from)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sets.len() + self.removals.len()
    }

    /// With a limit it locks its user, and then counts.
    fn is_apart(&self) -> bool {
        self.max.is_some()
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.renew
    }

    fn together<'a>(statements: &'a Statements, _asks: &[&Self]) -> &'a Statement {
        &statements.renew_together
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        Ok(arguments![
            column(asks, |ask| encode_id(&ask.from)),
            column(asks, |ask| encode_id(&ask.to)),
            column(asks, |ask| ask.sets.as_str()),
            column(asks, |ask| ask.removals.as_str()),
            column(asks, |ask| ask.user.as_deref()),
            column(asks, |ask| ask.is_login),
            column(asks, |ask| ask.idle),
            column(asks, |ask| ask.life),
            column(asks, |ask| ask.max_size),
            column(asks, |ask| ask.lock),
            column(asks, |ask| ask.about.as_deref()),
            column(asks, |ask| ask.seal.as_ref().map(Seal::as_bytes)),
            column(asks, |ask| ask.class.as_str()),
            column(asks, |ask| ask.max),
            column(asks, |ask| ask.ends_oldest),
            column(asks, |ask| ask.renewal),
            column(asks, |ask| ask.nonce.as_ref().map(|nonce| nonce.as_bytes().as_slice())),
        ])
    }
}
