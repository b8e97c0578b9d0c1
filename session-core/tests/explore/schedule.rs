use crate::decision::{Decision, Footprint};

/// Who decides.
pub(crate) trait Chooser {
    /// Which of these is to happen next; none if that leads to nothing new.
    fn choose(&mut self, options: &[(Decision, Footprint)]) -> Option<usize>;
}

/// Goes through all schedules depth first, each from the start.
///
/// Of two decisions whose order does not matter only one order is tried: what has been tried at a node sleeps below its
/// siblings, until something happens that has to do with it (sleep sets, after Godefroid).
#[derive(Debug, Default)]
pub(crate) struct Exhaustive {
    nodes: Vec<Node>,
    depth: usize,
    /// How often in a row the same decisions led elsewhere.
    diverged: u32,
}

#[derive(Debug)]
struct Node {
    options: Vec<(Decision, Footprint)>,
    sleeping: Vec<(Decision, Footprint)>,
    chosen: usize,
}

impl Node {
    /// The next option that does not sleep, from here on.
    fn awake(&self, from: usize) -> Option<usize> {
        let sleeps = |decision| self.sleeping.iter().any(|(sleeping, _)| *sleeping == decision);
        (from..self.options.len()).find(|i| !sleeps(self.options[*i].0))
    }
}

impl Exhaustive {
    /// Goes back to the last decision that can be made otherwise; whether there is one.
    pub(crate) fn next(&mut self) -> bool {
        self.depth = 0;
        if self.diverged > 0 {
            return true;
        }
        while let Some(mut node) = self.nodes.pop() {
            node.sleeping.push(node.options[node.chosen].clone());
            if let Some(next) = node.awake(node.chosen + 1) {
                node.chosen = next;
                self.nodes.push(node);
                return true;
            }
        }
        false
    }
}

impl Exhaustive {
    /// The same decisions led elsewhere. That is rare: a near cache counts changes together whose random ids have two
    /// bytes in common. The schedule is run once more; if it goes on like this, what came before was the exception.
    fn diverge(&mut self, depth: usize) {
        self.diverged += 1;
        assert!(self.diverged < 20, "the same decisions lead elsewhere each time");
        if self.diverged.is_multiple_of(4) {
            self.nodes.truncate(depth);
        }
    }
}

impl Chooser for Exhaustive {
    fn choose(&mut self, options: &[(Decision, Footprint)]) -> Option<usize> {
        let depth = self.depth;
        self.depth += 1;
        if let Some(node) = self.nodes.get(depth) {
            let before = node.options.iter().map(|(decision, _)| decision);
            if !before.eq(options.iter().map(|(decision, _)| decision)) {
                self.diverge(depth);
                return None;
            }
            if depth + 1 == self.nodes.len() {
                self.diverged = 0;
            }
            return Some(node.chosen);
        }
        self.diverged = 0;
        let sleeping = self.nodes.last().map(|node| {
            let chosen = &node.options[node.chosen].1;
            let sleeping = node.sleeping.iter();
            sleeping
                .filter(|(_, other)| !other.conflicts(chosen))
                .cloned()
                .collect()
        });
        let mut node = Node {
            options: options.to_vec(),
            sleeping: sleeping.unwrap_or_default(),
            chosen: 0,
        };
        node.chosen = node.awake(0)?;
        let chosen = node.chosen;
        self.nodes.push(node);
        Some(chosen)
    }
}

/// Chooses as a seed does (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

impl Chooser for Random {
    fn choose(&mut self, options: &[(Decision, Footprint)]) -> Option<usize> {
        Some(self.below(options.len()))
    }
}
