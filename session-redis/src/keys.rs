use std::{fmt::Write, str};

use session_core::SessionId;

/// The names of the store's keys.
#[derive(Debug)]
pub(crate) struct Keys {
    prefix: String,
    /// What the names of all users' indexes begin with.
    users: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            users: format!("{prefix}:user:"),
        }
    }

    /// The key of a session. In a cluster the part in braces, the shard tag, decides where it is; a renewal keeps it.
    pub(crate) fn session(&self, id: &SessionId) -> String {
        let mut key = String::with_capacity(self.prefix.len() + 8 + 2 * SessionId::LEN);
        key.push_str(&self.prefix);
        key.push_str(":{");
        push_hex(&mut key, &id.tag());
        key.push_str("}:");
        push_hex(&mut key, id.as_bytes());
        key
    }

    /// The key of a user's index.
    ///
    /// No name is that of another user, of a session, or of anything under another prefix, and none picks its place in
    /// a cluster.
    pub(crate) fn user(&self, user: &str) -> String {
        format!("{}{}", self.users, plain(user))
    }

    /// The key of work that is to be done once; the same holds of its name.
    pub(crate) fn work(&self, name: &str) -> String {
        format!("{}:work:{}", self.prefix, plain(name))
    }

    /// The channel on which the scripts tell what happens to sessions: see `announce` in `scripts/record.lua`.
    pub(crate) fn changes(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    /// A pattern that all sessions match, and some other keys.
    pub(crate) fn sessions(&self) -> String {
        format!("{}:{{????}}:*", self.prefix)
    }

    /// The session whose key this is.
    pub(crate) fn read_session(&self, key: &[u8]) -> Option<SessionId> {
        let (_, id) = key.split_at_checked(key.len().checked_sub(2 * SessionId::LEN)?)?;
        let id = str::from_utf8(id).ok()?.parse().ok()?;
        (self.session(&id).as_bytes() == key).then_some(id)
    }

    /// A pattern that all users' indexes match, and some other keys if a prefix begins like another.
    pub(crate) fn users(&self) -> String {
        format!("{}*", self.users)
    }

    /// Whether this is the key of a user's index.
    pub(crate) fn is_user(&self, key: &[u8]) -> bool {
        let name = key.strip_prefix(self.users.as_bytes());
        name.is_some_and(|name| name.iter().all(|byte| is_plain(*byte) || *byte == b'%'))
    }
}

/// Each request with a session writes two, which is why they are not formatted.
fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
}

/// A name in which letters, digits and `-_.@` stand for themselves, and `%` and two digits for any other byte.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for byte in name.bytes() {
        if is_plain(byte) {
            plain.push(char::from(byte));
        } else {
            write!(plain, "%{byte:02X}").expect("a string takes all that is written");
        }
    }
    plain
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_are_as_ever() {
        let keys = Keys::new("web");
        let id = "630dcd2966c4336691125448bbb2a00f".parse().unwrap();
        assert_eq!(keys.session(&id), "web:{a00f}:630dcd2966c4336691125448bbb2a00f");
        assert_eq!(keys.user("alice@example.org"), "web:user:alice@example.org");
        assert_eq!(keys.user("{é}:*%"), "web:user:%7B%C3%A9%7D%3A%2A%25");
        assert_eq!(keys.users(), "web:user:*");
        assert_eq!(keys.sessions(), "web:{????}:*");
        assert_eq!(keys.read_session(keys.session(&id).as_bytes()), Some(id));
        assert_eq!(keys.changes(), "web:changes");
        assert_eq!(keys.work("load contacts 2026-11"), "web:work:load%20contacts%202026-11");
    }

    #[test]
    fn keys_under_another_prefix_are_no_users() {
        let (keys, longer) = (Keys::new("web"), Keys::new("web:user"));
        let id = SessionId::from_bytes([7; 16]);
        assert!(keys.is_user(keys.user("user:bob").as_bytes()));
        assert!(!keys.is_user(longer.user("bob").as_bytes()));
        assert!(!keys.is_user(longer.session(&id).as_bytes()));
        assert_eq!(keys.read_session(longer.session(&id).as_bytes()), None);
        assert_eq!(keys.read_session(b"web"), None);
        assert!(!keys.is_user(longer.work("load").as_bytes()));
        assert!(!keys.is_user(keys.work("load").as_bytes()));
    }
}
