use std::time::Duration;

use redis::Cmd;
use session_core::{Error, SessionId, SessionStore};

use crate::{
    RedisStore,
    error::Effect,
    record::millis,
    reply::{Reply, is_no_script},
    script::Script,
};

/// How long a session that is about to be made stays listed at most.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listed<'a> {
    /// For its absolute timeout.
    For(Duration),
    /// As long as the session that it goes on from.
    Like(&'a SessionId),
}

impl RedisStore {
    /// Makes a session of a user's, by a script on this id, and lists it before: then whoever ends all of the user's
    /// sessions misses none.
    ///
    /// Both go out together, which is one round trip, and the server does them in this order.
    pub(crate) async fn make(&self, user: &str, id: &SessionId, listed: Listed<'_>, make: Cmd) -> Result<Reply, Error> {
        let mut both = redis::pipe();
        both.add_command(self.reservation(user, id, listed)).add_command(make);
        let mut taught = false;
        loop {
            let mut answers = self.connection.send(&both, Effect::Writes).await?.into_iter();
            let (listing, making) = (answers.next(), answers.next());
            let unknown = [&listing, &making].into_iter().flatten().any(is_no_script);
            let (listing, making) = (Reply::read(listing), Reply::read(making));
            if let (Err(_), Ok(Reply::Done(_))) = (&listing, &making) {
                // It is there and on no list. Nobody has its token yet, and it must not stay.
                self.end(id).await.map_err(Error::unknown)?;
            }
            if !unknown || taught {
                return listing.and(making);
            }
            self.connection.teach().await?;
            taught = true;
        }
    }

    fn reservation(&self, user: &str, id: &SessionId, listed: Listed<'_>) -> Cmd {
        let mut command = Script::Reserve.on(&[self.keys.user(user)]);
        command.arg(id.to_string());
        match listed {
            Listed::For(life) => command.arg(millis(life)).arg(""),
            Listed::Like(from) => command.arg("").arg(from.to_string()),
        };
        command
    }
}
