use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use redis::{Client, Cmd, Pipeline, Value, aio::MultiplexedConnection};
use session_core::{SessionId, SessionStore};

use super::{driver::Driver, operation::Operation, scene::Scene};
use crate::Failure;

/// What ends a look at what a store sends.
const END: &str = "that was all";

/// redis-rs, sending the commands that the server saw a store send.
pub(super) struct RedisDriver {
    connection: MultiplexedConnection,
    /// Each with the scene it was done in.
    seen: BTreeMap<Operation, (Scene, Vec<Command>)>,
}

/// A command's words.
type Command = Vec<Vec<u8>>;

impl RedisDriver {
    pub(super) async fn connect(url: &str, store: &impl SessionStore) -> Result<Self, Failure> {
        let client = Client::open(url)?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut seen = BTreeMap::new();
        for operation in Operation::ALL {
            let scene = Scene::set(store, operation).await?;
            let mut monitor = client.get_async_monitor().await?;
            operation.perform(store, &scene).await?;
            let _: String = redis::cmd("ECHO").arg(END).query_async(&mut connection).await?;
            let commands: Vec<_> = monitor
                .on_message::<String>()
                .map(|line| words(&line))
                .take_while(|words| std::future::ready(words.last().is_none_or(|word| word != END.as_bytes())))
                .filter(|words| std::future::ready(!words.is_empty()))
                .collect()
                .await;
            seen.insert(operation, (scene, commands));
        }
        Ok(Self { connection, seen })
    }
}

impl Driver for RedisDriver {
    async fn perform(&mut self, operation: Operation, scene: &Scene) -> Result<Duration, Failure> {
        let (seen, commands) = self.seen.get(&operation).ok_or("an operation was not seen")?;
        let mut pipeline = Pipeline::new();
        for words in commands {
            let mut command = Cmd::new();
            for word in words {
                command.arg(in_scene(word, seen, scene));
            }
            pipeline.add_command(command);
        }
        let start = Instant::now();
        let answers: Vec<Value> = pipeline.query_async(&mut self.connection).await?;
        let took = start.elapsed();
        if answers.iter().any(is_done) {
            Ok(took)
        } else {
            Err(format!("the driver's {operation} was answered {answers:?}").into())
        }
    }
}

/// A word as it would have been sent of another session.
fn in_scene(word: &[u8], seen: &Scene, scene: &Scene) -> Vec<u8> {
    let Ok(text) = str::from_utf8(word) else {
        return word.to_vec();
    };
    let mut text = text.to_owned();
    for (seen, id) in [(seen.from, scene.from), (seen.to, scene.to)] {
        text = text
            .replace(&key(&seen), &key(&id))
            .replace(&seen.to_string(), &id.to_string());
    }
    text.into_bytes()
}

/// The end of a session's key.
fn key(id: &SessionId) -> String {
    let [high, low] = id.tag();
    format!("{{{high:02x}{low:02x}}}:{id}")
}

/// Whether an answer is a script's number, `done` or `over`, or a record.
fn is_done(answer: &Value) -> bool {
    match answer {
        Value::Array(parts) => match parts.first() {
            Some(Value::BulkString(word)) => parts.len() > 4 || word == b"done" || word == b"over",
            _ => false,
        },
        Value::Map(fields) => !fields.is_empty(),
        Value::Int(number) => *number > 0,
        _ => false,
    }
}

/// The words of a line of `MONITOR`; none if a script did it.
fn words(line: &str) -> Vec<Vec<u8>> {
    let Some((head, command)) = line.split_once("] ") else {
        return Vec::new();
    };
    if head.ends_with(" lua") {
        return Vec::new();
    }
    let (mut words, mut word, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut bytes = command.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted => {
                words.push(std::mem::take(&mut word));
                quoted = false;
            }
            b'"' => quoted = true,
            b'\\' => match bytes.next() {
                Some(b'n') => word.push(b'\n'),
                Some(b'r') => word.push(b'\r'),
                Some(b't') => word.push(b'\t'),
                Some(b'a') => word.push(7),
                Some(b'b') => word.push(8),
                Some(b'x') => {
                    let digits =
                        [bytes.next(), bytes.next()].map(|digit| digit.and_then(|digit| (digit as char).to_digit(16)));
                    if let [Some(high), Some(low)] = digits {
                        word.push((high * 16 + low) as u8);
                    }
                }
                Some(byte) => word.push(byte),
                None => {}
            },
            _ if quoted => word.push(byte),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_command_are_read_as_they_were_sent() {
        let line = r#"1339518083.107412 [0 127.0.0.1:60866] "HSET" "a b" "\x00f" "say \"\\n\"\n" """#;
        let expected: [&[u8]; 5] = [b"HSET", b"a b", b"\0f", b"say \"\\n\"\n", b""];
        assert_eq!(words(line), expected);
        assert!(words(r#"1339518083.107412 [0 lua] "HSET" "a" "b" "c""#).is_empty());
    }
}
