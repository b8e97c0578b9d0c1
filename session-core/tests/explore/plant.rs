/// A bug that is planted, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// An update of a session that is not there makes one.
    UpdateInserts,
    /// An update writes the whole record, as its request had read it.
    UpdateMergesNothing,
    /// An update that expects a value is made whatever there is.
    UpdateExpectsNothing,
    /// A creation overwrites what is there.
    CreateUpserts,
    /// A renewal leaves the session at its old id as well.
    RenewCopies,
    /// An end does not reach a session that has been renewed.
    EndMissesRenewal,
    /// An end of all sessions lists them first, and does not reach those that are renewed meanwhile.
    EndAllMissesRenewal,
    /// Every response sets the login cookie that its request had.
    LateCookie,
    /// A near cache does not hear what other instances do.
    NearMisses,
    /// A near cache does not hear what its own instance does.
    NearForgetsOwn,
    /// A near cache keeps what has changed while it was loaded.
    NearKeepsLate,
    /// A response does not say that near caches are to be bypassed.
    NoBypass,
}
