use std::{collections::BTreeSet, str, sync::Arc};

use redis::Value;

use super::slot::Slot;
use crate::{reply::read_number, servers::Server, wire::Address};

/// Which primary has which slots, as a node of the cluster said.
pub(crate) struct Table<S = Arc<Server>> {
    /// In order, each with the number of its primary.
    ranges: Vec<Range<usize>>,
    /// In the order of their addresses.
    primaries: Vec<(Address, S)>,
}

/// Slots that follow each other and are on one server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Range<S> {
    first: Slot,
    last: Slot,
    server: S,
}

impl<S> Table<S> {
    /// A table of what a node said, with a server for each address.
    pub(crate) fn new(ranges: &[Range<Address>], server: impl Fn(&Address) -> S) -> Self {
        let addresses: BTreeSet<_> = ranges.iter().map(|range| &range.server).collect();
        let primaries: Vec<_> = addresses
            .into_iter()
            .map(|address| (address.clone(), server(address)))
            .collect();
        let number = |address: &Address| primaries.partition_point(|(primary, _)| primary < address);
        let mut ranges: Vec<_> = ranges
            .iter()
            .map(|range| Range {
                first: range.first,
                last: range.last,
                server: number(&range.server),
            })
            .collect();
        ranges.sort_unstable_by_key(|range| range.first);
        Self { ranges, primaries }
    }

    /// The primary that has a slot, if one has.
    pub(crate) fn owner(&self, slot: Slot) -> Option<&(Address, S)> {
        let after = self.ranges.partition_point(|range| range.first <= slot);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        (slot <= range.last).then(|| &self.primaries[range.server])
    }

    /// All primaries.
    pub(crate) fn primaries(&self) -> &[(Address, S)] {
        &self.primaries
    }
}

/// The answer to `CLUSTER SLOTS`, from the node at this address: ranges of slots, each with its primary first.
pub(crate) fn read_slots(answer: &Value, from: &Address) -> Option<Vec<Range<Address>>> {
    let Value::Array(ranges) = answer else { return None };
    let ranges = ranges.iter().map(|range| {
        let Value::Array(parts) = range else { return None };
        let [first, last, Value::Array(primary), ..] = parts.as_slice() else {
            return None;
        };
        let [host, port, ..] = primary.as_slice() else {
            return None;
        };
        let host = match host {
            Value::BulkString(host) => str::from_utf8(host).ok()?,
            // A node that does not know its own: it is where it was asked.
            _ => "",
        };
        let host = if matches!(host, "" | "?") { &from.host } else { host };
        let slot = |number| Some(Slot(read_number(number)?.try_into().ok()?));
        Some(Range {
            first: slot(first)?,
            last: slot(last)?,
            server: Address::new(host, read_number(port)?.try_into().ok()?),
        })
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn range(first: i64, last: i64, host: Value) -> Value {
        let node = |host| Value::Array(vec![host, Value::Int(7000), text("id")]);
        let replica = node(text("replica"));
        Value::Array(vec![Value::Int(first), Value::Int(last), node(host), replica])
    }

    #[test]
    fn ranges_are_read_with_their_primaries() {
        let from = Address::new("here", 1);
        let answer = Value::Array(vec![
            range(0, 99, text("10.0.0.1")),
            range(100, 200, Value::Nil),
            range(201, 300, text("")),
        ]);
        let read = |first, last, host: &str| Range {
            first: Slot(first),
            last: Slot(last),
            server: Address::new(host, 7000),
        };
        let ranges = [read(0, 99, "10.0.0.1"), read(100, 200, "here"), read(201, 300, "here")];
        assert_eq!(read_slots(&answer, &from).unwrap(), ranges);
        let table = Table::new(&ranges, |_| ());
        for (slot, host) in [(0, "10.0.0.1"), (99, "10.0.0.1"), (100, "here"), (300, "here")] {
            assert_eq!(table.owner(Slot(slot)).unwrap().0.host, host);
        }
        assert_eq!(table.owner(Slot(301)), None);
        assert_eq!(table.primaries().len(), 2);
        for nonsense in [
            Value::Nil,
            Value::Array(vec![Value::Int(1)]),
            Value::Array(vec![range(-1, 1, text("a"))]),
            Value::Array(vec![range(0, 70_000, text("a"))]),
            Value::Array(vec![Value::Array(vec![Value::Int(0), Value::Int(1)])]),
        ] {
            assert_eq!(read_slots(&nonsense, &from), None);
        }
    }
}
