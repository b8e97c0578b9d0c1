/// Whether a session was sealed when it began. Its seal says so, and cannot be made to say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// Every value was sealed by the layer; one that is not was planted.
    Sealed,
    /// It has been sealed since, so values of before are plain.
    Unsealed,
}

impl Birth {
    pub(super) const fn to_byte(self) -> u8 {
        match self {
            Self::Sealed => 1,
            Self::Unsealed => 2,
        }
    }

    pub(super) const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Sealed),
            2 => Some(Self::Unsealed),
            _ => None,
        }
    }
}
