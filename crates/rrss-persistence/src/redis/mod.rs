//! The `redis` step: sessions in Redis or Valkey, one server or many, which removes them by itself at their deadline.
//!
//! Every operation is one round trip over one shared connection for each tokio runtime; only [`count`](rrss_core::Backend::count) and
//! [taking notes](rrss_core::Backend::take_expired) of expired sessions take more, and a change that leaves something stale
//! behind, one more. The connection is opened by the first operation, and again by the next one after it was lost.
//!
//! # Examples
//!
//! ```
//! # use rrss_test_servers::{Flavor, RedisServer};
//! use rrss_core::{Action, Backend, Operation, Payload, StorageKey, Timestamp, Written};
//! use rrss_persistence::redis::{Options, Redis};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss_core::Result<()> {
//! # let server = RedisServer::start(Flavor::Redis);
//! # let url = server.url();
//! let redis = Redis::new(Options { url: Some(url.parse()?), ..Options::default() })?;
//!
//! let mut create = Operation::new(Action::Create, Timestamp::from_millis(0));
//! create.key = Some(StorageKey::from("sessions:42".to_owned()));
//! create.payload = Payload::Bytes("{}".into());
//! assert_eq!(redis.write(&create).await?, Written::Done);
//! assert_eq!(redis.write(&create).await?, Written::Taken);
//! # Ok(()) }
//! ```

mod address;
mod brake;
mod certificates;
mod clock;
mod cluster;
mod cluster_rotation;
mod cluster_scan;
mod commands;
mod compare;
mod connection;
mod credentials;
mod eviction;
mod examine;
mod expired;
mod failed;
mod failure;
mod find;
mod gathering;
mod give_up;
mod hash;
mod index;
mod link;
mod live;
mod memory;
mod node;
mod notes;
mod options;
mod own;
mod places;
mod redirect;
mod refusal;
mod rights;
mod rotated;
mod runtimes;
mod scan;
mod script;
mod seek;
mod sentinel;
mod single_flight;
mod slot_map;
mod slots;
mod spread;
mod step;
mod tracking;
mod transaction;
mod url;
mod view;

pub use self::hash::{Compat, Hashes, Layout};
pub use self::node::RedisNode;
pub use self::options::Options;
pub use self::places::SentinelOptions;
pub use self::step::Redis;
pub use self::url::RedisUrl;
