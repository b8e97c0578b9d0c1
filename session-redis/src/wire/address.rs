use std::{fmt, str::FromStr};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// It is no host, or no port.
#[derive(Debug, thiserror::Error)]
#[error("a server's address is a host, or a host, a colon and a port; an IPv6 address is in brackets")]
pub(crate) struct BadAddress;

impl Address {
    pub(crate) fn new(host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        Self { host, port }
    }

    /// What a URL says, where the port may be left out.
    pub(crate) fn read(text: &str, usual_port: u16) -> Result<Self, BadAddress> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(text) => text.split_once(']').ok_or(BadAddress)?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| BadAddress)?,
            None if rest.is_empty() => usual_port,
            None => return Err(BadAddress),
        };
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_known) {
            return Err(BadAddress);
        }
        Ok(Self::new(host, port))
    }
}

/// What a node of a cluster says of another: the port comes after the last colon, without brackets. Without a host it
/// is where the one who says so is.
impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(BadAddress)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self::new(host, port.parse().map_err(|_| BadAddress)?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_url_has_it() {
        let read = |text: &str| Address::read(text, 26379).map(|address| address.to_string());
        for (text, address) in [
            ("sentinel-1.example", "sentinel-1.example:26379"),
            ("10.0.0.1:5000", "10.0.0.1:5000"),
            ("[::1]", "[::1]:26379"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(read(text).unwrap(), address);
        }
        for text in [
            "",
            ":1",
            "a:",
            "a:b",
            "::1",
            "[::1",
            "[::1]5000",
            "a b",
            "a@b",
            "a:65536",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_as_a_node_has_it() {
        let read = |text: &str| text.parse::<Address>().map(|address| (address.host, address.port));
        assert_eq!(read("10.0.0.1:6379").unwrap(), ("10.0.0.1".to_owned(), 6379));
        assert_eq!(read("fe80::1:6379").unwrap(), ("fe80::1".to_owned(), 6379));
        assert_eq!(read(":6379").unwrap(), (String::new(), 6379));
        assert!(read("").is_err() && read("6379").is_err() && read("a:").is_err());
    }
}
