use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// A browser: it keeps the cookies it is given.
#[derive(Clone)]
pub(super) struct Browser {
    app: Router,
    pub(super) cookies: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Browser {
    pub(super) fn new(app: &Router) -> Self {
        Self {
            app: app.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// A browser that has one cookie, of an attacker's choice say.
    pub(super) fn with_cookie(app: &Router, name: &str, value: &str) -> Self {
        let mut browser = Self::new(app);
        browser.cookies.insert(name.into(), value.into());
        browser
    }

    /// Sends a request and takes the cookies of its response.
    pub(super) async fn get(&mut self, path: &str) -> Reply {
        let reply = self.send(path).await.unwrap();
        self.take(&reply);
        reply
    }

    /// The body of a response that must be one of success.
    pub(super) async fn text(&mut self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
        reply.body
    }

    /// Sends a request with the cookies of now; it is in flight until it is awaited.
    pub(super) fn send(&self, path: &str) -> JoinHandle<Reply> {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::get(path);
        if !pairs.is_empty() {
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let request = request.body(Body::empty()).unwrap();
        let app = self.app.clone();
        tokio::spawn(async move {
            let response = app.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            Reply {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            }
        })
    }

    pub(super) fn take(&mut self, reply: &Reply) {
        for cookie in reply.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
    }

    pub(super) fn cookie_names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }
}

impl Reply {
    pub(super) fn set_cookies(&self) -> Vec<&str> {
        let headers = self.headers.get_all(header::SET_COOKIE).iter();
        headers.map(|value| value.to_str().unwrap()).collect()
    }
}
