use std::num::NonZeroU16;

use percent_encoding::percent_decode_str;

use super::Reason;

/// The parts that a URI has, decoded; the query is as it was.
#[derive(Default)]
pub(super) struct Uri {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) path: Option<String>,
    pub(super) query: Option<String>,
}

impl Uri {
    /// Takes `scheme://user:password@host:port/path?query` apart, where all but the scheme may be missing.
    pub(super) fn parse(uri: &str) -> Result<Self, Reason> {
        let (scheme, rest) = uri
            .split_once("://")
            .ok_or("its uri must begin with a scheme and ://")?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // The rest of a password that was not encoded would pass for the name of the database.
        if rest.contains(['@', '#']) {
            return Err("its uri must have / as %2F, ? as %3F, # as %23 and @ as %40 in the user and the password");
        }
        let (login, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = split_port(server);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            user: decode(user)?,
            password: decode(password)?,
            host: decode(host)?,
            port: Some(port).filter(|port| !port.is_empty()).map(read_port).transpose()?,
            path: decode(path.trim_matches('/'))?,
            query: Some(query.to_owned()).filter(|query| !query.is_empty()),
        })
    }
}

/// Reads a port, of a URI or of another credential.
pub(super) fn read_port(text: &str) -> Result<u16, Reason> {
    let port: Result<NonZeroU16, _> = text.trim().parse();
    port.map(NonZeroU16::get)
        .map_err(|_| "its port must be a whole number from 1 to 65535")
}

/// The host, without the brackets around an IPv6 address, and the port.
fn split_port(server: &str) -> (&str, &str) {
    let bracketed = server.strip_prefix('[').and_then(|server| server.split_once(']'));
    match bracketed {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => server.split_once(':').unwrap_or((server, "")),
    }
}

fn decode(text: &str) -> Result<Option<String>, Reason> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "its uri must be UTF-8 where it is percent-encoded")?;
    Ok(Some(decoded.into_owned()).filter(|text| !text.is_empty()))
}
