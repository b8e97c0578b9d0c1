//! No record makes the unsealer panic, nothing opens but what was sealed, and no change of it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|record: ([u8; 32], &str, &[u8], &[u8])| {
    let (token, name, seal, value) = record;
    session_core::fuzzing::unseal(token, name, seal, value);
});
