//! No text in Postgres' JSON columns panics, and what can be read is read as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| session_postgres::fuzzing::data(text));
