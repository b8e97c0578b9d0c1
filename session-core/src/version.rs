/// Counts the writes to a record: 1 when it is created, one more with every update and renewal; a touch leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);
