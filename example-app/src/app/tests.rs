use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use session_core::{MemoryStore, testing::login_cookie};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use super::*;

mod devices;

fn layer() -> SessionLayer {
    SessionLayer::new(MemoryStore::new()).insecure()
}

async fn ask(layer: &SessionLayer, request: axum::http::request::Builder, body: &str) -> (Response<()>, String) {
    let form = "application/x-www-form-urlencoded";
    let request = request
        .header("content-type", form)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let (head, body) = app(layer.clone(), Here::new("7", &Health::default()))
        .oneshot(request)
        .await
        .unwrap()
        .into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    (Response::from_parts(head, ()), String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn a_visitor_is_counted_and_sees_who_answered() {
    let (response, page) = ask(&layer(), Request::get("/"), "").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("visitor=")
    );
    assert!(page.contains("Instance 7 answered"), "{page}");
    assert!(page.contains("id=\"visits\">1</dd>"), "{page}");
    assert!(page.contains("<span class=\"spoken\">instance 7</span>"), "{page}");
}

#[tokio::test]
async fn whoever_is_logged_in_is_told_and_may_log_out() {
    let layer = layer();
    let cookie = login_cookie(&layer, "ada").await.unwrap();
    let (_, me) = ask(&layer, Request::get("/api/me").header("cookie", &cookie), "").await;
    assert!(
        me.starts_with(r#"{"user":"ada","instance":"7","visits":0,"session":""#),
        "{me}"
    );

    let (response, _) = ask(&layer, Request::post("/logout").header("cookie", &cookie), "").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let (_, me) = ask(&layer, Request::get("/api/me").header("cookie", &cookie), "").await;
    assert_eq!(me, r#"{"user":null,"instance":"7","visits":0,"session":null}"#);
}

#[tokio::test]
async fn nobody_can_log_out_too() {
    let (response, _) = ask(&layer(), Request::post("/logout"), "").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"], "/");
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn only_the_right_password_logs_in() {
    let (response, page) = ask(&layer(), Request::post("/login"), "name=ada&password=wrong").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(page.contains("no account with this name and password"), "{page}");
    assert!(!response.headers().contains_key("set-cookie"));

    let (response, _) = ask(&layer(), Request::post("/login"), "name=ada&password=engine").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with("id="));
}

#[tokio::test]
async fn another_user_begins_with_nothing_of_the_first() {
    let layer = layer();
    let cookie = login_cookie(&layer, "ada").await.unwrap();
    ask(
        &layer,
        Request::post("/notes").header("cookie", &cookie),
        "text=adas+secret",
    )
    .await;
    let login = Request::post("/login").header("cookie", &cookie);
    let (response, _) = ask(&layer, login, "name=grace&password=compiler").await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let (_, page) = ask(&layer, Request::get("/").header("cookie", cookie), "").await;
    assert!(
        page.contains("Log grace out") && !page.contains("adas secret"),
        "{page}"
    );
}

#[tokio::test]
async fn what_a_browser_sends_is_shown_as_text() {
    let layer = layer();
    let cookie = login_cookie(&layer, "<b>").await.unwrap();
    let note = "text=</textarea><script>alert(1)</script>";
    ask(&layer, Request::post("/notes").header("cookie", &cookie), note).await;
    let (_, page) = ask(&layer, Request::get("/").header("cookie", &cookie), "").await;
    // The page's own script is the only one.
    let scripts = |page: &str| page.matches("<script").count();
    assert!(
        page.contains("alert(1)") && scripts(&page) == 1 && !page.contains("<b>"),
        "{page}"
    );

    let failed = "name=\"><script>alert(2)</script>&password=x";
    let (_, page) = ask(&layer, Request::post("/login"), failed).await;
    assert!(page.contains("alert(2)") && scripts(&page) == 1, "{page}");
}

#[tokio::test]
async fn two_instances_with_the_same_number_are_told_apart() {
    let here = Here::new("0", &Health::default()).with_guid(Some("5f3e2a1b".to_owned()));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let page = app(layer(), here).oneshot(request).await.unwrap().into_body();
    let page = to_bytes(page, 1 << 20).await.unwrap();
    let page = std::str::from_utf8(&page).unwrap();
    assert!(
        page.contains("Instance 0 answered") && page.contains("<code>5f3e2a1b</code>"),
        "{page}"
    );
    let (_, elsewhere) = ask(&layer(), Request::get("/"), "").await;
    assert!(!elsewhere.contains("Its platform"), "{elsewhere}");
}

#[tokio::test]
async fn reading_makes_no_session() {
    let (response, me) = ask(&layer(), Request::get("/api/me"), "").await;
    assert_eq!(me, r#"{"user":null,"instance":"7","visits":0,"session":null}"#);
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn only_the_last_twenty_visits_are_a_dot() {
    let layer = layer();
    let cookie = login_cookie(&layer, "ada").await.unwrap();
    for _ in 0..24 {
        ask(&layer, Request::post("/api/visits").header("cookie", &cookie), "").await;
    }
    let (_, page) = ask(&layer, Request::get("/").header("cookie", &cookie), "").await;
    assert!(page.contains("id=\"visits\">25</dd>"), "{page}");
    assert_eq!(page.matches("class=\"spoken\">instance 7<").count(), 20);
}

#[tokio::test]
async fn a_value_too_large_is_refused_by_its_name() {
    let (response, text) = ask(
        &layer(),
        Request::post("/notes"),
        &format!("text={}", "x".repeat(1 << 20)),
    )
    .await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        text.contains("\"note:") && text.contains("\" has 1048578 bytes, and 65536 are allowed"),
        "{text}"
    );
}

#[tokio::test]
async fn the_page_allows_its_own_script_and_style_and_no_other() {
    let (response, page) = ask(&layer(), Request::get("/"), "").await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    for (element, directive) in [("script", "script-src"), ("style", "style-src")] {
        let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
        let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
        let hash = STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{policy}");
    }
    assert!(
        !policy.contains("unsafe") && policy.starts_with("default-src 'none';"),
        "{policy}"
    );
}

/// A browser that ada is logged in with.
struct Ada {
    layer: SessionLayer,
    cookie: String,
}

impl Ada {
    async fn new() -> Self {
        let layer = layer();
        let cookie = login_cookie(&layer, "ada").await.unwrap();
        Self { layer, cookie }
    }

    async fn post(&self, path: &str, form: &str) {
        let request = Request::post(path).header("cookie", &self.cookie);
        assert_eq!(ask(&self.layer, request, form).await.0.status(), StatusCode::SEE_OTHER);
    }

    async fn page(&self) -> String {
        let request = Request::get("/").header("cookie", &self.cookie);
        ask(&self.layer, request, "").await.1
    }
}

/// The addresses of the page's notes, in order.
fn notes(page: &str) -> Vec<String> {
    let addresses = page.split("action=\"/notes/").skip(1);
    let ids = addresses.filter_map(|rest| rest.split_once('"').map(|(id, _)| id));
    let ids = ids.filter(|id| !id.is_empty() && !id.contains('/'));
    ids.map(|id| format!("/notes/{id}")).collect()
}

#[tokio::test]
async fn each_note_is_edited_and_deleted_by_itself() {
    let ada = Ada::new().await;
    for text in ["milk", "honey", "  "] {
        ada.post("/notes", &format!("text={text}")).await;
    }
    let before = ada.page().await;
    let [milk, honey] = &notes(&before)[..] else {
        panic!("{before}")
    };
    assert!(before.find("milk") < before.find("honey"), "{before}");
    ada.post(milk, "text=cream").await;
    ada.post(&format!("{honey}/delete"), "").await;
    let after = ada.page().await;
    assert_eq!(notes(&after), [&**milk]);
    assert!(
        after.contains("cream") && !after.contains("milk") && !after.contains("honey"),
        "{after}"
    );
    // Whoever was still writing in a note that is gone does not lose it.
    ada.post(honey, "text=sugar").await;
    assert_eq!(notes(&ada.page().await), [&**milk, &**honey]);
    ada.post(honey, "text=").await;
    assert_eq!(notes(&ada.page().await), [&**milk]);
}

#[tokio::test]
async fn of_a_note_that_two_tabs_write_both_texts_are_kept() {
    let ada = Ada::new().await;
    ada.post("/notes", "text=milk%0D%0Aand").await;
    let first = notes(&ada.page().await).remove(0);
    // Both tabs show the first text.
    let before = "before=milk%0D%0Aand";
    ada.post(&first, &format!("text=cream&{before}")).await;
    ada.post(&first, &format!("text=honey&{before}")).await;
    let kept = async |texts: &[&str]| {
        let page = ada.page().await;
        let is_kept = texts.iter().all(|text| page.contains(&format!("\n{text}</textarea>")));
        assert!(
            is_kept && notes(&page).len() == texts.len(),
            "{texts:?}: {:?}",
            notes(&page)
        );
    };
    kept(&["cream", "honey"]).await;
    // Nor is deleted what was not seen, and who sends the same again makes no other note of it.
    ada.post(&format!("{first}/delete"), before).await;
    ada.post(&first, &format!("text=&{before}")).await;
    ada.post(&first, &format!("text=cream&{before}")).await;
    kept(&["cream", "honey"]).await;
    ada.post(&format!("{first}/delete"), "before=cream").await;
    kept(&["honey"]).await;
}

#[tokio::test]
async fn nothing_but_notes_can_be_written_as_notes() {
    let request = Request::post("/notes/visits");
    let (response, _) = ask(&layer(), request, "text=7").await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn clicks_at_the_same_moment_all_count() {
    let layer = layer();
    let cookie = login_cookie(&layer, "ada").await.unwrap();
    let click = || ask(&layer, Request::post("/count").header("cookie", &cookie), "");
    tokio::join!(click(), click(), click(), click());
    let (_, page) = ask(&layer, Request::get("/").header("cookie", &cookie), "").await;
    assert!(page.contains("<output id=\"counter\">4</output>"), "{page}");
}

#[tokio::test]
async fn a_session_that_the_page_began_has_its_times_on_it() {
    let (_, page) = ask(&layer(), Request::get("/"), "").await;
    assert!(
        page.contains("<dt>Created</dt>") && page.contains(" UTC</dd>"),
        "{page}"
    );
}
