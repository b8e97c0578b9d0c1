/// What [`OnceStore::claim`](crate::OnceStore::claim) answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The work has been done.
    Done,
    /// It is this claim's to do.
    Mine,
    /// It is being done under another claim.
    Taken,
}
