//! What goes to one server and comes back: one TCP connection, the commands on it in their order, and the bytes of
//! answers.

mod address;
pub(crate) mod answer;
pub(crate) mod envelope;
mod gathering;
mod link;
mod stream;
mod tls;

pub(crate) use address::Address;
pub(crate) use answer::strings;
pub(crate) use link::Link;
pub(crate) use stream::Stream;
pub(crate) use tls::Tls;
