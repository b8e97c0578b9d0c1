mod clock;
mod shard;
mod store;
#[cfg(test)]
mod tests;

pub use store::MemoryStore;
