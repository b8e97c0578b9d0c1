use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use session_core::{MemoryStore, testing::login_cookie};
use tower::ServiceExt;

use super::*;

fn layer() -> SessionLayer {
    SessionLayer::new(MemoryStore::new()).insecure()
}

async fn ask(layer: &SessionLayer, request: axum::http::request::Builder, body: &str) -> (Response<()>, String) {
    let form = "application/x-www-form-urlencoded";
    let request = request
        .header("content-type", form)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let (head, body) = app(layer.clone(), "7", &Health::default())
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
    assert!(page.contains("<dd class=\"large\">1</dd>"), "{page}");
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
        Request::post("/note").header("cookie", &cookie),
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
    ask(&layer, Request::post("/note").header("cookie", &cookie), note).await;
    let (_, page) = ask(&layer, Request::get("/").header("cookie", &cookie), "").await;
    assert!(
        page.contains("alert(1)") && !page.contains("<script") && !page.contains("<b>"),
        "{page}"
    );

    let failed = "name=\"><script>alert(2)</script>&password=x";
    let (_, page) = ask(&layer, Request::post("/login"), failed).await;
    assert!(page.contains("alert(2)") && !page.contains("<script"), "{page}");
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
    assert!(page.contains("<dd class=\"large\">25</dd>"), "{page}");
    assert_eq!(page.matches("class=\"spoken\"").count(), 20);
}

#[tokio::test]
async fn a_value_too_large_is_refused_by_its_name() {
    let (response, text) = ask(
        &layer(),
        Request::post("/note"),
        &format!("text={}", "x".repeat(1 << 20)),
    )
    .await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        text.contains("\"note\" has 1048578 bytes, and 65536 are allowed"),
        "{text}"
    );
}
