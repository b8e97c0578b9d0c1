mod clock;
mod limit;
mod once;
mod shard;
mod store;
#[cfg(test)]
mod tests;

pub use store::MemoryStore;
