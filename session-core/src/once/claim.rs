use crate::Error;

/// One attempt to do some work once: the name of the work, and what tells this attempt from all others.
///
/// ```
/// use session_core::Claim;
///
/// let claim = Claim::new("load agency contacts 2026-11")?;
/// assert_eq!(claim.name(), "load agency contacts 2026-11");
/// assert_ne!(Claim::new(claim.name())?.id(), claim.id());
/// # Ok::<(), session_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    name: String,
    id: u128,
}

impl Claim {
    /// A new attempt at the work of this name: 1 to 255 bytes without the character U+0000.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidWork`], and [`Error::Random`] if the operating system gives no random bytes.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        if !(1..=255).contains(&name.len()) || name.contains('\0') {
            return Err(Error::InvalidWork);
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|source| Error::Random {
            source: Box::new(source),
        })?;
        let id = u128::from_be_bytes(id);
        Ok(Self { name, id })
    }

    /// The name of the work.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells this attempt from all others: a random number.
    #[must_use]
    pub const fn id(&self) -> u128 {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_255_bytes_and_no_nul() {
        for name in ["x", "é\n{}:*", &"x".repeat(255)] {
            assert_eq!(Claim::new(name).unwrap().name(), name);
        }
        for name in ["", "a\0b", &"x".repeat(256), &"é".repeat(128)] {
            assert!(matches!(Claim::new(name), Err(Error::InvalidWork)), "{name:?}");
        }
    }
}
