use std::slice;

use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use super::{Ask, ids};
use crate::statement::{Statement, Statements};

/// What `end.sql` asks for.
pub(crate) struct End(pub(crate) SessionId);

impl Ask for End {
    const BATCHES: usize = 1;
    const ONE_EACH: bool = false;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.0)
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.end
    }

    fn together<'a>(statements: &'a Statements, _asks: &[&Self]) -> &'a Statement {
        &statements.end_together
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        ids(asks)
    }
}
