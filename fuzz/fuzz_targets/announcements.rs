//! What anybody may say on the channels of both stores ends no session that is not named.

#![no_main]

use std::str;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    session_redis::fuzzing::announcement(message);
    if let Ok(payload) = str::from_utf8(message) {
        session_postgres::fuzzing::announcements(payload);
    }
});
