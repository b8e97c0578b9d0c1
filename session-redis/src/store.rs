use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use redis::{Cmd, Value};
use session_core::{
    Error, Expectation, Fate, Loaded, NearCache, NearChange, NewSession, Page, Renewal, Seal, SessionId, SessionInfo,
    SessionStore, Update, Version, Watch,
};

use crate::{
    RedisOptions,
    error::{Effect, refused},
    keys::Keys,
    listener::Listener,
    record::{add_changes, add_pairs, front, millis, optional_fields, read_hash, terms, user_field},
    reply::{Reply, read_time},
    script::Script,
    servers::Servers,
    users::{Listing, Spot},
    wire::envelope,
};

/// How often an operation follows a session that was renewed: each script follows one marker, and five minutes of
/// renewals may have left many.
pub(crate) const FOLLOW_LIMIT: usize = 1000;

/// Sessions in Redis or Valkey.
///
/// A cheap handle: its clones share their connection, one to each server that is written to, which is closed with the
/// last of them; and a second one that listens, once somebody waits for the end of a session. It works within a tokio
/// runtime with time and I/O enabled.
#[derive(Clone)]
pub struct RedisStore {
    pub(crate) servers: Arc<Servers>,
    pub(crate) keys: Arc<Keys>,
    /// How far the last purge has come through the servers' keys.
    pub(crate) purged_to: Arc<Mutex<Spot>>,
    /// Dropped with the last handle, it hangs up.
    listener: Arc<Listener>,
}

impl RedisStore {
    /// A store whose server answers: connects with these settings, or with those in a URL.
    ///
    /// It tries once. The connection is opened again by itself when it is lost later.
    /// An app that may start while the server is away takes [`new`](Self::new) instead, and waits: what no waiting
    /// mends, [`Error::is_lasting`] tells apart.
    ///
    /// ```no_run
    /// # use session_redis::{RedisOptions, RedisStore};
    /// # async fn run() -> Result<(), session_core::Error> {
    /// let store = RedisStore::connect("redis://app:secret@redis.example").await?;
    ///
    /// let options = RedisOptions::from_url("redis://app:secret@redis.example")?.key_prefix("web");
    /// let store = RedisStore::connect(options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if a setting is wrong, or if there is no connection within the
    /// [connect timeout](RedisOptions::connect_timeout); its sources say why, without the password.
    pub async fn connect<O>(options: O) -> Result<Self, Error>
    where
        O: TryInto<RedisOptions>,
        O::Error: Into<Error>,
    {
        let store = Self::new(options.try_into().map_err(Into::into)?)?;
        store.servers.open().await?;
        Ok(store)
    }

    /// A store that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if a setting is wrong; its source says which.
    pub fn new(options: RedisOptions) -> Result<Self, Error> {
        let keys = Arc::new(Keys::new(&options.key_prefix));
        let servers = Arc::new(Servers::new(options, &keys)?);
        Ok(Self {
            listener: Arc::new(Listener::new(&servers, keys.changes())),
            servers,
            keys,
            purged_to: Arc::default(),
        })
    }

    /// To be kept while a session is changed: dropped, it makes the near cache forget the session.
    pub(crate) fn changing(&self, id: &SessionId) -> Option<NearChange<'_>> {
        self.near_cache().map(|cache| cache.change(id))
    }

    /// Runs one script.
    pub(crate) async fn call(&self, command: Cmd) -> Result<Reply, Error> {
        self.call_as(Effect::Writes, command).await
    }

    /// Runs one script that does what a failover must not undo.
    pub(crate) async fn call_lasting(&self, command: Cmd) -> Result<Reply, Error> {
        self.call_as(Effect::Lasts, command).await
    }

    async fn call_as(&self, effect: Effect, command: Cmd) -> Result<Reply, Error> {
        let mut calls = redis::pipe();
        calls.add_command(command);
        Reply::read(self.servers.call(&calls, effect).await?.pop())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(self.servers.options()).finish()
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn create(&self, id: &SessionId, new: &NewSession) -> Result<Version, Error> {
        let (size, limit) = (new.delta.size(), new.max_size);
        if size > limit {
            return Err(Error::TooLarge { size, limit });
        }
        let mut create = Script::Create.on(&[self.keys.session(id)]);
        create
            .arg(millis(new.lifetime.absolute))
            .arg(millis(new.lifetime.idle.min(new.lifetime.absolute)))
            .arg(&front(size))
            .arg(&terms(&new.lifetime))
            .arg(user_field(new.user.as_deref()))
            .arg(optional_fields(&new.about, new.seal.as_ref()));
        add_pairs(&mut create, &new.delta);
        let reply = match &new.user {
            Some(user) => {
                let login = Listing {
                    user,
                    class: &new.about.class,
                    limit: new.limit,
                    from: None,
                    id,
                    life: Some(new.lifetime.absolute),
                    ask: None,
                };
                self.make(&login, create).await
            }
            None => self.call(create).await,
        };
        reply?.version(limit)
    }

    async fn load(&self, ids: &[SessionId]) -> Result<Loaded, Error> {
        if ids.is_empty() {
            return Ok(Loaded::Missing);
        }
        let near = self.near_cache().map(|cache| (cache, cache.begin()));
        let mut reads = redis::pipe();
        for id in ids {
            reads.cmd("HGETALL").arg(self.keys.session(id));
        }
        if self.servers.wants_time() {
            reads.cmd("TIME");
        }
        let mut answers = self.servers.exchange(&reads, Effect::Reads).await?;
        if answers.len() > ids.len()
            && let Some(time) = answers.pop().and_then(|time| envelope::open(time).ok())
            && let Some(time) = read_time(&time)
        {
            self.servers.set_time(time);
        }
        let found = ids.iter().zip(answers).map(|(id, answer)| {
            let now = self.servers.now(id);
            Ok(read_hash(id, answer, now)?.loaded(id, now))
        });
        let found: Vec<_> = found.collect::<Result<_, Error>>()?;
        let loaded = Loaded::first(ids, found);
        if let Some((cache, reading)) = near {
            cache.keep(reading, ids, &loaded);
        }
        Ok(loaded)
    }

    async fn update(&self, id: &SessionId, update: &Update) -> Result<Version, Error> {
        let mut id = *id;
        for _ in 0..FOLLOW_LIMIT {
            let changing = self.changing(&id);
            let mut call = Script::Update.on(&[self.keys.session(&id)]);
            call.arg(u8::from(update.touch)).arg(update.max_size);
            if update.expectation.is_none() && update.seal.is_none() {
                call.arg(0);
            } else {
                call.arg(1).arg(update.seal.as_ref().map_or(&[][..], Seal::as_bytes));
                match &update.expectation {
                    None => call.arg("").arg("").arg(""),
                    Some(Expectation {
                        key,
                        value: Some(value),
                    }) => call.arg("=").arg(key).arg(value.as_bytes()),
                    Some(Expectation { key, value: None }) => call.arg("-").arg(key).arg(""),
                };
            }
            add_changes(&mut call, &update.delta);
            match self.call(call).await? {
                Reply::Moved(successor) if update.seal.is_none() => id = successor,
                reply => {
                    let version = reply.version(update.max_size)?;
                    if let Some(changing) = changing {
                        changing.done(update, version);
                    }
                    return Ok(version);
                }
            }
        }
        Err(always_renewed())
    }

    async fn touch(&self, id: &SessionId) -> Result<(), Error> {
        let _changing = self.changing(id);
        let mut touch = Script::Touch.on(&[self.keys.session(id)]);
        touch.arg(1);
        let reply = self.call(touch).await?;
        reply.version(0).map(drop)
    }

    async fn renew(&self, from: &SessionId, to: &SessionId, renewal: &Renewal) -> Result<Version, Error> {
        let _changing = self.changing(from);
        let login = renewal.login.as_ref();
        let about = login.map(|login| login.about.clone()).unwrap_or_default();
        let fields = optional_fields(&about, renewal.seal.as_ref());
        let nonce = renewal.marker_nonce().map_or(&[][..], |nonce| nonce.as_bytes());
        let renew = |only_asks: bool| {
            let mut renew = Script::Renew.on(&[self.keys.session(from), self.keys.session(to)]);
            renew.arg(u8::from(login.is_some()));
            match login.map(|login| &login.lifetime) {
                Some(lifetime) => renew
                    .arg(millis(lifetime.absolute))
                    .arg(millis(lifetime.idle.min(lifetime.absolute)))
                    .arg(&terms(lifetime)),
                None => renew.arg("").arg("").arg(""),
            };
            match &renewal.user {
                Some(user) => renew.arg(["=", user].concat()),
                None => renew.arg(""),
            };
            renew.arg(renewal.max_size).arg(u8::from(only_asks)).arg(nonce);
            renew.arg(2 * fields.len()).arg(&fields);
            add_changes(&mut renew, &renewal.delta);
            renew
        };
        let reply = match &renewal.user {
            Some(user) => {
                let listing = Listing {
                    user,
                    class: &about.class,
                    limit: login.and_then(|login| login.limit),
                    from: Some(from),
                    id: to,
                    life: login.map(|login| login.lifetime.absolute),
                    ask: Some(renew(true)),
                };
                self.make(&listing, renew(false)).await
            }
            None => self.call_lasting(renew(false)).await,
        }?;
        if let (Some(_), Reply::Done(_)) = (login, &reply) {
            self.servers.note_ended(*from);
        }
        if let (Some(user), Some(_)) = (&renewal.user, renewal.marker_nonce()) {
            // Nobody may look at the list for long, and each renewal adds to it.
            match reply {
                Reply::Done(_) => self.unlist(user, &[*from]).await,
                Reply::Ended => self.unlist(user, &[*to]).await,
                _ => {}
            }
        }
        reply.version(renewal.max_size)
    }

    async fn end(&self, id: &SessionId) -> Result<(), Error> {
        // Which one it is that ends the server knows first.
        let changing = self.near_cache().map(NearCache::change_any);
        let mut asked = vec![*id];
        for _ in 0..FOLLOW_LIMIT {
            let newest = asked[asked.len() - 1];
            let ending = self.servers.begin_end(newest);
            let answer = self.call_lasting(Script::End.on(&[self.keys.session(&newest)])).await;
            if matches!(answer, Ok(Reply::Ended) | Err(Error::Unavailable { .. })) {
                ending.was_not_done();
            }
            match answer? {
                Reply::Moved(successor) => asked.push(successor),
                reply => {
                    if let Reply::Over(last) = reply
                        && last != newest
                    {
                        asked.push(last);
                        self.servers.note_ended(last);
                    }
                    if let Some(changing) = changing {
                        changing.was_of(&asked);
                    }
                    return Ok(());
                }
            }
        }
        Err(always_renewed())
    }

    async fn of_user(&self, user: &str, page: &Page) -> Result<Vec<SessionInfo>, Error> {
        self.page_of(user, page).await
    }

    async fn end_all(&self, user: &str, except: Option<&SessionId>) -> Result<u64, Error> {
        let _changing = self.near_cache().map(NearCache::change_any);
        self.end_listed(user, except).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        let _changing = self.near_cache().map(NearCache::change_any);
        self.end_all_sessions().await
    }

    async fn purge(&self, limit: u32) -> Result<u64, Error> {
        self.purge_lists(u64::from(limit)).await
    }

    async fn ping(&self) -> Result<(), Error> {
        let mut ping = redis::pipe();
        ping.cmd("PING");
        let servers = self.servers.all().await?;
        let pings = servers
            .iter()
            .map(|server| server.connection.send(&ping, Effect::Reads));
        for answers in join_all(pings).await {
            if let Some(Value::ServerError(error)) = answers?.pop() {
                return Err(refused(error, Effect::Reads));
            }
        }
        Ok(())
    }

    async fn fates(&self, ids: &[SessionId]) -> Result<Vec<Fate>, Error> {
        let mut looks = redis::pipe();
        for id in ids {
            let mut look = Script::Look.on(&[self.keys.session(id)]);
            look.arg(0);
            looks.add_command(look);
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.servers.call(&looks, Effect::Reads).await?;
        let fates = answers.into_iter().map(|answer| {
            Ok(match Reply::read(Some(answer))? {
                Reply::Done(left) => Fate::Live(Duration::from_millis(left)),
                Reply::Locked => Fate::Locked,
                Reply::Moved(successor) => Fate::Renewed(successor),
                _ => Fate::Ended,
            })
        });
        fates.collect()
    }

    fn watch(&self) -> &Watch {
        self.listener.watch()
    }

    fn near_cache(&self) -> Option<&NearCache> {
        self.servers.near.as_ref().map(|near| &near.cache)
    }
}

pub(crate) fn always_renewed() -> Error {
    Error::unavailable("the session was renewed each time it was found")
}
