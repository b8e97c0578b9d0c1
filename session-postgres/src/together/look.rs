use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use super::Ask;
use crate::{
    record::encode_id,
    statement::{Statement, Statements, arguments},
};

/// What `load.sql` asks for.
pub(crate) struct Look(pub(crate) Vec<SessionId>);

impl Ask for Look {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = false;

    fn ids(&self) -> &[SessionId] {
        &self.0
    }

    fn size(&self) -> usize {
        size_of_val(&*self.0)
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.load
    }

    fn together(statements: &Statements) -> &Statement {
        &statements.load
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        let ids: Vec<_> = asks.iter().flat_map(|ask| &ask.0).map(encode_id).collect();
        Ok(arguments![ids])
    }
}
