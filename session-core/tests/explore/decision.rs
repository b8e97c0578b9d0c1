use crate::gate::Access;

/// What may happen next. The number is a request's, or an instance's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A request is sent, with the cookies that the browser has now.
    Send(usize),
    /// What a request has asked of the store happens, or is answered.
    Go(usize),
    /// The store refuses to do it.
    Refuse(usize),
    /// It happens, and its answer is lost.
    Lose(usize),
    /// Whoever sent the request is gone.
    Leave(usize),
    /// The cookies of a response arrive.
    Arrive(usize),
    /// A near cache is told of the next change.
    Tell(usize),
}

/// What a decision has to do with, to tell whether the order of two matters.
#[derive(Clone, Debug)]
pub(crate) struct Footprint {
    pub(crate) request: Option<usize>,
    /// The instance, if requests meet there: in its near cache, or as contenders for a key.
    pub(crate) instance: Option<usize>,
    pub(crate) access: Access,
    pub(crate) jar: JarUse,
    /// Whether it is one of few.
    pub(crate) is_fault: bool,
}

/// What a decision does to the browser's cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JarUse {
    Nothing,
    Reads,
    /// Nothing, but what is sent later is held to it.
    Marks,
    Writes,
}

impl Footprint {
    /// Whether it matters in which order two decisions are made.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        let jars = match (self.jar, other.jar) {
            (JarUse::Nothing, _) | (_, JarUse::Nothing) | (JarUse::Reads, JarUse::Reads) => false,
            (JarUse::Marks, other) | (other, JarUse::Marks) => other == JarUse::Reads,
            _ => true,
        };
        let is_same = |one: Option<usize>, other| one.is_some() && one == other;
        is_same(self.request, other.request)
            || is_same(self.instance, other.instance)
            || self.access.conflicts(&other.access)
            || (self.is_fault && other.is_fault)
            || jars
    }
}
