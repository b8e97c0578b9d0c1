use std::collections::BTreeMap;

use super::samples::Samples;
use crate::{load::Job, quartiles::Quartiles, variant::Variant, workload::Workload};

/// A row of the table: what one variant makes of one workload.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) variant: Variant,
    pub(crate) workload: Workload,
    pub(crate) connections: usize,
    pub(crate) size: usize,
    /// Requests a second, as a share of the bare route's at the same moment.
    pub(crate) share: Quartiles,
    /// The share, as a multiple of the peer's in the same turn. None for what has no peer, or if either is invalid.
    pub(crate) against: Option<Quartiles>,
    /// Requests a second.
    pub(crate) rate: Quartiles,
    /// The bare route's.
    pub(crate) bare: Quartiles,
    /// What half of the requests of a round took at most, in milliseconds.
    pub(crate) p50: Quartiles,
    /// What 99 of 100 took at most.
    pub(crate) p99: Quartiles,
    /// What makes the row invalid, if anything does.
    pub(crate) invalid: Option<String>,
}

/// The rows, by workload and then by variant.
pub(super) fn rows(samples: &BTreeMap<(Job, Variant), Samples>) -> Vec<Row> {
    let rows = samples.iter().filter_map(|((job, variant), own)| {
        let peer = variant.peer().filter(|peer| peer != variant);
        let peer = peer.and_then(|peer| samples.get(&(*job, peer)));
        Some(Row {
            variant: *variant,
            workload: job.workload,
            connections: job.connections,
            size: job.size,
            share: Quartiles::of(own.shares.clone())?,
            against: peer.and_then(|peer| against(own, peer)),
            rate: Quartiles::of(own.rates.clone())?,
            bare: Quartiles::of(own.bare.clone())?,
            p50: Quartiles::of(own.p50.clone())?,
            p99: Quartiles::of(own.p99.clone())?,
            invalid: own.failure.as_ref().map(|failure| {
                let (failed, rounds) = (own.failed, own.shares.len());
                format!("{failed} of {rounds} rounds: {failure}")
            }),
        })
    });
    rows.collect()
}

/// Turn by turn, for what disturbs a turn disturbs both.
fn against(own: &Samples, peer: &Samples) -> Option<Quartiles> {
    if own.failure.is_some() || peer.failure.is_some() {
        return None;
    }
    let ratios = own.shares.iter().zip(&peer.shares).map(|(own, peer)| own / peer);
    Quartiles::of(ratios.collect())
}
