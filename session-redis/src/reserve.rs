use std::time::Duration;

use redis::Cmd;
use session_core::{Error, SessionId, SessionLimit, SessionStore};

use crate::{
    RedisStore,
    error::{Effect, unexpected},
    record::millis,
    reply::{Reply, is_no_script},
    script::Script,
};

/// How a session that is about to be made is listed.
#[derive(Clone, Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) user: &'a str,
    pub(crate) id: &'a SessionId,
    /// The session that it goes on from, if there is one.
    pub(crate) from: Option<&'a SessionId>,
    /// The absolute timeout that begins; without one it is listed as long as `from`.
    pub(crate) life: Option<Duration>,
    pub(crate) class: &'a str,
    pub(crate) limit: Option<SessionLimit>,
    /// What asks whether it can be made, if that depends on more than the limit.
    pub(crate) ask: Option<Cmd>,
}

impl RedisStore {
    /// Makes a session of a user's, by a script on this id, and lists it before: then whoever ends all of the user's
    /// sessions misses none.
    ///
    /// All goes out together, which is one round trip, and the server does it in this order. In a cluster the list and the
    /// session are on nodes of their own, and each has to have answered.
    pub(crate) async fn make(&self, listing: &Listing<'_>, make: Cmd) -> Result<Reply, Error> {
        if let Some(limit) = listing.limit {
            return self.make_within(limit, listing, make).await;
        }
        if self.servers.is_cluster().await? {
            return match self.call_lasting(self.reservation(listing)).await? {
                Reply::Done(_) => self.make_listed(listing, make).await,
                _ => Err(unexpected(Effect::Writes)),
            };
        }
        let mut both = redis::pipe();
        both.add_command(self.reservation(listing)).add_command(make);
        both.add_command(self.settle(listing));
        let mut taught = false;
        loop {
            let mut answers = self.servers.send(&both, Effect::Lasts).await?.into_iter();
            let (listed, making) = (answers.next(), answers.next());
            let unknown = [&listed, &making].into_iter().flatten().any(is_no_script);
            let (listed, making) = (Reply::read(listed), Reply::read(making));
            if let (Err(_), Ok(Reply::Done(_))) = (&listed, &making) {
                // It is there and on no list. Nobody has its token yet, and it must not stay.
                self.end(listing.id).await.map_err(Error::unknown)?;
            }
            if !unknown || taught {
                return listed.and(making);
            }
            self.servers.teach().await?;
            taught = true;
        }
    }

    /// Makes a session that is listed, and ends its youth.
    pub(crate) async fn make_listed(&self, listing: &Listing<'_>, make: Cmd) -> Result<Reply, Error> {
        let reply = self.call_lasting(make).await?;
        if let Err(error) = self.call(self.settle(listing)).await {
            tracing::debug!(%error, "a session stays young for a minute");
        }
        Ok(reply)
    }

    /// What ends the youth of a session that is made, or is not going to be.
    ///
    /// The server may do this alone, when it does not know the scripts: then it is not listed, or it loses its youth, which
    /// it gets again, with its place, when all is sent again.
    pub(crate) fn settle(&self, listing: &Listing<'_>) -> Cmd {
        let mut command = redis::cmd("ZREM");
        command
            .arg(self.keys.user(listing.user))
            .arg(format!("+{}", listing.id));
        command
    }

    fn reservation(&self, listing: &Listing<'_>) -> Cmd {
        let mut command = Script::Reserve.on(&[self.keys.user(listing.user)]);
        command.arg(listing.id.to_string());
        command.arg(listing.life.map_or_else(String::new, |life| millis(life).to_string()));
        command.arg(listing.from.map_or_else(String::new, SessionId::to_string));
        command
    }
}
