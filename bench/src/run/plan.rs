use std::time::Duration;

use crate::{
    load::{CONNECTIONS, Job},
    variant::{Backend, Variant},
    workload::Workload,
};

/// The bytes of small and of large records, roughly.
pub(super) const SIZES: [usize; 2] = [SMALL, LARGE];
const SMALL: usize = 300;
const LARGE: usize = 4096;

/// All that is measured.
pub(super) fn plan(duration: Duration) -> Vec<Job> {
    let all = [
        Workload::Plain,
        Workload::Read,
        Workload::Mix,
        Workload::Write,
        Workload::Update,
        Workload::Contended,
        Workload::Login,
        Workload::Cold,
    ];
    let job = |connections, size| {
        move |workload| Job {
            workload,
            connections,
            size,
            duration,
        }
    };
    let many = all.into_iter().map(job(CONNECTIONS, SMALL));
    let large = [Workload::Read, Workload::Mix, Workload::Write].map(job(CONNECTIONS, LARGE));
    let single = [Workload::Read, Workload::Write, Workload::Update, Workload::Login].map(job(1, SMALL));
    many.chain(large).chain(single).collect()
}

/// The bare route beside a job.
pub(super) const fn bare(job: &Job, duration: Duration) -> Job {
    Job {
        workload: Workload::Bare,
        duration,
        ..*job
    }
}

/// Whether a variant can do a job.
pub(super) fn fits(variant: Variant, job: &Job) -> bool {
    match variant.backend() {
        Backend::Nowhere => job.workload == Workload::Plain,
        // No other instance can make sessions for it.
        Backend::Memory => job.workload != Workload::Cold,
        Backend::Redis | Backend::Postgres => true,
    }
}
