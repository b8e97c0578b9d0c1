//! What a `User-Agent` header tells people of a device.

/// What an agent names itself by, the most telling first: nearly all claim to be Mozilla, Chrome or Safari too.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A few words for a list of devices; none for an agent that nobody would know.
pub(super) fn label(agent: &str) -> Option<String> {
    let find = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(sign, _)| agent.contains(sign));
        found.map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_known() {
        let macos = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit";
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
                "Firefox on Linux",
            ),
            (
                format!("{macos}/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"),
                "Safari on macOS",
            ),
            (
                format!("{macos}/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"),
                "Chrome on macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36 Edg/140.0".to_owned(),
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) Chrome/140.0.0.0 Mobile Safari/537.36".to_owned(),
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140 Safari".to_owned(),
                "Chrome on iPhone",
            ),
            ("curl/8.5.0".to_owned(), "curl"),
        ] {
            assert_eq!(label(&agent).as_deref(), Some(expected));
        }
        assert_eq!(label("<script>"), None);
    }
}
