//! The bytes of the server's answers: how long one is, and what it says.
//!
//! redis-rs can read them too, at fifteen hundred instructions a string. That was four tenths of what a request with a
//! session cost the app, so here is what suffices for nearly all answers; it reads the rest.

use redis::{RedisResult, Value};

/// How deep arrays may be in each other that are read here.
const DEPTH: usize = 4;

/// The length of the first answer in these bytes, if it is there whole.
///
/// What is no answer has the length of its line: whoever reads it finds out.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut left) = (0, 1_usize);
    while left > 0 {
        let (line, rest) = split_line(bytes.get(at..)?)?;
        at = bytes.len() - rest.len();
        left -= 1;
        let Some((kind, text)) = line.split_first() else {
            continue;
        };
        // Null has the length -1, and nothing follows.
        let Some(count) = number(text) else { continue };
        match kind {
            b'$' | b'!' | b'=' => at = at.checked_add(count)?.checked_add(2)?,
            b'*' | b'~' | b'>' => left = left.checked_add(count)?,
            b'%' => left = left.checked_add(count.checked_mul(2)?)?,
            b'|' => left = left.checked_add(count.checked_mul(2)?)?.checked_add(1)?,
            _ => {}
        }
    }
    (at <= bytes.len()).then_some(at)
}

/// What an answer says that is there whole.
pub(crate) fn read(bytes: &[u8]) -> RedisResult<Value> {
    match read_usual(bytes, DEPTH) {
        Some((value, [])) => Ok(value),
        _ => redis::parse_redis_value(bytes),
    }
}

/// The strings that an answer consists of, and the places of those that are not there; or nothing if there is anything
/// else in it.
pub(crate) fn strings(answer: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    let (line, mut rest) = split_line(answer)?;
    let count = match line.split_first()? {
        (b'*', count) => number(count)?,
        (b'%', pairs) => number(pairs)?.checked_mul(2)?,
        _ => return None,
    };
    // Each takes five bytes at least.
    let mut strings = Vec::with_capacity(count.min(rest.len() / 5));
    for _ in 0..count {
        let (line, after) = split_line(rest)?;
        // As the older protocol has it, and the newer.
        if line == b"$-1" || line == b"_" {
            strings.push(None);
            rest = after;
            continue;
        }
        let (string, after) = after.split_at_checked(number(line.strip_prefix(b"$")?)?)?;
        strings.push(Some(string));
        rest = after.strip_prefix(b"\r\n")?;
    }
    rest.is_empty().then_some(strings)
}

/// Reads an answer of a usual kind, and returns what comes after it.
fn read_usual(bytes: &[u8], depth: usize) -> Option<(Value, &[u8])> {
    let (line, mut rest) = split_line(bytes)?;
    let (kind, text) = line.split_first()?;
    let value = match kind {
        b'$' if text == b"-1" => Value::Nil,
        b'_' => Value::Nil,
        b'$' => {
            let (value, after) = rest.split_at_checked(number(text)?)?;
            rest = after.strip_prefix(b"\r\n")?;
            Value::BulkString(value.to_vec())
        }
        b':' => Value::Int(number(text)?.try_into().ok()?),
        b'*' => {
            let count = number(text)?;
            // Each takes three bytes at least.
            let mut values = Vec::with_capacity(count.min(rest.len() / 3));
            for _ in 0..count {
                let (value, after) = read_usual(rest, depth.checked_sub(1)?)?;
                values.push(value);
                rest = after;
            }
            Value::Array(values)
        }
        _ => return None,
    };
    Some((value, rest))
}

/// A line without its end, and what comes after it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let end = from + bytes.get(from..)?.iter().position(|byte| *byte == b'\r')?;
        if *bytes.get(end + 1)? == b'\n' {
            return Some((&bytes[..end], &bytes[end + 2..]));
        }
        from = end + 1;
    }
}

fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().try_fold(0_usize, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| usize::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    });
    digits.filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bulk(text: &[u8]) -> Vec<u8> {
        [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
    }

    /// An answer as a server would give it.
    fn answer() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|text| bulk(&text)),
            any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
            Just(b"$-1\r\n".to_vec()),
            Just(b"*-1\r\n".to_vec()),
            Just(b"+OK\r\n".to_vec()),
            Just(b"-ERR no\r\n".to_vec()),
            Just(b"_\r\n".to_vec()),
            Just(b",1.5\r\n".to_vec()),
            Just(b"=7\r\ntxt:a\r\n\r\n".to_vec()),
        ];
        leaf.prop_recursive(6, 40, 6, |inner| {
            let some = prop::collection::vec(inner, 0..6);
            (some, prop::sample::select(vec!['*', '~', '%'])).prop_map(|(parts, kind)| {
                let pairs = parts.len() / 2;
                let (count, parts) = match kind {
                    '%' => (pairs, &parts[..2 * pairs]),
                    _ => (parts.len(), &parts[..]),
                };
                [format!("{kind}{count}\r\n").into_bytes(), parts.concat()].concat()
            })
        })
    }

    proptest! {
        #[test]
        fn an_answer_is_as_long_as_it_is_and_says_what_the_driver_says(
            answer in answer(),
            after in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            prop_assert_eq!(length(&[answer.as_slice(), &after].concat()), Some(answer.len()));
            for cut in 0..answer.len() {
                prop_assert_eq!(length(&answer[..cut]), None);
            }
            let expected = redis::parse_redis_value(&answer).unwrap();
            prop_assert_eq!(&read(&answer).unwrap(), &expected);
            if let Some(strings) = strings(&answer) {
                let strings = strings.into_iter();
                let strings = strings.map(|string| string.map_or(Value::Nil, |string| Value::BulkString(string.to_vec())));
                let strings: Vec<_> = strings.collect();
                let expected = match expected {
                    Value::Map(pairs) => pairs.into_iter().flat_map(|(name, value)| [name, value]).collect(),
                    expected => expected.into_sequence().unwrap(),
                };
                prop_assert_eq!(strings, expected);
            }
        }
    }

    #[test]
    fn the_strings_of_an_answer_are_told_from_others() {
        let strings_of = |answer: &'static [u8]| strings(answer);
        let two = [Some(&b"a"[..]), Some(b"\r\n")];
        assert_eq!(strings_of(b"*2\r\n$1\r\na\r\n$2\r\n\r\n\r\n").unwrap(), two);
        assert_eq!(strings_of(b"%1\r\n$1\r\na\r\n$2\r\n\r\n\r\n").unwrap(), two);
        for nothing in [&b"*2\r\n$1\r\na\r\n$-1\r\n"[..], b"*2\r\n$1\r\na\r\n_\r\n"] {
            assert_eq!(strings_of(nothing).unwrap(), [two[0], None]);
        }
        assert_eq!(strings_of(b"*0\r\n").unwrap(), []);
        for other in [
            &b"*1\r\n:1\r\n"[..],
            b"*1\r\n$2\r\na\r\n",
            b"*1\r\n$1\r\na__",
            b"*1\r\n$1\r\na\r\n+",
            b"*2\r\n$1\r\na\r\n",
            b"$1\r\na\r\n",
            b"*1000000000000\r\n",
        ] {
            assert_eq!(strings_of(other), None);
        }
    }

    #[test]
    fn lengths_beyond_all_memory_are_waited_for() {
        for text in [
            "$18446744073709551615\r\n",
            "*18446744073709551615\r\n",
            "%9223372036854775807\r\n",
        ] {
            assert_eq!(length(text.as_bytes()), None);
        }
        assert!(read(b"*1000000000\r\n").is_err());
    }
}
