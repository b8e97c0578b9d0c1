use std::collections::BTreeMap;

/// The cookies of a browser.
///
/// A cookie replaces another one of its name, and one with `Max-Age=0` removes it: that is how all that is measured
/// here removes cookies. All are for the one host, for every path. The short-lived one by which a browser tells other
/// instances that it has just written is kept for longer than it should be: there is only one instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Does what a `Set-Cookie` says. Answers whether that changes what is sent.
    pub(super) fn set(&mut self, cookie: &str) -> bool {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return false;
        };
        if parts.any(|attribute| attribute.eq_ignore_ascii_case("Max-Age=0")) {
            return self.0.remove(name).is_some();
        }
        if self.0.get(name).is_some_and(|known| known == value) {
            return false;
        }
        self.0.insert(name.to_owned(), value.to_owned());
        true
    }

    /// What goes into the `Cookie` header.
    pub(super) fn header(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cookie_that_is_set_is_sent_until_it_is_removed() {
        let mut jar = Jar::default();
        assert_eq!(jar.header(), "");
        assert!(jar.set("__Host-id=one; Path=/; HttpOnly; Max-Age=60"));
        assert!(jar.set("visitor=a=b"));
        assert!(jar.set("__Host-id=two; Path=/"));
        assert!(!jar.set("__Host-id=two; Path=/; Secure"));
        assert_eq!(jar.header(), "__Host-id=two; visitor=a=b");
        assert!(jar.set("visitor=; max-age=0; Path=/"));
        assert!(!jar.set("visitor=; max-age=0; Path=/"));
        assert_eq!(jar.header(), "__Host-id=two");
    }
}
