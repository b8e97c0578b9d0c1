use std::fmt;

/// Whether a browser sends the cookies along with requests that other sites cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// With links that lead here, but not with forms, images or scripts of other sites. The default.
    #[default]
    Lax,
    /// Always; browsers ask for `Secure` too.
    None,
    /// Never, not even when a link on another site leads here.
    Strict,
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Strict => "Strict",
        })
    }
}
