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
pub(crate) use queue::Answer;
pub(crate) use renewing::Renewing;
pub(crate) use touch::Touch;

use session_core::{Error, SessionId};
use sqlx::postgres::{PgArguments, PgRow};

use crate::{
    record::encode_id,
    statement::{Statement, Statements, arguments},
};

/// Something that one statement can ask for many of.
pub(crate) trait Ask: Send + Sync + Sized + 'static {
    /// How many batches may be under way, each on a connection: one, and more if many wait or one takes long.
    const BATCHES: usize;

    /// Whether two that are about one session are not asked together, unless they can be [joined](Self::join).
    const ONE_EACH: bool;

    /// The sessions that it is about: its answer are their rows.
    fn ids(&self) -> &[SessionId];

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        size_of_val(self.ids())
    }

    /// Whether it is not asked with others, for it may wait for somebody.
    fn is_apart(&self) -> bool {
        false
    }

    /// One that is as good as this and, after it, the next, which is about the same session.
    fn join(&self, _next: &Self) -> Option<Self> {
        None
    }

    /// Whether a row answers all who were joined.
    fn answers_all(_row: &PgRow) -> bool {
        true
    }

    /// The statement for one, which waits for whoever has locked its session.
    fn alone(statements: &Statements) -> &Statement;

    /// The statement for these together. It leaves out the sessions that somebody else has locked, unless it locks
    /// none: so nobody waits for another one's session.
    fn together<'a>(statements: &'a Statements, asks: &[&Self]) -> &'a Statement;

    /// The arguments of either.
    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error>;
}

/// The only argument of those that are about ids and nothing else.
fn ids<A: Ask>(asks: &[&A]) -> Result<PgArguments, Error> {
    let ids: Vec<_> = asks.iter().flat_map(|ask| ask.ids()).map(encode_id).collect();
    Ok(arguments![ids])
}

/// An argument, of all of them.
fn column<'a, A, T>(asks: &[&'a A], of: impl Fn(&'a A) -> T) -> Vec<T> {
    asks.iter().map(|ask| of(ask)).collect()
}

/// An argument that may not be made of all of them.
fn try_column<'a, A, T>(asks: &[&'a A], of: impl Fn(&'a A) -> Result<T, serde_json::Error>) -> Result<Vec<T>, Error> {
    let column: Result<_, _> = asks.iter().map(|ask| of(ask)).collect();
    column.map_err(Error::unavailable)
}
