use std::{error::Error as StdError, sync::atomic::Ordering};

use redis::Value;

use super::{Connection, dialer::Dialer, place::Place};
use crate::{
    cluster::Redirect,
    error::{ConnectError, Failure},
    near::NearEar,
    reply::{is_cluster, is_evicting, is_moved, is_read_only, is_replica, read_time},
    script::Script,
    wire::{Address, Link},
};

impl Connection {
    /// Connects, and learns in one go what there is to know of the server.
    pub(super) async fn connect_to(&self, address: &Address) -> Result<Link, ConnectError> {
        let Dialer { options, tls, ended } = &*self.dialer;
        let link = Link::open(address, tls.as_ref(), &options.login, self.near.as_ref()).await?;
        let mut questions = redis::pipe();
        if self.near.is_some() {
            questions.add_command(NearEar::ask());
        }
        questions.cmd("ROLE");
        // It takes nothing away, and a replica refuses it: also where this user may not ask what it is.
        questions.cmd("ZREM").arg(self.keys.user("")).arg("nobody");
        questions
            .cmd("INFO")
            .arg("cluster")
            .cmd("INFO")
            .arg("memory")
            .cmd("TIME");
        for script in Script::ALL {
            questions.add_command(script.load());
        }
        let ended = ended.ids();
        for id in &ended {
            questions.add_command(Script::End.on(&[self.keys.session(id)]));
        }
        let answers = match link.send(&questions, options.connect_timeout).await {
            Ok(answers) => answers,
            Err(Failure::Late(_)) => return Err(self.late()),
            Err(Failure::Lost { source, .. }) => return Err(ConnectError::refused(address, &options.login, source)),
        };
        let mut answers = answers.into_iter();
        let at = || address.clone();
        if self.near.is_some()
            && let Some(Err(error)) = answers.next().map(Value::extract_error)
        {
            link.hang_up();
            tracing::warn!(
                error = &error as &dyn StdError,
                "the near cache serves nothing: Redis does not let this user say CLIENT TRACKING"
            );
        }
        // A user who may not ask the next four learns less.
        let (role, write, cluster) = (answers.next(), answers.next(), answers.next());
        let is_in_cluster = write.as_ref().is_some_and(is_moved) || cluster.is_some_and(|info| is_cluster(&info));
        let is_replica =
            role.is_some_and(|role| is_replica(&role)) || write.is_some_and(|answer| is_read_only(&answer));
        match &self.place {
            // Which node has what the others know.
            Place::Node(_) => {}
            Place::Server(_) if is_in_cluster && options.near_cache.is_some() => {
                return Err(ConnectError::NearCluster { address: at() });
            }
            Place::Server(_) if is_in_cluster => {
                self.found_cluster.store(true, Ordering::Release);
                return Err(ConnectError::Cluster { address: at() });
            }
            Place::Server(_) | Place::Primary(_) if is_replica => return Err(ConnectError::Replica { address: at() }),
            Place::Server(_) | Place::Primary(_) => {}
        }
        if answers.next().is_some_and(|info| is_evicting(&info)) {
            tracing::warn!(
                server = %address,
                "Redis evicts lists of users' sessions, or what says that a session was renewed, when its memory is full: \
                 set its maxmemory-policy to noeviction or volatile-lru"
            );
        }
        let others = answers.len() - ended.len();
        for (i, answer) in answers.enumerate() {
            // What has ended need not have ended here: another node of a cluster may have the session.
            if i >= others && Redirect::read(&answer, address).is_some() {
                continue;
            }
            let answer = answer
                .extract_error()
                .map_err(|source| ConnectError::refused(address, &options.login, source))?;
            if let (0, Some(time)) = (i, read_time(&answer)) {
                self.clock.set(time);
            }
        }
        Ok(link)
    }
}
