use redis::{Arg, Cmd};

/// How many there are.
const SLOTS: u16 = 16_384;

/// A part of a cluster's keys. Each is on one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(pub(crate) u16);

impl Slot {
    /// The slot of a key: if a part of it is in braces, that part decides.
    pub(crate) fn of(key: &[u8]) -> Self {
        let find = |bytes: &[u8], wanted| bytes.iter().position(|byte| *byte == wanted);
        let tag = find(key, b'{').and_then(|start| {
            let rest = &key[start + 1..];
            find(rest, b'}').map(|end| &rest[..end])
        });
        let decisive = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
        Self(crc16(decisive) % SLOTS)
    }

    /// The slot of the first key of a command of the store's; none if it has no key.
    pub(crate) fn of_command(command: &Cmd) -> Option<Self> {
        let mut words = command.args_iter().filter_map(|word| match word {
            Arg::Simple(word) => Some(word),
            _ => None,
        });
        let key = match words.next()? {
            b"EVALSHA" => words.nth(2)?,
            b"CLUSTER" | b"PING" | b"SCAN" | b"SCRIPT" | b"TIME" => return None,
            _ => words.next()?,
        };
        Some(Self::of(key))
    }
}

/// CRC-16/XMODEM, a bit at a time: what decides is four bytes long as a rule.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            let rest = crc << 1;
            if crc & 0x8000 == 0 { rest } else { rest ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use session_core::SessionId;

    use super::*;
    use crate::{keys::Keys, script::Script};

    /// The check value of that CRC, and what `CLUSTER KEYSLOT` says.
    #[test]
    fn a_key_is_in_the_slot_that_the_server_says() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, slot) in [
            ("", 0),
            ("foo", 12182),
            ("{foo}", 12182),
            ("a{foo}b", 12182),
            ("a{foo}{b}", 12182),
            ("foo{}{bar}", 8363),
            ("foo{{bar}}zap", 4015),
        ] {
            assert_eq!(Slot::of(key.as_bytes()), Slot(slot), "{key}");
        }
    }

    #[test]
    fn a_command_goes_where_its_key_is() {
        let keys = Keys::new("web");
        let id = SessionId::from_bytes([0xa0; 16]);
        let slot = Some(Slot::of(b"a0a0"));
        assert_eq!(Slot::of_command(&Script::Touch.on(&[keys.session(&id)])), slot);
        assert_eq!(Slot::of_command(redis::cmd("HGETALL").arg(keys.session(&id))), slot);
        let user = keys.user("alice");
        let read = Slot::of_command(redis::cmd("ZRANGE").arg(&user).arg(0).arg(-1));
        assert_eq!(read, Some(Slot::of(user.as_bytes())));
        assert_eq!(Slot::of_command(&Script::Touch.load()), None);
        assert_eq!(Slot::of_command(&redis::cmd("TIME")), None);
    }
}
