use std::{collections::BTreeMap, slice};

use session_core::{Error, Seal, SessionId, Update};
use sqlx::{
    Row,
    postgres::{PgArguments, PgRow},
};

use super::{Ask, column, try_column};
use crate::{
    record::{encode_id, encode_size, encode_value, texts},
    statement::{Statement, Statements, arguments},
};

/// What `update.sql` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) id: SessionId,
    /// Keys and the texts of their values.
    sets: BTreeMap<String, String>,
    removals: Vec<String>,
    key: Option<String>,
    value: Option<String>,
    touch: bool,
    max_size: i64,
    seal: Option<Seal>,
    /// How many changes it is.
    joined: i32,
}

impl Change {
    pub(crate) fn new(id: SessionId, update: &Update) -> Result<Self, Error> {
        let expectation = update.expectation.as_ref();
        let value = expectation.and_then(|expected| Some(encode_value(&expected.key, expected.value.as_ref()?)));
        Ok(Self {
            id,
            sets: texts(&update.delta)?,
            removals: update.delta.removals().map(str::to_owned).collect(),
            key: expectation.map(|expected| expected.key.clone()),
            value: value.transpose()?.map(str::to_owned),
            touch: update.touch,
            max_size: encode_size(update.max_size),
            seal: update.seal.clone(),
            joined: 1,
        })
    }
}

impl Ask for Change {
    const BATCHES: usize = 2;
    const ONE_EACH: bool = true;

    fn ids(&self) -> &[SessionId] {
        slice::from_ref(&self.id)
    }

    fn size(&self) -> usize {
        let sets = self.sets.iter().map(|(key, text)| key.len() + text.len());
        let removals = self.removals.iter().map(String::len);
        let value = self.value.as_ref().map_or(0, String::len);
        size_of::<Self>() + sets.chain(removals).sum::<usize>() + value
    }

    /// If neither expects anything, or if what the next one expects of a key is what this one makes of it: so it is
    /// with requests that update one key at the same time, and pass its value on to each other before it is written.
    fn join(&self, next: &Self) -> Option<Self> {
        let follows = match (&self.key, &next.key) {
            (None, None) => true,
            // If it fails, another key is why.
            (Some(own), Some(key)) if own != key => false,
            (_, Some(key)) => next.value.is_some() && self.sets.get(key) == next.value.as_ref(),
            (Some(_), None) => false,
        };
        if !follows || self.seal.is_some() || next.seal.is_some() {
            return None;
        }
        let mut joint = self.clone();
        for key in &next.removals {
            joint.sets.remove(key);
        }
        joint.removals.retain(|key| !next.sets.contains_key(key));
        joint.removals.extend(next.removals.iter().cloned());
        joint.sets.extend(next.sets.clone());
        joint.touch |= next.touch;
        joint.max_size = joint.max_size.min(next.max_size);
        joint.joined += next.joined;
        Some(joint)
    }

    /// One alone may not be too large.
    fn answers_all(row: &PgRow) -> bool {
        row.try_get("outcome").is_ok_and(|outcome: &str| outcome != "too large")
    }

    fn alone(statements: &Statements) -> &Statement {
        &statements.update
    }

    fn together<'a>(statements: &'a Statements, asks: &[&Self]) -> &'a Statement {
        if asks.iter().any(|ask| ask.touch) {
            &statements.update_together
        } else {
            &statements.update_untouched
        }
    }

    fn arguments(asks: &[&Self]) -> Result<PgArguments, Error> {
        Ok(arguments![
            column(asks, |ask| encode_id(&ask.id)),
            try_column(asks, |ask| serde_json::to_string(&ask.sets))?,
            try_column(asks, |ask| serde_json::to_string(&ask.removals))?,
            column(asks, |ask| ask.key.as_deref()),
            column(asks, |ask| ask.value.as_deref()),
            column(asks, |ask| ask.touch),
            column(asks, |ask| ask.max_size),
            column(asks, |ask| ask.seal.as_ref().map(Seal::as_bytes)),
            column(asks, |ask| ask.joined),
        ])
    }
}

#[cfg(test)]
mod tests {
    use session_core::{Delta, Value};

    use super::*;

    fn value(text: &str) -> Value {
        Value::from_json(text.to_owned())
    }

    fn change(sets: &[(&str, &str)], removals: &[&str], expected: Option<(&str, Option<&str>)>) -> Change {
        let mut delta = Delta::default();
        for (key, text) in sets {
            delta.set(*key, value(text)).unwrap();
        }
        for key in removals {
            delta.remove(*key);
        }
        let mut update = Update::new(delta);
        if let Some((key, text)) = expected {
            update = update.expecting(key, text.map(value));
        }
        Change::new(SessionId::from_bytes([1; 16]), &update).unwrap()
    }

    #[test]
    fn one_that_expects_what_the_one_before_makes_joins_it() {
        let first = change(&[("n", "1"), ("a", "1"), ("b", "1")], &["c"], Some(("n", None)));
        let next = change(&[("n", "2"), ("c", "2")], &["b"], Some(("n", Some("1"))));
        let joint = change(&[("n", "2"), ("a", "1"), ("c", "2")], &["b"], Some(("n", None)));
        assert_eq!(first.join(&next), Some(Change { joined: 2, ..joint }));
    }

    #[test]
    fn those_who_expect_nothing_join() {
        let first = change(&[("a", "1"), ("b", "1")], &["c"], None);
        let next = change(&[("b", "2"), ("c", "2")], &["a"], None);
        let joint = change(&[("b", "2"), ("c", "2")], &["a"], None);
        assert_eq!(first.join(&next), Some(Change { joined: 2, ..joint }));
    }

    #[test]
    fn whoever_touches_is_asked_for_by_the_statement_that_does() {
        let statements = Statements::new("web");
        let text = |asks: &[&Change]| Change::together(&statements, asks).text.clone();
        let plain = change(&[("a", "1")], &[], None);
        let touching = Change {
            touch: true,
            ..plain.clone()
        };
        let joint = plain.join(&touching).unwrap();
        assert_eq!(text(&[&plain, &touching]), statements.update_together.text);
        assert_eq!(text(&[&joint]), statements.update_together.text);
        assert_eq!(text(&[&plain]), statements.update_untouched.text);
    }

    #[test]
    fn one_that_may_bring_a_seal_is_alone() {
        let plain = change(&[("a", "1")], &[], None);
        let sealing = Change {
            seal: Some(Seal::from_bytes(vec![1])),
            ..plain.clone()
        };
        assert_eq!((plain.join(&sealing), sealing.join(&plain)), (None, None));
    }

    #[test]
    fn no_other_joins() {
        let first = change(&[("n", "1"), ("m", "1")], &[], Some(("n", None)));
        for next in [
            change(&[("n", "2")], &[], None),
            change(&[("n", "2")], &[], Some(("n", None))),
            change(&[("n", "2")], &[], Some(("n", Some("3")))),
            change(&[("n", "2")], &[], Some(("other", Some("1")))),
            change(&[("n", "2")], &[], Some(("m", Some("1")))),
        ] {
            assert_eq!(first.join(&next), None, "{next:?}");
        }
    }
}
