/// What a login does that would make one session more than a [`SessionLimit`](crate::SessionLimit) allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Excess {
    /// It is refused.
    #[default]
    Refuse,
    /// It ends the sessions that began first.
    EndOldest,
}
