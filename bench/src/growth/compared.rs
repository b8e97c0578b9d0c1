use crate::{quartiles::Quartiles, variant::Backend};

/// What something comes to with few sessions, and what with many.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub(super) backend: Backend,
    pub(super) what: String,
    pub(super) few: Quartiles,
    pub(super) many: Quartiles,
    /// How many times as long it takes with many, turn by turn.
    pub(super) ratio: Quartiles,
}

impl Compared {
    /// Of what it came to in turns, with few and with many; nothing without turns. `ratio` says how many times as long
    /// it took.
    pub(super) fn of(
        backend: Backend,
        what: &impl ToString,
        [few, many]: [Vec<f64>; 2],
        ratio: impl Fn(f64, f64) -> f64,
    ) -> Option<Self> {
        let ratios = few.iter().zip(&many).map(|(few, many)| ratio(*few, *many));
        Some(Self {
            backend,
            what: what.to_string(),
            ratio: Quartiles::of(ratios.collect())?,
            few: Quartiles::of(few)?,
            many: Quartiles::of(many)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_the_same_turn() {
        let turns = [vec![1.0, 10.0, 100.0], vec![2.0, 20.0, 100.0]];
        let compared = Compared::of(Backend::Redis, &"load", turns, |few, many| many / few).unwrap();
        assert_eq!(format!("{:.1}", compared.ratio), "2.0 (1.5-2.0)");
        assert_eq!((compared.few.median, compared.many.median), (10.0, 20.0));
        assert!(Compared::of(Backend::Redis, &"load", [vec![], vec![]], |few, many| many / few).is_none());
    }
}
