use std::slice;

use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use super::{Ask, ids};
use crate::statement::{Statement, Statements};

/// What `touch.sql` asks for.
pub(crate) struct Touch(pub(crate) SessionId);

impl Ask for Touch {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = false;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.0)
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.touch
    }

    fn together<'a>(statements: &'a Statements, _asks: &[&Self]) -> &'a Statement {
        &statements.touch_together
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        ids(asks)
    }
}
