use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use super::{Ask, ids};
use crate::statement::{Statement, Statements};

/// What `load.sql` asks for.
pub(crate) struct Look(pub(crate) Vec<SessionId>);

impl Ask for Look {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = false;

    fn ids(&self) -> &[SessionId] {
        &self.0
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.load
    }

    fn together<'a>(statements: &'a Statements, _asks: &[&Self]) -> &'a Statement {
        &statements.load
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        ids(asks)
    }
}
