use std::{ffi::OsString, fmt};

use tokio::process::Command;

/// Variables for processes that are started, besides those that they inherit. There may be passwords among the values.
#[derive(Clone, Default)]
pub(super) struct Variables(Vec<(&'static str, Option<OsString>)>);

impl Variables {
    /// Sets a variable.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.0.push((name, Some(value.into())));
    }

    /// Sets a variable if there is a value; else it is inherited.
    pub(super) fn set_if(&mut self, name: &'static str, value: Option<impl Into<OsString>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Keeps a variable from being inherited.
    pub(super) fn remove(&mut self, name: &'static str) {
        self.0.push((name, None));
    }

    /// What becomes of a variable: inherited, removed, or set.
    #[cfg(test)]
    pub(super) fn get(&self, name: &str) -> Option<Option<&std::ffi::OsStr>> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_deref())
    }

    pub(super) fn give_to(&self, command: &mut Command) {
        for (name, value) in &self.0 {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
}

/// The names alone.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
