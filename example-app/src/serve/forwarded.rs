use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};

/// How far the headers of proxies are believed: what a client says of itself is worth nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forwarded {
    /// How many proxies stand between the browser and the app, each of which adds whom it heard to `X-Forwarded-For`.
    pub(crate) hops: usize,
}

impl Forwarded {
    /// The browser's address: what the outermost of our proxies saw, or the peer if there is none.
    pub(crate) fn client(self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let Some(back) = self.hops.checked_sub(1) else {
            return peer;
        };
        let entries = list(headers, "x-forwarded-for");
        let seen = entries.len().checked_sub(back + 1).and_then(|place| entries.get(place));
        seen.and_then(|entry| entry.parse().ok()).unwrap_or(peer)
    }

    /// Whether the browser spoke https; unknown if no proxy of ours may say so.
    pub(crate) fn is_https(self, headers: &HeaderMap) -> Option<bool> {
        let schemes = list(headers, "x-forwarded-proto");
        (self.hops > 0 && !schemes.is_empty()).then(|| schemes.iter().all(|scheme| scheme == "https"))
    }
}

/// The address that a request came from, in its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// The entries of a header, of all its lines.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter(|entry| !entry.is_empty())
        .collect()
}

/// A middleware that logs requests, and whom they came from, which it tells the handlers too.
pub(super) async fn log(State(forwarded): State<Forwarded>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let client = peer.map(|ConnectInfo(peer)| forwarded.client(request.headers(), peer.ip()));
    let https = forwarded.is_https(request.headers());
    if let Some(client) = client {
        request.extensions_mut().insert(Client(client));
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    tracing::debug!(%method, path, status, ?client, ?https, "answered");
    response
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_what_our_own_proxies_added_is_believed() {
        let peer = IpAddr::from([10, 0, 0, 1]);
        let lines = headers(&[("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-for", "10.9.9.9")]);
        let client = |hops| Forwarded { hops }.client(&lines, peer).to_string();
        assert_eq!(client(0), "10.0.0.1");
        assert_eq!(client(1), "10.9.9.9");
        assert_eq!(client(2), "1.2.3.4");
        assert_eq!(client(9), "10.0.0.1", "fewer proxies than there should be");
        let odd = headers(&[("x-forwarded-for", "somebody")]);
        assert_eq!(Forwarded { hops: 1 }.client(&odd, peer), peer);
    }

    #[test]
    fn a_request_is_https_if_it_was_all_the_way() {
        let is_https = |hops, scheme| Forwarded { hops }.is_https(&headers(&[("x-forwarded-proto", scheme)]));
        assert_eq!(is_https(0, "https"), None);
        assert_eq!(is_https(1, "HTTPS"), Some(true));
        assert_eq!(is_https(2, "https, http"), Some(false));
        assert_eq!(Forwarded { hops: 1 }.is_https(&HeaderMap::new()), None);
    }
}
