//! No `Cookie` header panics, and no token is tried that is not there.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|request: ([u8; 32], &[u8])| {
    let (token, text) = request;
    session_core::fuzzing::cookies(text, token);
});
