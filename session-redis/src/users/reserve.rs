use std::time::Duration;

use redis::Cmd;
use session_core::{Error, SessionId, SessionLimit, SessionStore};
use time::OffsetDateTime;

use crate::{
    RedisStore,
    error::{Effect, unexpected},
    record::millis,
    reply::{Reply, is_no_script, read_time},
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

/// How long a session that is listed counts as about to be made. `scripts/reserve.lua` knows it too.
const YOUTH_MS: u64 = 60_000;

/// How late the instance's clock may be when it says how long a session is listed: half of what is left to the lists.
/// See `past` in `scripts/index.lua`.
const LATE: time::Duration = time::Duration::seconds(30);

impl RedisStore {
    /// Makes a session of a user's, by a script on this id, and lists it before: then whoever ends all of the user's
    /// sessions misses none.
    ///
    /// All goes out together, which is one round trip, and the server does it in this order. In a cluster the list and
    /// the session are on nodes of their own, and each has to have answered.
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
        let guess = self.servers.now(listing.id);
        let by_guess = guess.and_then(|guess| self.guessed(listing, guess));
        let mut all = redis::pipe();
        all.add_command(by_guess.unwrap_or_else(|| self.reservation(listing)));
        all.add_command(make.clone())
            .add_command(self.settle(listing))
            .cmd("TIME");
        let mut taught = false;
        loop {
            let mut answers = self.servers.send(&all, Effect::Lasts).await?.into_iter();
            let (listed, making, time) = (answers.next(), answers.next(), answers.nth(1));
            let unknown = [&listed, &making].into_iter().flatten().any(is_no_script);
            let (mut listed, making) = (Reply::read(listed), Reply::read(making));
            let time = time.as_ref().and_then(read_time);
            if let Some(time) = time {
                self.servers.set_time(time);
            }
            let is_made = matches!(making, Ok(Reply::Done(_)));
            if is_made && (is_late(guess, time) && listed.is_ok() || unknown && listed.is_err()) {
                listed = self.list_again(listing).await;
            }
            if is_made && listed.is_err() {
                // It is there and on no list. Nobody has its token yet, and it must not stay.
                self.end(listing.id).await.map_err(Error::unknown)?;
            }
            if !unknown || taught || is_made {
                return listed.and(making);
            }
            self.servers.teach().await?;
            // Somebody may have seen it listed, no longer young and not there, and be about to strike it off: so it
            // stays young for a minute.
            all = redis::pipe();
            all.add_command(self.reservation(listing)).add_command(make.clone());
            all.cmd("PING").cmd("TIME");
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
    /// The server may do this alone, when it does not know the scripts: then it is not listed, or it loses its youth,
    /// which it gets again, with its place, when all is sent again.
    pub(crate) fn settle(&self, listing: &Listing<'_>) -> Cmd {
        let mut command = redis::cmd("ZREM");
        command
            .arg(self.keys.user(listing.user))
            .arg(format!("+{}", listing.id));
        command
    }

    /// The reservation of a login, if that may be a plain command, by the server's time as the instance guesses it: it
    /// costs the server a quarter of a script. What the server shows afterwards says whether the guess was good enough.
    ///
    /// One in sixteen is left to the script, which forgets what is past, and only the server knows what that is.
    fn guessed(&self, listing: &Listing<'_>, guess: OffsetDateTime) -> Option<Cmd> {
        let is_for_script = listing.id.as_bytes()[0] < 16;
        let life = listing.life.filter(|_| !is_for_script)?;
        let now = u64::try_from(guess.unix_timestamp_nanos() / 1_000_000).ok()?;
        let mut command = redis::cmd("ZADD");
        command
            .arg(self.keys.user(listing.user))
            .arg(now + millis(life))
            .arg(listing.id.to_string())
            .arg(now + YOUTH_MS)
            .arg(format!("+{}", listing.id));
        Some(command)
    }

    /// Lists a session that has just been made, by the server's own clock.
    async fn list_again(&self, listing: &Listing<'_>) -> Result<Reply, Error> {
        let mut both = redis::pipe();
        both.add_command(self.reservation(listing));
        both.add_command(self.settle(listing));
        Reply::read(self.servers.call(&both, Effect::Lasts).await?.into_iter().next())
    }

    fn reservation(&self, listing: &Listing<'_>) -> Cmd {
        let mut command = Script::Reserve.on(&[self.keys.user(listing.user)]);
        command.arg(listing.id.to_string());
        command.arg(listing.life.map_or_else(String::new, |life| millis(life).to_string()));
        command.arg(listing.from.map_or_else(String::new, SessionId::to_string));
        command
    }
}

/// Whether the server's clock was far ahead of what was guessed, if anything was: it was set, or the instance slept, or
/// it is another server's.
fn is_late(guess: Option<OffsetDateTime>, time: Option<OffsetDateTime>) -> bool {
    guess.is_some_and(|guess| time.is_none_or(|time| time - guess > LATE))
}
