use crate::{Delta, Value, conformance::given::json};

const KEYS: [&str; 3] = ["a", "b", "ключ"];
const VALUES: [&str; 4] = ["1", "22", "\"é\"", "null"];

/// What a history does next. Ids are meant by any number, users by one of two.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Create {
        user: Option<usize>,
        limit: Option<u32>,
        delta: Delta,
    },
    Update {
        id: usize,
        delta: Delta,
        expected: Option<(String, Option<Value>)>,
    },
    Touch {
        id: usize,
    },
    Renew {
        id: usize,
        /// Whether it says who is logged in as it is.
        is_right: bool,
        delta: Delta,
    },
    Login {
        id: usize,
        user: usize,
        limit: Option<u32>,
        delta: Delta,
    },
    End {
        id: usize,
    },
    EndAll {
        user: usize,
        except: Option<usize>,
    },
}

impl Operation {
    /// The operation that dice show.
    pub(super) fn of([which, id, user, limit, one, two, expects, _]: [u8; 8]) -> Self {
        let id = usize::from(id);
        let delta = delta([one, two]);
        let limit = limit.is_multiple_of(4).then_some(u32::from(limit / 4 % 4));
        match which % 16 {
            0..3 => Self::Create {
                user: usize::from(user % 3).checked_sub(1),
                limit,
                delta,
            },
            3..7 => Self::Update {
                id,
                delta,
                expected: expects.is_multiple_of(2).then(|| change(expects / 2)),
            },
            7 => Self::Touch { id },
            8..11 => Self::Renew {
                id,
                is_right: !user.is_multiple_of(8),
                delta,
            },
            11..14 => Self::Login {
                id,
                user: usize::from(user % 2),
                limit,
                delta,
            },
            14 => Self::End { id },
            _ => Self::EndAll {
                user: usize::from(user % 2),
                except: expects.is_multiple_of(2).then_some(id),
            },
        }
    }
}

/// Up to two changes.
fn delta(dice: [u8; 2]) -> Delta {
    let mut delta = Delta::default();
    for die in dice {
        match change(die) {
            (key, Some(value)) => delta.set(key, value).unwrap(),
            (key, None) => delta.remove(key),
        }
    }
    delta
}

/// A key, and a value or none.
fn change(die: u8) -> (String, Option<Value>) {
    let (key, value) = (usize::from(die) % KEYS.len(), usize::from(die) / KEYS.len());
    let value = VALUES.get(value % (VALUES.len() + 1));
    (KEYS[key].into(), value.map(|text| json(text)))
}
