use std::{
    env, io,
    io::{Seek, Write},
    time::{Duration, Instant},
};

use crate::quartiles::Quartiles;

/// How often a write is flushed to find out what that takes.
const TRIES: usize = 300;

/// What it takes until a page of 8 KiB, which is what a small commit writes, is on the disk that holds the servers'
/// folders, in milliseconds.
pub(crate) fn flush_time() -> io::Result<Option<Quartiles>> {
    let mut file = tempfile::tempfile_in(env::temp_dir())?;
    let page = [1; 8 * 1024];
    let mut flush = || -> io::Result<Duration> {
        file.rewind()?;
        let start = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        Ok(start.elapsed())
    };
    // The first one makes the file longer.
    flush()?;
    let times: io::Result<Vec<_>> = (0..TRIES).map(|_| Ok(flush()?.as_secs_f64() * 1000.0)).collect();
    Ok(Quartiles::of(times?))
}
