//! What many requests ask for at the same time is asked of the server together.
//!
//! Nobody waits for company: whoever comes while the server works on one batch is in the next.

mod batcher;
mod batchers;
mod change;
mod creation;
mod end;
mod look;
mod queue;
mod renewing;
mod touch;

pub(crate) use batcher::Batcher;
pub(crate) use batchers::Batchers;
pub(crate) use change::Change;
pub(crate) use creation::Creation;
pub(crate) use end::End;
pub(crate) use look::Look;
pub(crate) use renewing::Renewing;
pub(crate) use touch::Touch;

use session_core::{Error, SessionId};
use sqlx::postgres::PgArguments;

use crate::statement::{Statement, Statements};

/// Something that one statement can ask for many of.
pub(crate) trait Ask: Send + Sync + Sized + 'static {
    /// How many batches may be under way, each on a connection.
    const BATCHES: usize;

    /// Whether it matters that a session is asked for twice in a batch; then it is in two.
    const ONE_EACH: bool;

    /// The sessions that it is about: its answer are their rows.
    fn ids(&self) -> &[SessionId];

    /// About how many bytes it takes.
    fn size(&self) -> usize;

    /// The statement for one, which waits for whoever has locked its session.
    fn alone(statements: &Statements) -> &Statement;

    /// The statement for several. It leaves out the sessions that somebody else has locked, unless it locks none: so
    /// nobody waits for another one's session.
    fn together(statements: &Statements) -> &Statement;

    /// The arguments of either.
    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error>;
}

/// An argument, of all of them.
fn column<'a, A, T>(asks: &[&'a A], of: impl Fn(&'a A) -> T) -> Vec<T> {
    asks.iter().map(|ask| of(ask)).collect()
}
