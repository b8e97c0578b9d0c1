use std::time::Duration;

/// Between half and one and a half times `duration`, so that many instances do not do something at the same moment.
pub(crate) fn jittered(duration: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    duration.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}
