//! No URL of a store panics, and none shows its password, whatever is wrong with it.

#![no_main]

use std::error::Error;

use libfuzzer_sys::fuzz_target;
use session_postgres::PostgresOptions;
use session_redis::RedisOptions;

/// What passwords have in them here, and nothing else.
const SECRET: &str = "geheim";

// Five lines: the scheme, the user, what is before and after the secret in the password, and the rest.
fuzz_target!(|lines: &str| {
    let [scheme, user, before, after, rest] = lines.splitn(5, '\n').collect::<Vec<_>>()[..] else {
        return;
    };
    // Parsers of URLs leave these out.
    let written: String = lines.chars().filter(|char| !char.is_control()).collect();
    // What follows an unwritten / and ? is a parameter, for all that a URL says.
    if written.contains(SECRET) || [user, before, after].iter().any(|part| part.contains('?')) {
        return;
    }
    let and = if rest.contains('?') { '&' } else { '?' };
    let shown = [
        shown(RedisOptions::from_url(&format!(
            "{scheme}://{user}:{before}{SECRET}{after}@{rest}"
        ))),
        shown(PostgresOptions::from_url(&format!(
            "{scheme}://{user}:{before}{SECRET}{after}@{rest}"
        ))),
        shown(RedisOptions::from_url(&format!(
            "{scheme}://{user}@{rest}{and}sentinel_password={before}{SECRET}{after}"
        ))),
        shown(PostgresOptions::from_url(&format!(
            "{scheme}://{user}@{rest}{and}password={before}{SECRET}{after}"
        ))),
    ];
    assert!(!shown.concat().contains(SECRET), "{shown:?}");
});

/// All that a log may have of it.
fn shown(options: Result<impl std::fmt::Debug, session_core::Error>) -> String {
    let error = match options {
        Ok(options) => return format!("{options:?} {options:#?}"),
        Err(error) => error,
    };
    let mut shown = format!("{error:?}");
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        shown += &format!(" {error}");
        cause = error.source();
    }
    shown
}
