//! A browser: it keeps cookies and sends them along.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use tokio::task::JoinHandle;
use tower::ServiceExt;

#[derive(Clone)]
pub(crate) struct Browser {
    app: Router,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) response: Response<()>,
}

impl Browser {
    pub(crate) fn new(app: &Router) -> Self {
        Self {
            app: app.clone(),
            cookies: Arc::default(),
        }
    }

    /// Sends a request and keeps its cookies, as soon as it is answered.
    pub(crate) async fn get(&self, path: &str) -> Page {
        let page = self.send(path).await;
        self.keep(&page);
        page
    }

    /// The text of a page that must be one of success.
    pub(crate) async fn text(&self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        page.text
    }

    /// Sends a request with the cookies of now; it is in flight until it is awaited, and its cookies are not kept.
    pub(crate) fn in_flight(&self, path: &str) -> JoinHandle<Page> {
        let (browser, path) = (self.snapshot(), path.to_owned());
        tokio::spawn(async move { browser.send(&path).await })
    }

    /// Another browser that has the same cookies.
    pub(crate) fn snapshot(&self) -> Self {
        let cookies = self.cookies.lock().unwrap().clone();
        Self {
            app: self.app.clone(),
            cookies: Arc::new(Mutex::new(cookies)),
        }
    }

    /// The same cookies, at another app.
    pub(crate) fn at(&self, app: &Router) -> Self {
        Self {
            app: app.clone(),
            ..self.snapshot()
        }
    }

    /// Sends a request and leaves its answer on the way: its cookies are not kept.
    pub(crate) async fn send(&self, path: &str) -> Page {
        let request = Request::get(path).header(header::COOKIE, self.cookie_header());
        let response = self
            .app
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let set_cookies = parts.headers.get_all(header::SET_COOKIE).iter();
        Page {
            status: parts.status,
            set_cookies: set_cookies.map(|value| value.to_str().unwrap().into()).collect(),
            text: String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().into()).unwrap(),
            response: Response::from_parts(parts, ()),
        }
    }

    pub(crate) fn keep(&self, page: &Page) {
        let mut cookies = self.cookies.lock().unwrap();
        for cookie in &page.set_cookies {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn cookie_names(&self) -> Vec<String> {
        self.cookies.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    pub(crate) fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

impl Page {
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.response.headers().get(name).map(|value| value.to_str().unwrap())
    }
}
