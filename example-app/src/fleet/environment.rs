use std::net::SocketAddr;

use serde_json::json;

/// What a platform tells an instance of itself and of the app, in its environment.
pub(super) fn environment(index: u32, guid: &str, front: SocketAddr) -> Vec<(&'static str, String)> {
    let application = json!({
        "application_id": "00000000-0000-4000-8000-000000000001",
        "application_name": "example-app",
        "application_uris": [front.to_string()],
        "name": "example-app",
        "uris": [front.to_string()],
        "instance_id": guid,
        "instance_index": index,
        "host": "127.0.0.1",
        "limits": { "mem": 128, "disk": 256, "fds": 16384 },
        "process_type": "web",
    });
    vec![
        // A free one.
        ("PORT", "0".to_owned()),
        // The balancer.
        ("TRUSTED_HOPS", "1".to_owned()),
        ("CF_INSTANCE_INDEX", index.to_string()),
        ("CF_INSTANCE_GUID", guid.to_owned()),
        ("CF_INSTANCE_ADDR", format!("127.0.0.1:{}", front.port())),
        ("VCAP_APPLICATION", application.to_string()),
    ]
}
