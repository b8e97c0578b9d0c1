//! Sessions in PostgreSQL: a [`SessionStore`](session_core::SessionStore) that all instances of an app share.
//!
//! ```no_run
//! use session_core::{Lifetime, NewSession, SessionStore, SessionToken};
//! use session_postgres::PostgresStore;
//!
//! # async fn run() -> Result<(), session_core::Error> {
//! let store = PostgresStore::connect("postgres://app:secret@localhost/app").await?;
//! store.migrate().await?;
//!
//! let id = SessionToken::random()?.id();
//! store.create(&id, &NewSession::new(Lifetime::default())).await?;
//! store.end(&id).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is stored
//!
//! Three tables in a schema of their own, `session` unless [set otherwise](PostgresOptions::schema), which
//! [`PostgresStore::migrate`] makes. `session` has a row for each session, and `marker` one for each renewal of the
//! last five minutes. They hold no token, so that whoever reads them can open no session. `work` has a row for all work
//! that was done [once](session_core::OnceStore), which stays.
//!
//! A write merges the keys it sets and removes into the row as it is by then, in one statement, which is one round trip
//! and one commit. What many requests ask for at the same time goes together: while one statement is under way, the
//! requests that come wait for the next, which is for all of them. Nobody waits for company, nor for another one's
//! session: what somebody has locked is left out and asked for alone. It is as durable as the server's
//! `synchronous_commit` makes it: no write that was acknowledged is lost, unless that was turned off. Whether a session
//! lives is decided by the server's clock alone.
//!
//! PostgreSQL 13 or newer, with the encoding UTF8. After `migrate` a role needs `USAGE` on the schema, and `SELECT`,
//! `INSERT`, `UPDATE` and `DELETE` on its tables, also on those that a later version adds (`ALTER DEFAULT PRIVILEGES`
//! sees to that). What has expired is invisible and still takes space: call
//! [`purge`](session_core::SessionStore::purge) now and then, from any instance: the session layer does.
//!
//! # When the server is away
//!
//! Every operation returns within the [command timeout](PostgresOptions::command_timeout), and works again when the
//! server does, with no restart. [`Unavailable`](session_core::Error::Unavailable) says that nothing was done,
//! [`Unknown`](session_core::Error::Unknown) that a write may have been: the link broke before its answer came, or it
//! did not come in time. Reads are tried again on a new connection, and so are writes that were certainly not done: the
//! server said that it shuts down, or that another transaction was in the way.
//!
//! Instances tell each other of ends and renewals of sessions by `NOTIFY`, which costs a logout or login next to
//! nothing and needs no right. Who waits for the end of a session (`session_core::until_ended`, `Session::ended`) makes
//! the store listen, on one of its connections. A pooler that gives connections away after each transaction passes no
//! notifications on: behind one, ends on other instances are seen by a look about every half minute.
//!
//! The driver offers no keepalive for TCP; the deadlines stand in for it. A connection nobody used for ten seconds is
//! asked for a sign of life before its next use.
//!
//! # TLS
//!
//! Certificates are verified by rustls, against the system's roots and a [file](PostgresOptions::ca_file) if there is
//! one. A server on another machine must have a valid certificate unless the URL says otherwise:
//! [`PostgresOptions::from_url`] tells more.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `cloud-foundry` | | `PostgresStore::connect` takes a `session_core::cloud_foundry::BoundPostgres` |

mod announcement;
mod backoff;
#[cfg(feature = "cloud-foundry")]
mod cloud_foundry;
mod connections;
mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod listener;
mod migrate;
mod near;
mod once;
mod options;
mod record;
mod statement;
mod store;
mod together;

pub use options::PostgresOptions;
pub use store::PostgresStore;
