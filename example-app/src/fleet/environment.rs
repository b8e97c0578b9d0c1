use std::net::SocketAddr;

use serde_json::json;

use super::variables::Variables;
use crate::{
    cli::{Backend, FleetArgs},
    span::Span,
    store::Source,
};

/// What all instances of a fleet are told: where their sessions are, and the fleet's own settings.
///
/// They are told by variables, which other users of the machine cannot read, and not by arguments, which they can.
pub(super) fn of_fleet(args: &FleetArgs, source: &Source) -> Variables {
    let mut variables = Variables::default();
    variables.set("HTTPS", args.cookies.https.to_string());
    variables.set_if("IDLE_TIMEOUT", args.sessions.idle_timeout.map(Span::written));
    variables.set_if("MAX_SESSIONS", args.sessions.max_sessions.map(|max| max.to_string()));
    match source {
        // An instance has a VCAP_APPLICATION, and looks at no DATABASE_URL.
        Source::Url(url) => variables.set("STORE_URL", url),
        Source::Text { json, .. } => {
            variables.set("VCAP_SERVICES", json);
            variables.remove("VCAP_SERVICES_FILE_PATH");
        }
        // It inherits them, or finds none either.
        Source::Bound(_) | Source::Nothing => {}
    }
    variables.set_if("SESSION_BACKEND", args.store.backend.map(Backend::name));
    variables.set_if("SESSION_SERVICE", args.store.service.as_ref());
    variables.set_if("SESSION_CA_FILE", args.store.ca_file.as_ref());
    variables.set_if("STORE_TIMEOUT", args.store.timeout.map(Span::written));
    variables
}

/// What a platform tells an instance of itself and of the app.
pub(super) fn of_instance(index: u32, guid: &str, front: SocketAddr) -> Variables {
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
    let mut variables = Variables::default();
    // A free one.
    variables.set("PORT", "0");
    // The balancer.
    variables.set("TRUSTED_HOPS", "1");
    variables.set("CF_INSTANCE_INDEX", index.to_string());
    variables.set("CF_INSTANCE_GUID", guid);
    variables.set("CF_INSTANCE_ADDR", format!("127.0.0.1:{}", front.port()));
    variables.set("VCAP_APPLICATION", application.to_string());
    variables
}
