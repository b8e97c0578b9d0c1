use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use redis::{AsyncConnectionConfig, Client, Pipeline, aio::MultiplexedConnection};
use session_core::{SessionId, SessionStore};
use session_redis::RedisStore;

use super::{
    ground::Ground,
    member::{Member, user_name},
    size::Size,
};
use crate::{Failure, load::CONNECTIONS, variant::Backend};

/// How many commands go out together.
const TOGETHER: usize = 1000;

/// A Redis database whose sessions are copies of those that the store made.
pub(super) struct RedisGround {
    store: RedisStore,
    connection: MultiplexedConnection,
    /// The bytes that it used before it was filled.
    empty: u64,
    sessions: usize,
}

impl RedisGround {
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let store = RedisStore::connect(url).await?;
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let client = Client::open(url)?;
        Ok(Self {
            store,
            connection: client.get_multiplexed_async_connection_with_config(&config).await?,
            empty: 0,
            sessions: 0,
        })
    }

    /// Sends commands, each of which is to be answered by 1.
    async fn all_done(&mut self, commands: &Pipeline) -> Result<(), Failure> {
        let answers: Vec<i64> = commands.query_async(&mut self.connection).await?;
        match answers.iter().find(|answer| **answer != 1) {
            None => Ok(()),
            Some(other) => Err(format!("a change behind the store's back was answered {other}").into()),
        }
    }
}

impl Ground for RedisGround {
    type Store = RedisStore;

    const BACKEND: Backend = Backend::Redis;

    fn store(&self) -> &RedisStore {
        &self.store
    }

    /// The first session of each user, and the first that has none, the store makes; of these the others are copies.
    async fn fill(&mut self, members: &[Member]) -> Result<(), Failure> {
        self.empty = used(&mut self.connection).await?;
        let mut first = BTreeMap::new();
        for member in members {
            first.entry(member.user).or_insert(*member);
        }
        let made: Vec<_> = first.values().collect();
        for made in made.chunks(CONNECTIONS) {
            let creations = made.iter().map(async |member| {
                self.store.create(&member.id, &member.new_session()?).await?;
                Ok::<_, Failure>(())
            });
            try_join_all(creations).await?;
        }
        // They all end at about the same time.
        let listed: Vec<(String, f64)> = redis::cmd("ZRANGE")
            .arg(list(0))
            .arg(0)
            .arg(-1)
            .arg("WITHSCORES")
            .query_async(&mut self.connection)
            .await?;
        let end = listed.first().ok_or("the store has not listed a user's session")?.1;
        for members in members.chunks(TOGETHER) {
            let mut commands = redis::pipe();
            for member in members {
                let original = first[&member.user];
                if original.id == member.id {
                    continue;
                }
                commands.cmd("COPY").arg(key(&original.id)).arg(key(&member.id));
                if let Some(user) = member.user {
                    commands.cmd("ZADD").arg(list(user)).arg(end).arg(member.id.to_string());
                }
            }
            self.all_done(&commands).await?;
        }
        self.sessions = members.len();
        Ok(())
    }

    async fn sizes(&mut self) -> Result<Vec<Size>, Failure> {
        let size = Size {
            backend: Self::BACKEND,
            part: "all".to_owned(),
            bytes: used(&mut self.connection).await?.saturating_sub(self.empty),
            sessions: self.sessions,
        };
        Ok(vec![size])
    }

    /// Only from users' lists: the server itself removes what expires.
    fn is_purged(member: &Member) -> bool {
        member.user.is_some()
    }

    async fn expire(&mut self, members: &[Member]) -> Result<(), Failure> {
        for members in members.chunks(TOGETHER) {
            let mut commands = redis::pipe();
            for member in members {
                commands.cmd("DEL").arg(key(&member.id));
                if let Some(user) = member.user {
                    // The score says when it ended: here, in 1970.
                    commands
                        .cmd("ZADD")
                        .arg(list(user))
                        .arg("XX")
                        .arg("CH")
                        .arg(1)
                        .arg(member.id.to_string());
                }
            }
            self.all_done(&commands).await?;
        }
        Ok(())
    }
}

/// Where the store keeps a session.
fn key(id: &SessionId) -> String {
    let [high, low] = id.tag();
    format!("session:{{{high:02x}{low:02x}}}:{id}")
}

/// Where it lists those of a user.
fn list(user: usize) -> String {
    format!("session:user:{}", user_name(user))
}

/// The bytes that the server uses.
async fn used(connection: &mut MultiplexedConnection) -> Result<u64, Failure> {
    let info: String = redis::cmd("INFO").arg("memory").query_async(connection).await?;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used
        .ok_or("Redis does not say how much memory it uses")?
        .trim()
        .parse()?)
}
