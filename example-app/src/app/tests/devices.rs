//! The list of devices, and the limit of them.

use std::net::IpAddr;

use session_core::SessionLimit;

use super::*;

const ADA: &str = "name=ada&password=engine";
const GRACE: &str = "name=grace&password=compiler";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Logs in from a browser of this name, and returns its cookie.
async fn log_in(layer: &SessionLayer, form: &str, agent: &str) -> String {
    let request = Request::post("/login").header("user-agent", agent);
    let (response, page) = ask(layer, request, form).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{page}");
    response.headers()["set-cookie"].to_str().unwrap().to_owned()
}

async fn page(layer: &SessionLayer, cookie: &str) -> String {
    ask(layer, Request::get("/").header("cookie", cookie), "").await.1
}

async fn is_logged_in(layer: &SessionLayer, cookie: &str) -> bool {
    let (_, me) = ask(layer, Request::get("/api/me").header("cookie", cookie), "").await;
    !me.contains(r#""user":null"#)
}

async fn post(layer: &SessionLayer, cookie: &str, path: &str) {
    let (response, _) = ask(layer, Request::post(path).header("cookie", cookie), "").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
    assert_eq!(response.headers()["location"], "/");
    assert!(!response.headers().contains_key("set-cookie"), "{path}");
}

/// Where the page's buttons end a device each.
fn ends(page: &str) -> Vec<&str> {
    let actions = page.split("action=\"").skip(1);
    let actions = actions.filter_map(|rest| rest.split('"').next());
    actions.filter(|action| action.ends_with("/end")).collect()
}

#[tokio::test]
async fn a_device_is_listed_and_ended_from_another() {
    let layer = layer();
    let here = log_in(&layer, ADA, FIREFOX).await;
    let alone = page(&layer, &here).await;
    assert!(
        alone.contains("<strong>Firefox on Linux</strong> <span class=\"this\">this one</span>"),
        "{alone}"
    );
    assert!(ends(&alone).is_empty() && !alone.contains("End all others"), "{alone}");

    let there = log_in(&layer, ADA, "curl/8.5.0").await;
    let both = page(&layer, &here).await;
    assert!(both.contains("<strong>curl</strong>"), "{both}");
    assert_eq!(both.matches("this one</span>").count(), 1, "{both}");
    let [end] = ends(&both)[..] else { panic!("{both}") };
    post(&layer, &here, end).await;
    assert!(!is_logged_in(&layer, &there).await);
    let after = page(&layer, &here).await;
    assert!(after.contains("Firefox on Linux") && !after.contains("curl"), "{after}");
    // It is none any more, and this changes nothing.
    post(&layer, &here, end).await;
    assert!(is_logged_in(&layer, &here).await);
}

#[tokio::test]
async fn all_others_are_ended_together_and_only_ones_own() {
    let layer = layer();
    let here = log_in(&layer, ADA, FIREFOX).await;
    let others = [log_in(&layer, ADA, "curl").await, log_in(&layer, ADA, "?").await];
    let grace = log_in(&layer, GRACE, FIREFOX).await;
    let all = page(&layer, &here).await;
    assert!(all.contains("<strong>A device</strong>"), "{all}");
    assert_eq!(ends(&all).len(), 2, "{all}");
    post(&layer, &here, "/devices/end-others").await;
    for other in &others {
        assert!(!is_logged_in(&layer, other).await);
    }
    assert!(is_logged_in(&layer, &here).await && is_logged_in(&layer, &grace).await);
}

#[tokio::test]
async fn what_is_no_device_of_ones_own_is_not_ended() {
    let layer = layer();
    let here = log_in(&layer, ADA, FIREFOX).await;
    let grace = log_in(&layer, GRACE, FIREFOX).await;
    let graces_other = log_in(&layer, GRACE, FIREFOX).await;
    let graces_page = page(&layer, &grace).await;
    let [foreign] = ends(&graces_page)[..] else {
        panic!("{graces_page}")
    };
    let unknown = format!("/devices/{}/end", "0".repeat(32));
    for path in [foreign, &unknown] {
        post(&layer, &here, path).await;
        // Nor by somebody who is not logged in.
        post(&layer, "", path).await;
    }
    post(&layer, "", "/devices/end-others").await;
    let no_id = Request::post("/devices/7/end").header("cookie", &here);
    assert_eq!(ask(&layer, no_id, "").await.0.status(), StatusCode::BAD_REQUEST);
    for cookie in [&here, &grace, &graces_other] {
        assert!(is_logged_in(&layer, cookie).await);
    }
}

#[tokio::test]
async fn a_visitor_has_no_devices() {
    let (_, page) = ask(&layer(), Request::get("/"), "").await;
    assert!(!page.contains("Your devices"), "{page}");
}

#[tokio::test]
async fn a_device_is_listed_with_the_address_that_the_proxies_saw() {
    let layer = layer();
    let address: IpAddr = "2001:db8::7".parse().unwrap();
    let request = Request::post("/login").extension(Client(address));
    let (response, _) = ask(&layer, request, ADA).await;
    let page = page(&layer, response.headers()["set-cookie"].to_str().unwrap()).await;
    assert!(page.contains("From 2001:db8::7</p>"), "{page}");
}

#[tokio::test]
async fn a_login_beyond_the_limit_is_refused_on_the_page() {
    let layer = layer().session_limit(SessionLimit::new(2));
    let first = log_in(&layer, ADA, FIREFOX).await;
    log_in(&layer, ADA, FIREFOX).await;
    let (response, refused) = ask(&layer, Request::post("/login"), ADA).await;
    assert_eq!(response.status(), StatusCode::CONFLICT);
    assert!(!response.headers().contains_key("set-cookie"));
    assert!(
        refused.contains("The limit is reached") && refused.contains("2 times") && refused.contains("value=\"ada\""),
        "{refused}"
    );
    // Nothing that was typed is wrong.
    assert!(!refused.contains("aria-invalid="), "{refused}");
    log_in(&layer, GRACE, FIREFOX).await;

    // The first makes room.
    let others = "/devices/end-others";
    post(&layer, &first, others).await;
    log_in(&layer, ADA, FIREFOX).await;
}
