use std::slice;

use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use super::Ask;
use crate::{
    record::encode_id,
    statement::{Statement, Statements, arguments},
};

/// What `end.sql` asks for.
pub(crate) struct End(pub(crate) SessionId);

impl Ask for End {
    const BATCHES: usize = 1;
    const ONE_EACH: bool = false;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.0)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.end
    }

    fn together(statements: &Statements) -> &Statement {
        &statements.end_together
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        let ids: Vec<_> = asks.iter().map(|ask| encode_id(&ask.0)).collect();
        Ok(arguments![ids])
    }
}
