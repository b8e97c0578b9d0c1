use redis::Value;

use crate::{error::code, wire::Address};

/// What a node of a cluster says instead of an answer. Nothing of the command was done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Redirect {
    /// The slot is another node's.
    Moved(Address),
    /// The key is at another node already, or not at all; the slot is still this one's.
    Ask(Address),
    /// Some of the keys are here, others at another node.
    Later,
    /// The node has no keys to serve: the cluster, or this node, is about to change.
    Down,
    /// The node does not know the script.
    NoScript,
}

impl Redirect {
    /// What an answer says of this kind, from the node at this address; nothing if it is the answer itself.
    pub(crate) fn read(answer: &Value, from: &Address) -> Option<Self> {
        let Value::ServerError(error) = answer else {
            return None;
        };
        let address = || {
            // The slot, and the address.
            let mut address: Address = error.details()?.split_whitespace().nth(1)?.parse().ok()?;
            if matches!(&*address.host, "" | "?") {
                address.host.clone_from(&from.host);
            }
            Some(address)
        };
        match code(error) {
            "MOVED" => Some(address().map_or(Self::Down, Self::Moved)),
            "ASK" => Some(address().map_or(Self::Later, Self::Ask)),
            "TRYAGAIN" => Some(Self::Later),
            "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "READONLY" => Some(Self::Down),
            "NOSCRIPT" => Some(Self::NoScript),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Redirect> {
        let answer = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        Redirect::read(&answer, &Address::new("here", 1))
    }

    #[test]
    fn what_a_node_says_is_read() {
        let at = |host: &str| Address::new(host, 6381);
        assert_eq!(
            read("MOVED 3999 127.0.0.1:6381"),
            Some(Redirect::Moved(at("127.0.0.1")))
        );
        assert_eq!(read("MOVED 3999 :6381"), Some(Redirect::Moved(at("here"))));
        assert_eq!(read("MOVED 3999 ?:6381"), Some(Redirect::Moved(at("here"))));
        assert_eq!(
            read("ASK 3999 redis-2.example:6381"),
            Some(Redirect::Ask(at("redis-2.example")))
        );
        assert_eq!(read("MOVED"), Some(Redirect::Down));
        assert_eq!(read("TRYAGAIN Multiple keys request"), Some(Redirect::Later));
        assert_eq!(read("CLUSTERDOWN Hash slot not served"), Some(Redirect::Down));
        assert_eq!(read("NOSCRIPT No matching script"), Some(Redirect::NoScript));
        assert_eq!(read("OOM command not allowed"), None);
        assert_eq!(Redirect::read(&Value::Nil, &at("here")), None);
    }
}
