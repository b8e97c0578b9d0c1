use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::page::{SCRIPT, STYLE};

/// What the page may do: nothing from elsewhere, no other script and no other style than its own. Should anything ever
/// slip through the escaping, it stays text.
pub(crate) fn policy() -> (HeaderName, HeaderValue) {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
            hash(SCRIPT),
            hash(STYLE)
        );
        // Words and base64 are a header. Were they none, the page could do nothing at all.
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    });
    (header::CONTENT_SECURITY_POLICY, POLICY.clone())
}

/// How a policy names a text that stands in the page.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}
