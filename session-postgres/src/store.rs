use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use session_core::{
    Data, Error, Fate, Loaded, NearCache, NearChange, NewSession, Page, Renewal, SessionId, SessionInfo, SessionLimit,
    SessionStore, Update, Version, Watch,
};
use sqlx::postgres::{PgArguments, PgRow};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    PostgresOptions,
    connections::Connections,
    error::NotMigrated,
    listener::Listener,
    migrate::{self, NEWEST},
    record::{
        decode_count, decode_ended, decode_fate, decode_id, decode_info, decode_loaded, decode_outcome, decode_touched,
        decode_version, encode_id, encode_size, ends_oldest,
    },
    statement::{Statement, Statements, arguments},
    together::{Answer, Batchers, Change, Creation, End, Look, Renewing, Touch},
};

/// How often an operation follows a session that is renewed while it looks for it. A statement follows all the markers
/// that there are by then.
const FOLLOW_LIMIT: usize = 16;

/// How many sessions are ended together when all are: so few that it takes a moment.
const ENDED_TOGETHER: i64 = 1000;

/// Sessions in PostgreSQL.
///
/// A cheap handle: its clones share their connections, which are closed with the last of them; one of those listens,
/// once somebody waits for the end of a session. It works within a tokio runtime with time and I/O enabled, and only
/// the one in which it was first used.
#[derive(Clone)]
pub struct PostgresStore {
    connections: Arc<Connections>,
    pub(crate) statements: Arc<Statements>,
    batchers: Arc<Batchers>,
    /// Dropped with the last handle, it hangs up.
    listener: Arc<Listener>,
}

impl PostgresStore {
    /// A store whose server answers: opens a connection with these settings, or with those in a URL.
    ///
    /// It tries once. Its connections are opened again by themselves when they are lost later.
    /// An app that may start while the server is away takes [`new`](Self::new) instead, and waits: what no waiting
    /// mends, [`Error::is_lasting`] tells apart.
    ///
    /// ```no_run
    /// # use session_postgres::{PostgresOptions, PostgresStore};
    /// # async fn run() -> Result<(), session_core::Error> {
    /// let store = PostgresStore::connect("postgres://app:secret@db.example/app").await?;
    ///
    /// let options = PostgresOptions::from_url("postgres://app:secret@db.example/app")?.connections(10);
    /// let store = PostgresStore::connect(options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if a setting is wrong, or if there is no connection within the
    /// [connect timeout](PostgresOptions::connect_timeout); its sources say why, without the password.
    pub async fn connect<O>(options: O) -> Result<Self, Error>
    where
        O: TryInto<PostgresOptions>,
        O::Error: Into<Error>,
    {
        let store = Self::new(options.try_into().map_err(Into::into)?)?;
        store.connections.open().await?;
        Ok(store)
    }

    /// A store that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if a setting is wrong; its source says which.
    pub fn new(options: PostgresOptions) -> Result<Self, Error> {
        options.check()?;
        let statements = Arc::new(Statements::new(&options.schema));
        let connections = Arc::new(Connections::new(options));
        let listener = Arc::new(Listener::new(&connections));
        Ok(Self {
            batchers: Arc::new(Batchers::new(&connections, &statements)),
            connections,
            statements,
            listener,
        })
    }

    /// Makes the schema and its tables, or brings them up to date.
    ///
    /// It may be called by all instances at once, and again at each start. Whoever comes first does it, in one
    /// transaction; the others wait, for a minute at most. It waits for whoever uses the tables a quarter of a second
    /// at a time, so that sessions are served meanwhile. A role that may not create schemas can do it if the schema is
    /// there already, and one that may create nothing if there is nothing to do.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if nothing was done, and [`Error::Unknown`] if the link broke at the end; call it again.
    pub async fn migrate(&self) -> Result<(), Error> {
        migrate::run(self.connections.options()).await
    }

    /// Whether [`migrate`](Self::migrate) has been done, here or elsewhere, by this version or a newer one: what an
    /// instance asks that is not ready before another one has done it.
    ///
    /// ```no_run
    /// # use session_postgres::PostgresStore;
    /// # use std::time::Duration;
    /// # async fn run() -> Result<(), session_core::Error> {
    /// let store = PostgresStore::connect("postgres://app:secret@db.example/app").await?;
    /// while !store.is_migrated().await? {
    ///     tokio::time::sleep(Duration::from_secs(1)).await;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the server cannot be asked, or does not let this role read the schema.
    pub async fn is_migrated(&self) -> Result<bool, Error> {
        let asked = self.fetch(&self.statements.is_migrated, arguments![NEWEST], self.deadline());
        match asked.await {
            Err(Error::Unavailable { source }) if source.is::<NotMigrated>() => Ok(false),
            rows => Ok(!rows?.is_empty()),
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.connections.options().command_timeout
    }

    pub(crate) async fn fetch(
        &self,
        statement: &Statement,
        arguments: PgArguments,
        deadline: Instant,
    ) -> Result<Vec<PgRow>, Error> {
        self.connections.fetch(statement, arguments, deadline).await
    }

    /// The first of them that is a live session with a record that can be read, or what else is known of them.
    async fn read(&self, ids: &[SessionId], deadline: Instant) -> Result<Loaded, Error> {
        let rows = self.batchers.looks.ask(Look(ids.to_vec()), deadline).await?.rows;
        let found = ids.iter().map(|id| {
            let row = rows.iter().find(|row| decode_id(row).is_ok_and(|found| found == *id));
            row.map_or(Ok(Loaded::Missing), |row| decode_loaded(row))
                .unwrap_or_else(|error| {
                    tracing::warn!(session = %id, %error, "a session's record cannot be read");
                    Loaded::Missing
                })
        });
        Ok(Loaded::first(ids, found))
    }

    /// The id that the session with this id has by now, if renewals that were no login have changed it.
    ///
    /// It is asked in a statement of its own, after one that found no session: a statement that waited for a renewal to
    /// be committed finds neither the session under its new id nor the marker, for it sees what was there when it
    /// began.
    async fn follow(&self, id: &SessionId, deadline: Instant) -> Result<Option<SessionId>, Error> {
        let rows = self
            .fetch(&self.statements.follow, arguments![encode_id(id)], deadline)
            .await?;
        rows.first().map(decode_id).transpose().map_err(Error::unavailable)
    }

    /// Whether there is a session as its creation left it: then the creation is repeated, by somebody who did not learn
    /// how it went.
    async fn is_created(&self, id: &SessionId, new: &NewSession, deadline: Instant) -> Result<bool, Error> {
        let Loaded::Live(_, record) = self.read(&[*id], deadline).await? else {
            return Ok(false);
        };
        let mut data = Data::new();
        new.delta.apply_to(&mut data);
        Ok(record.version == Version(1)
            && record.data == data
            && record.user == new.user
            && record.about == new.about
            && record.seal == new.seal)
    }

    /// To be kept while a session is changed: dropped, it makes the near cache forget the session.
    fn changing(&self, id: &SessionId) -> Option<NearChange<'_>> {
        self.near_cache().map(|cache| cache.change(id))
    }

    /// The same for a login that may end the user's oldest session: which, the server does not say.
    fn making_room(&self, limit: Option<SessionLimit>) -> Option<NearChange<'_>> {
        let cache = self.near_cache().filter(|_| ends_oldest(limit));
        cache.map(NearCache::change_any)
    }

    async fn count(&self, statement: &Statement, arguments: PgArguments, deadline: Instant) -> Result<u64, Error> {
        let rows = self.fetch(statement, arguments, deadline).await?;
        rows.first().map_or(Ok(0), decode_count).map_err(Error::unknown)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore")
            .field(self.connections.options())
            .finish()
    }
}

#[async_trait]
impl SessionStore for PostgresStore {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        check_size(new)?;
        let _making_room = self.making_room(new.limit);
        let deadline = self.deadline();
        let answer = self.batchers.creations.ask(Creation::new(*id, new)?, deadline).await?;
        let row = answer.rows.first().ok_or(Error::IdInUse)?;
        match decode_outcome(row, new.max_size, new.limit) {
            Err(Error::IdInUse) if self.is_created(id, new, deadline).await? => Ok(Version(1)),
            outcome => outcome,
        }
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        let near = self.near_cache().map(|cache| (cache, cache.begin()));
        let loaded = self.read(ids, self.deadline()).await?;
        if let Some((cache, reading)) = near {
            cache.keep(reading, ids, &loaded);
        }
        Ok(loaded)
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        let deadline = self.deadline();
        let mut change = Change::new(*id, update)?;
        for _ in 0..FOLLOW_LIMIT {
            let changing = self.changing(&change.id);
            let Answer { rows, later } = self.batchers.changes.ask(change.clone(), deadline).await?;
            if let Some(row) = rows.first() {
                let last = decode_outcome(row, update.max_size, None)?;
                let version = Version(last.0 - later);
                if let Some(changing) = changing {
                    changing.done(update, version);
                }
                return Ok(version);
            }
            if update.seal.is_some() {
                return Err(Error::Ended);
            }
            change.id = self.follow(&change.id, deadline).await?.ok_or(Error::Ended)?;
        }
        Err(always_renewed())
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        let _changing = self.changing(id);
        let rows = self.batchers.touches.ask(Touch(*id), self.deadline()).await?.rows;
        decode_touched(rows.first().ok_or(Error::Ended)?)
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        let limit = renewal.login.as_ref().and_then(|login| login.limit);
        let (_changing, _making_room) = (self.changing(from), self.making_room(limit));
        let deadline = self.deadline();
        let renewing = Renewing::new(*from, *to, renewal)?;
        let answer = self.batchers.renewals.ask(renewing, deadline).await?;
        if let Some(row) = answer.rows.first() {
            return decode_outcome(row, renewal.max_size, limit);
        }
        let arguments = arguments![encode_id(from), encode_id(to)];
        let rows = self.fetch(&self.statements.renewed, arguments, deadline).await?;
        let row = rows.first().ok_or(Error::Ended)?;
        decode_version(row).map_err(Error::unavailable)
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        let deadline = self.deadline();
        let mut id = *id;
        for _ in 0..FOLLOW_LIMIT {
            let _changing = self.changing(&id);
            if !self.batchers.ends.ask(End(id), deadline).await?.rows.is_empty() {
                return Ok(());
            }
            let Some(successor) = self.follow(&id, deadline).await? else {
                return Ok(());
            };
            id = successor;
        }
        Err(always_renewed())
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        let arguments = arguments![user, page.after.as_ref().map(encode_id), i64::from(page.limit)];
        let rows = self.fetch(&self.statements.of_user, arguments, self.deadline()).await?;
        let infos = rows.iter().filter_map(|row| {
            decode_info(row)
                .inspect_err(|damage| tracing::warn!(user, %damage, "a session of a user's cannot be read"))
                .ok()
        });
        Ok(infos.collect())
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        let arguments = arguments![user, except.map(encode_id)];
        // What this instance does it knows at once. Which they were it hears later.
        let _changing = self.near_cache().map(NearCache::change_any);
        self.count(&self.statements.end_all, arguments, self.deadline()).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        let _changing = self.near_cache().map(NearCache::change_any);
        let (mut ended, mut started) = (0, None);
        let (mut after, mut is_done) = (Uuid::nil(), true);
        loop {
            let arguments = arguments![started, after, ENDED_TOGETHER];
            let rows = self
                .fetch(&self.statements.end_everyone, arguments, self.deadline())
                .await?;
            let row = rows.first().ok_or_else(|| Error::unknown("nothing was answered"))?;
            ended += decode_count(row).map_err(Error::unknown)?;
            let (time, last) = decode_ended(row).map_err(Error::unknown)?;
            started = Some(time);
            match last {
                Some(last) => (after, is_done) = (last, false),
                None if is_done => return Ok(ended),
                // Those that were renewed meanwhile are left, under other ids.
                None => (after, is_done) = (Uuid::nil(), true),
            }
        }
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        let (deadline, limit) = (self.deadline(), u64::from(limit));
        let sessions = arguments![encode_size(limit)];
        let sessions = self.count(&self.statements.purge_sessions, sessions, deadline).await?;
        let markers = arguments![encode_size(limit - sessions.min(limit))];
        Ok(sessions + self.count(&self.statements.purge_markers, markers, deadline).await?)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.fetch(&self.statements.ping, arguments![], self.deadline()).await?;
        Ok(())
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        let arguments = arguments![ids.iter().map(encode_id).collect::<Vec<_>>()];
        let rows = self.fetch(&self.statements.fates, arguments, self.deadline()).await?;
        let known = rows.iter().map(|row| Ok((decode_id(row)?, decode_fate(row)?)));
        let known: HashMap<_, _> = known.collect::<Result<_, sqlx::Error>>().map_err(Error::unavailable)?;
        let fates = ids.iter().map(|id| known.get(id).copied().unwrap_or(Fate::Ended));
        Ok(fates.collect())
    }

    fn watch(&self) -> &Watch {
        self.listener.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.listener.near_cache()
    }
}

/// The only check of a record's size that needs no look at the record.
fn check_size(new: &NewSession) -> Result<(), Error> {
    let (size, limit) = (new.delta.size(), new.max_size);
    if size > limit {
        Err(Error::TooLarge { size, limit })
    } else {
        Ok(())
    }
}

fn always_renewed() -> Error {
    Error::unavailable("the session was renewed each time it was found")
}
