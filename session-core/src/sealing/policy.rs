/// What a layer does with sessions whose record has no seal; one that has is read and written under it anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Leaves them as they are.
    #[default]
    AsFound,
    /// Seals new ones from their birth, and others from their next write.
    Seal,
    /// The same, and refuses to read what is not sealed.
    SealedOnly,
}
