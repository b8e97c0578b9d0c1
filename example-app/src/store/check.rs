//! What would be refused by a store that does not know how the app is told of it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A prefix that one of the stores could not have.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} cannot be the --prefix or SESSION_PREFIX: use 1 to 63 characters of a-z, 0-9 and _, no digit first")]
pub(super) struct BadPrefix(String);

/// A file that holds nobody to trust.
#[derive(Debug, thiserror::Error)]
#[error("the file {path:?}, named by --ca-file or SESSION_CA_FILE, {what}")]
pub(super) struct BadCaFile {
    path: PathBuf,
    what: &'static str,
    source: Option<io::Error>,
}

/// What both stores take, so that it does not matter which one it is.
pub(super) fn check_prefix(prefix: &str) -> Result<(), BadPrefix> {
    let known = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let begins_well = prefix.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if begins_well && prefix.len() <= 63 && prefix.bytes().all(known) {
        Ok(())
    } else {
        Err(BadPrefix(prefix.to_owned()))
    }
}

/// The stores look at it too, and do not know what the setting is called.
pub(super) fn check_ca_file(path: &Path) -> Result<(), BadCaFile> {
    let bad = |what, source| {
        let path = path.to_owned();
        BadCaFile { path, what, source }
    };
    let text = fs::read(path).map_err(|source| bad("cannot be read", Some(source)))?;
    if String::from_utf8_lossy(&text).contains("-----BEGIN CERTIFICATE-----") {
        Ok(())
    } else {
        Err(bad("has no certificate in PEM", None))
    }
}
