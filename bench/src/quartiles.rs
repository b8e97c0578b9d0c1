use std::fmt;

/// A median and its spread: half of all measurements lie between `low` and `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quartiles {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Quartiles {
    /// Of measurements in any order; nothing of none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        // Between the two measurements where the share falls.
        let at = |share: f64| {
            let place = last as f64 * share;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Self {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        })
    }
}

/// As many decimals as are asked for: `{:.2}` is `0.62 (0.60-0.65)`.
impl fmt::Display for Quartiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let Self { low, median, high } = self;
        write!(f, "{median:.digits$} ({low:.digits$}-{high:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_where_a_quarter_is_below_and_above() {
        assert!(Quartiles::of(Vec::new()).is_none());
        let even = Quartiles::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(format!("{even:.2}"), "2.50 (1.75-3.25)");
        let odd = Quartiles::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!((odd.low, odd.median, odd.high), (2.0, 3.0, 4.0));
    }
}
