use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(BTreeMap<String, (String, Option<Instant>)>);

impl Jar {
    /// Takes what a response sets.
    pub(crate) fn take(&mut self, cookies: &[String]) {
        for cookie in cookies {
            let mut parts = cookie.split("; ");
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            let age = parts.find_map(|part| part.strip_prefix("Max-Age=")?.parse().ok());
            match age {
                Some(0) => {
                    self.0.remove(name);
                }
                _ => {
                    let until = age.map(|age| Instant::now() + Duration::from_secs(age));
                    self.0.insert(name.to_owned(), (value.to_owned(), until));
                }
            }
        }
    }

    /// What a request says of them.
    pub(crate) fn header(&self) -> String {
        let now = Instant::now();
        let live = self
            .0
            .iter()
            .filter(|(_, (_, until))| until.is_none_or(|until| now < until));
        live.map(|(name, (value, _))| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_stays_until_it_is_taken_away() {
        let mut jar = Jar::default();
        jar.take(&["a=1; Path=/".to_owned(), "b=2; Max-Age=100".to_owned()]);
        assert_eq!(jar.header(), "a=1; b=2");
        jar.take(&["a=; Max-Age=0".to_owned()]);
        assert_eq!(jar.header(), "b=2");
    }
}
