mod clock;
mod once;
mod shard;
mod store;
#[cfg(test)]
mod tests;

pub use store::MemoryStore;
