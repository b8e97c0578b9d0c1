//! Redis, alone and with others.

#[path = "../../../../session-redis/tests/it/nodes.rs"]
mod nodes;
#[path = "../../../../session-redis/tests/it/server.rs"]
mod server;
mod several;

use redis::{Client, Connection, FromRedisValue};

pub(super) use self::{
    server::{PASSWORD, Server, USER},
    several::Several,
};

/// A connection for an administrator.
fn admin(server: &Server) -> Connection {
    let opened = Client::open(server.url()).and_then(|client| client.get_connection());
    opened.unwrap_or_else(|error| panic!("{error}"))
}

fn run<T: FromRedisValue>(admin: &mut Connection, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command
        .arg(&words[1..])
        .query(admin)
        .unwrap_or_else(|error| panic!("{words:?}: {error}"))
}
