//! Nothing that Redis may answer, for it may be damaged or somebody else's, panics or is read as what it is not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use session_redis::fuzzing::{answer, list, record, reply, topology};

fuzz_target!(|input: &[u8]| {
    match input.split_first() {
        Some((b'a', bytes)) => answer(bytes),
        Some((b'h', fields)) => record(fields),
        Some((b'l', members)) => list(members),
        Some((b'r', parts)) => reply(parts),
        Some((b't', words)) => topology(words),
        _ => {}
    }
});
