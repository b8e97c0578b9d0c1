use std::slice;

use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use super::Ask;
use crate::{
    record::encode_id,
    statement::{Statement, Statements, arguments},
};

/// What `touch.sql` asks for.
pub(crate) struct Touch(pub(crate) SessionId);

impl Ask for Touch {
    const BATCHES: usize = 1;
    const ONE_EACH: bool = false;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.0)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.touch
    }

    fn together(statements: &Statements) -> &Statement {
        &statements.touch_together
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        let ids: Vec<_> = asks.iter().map(|ask| encode_id(&ask.0)).collect();
        Ok(arguments![ids])
    }
}
