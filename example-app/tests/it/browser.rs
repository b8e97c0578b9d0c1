use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header, request::Builder},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A browser as far as it matters here: it keeps its cookies, and takes them from each response when that arrives.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client<HttpConnector, Body>,
    jar: Arc<Mutex<Jar>>,
}

/// The cookies of one host by their names, and until when those are kept that are not for good; browsers do not tell
/// ports apart.
type Jar = BTreeMap<String, (String, Option<Instant>)>;

/// A response that is read as it comes.
pub(crate) struct Stream {
    body: Body,
    /// What has come and was not looked for yet.
    text: String,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            jar: Arc::default(),
        }
    }

    /// Another browser with the cookies that this one has now: what a thief, or a test, would see with them later.
    pub(crate) fn copy(&self) -> Self {
        Self {
            client: self.client.clone(),
            jar: Arc::new(Mutex::new(self.jar.lock().unwrap().clone())),
        }
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.into(), (value.into(), None));
    }

    /// The names of its cookies.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.jar.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.send(Request::get(url), "").await
    }

    pub(crate) async fn post(&self, url: &str) -> Answer {
        self.send(Request::post(url), "").await
    }

    pub(crate) async fn post_form(&self, url: &str, form: &str) -> Answer {
        self.send(Request::post(url), form).await
    }

    /// Opens a stream of events.
    pub(crate) async fn listen(&self, url: &str) -> Stream {
        let mut request = Request::get(url).body(Body::empty()).unwrap();
        self.give_cookies(request.headers_mut());
        let response = self.client.request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Stream {
            body: Body::new(response.into_body()),
            text: String::new(),
        }
    }

    /// Sends a request with the cookies it has now. The future owns all it needs, so that it may run beside others.
    pub(crate) fn send(&self, request: Builder, form: &str) -> impl Future<Output = Answer> + Send + use<> {
        let mut request = request.body(Body::from(form.to_owned())).unwrap();
        let headers = request.headers_mut();
        self.give_cookies(headers);
        headers.insert(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        let browser = self.clone();
        async move {
            let response = browser.client.request(request).await.unwrap();
            let (head, body) = response.into_parts();
            // Cookies count from the head on.
            browser.take_cookies(&head.headers);
            let body: Bytes = body.collect().await.unwrap().to_bytes();
            Answer {
                status: head.status,
                headers: head.headers,
                text: String::from_utf8(body.into()).unwrap(),
            }
        }
    }

    fn give_cookies(&self, headers: &mut HeaderMap) {
        let mut jar = self.jar.lock().unwrap();
        let now = Instant::now();
        jar.retain(|_, (_, until)| until.is_none_or(|until| now < until));
        let cookies = jar.iter().map(|(name, (value, _))| format!("{name}={value}"));
        let cookies: Vec<String> = cookies.collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
    }

    fn take_cookies(&self, headers: &HeaderMap) {
        let mut jar = self.jar.lock().unwrap();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let mut parts = cookie.to_str().unwrap().split(';').map(str::trim);
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let max_age = parts.find_map(|part| part.strip_prefix("Max-Age="));
            let max_age = max_age.map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
            if max_age == Some(Duration::ZERO) {
                jar.remove(name);
            } else {
                let until = max_age.map(|max_age| Instant::now() + max_age);
                jar.insert(name.into(), (value.into(), until));
            }
        }
    }
}

impl Stream {
    /// Reads on until this has come, and whether it has before the end, be it a broken one.
    pub(crate) async fn until(&mut self, mark: &str) -> bool {
        loop {
            if let Some(place) = self.text.find(mark) {
                self.text.drain(..place + mark.len());
                return true;
            }
            let Some(Ok(frame)) = self.body.frame().await else {
                return false;
            };
            if let Ok(data) = frame.into_data() {
                self.text += std::str::from_utf8(&data).unwrap();
            }
        }
    }
}

impl Answer {
    pub(crate) fn assert_ok(&self) {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies.map(|cookie| cookie.to_str().unwrap()).collect()
    }
}
