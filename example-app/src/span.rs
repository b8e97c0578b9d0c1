use std::{fmt, str::FromStr, time::Duration};

use session_core::Lifetime;

/// A time span, written as "10s" or "30m" and shown as "10 seconds" or "30 minutes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// A text that is no span of time that a session could have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as 500ms, 10s, 30m, 12h or 7d, and at most 400 days")]
pub(crate) struct NoSpan;

/// The units, and how many milliseconds each has.
const UNITS: [(&str, &str, u64); 5] = [
    ("d", "day", 86_400_000),
    ("h", "hour", 3_600_000),
    ("m", "minute", 60_000),
    ("s", "second", 1000),
    ("ms", "millisecond", 1),
];

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let unit = text.find(|char: char| !char.is_ascii_digit()).ok_or(NoSpan)?;
        let (count, unit) = text.split_at(unit);
        let (_, _, millis) = UNITS.iter().find(|(short, ..)| *short == unit).ok_or(NoSpan)?;
        let count: u64 = count.parse().map_err(|_| NoSpan)?;
        let span = Duration::from_millis(count.checked_mul(*millis).ok_or(NoSpan)?);
        if span.is_zero() || span > Lifetime::LONGEST {
            return Err(NoSpan);
        }
        Ok(Self(span))
    }
}

impl Span {
    /// As it can be read again.
    pub(crate) fn written(self) -> String {
        format!("{}ms", self.0.as_millis())
    }
}

/// In the largest unit that tells it as a whole number.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let whole = UNITS
            .iter()
            .find(|(.., millis)| total >= *millis && total % millis == 0);
        let (count, unit) = whole.map_or((total, "millisecond"), |(_, unit, millis)| (total / millis, *unit));
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_and_shown() {
        for (text, shown) in [
            ("500ms", "500 milliseconds"),
            ("1s", "1 second"),
            ("90s", "90 seconds"),
            ("120s", "2 minutes"),
            ("30m", "30 minutes"),
            ("12h", "12 hours"),
            ("400d", "400 days"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string(), shown);
            assert_eq!(span.written().parse(), Ok(span));
        }
    }

    #[test]
    fn what_no_session_could_have_is_refused() {
        for text in [
            "",
            "10",
            "s",
            "0s",
            "-1s",
            "1.5h",
            "10 s",
            "401d",
            "99999999999999999999s",
            "9999999999999999999d",
        ] {
            assert_eq!(text.parse::<Span>(), Err(NoSpan), "{text}");
        }
    }
}
