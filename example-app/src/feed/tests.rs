use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::BodyExt;
use session_core::{Lifetime, MemoryStore, SessionLayer, testing::login_cookie};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use crate::{
    app::{Here, app},
    serve::Health,
    span::Span,
};

use super::*;

/// For a machine that is busy with many tests.
const PATIENCE: Duration = Duration::from_secs(20);

struct Browser {
    layer: SessionLayer,
    health: Health,
    cookie: String,
    idle: Span,
}

impl Browser {
    async fn of_ada(layer: SessionLayer) -> Self {
        let cookie = login_cookie(&layer, "ada").await.unwrap();
        Self::new(layer, cookie)
    }

    fn new(layer: SessionLayer, cookie: String) -> Self {
        let health = Health::default();
        let idle = Span(Lifetime::default().idle);
        Self {
            layer,
            health,
            cookie,
            idle,
        }
    }

    async fn send(&self, request: axum::http::request::Builder, form: &str) -> (HeaderMap, Body) {
        let request = request
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        let app = app(self.layer.clone(), Here::new("7", &self.health).with_idle(self.idle));
        let (head, body) = app.oneshot(request).await.unwrap().into_parts();
        assert!(head.status.as_u16() < 400, "{head:?}");
        (head.headers, body)
    }

    async fn post(&self, path: &str, form: &str) -> HeaderMap {
        self.send(Request::post(path), form).await.0
    }

    async fn listen(&self) -> Body {
        self.send(Request::get("/events"), "").await.1
    }

    /// What a page that is opened now is told.
    async fn first_event(&self) -> String {
        event(&mut self.listen().await).await.unwrap()
    }
}

fn layer() -> SessionLayer {
    SessionLayer::new(MemoryStore::new()).insecure()
}

/// The next event, or the end of the stream.
async fn event(stream: &mut Body) -> Option<String> {
    let frame = timeout(PATIENCE, stream.frame()).await.expect("nothing is told")?;
    let text = frame.unwrap().into_data().unwrap();
    Some(String::from_utf8(text.into()).unwrap())
}

async fn is_told_the_end(stream: &mut Body) {
    assert_eq!(event(stream).await.as_deref(), Some("event: ended\ndata: ended\n\n"));
    assert_eq!(event(stream).await, None);
}

#[tokio::test]
async fn an_open_page_is_told_all_and_then_what_changes() {
    let browser = Browser::of_ada(layer()).await;
    let mut stream = browser.listen().await;
    let all = event(&mut stream).await.unwrap();
    assert!(
        all.contains(r#""user":"ada""#) && all.contains(r#""counter":0,"notes":[]"#),
        "{all}"
    );
    browser.post("/count", "").await;
    let counted = event(&mut stream).await.unwrap();
    assert!(counted.contains(r#""counter":1,"notes":[]"#), "{counted}");
    browser.post("/notes", "text=milk%0D%0A+and+honey+").await;
    let noted = event(&mut stream).await.unwrap();
    assert!(noted.contains(r#""text":"milk\n and honey""#), "{noted}");
    browser.post("/api/visits", "").await;
    let visited = event(&mut stream).await.unwrap();
    assert!(visited.contains("instance 7: 1 of 1"), "{visited}");
}

#[tokio::test]
async fn a_logout_elsewhere_ends_the_feed() {
    let browser = Browser::of_ada(layer()).await;
    let mut stream = browser.listen().await;
    event(&mut stream).await.unwrap();
    browser.post("/logout", "").await;
    is_told_the_end(&mut stream).await;
}

#[tokio::test]
async fn a_login_elsewhere_ends_the_feed_of_the_session_before() {
    let mut browser = Browser::new(layer(), String::new());
    let cookies = browser.post("/count", "").await;
    browser.cookie = cookies[header::SET_COOKIE].to_str().unwrap().to_owned();
    let mut stream = browser.listen().await;
    event(&mut stream).await.unwrap();
    browser.post("/login", "name=ada&password=engine").await;
    is_told_the_end(&mut stream).await;
}

#[tokio::test]
async fn a_browser_without_a_session_has_nothing_to_be_told() {
    let browser = Browser::new(layer(), String::new());
    is_told_the_end(&mut browser.listen().await).await;
}

#[tokio::test]
async fn an_open_page_keeps_no_session_alive() {
    let browser = Browser::of_ada(layer().idle_timeout(Duration::from_secs(2))).await;
    let mut stream = browser.listen().await;
    event(&mut stream).await.unwrap();
    is_told_the_end(&mut stream).await;
}

#[tokio::test]
async fn a_page_that_opens_its_feed_again_and_again_keeps_no_session_alive() {
    let browser = Browser::of_ada(layer().idle_timeout(Duration::from_secs(2))).await;
    let began = Instant::now();
    while !event(&mut browser.listen().await)
        .await
        .unwrap()
        .starts_with("event: ended")
    {
        assert!(began.elapsed() < PATIENCE, "it never ends");
        sleep(Duration::from_millis(100)).await;
    }
}

/// What an event says of a time, in milliseconds.
fn millis(event: &str, name: &str) -> u64 {
    let (_, rest) = event.split_once(&format!("\"{name}\":")).unwrap();
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap();
    rest[..end].parse().unwrap()
}

#[tokio::test]
async fn an_open_page_is_told_how_long_there_is_and_anew_when_its_session_is_used() {
    let idle = Duration::from_secs(4);
    let browser = Browser::of_ada(layer().idle_timeout(idle)).await;
    let mut stream = browser.listen().await;
    let all = event(&mut stream).await.unwrap();
    assert!((1..4000).contains(&millis(&all, "left")), "{all}");
    assert_eq!(millis(&all, "warns"), 120_000, "{all}");
    // Nothing is told while it passes.
    assert!(timeout(idle / 2, stream.frame()).await.is_err());
    let before = browser.first_event().await;
    assert!((1..2001).contains(&millis(&before, "left")), "{before}");
    browser.post("/stay", "").await;
    let after = event(&mut stream).await.unwrap();
    assert!((2001..4000).contains(&millis(&after, "left")), "{after}");
}

#[tokio::test]
async fn a_short_session_is_warned_of_shortly_before_its_end() {
    let mut browser = Browser::of_ada(layer()).await;
    browser.idle = Span(Duration::from_secs(8));
    assert_eq!(millis(&browser.first_event().await, "warns"), 2000);
}

#[tokio::test]
async fn an_instance_that_is_stopping_ends_its_feeds() {
    let browser = Browser::of_ada(layer()).await;
    let mut stream = browser.listen().await;
    event(&mut stream).await.unwrap();
    browser.health.stopping();
    assert_eq!(event(&mut stream).await, None);
}
