/// Why something sealed cannot be read, or nothing be sealed. It says nothing of what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// The cryptographic library failed, for want of memory or of random bytes.
    #[error("the cryptographic library failed")]
    Library,
    #[error("it is not sealed, and in this session every value is")]
    Plain,
    #[error("the session's seal is damaged, or made for another token: log in again or renew the session")]
    Seal,
    #[error("it is damaged, or was sealed for another key or another session")]
    Value,
}

impl From<aws_lc_rs::error::Unspecified> for Flaw {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}
