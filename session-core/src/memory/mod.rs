mod clock;
mod shard;
mod store;

pub use store::MemoryStore;
