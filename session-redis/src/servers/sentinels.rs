//! Who is the primary, by the word of sentinels.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::Value;
use tokio::time::{sleep, timeout};

use super::topology::Service;
use crate::{
    connection::Dialer,
    error::ConnectError,
    reply::read_number,
    wire::{Address, Link},
};

/// How often a sentinel is asked whether the primary is still the same.
const LOOK: Duration = Duration::from_secs(1);

/// The sentinels that watch over a primary and its replicas.
pub(crate) struct Sentinels {
    dialer: Arc<Dialer>,
    service: Service,
}

/// Which server is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Primary {
    pub(crate) address: Address,
    /// Grows with each failover.
    epoch: u64,
}

impl Sentinels {
    pub(crate) fn new(dialer: &Arc<Dialer>, service: &Service) -> Self {
        Self {
            dialer: Arc::clone(dialer),
            service: service.clone(),
        }
    }

    /// The primary after the last failover that any sentinel knows of.
    ///
    /// All are asked at once. It takes the answers of most of them, so that one that is cut off from the others does
    /// not decide; or those that have come in half the time to connect, so that silent ones leave the other half.
    pub(crate) async fn primary(&self) -> Result<Primary, ConnectError> {
        let mut asked: FuturesUnordered<_> = self.service.sentinels.iter().cloned().map(|at| self.ask(at)).collect();
        let most = asked.len() / 2 + 1;
        let (mut named, mut failed) = (Vec::new(), None);
        let asking = async {
            while named.len() < most
                && let Some(answer) = asked.next().await
            {
                match answer {
                    Ok(primary) => named.push(primary),
                    // What waiting may mend says more.
                    Err(error) if failed.as_ref().is_none_or(ConnectError::is_lasting) => failed = Some(error),
                    Err(_) => {}
                }
            }
        };
        let _some_are_silent = timeout(self.dialer.options.connect_timeout / 2, asking).await;
        named.into_iter().max_by_key(|primary| primary.epoch).ok_or_else(|| {
            let service = self.service.name.clone();
            let reason = Box::new(failed.unwrap_or_else(|| self.dialer.late(&self.dialer.options.topology)));
            ConnectError::NoPrimary { service, reason }
        })
    }

    /// Ends when a sentinel knows of a later primary.
    ///
    /// A primary that others were cut off from, and not this instance, knows of nothing and takes what is written.
    pub(crate) async fn until_after(self: Arc<Self>, primary: Primary) {
        for sentinel in self.service.sentinels.iter().cycle() {
            sleep(LOOK).await;
            if let Ok(Ok(now)) = timeout(LOOK, self.ask(sentinel.clone())).await
                && now.epoch > primary.epoch
                && now.address != primary.address
            {
                tracing::info!(from = %primary.address, to = %now.address, "the sentinels have another primary");
                return;
            }
        }
    }

    async fn ask(&self, sentinel: Address) -> Result<Primary, ConnectError> {
        let Service { name, login, .. } = &self.service;
        let link: Link = self.dialer.link(&sentinel, login).await?;
        let mut question = redis::pipe();
        question.cmd("SENTINEL").arg("MASTER").arg(name);
        // While it leads a failover, a sentinel's record has the new epoch and still the old address. This has the new
        // one.
        question.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let Ok(mut answers) = link.send(&question, self.dialer.options.command_timeout).await else {
            return Err(self.dialer.late(&sentinel));
        };
        let address = answers.pop().and_then(|answer| read_address(&answer));
        let answer = answers.pop().unwrap_or_default();
        if let Value::ServerError(error) = &answer
            && error.details().is_some_and(|text| text.starts_with("No such master"))
        {
            let (address, service) = (sentinel, name.clone());
            return Err(ConnectError::NoService { address, service });
        }
        let answer = answer.extract_error();
        let answer = answer.map_err(|source| ConnectError::refused(&sentinel, login, source))?;
        let primary = read_primary(&answer).ok_or_else(|| self.dialer.late(&sentinel))?;
        Ok(Primary {
            address: address.unwrap_or(primary.address),
            ..primary
        })
    }
}

/// How what they watch over is called in messages.
impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dialer.options.topology.fmt(f)
    }
}

/// What a sentinel says of a primary: names and values in turn.
pub(crate) fn read_primary(answer: &Value) -> Option<Primary> {
    let Value::Array(parts) = answer else { return None };
    let value = |name: &str| {
        let pair = parts.as_chunks::<2>().0.iter().find(|[key, _]| is(key, name));
        pair.map(|[_, value]| value)
    };
    Some(Primary {
        address: address_of(value("ip")?, value("port")?)?,
        epoch: value("config-epoch").and_then(read_number).unwrap_or_default(),
    })
}

/// A host and a port.
pub(crate) fn read_address(answer: &Value) -> Option<Address> {
    match answer {
        Value::Array(parts) if parts.len() == 2 => address_of(&parts[0], &parts[1]),
        _ => None,
    }
}

fn address_of(host: &Value, port: &Value) -> Option<Address> {
    let Value::BulkString(host) = host else { return None };
    let port = read_number(port)?.try_into().ok()?;
    Some(Address::new(String::from_utf8(host.clone()).ok()?, port))
}

fn is(value: &Value, text: &str) -> bool {
    matches!(value, Value::BulkString(bytes) if bytes == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(parts: &[&str]) -> Value {
        let parts = parts.iter().map(|part| Value::BulkString(part.as_bytes().to_vec()));
        Value::Array(parts.collect())
    }

    #[test]
    fn what_a_sentinel_says_is_read() {
        let said = answer(&[
            "name",
            "ip",
            "ip",
            "10.0.0.1",
            "port",
            "6379",
            "flags",
            "master",
            "config-epoch",
            "3",
        ]);
        let primary = Primary {
            address: Address::new("10.0.0.1", 6379),
            epoch: 3,
        };
        assert_eq!(read_primary(&said), Some(primary));
        let address = Address::new("10.0.0.1", 6379);
        assert_eq!(read_address(&answer(&["10.0.0.1", "6379"])), Some(address));
        assert_eq!(read_address(&Value::Nil), None);
        for said in [
            answer(&["port", "6379"]),
            answer(&["ip", "10.0.0.1"]),
            answer(&["ip", "10.0.0.1", "port", "65536"]),
            answer(&["ip"]),
            Value::Nil,
        ] {
            assert_eq!(read_primary(&said), None);
        }
    }
}
