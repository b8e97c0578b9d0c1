//! Sessions in Redis or Valkey: a [`SessionStore`](session_core::SessionStore) that all instances of an app share.
//!
//! ```no_run
//! use session_core::{Lifetime, NewSession, SessionStore, SessionToken};
//! use session_redis::RedisStore;
//!
//! # async fn run() -> Result<(), session_core::Error> {
//! let store = RedisStore::connect("redis://localhost").await?;
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
//! A hash for each session, `session:{tag}:id` unless [set otherwise](RedisOptions::key_prefix), one for each renewal
//! of the last five minutes, and a sorted set for each user, `session:user:name`. They hold no token, so that whoever
//! reads them can open no session. Work that was done [once](session_core::OnceStore) has a small hash,
//! `session:work:name`, which stays. The tag keeps a session and what it is renewed to in one slot of a cluster.
//!
//! A write merges the keys it sets and removes into the hash as it is by then, in one script, which is one round trip.
//! Whether a session lives is decided by the server alone: its hash has a time to live. A write is as durable as the
//! server's persistence and replication make it: both are asynchronous unless configured otherwise, so a crash or a
//! failover may forget the last writes, a logout among them.
//!
//! Redis 6.2 or newer, or Valkey. The server must not evict what has no time to live, nor first what has the least: a
//! `maxmemory-policy` of `noeviction` or `volatile-lru` will do, and a store that sees `allkeys-…` or `volatile-ttl`
//! logs a warning. The list of a user's sessions shrinks when
//! it is read, at a login, and by [`purge`](session_core::SessionStore::purge), which the session layer calls now and
//! then.
//!
//! # Which servers there may be
//!
//! | URL | what there is |
//! |---|---|
//! | `redis://host` | one server, or a primary with replicas behind one name; or a node of a cluster, which tells the others |
//! | `redis-sentinel://host1,host2,host3/service` | a primary with replicas, which sentinels watch over |
//! | `redis-cluster://host1,host2,host3` | a cluster, some of whose nodes these are |
//!
//! [`RedisOptions::from_url`] has all of their parts. The store speaks to primaries only: a replica is a little behind,
//! so it may not have what a browser has just written, and still have a session that has just ended.
//!
//! **Sentinel.** All sentinels are asked at each connection, and it takes the answers of most of them; the server has
//! to say itself that it is a primary. A primary that dies, is frozen or becomes a replica is left when the sentinels
//! have another one. One that lives on, cut off from the sentinels, does not know that it was replaced, and what is
//! written there is lost. The store asks one sentinel each second, in turn, and leaves it at the word of any; so that
//! lasts a second or two for each sentinel. If it can reach only sentinels that are cut off as well, it lasts as long
//! as the server takes writes: `min-replicas-to-write 1` and `min-replicas-max-lag 10` make it refuse them after ten
//! seconds.
//!
//! **Cluster.** A session and what it is renewed to are on one node, the list of a user's sessions may be on another: a
//! login is then two round trips. Slots that move, nodes that fail over and nodes that come and go are followed. While
//! a slot is on its way, a renewal of a session in it waits. A primary that is cut off from the others takes writes,
//! which are lost, for its `cluster-node-timeout` at most. The nodes' clocks must not differ by a minute. There is no
//! near cache of a cluster yet.
//!
//! **Replicas** get what is written after it was acknowledged, so a failover may forget the last of it, a logout among
//! it. Each instance ends again, on each new connection, what it has ended in the last minute: so a logout that a
//! failover undid stands again once the instance has connected, unless it died as well.
//! [`RedisOptions::wait_for_replicas`] is for logins, renewals and ends that are acknowledged only when replicas have
//! them.
//!
//! # What the server's user may do
//!
//! A user of the server's needs these commands: `+evalsha +script|load +time +hgetall +hget +hmget +hset +hsetnx +hdel
//! +hlen +exists +del +renamenx +pexpire +pttl +zadd +zrem +zrange +zrangebyscore +zremrangebyscore +zscore +scan
//! +ping`, on the keys `~session:*`. With `+role` as well messages say more of a server that is a replica, with
//! `+info` of one that evicts. A URL with a database needs `+select`, replicas that are waited for `+wait`.
//!
//! On a cluster it needs `+cluster|slots +asking` as well. A sentinel's needs `+sentinel|master
//! +sentinel|get-master-addr-by-name`, if sentinels want a login.
//!
//! With `+publish +subscribe` on the channel `&session:changes` as well, which Redis 7 denies unless told otherwise,
//! instances tell each other at once when a session ends. Without, those who wait for that
//! (`session_core::until_ended`, `Session::ended`) are served by a look about every second an instance.
//!
//! With `+client|tracking` (`+client` before Redis 7) as well there may be a [near cache](RedisOptions::near_cache).
//!
//! # When the server is away
//!
//! Every operation returns within the [connect timeout](RedisOptions::connect_timeout) and the
//! [command timeout](RedisOptions::command_timeout), and works again when the server does, with no restart.
//! A failover is an outage until the servers have agreed on another primary, which takes them seconds.
//! [`Unavailable`](session_core::Error::Unavailable) says that nothing was done,
//! [`Unknown`](session_core::Error::Unknown) that a write may have been: the link broke before its answer came, or it
//! did not come in time. Reads are tried again on a new connection, and so are writes of which certainly nothing was
//! sent.
//!
//! # TLS
//!
//! With `rediss://`. Certificates and host names are verified by rustls, against the system's roots and a
//! [file](RedisOptions::ca_file) if there is one.
//!
//! Sentinels and nodes of a cluster name other servers, and a certificate has to be for what they say. That is an
//! address unless told otherwise: so either certificates have addresses in them, or servers tell names. Sentinels do
//! with `resolve-hostnames yes` and `announce-hostnames yes`, nodes (of Redis 7 and newer) with
//! `cluster-announce-hostname` and `cluster-preferred-endpoint-type hostname`.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `cloud-foundry` | | `RedisStore::connect` takes a `session_core::cloud_foundry::BoundRedis` |

mod announcement;
mod backoff;
#[cfg(feature = "cloud-foundry")]
mod cloud_foundry;
mod cluster;
mod connection;
mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod keys;
mod listener;
mod near;
mod once;
mod options;
mod record;
mod reply;
mod script;
mod servers;
mod store;
mod users;
mod wire;

pub use options::RedisOptions;
pub use store::RedisStore;

// One of its examples needs the feature.
#[cfg(all(doctest, feature = "cloud-foundry"))]
#[doc = include_str!("../../README.md")]
mod readme {}
