use std::{
    env,
    hash::{BuildHasher, RandomState},
};

/// Numbers that look random, the same for the same seed (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Those of the seed in the variable `SEED`, or of a new one, which is printed.
    pub(super) fn seeded() -> Self {
        let seed = env::var("SEED").map_or_else(|_| RandomState::new().hash_one(()), |seed| seed.parse().unwrap());
        println!("SEED={seed}");
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
