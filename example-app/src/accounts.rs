/// An account of the demo.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
}

/// The accounts. They are for the demo: an app of yours keeps no password, but a hash of it (argon2, say), in a
/// database of its own. Who somebody is, the app finds out; that they still are, the session remembers.
pub(crate) const DEMO_ACCOUNTS: [Account; 3] = [
    Account {
        name: "ada",
        password: "engine",
    },
    Account {
        name: "grace",
        password: "compiler",
    },
    Account {
        name: "linus",
        password: "penguin",
    },
];

/// The account with this name and password.
pub(crate) fn check(name: &str, password: &str) -> Option<&'static Account> {
    DEMO_ACCOUNTS
        .iter()
        .find(|account| account.name == name && account.password == password)
}
