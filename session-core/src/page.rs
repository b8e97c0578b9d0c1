use crate::SessionId;

/// A part of a long list: at most `limit` sessions with ids greater than `after`.
///
/// ```
/// use session_core::Page;
///
/// let first = Page::default();
/// assert_eq!((first.after, first.limit), (None, 100));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The last id of the page before; `None` for the first page.
    pub after: Option<SessionId>,
    /// The most sessions to return. 100 unless set.
    pub limit: u32,
}

impl Page {
    /// The page that follows the session `id`.
    #[must_use]
    pub fn following(id: SessionId) -> Self {
        Self {
            after: Some(id),
            ..Self::default()
        }
    }

    /// Sets the most sessions to return.
    #[must_use]
    pub const fn with_limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            limit: 100,
        }
    }
}
