#![doc = include_str!("../README.md")]

mod builder;
#[cfg(all(
    feature = "key-mapper",
    feature = "expiry",
    feature = "json-codec",
    feature = "redis"
))]
mod classic;
#[cfg(feature = "toml")]
mod file;
mod store;
mod sweeper;

pub use builder::StoreBuilder;
#[cfg(all(
    feature = "key-mapper",
    feature = "expiry",
    feature = "json-codec",
    feature = "redis"
))]
pub use classic::{ExpiringRedisOptions, expiring_redis_store, redis_store};
pub use store::{
    CorruptCounts, Examination, Expired, Found, Listing, Quarantine, QuarantineName,
    QuarantineNames, Quarantined, Reindexed, Restored, Saved, SessionInfo, Store, Tried, Work,
};

pub use rrss_core::{
    Clock, Conflict, Cursor, Error, ErrorKind, Handle, ManualClock, OnCorrupt, OnLimit, Operation,
    Pipeline, Registry, Result, Session, SessionId, Shape, SystemClock, Timestamp, Together,
};

/// What authors of steps use, as they find it in their own dependency `rrss-core`.
pub use rrss_core as core;

/// Reading `rrss.toml`: reports, the plan of a pipeline, the schema.
#[cfg(feature = "toml")]
pub use rrss_loader as loader;

#[cfg(feature = "cache")]
pub use rrss_cache::{self as cache, Cache};
#[cfg(feature = "compression")]
pub use rrss_compression::{self as compression, Compression};
#[cfg(feature = "encryption")]
pub use rrss_encryption::{self as encryption, Encryption};
#[cfg(feature = "expiry")]
pub use rrss_expiry::{self as expiry, Expiry};
#[cfg(feature = "index")]
pub use rrss_index::{self as index, Index};
#[cfg(feature = "json-codec")]
pub use rrss_json_codec::{self as json_codec, JsonCodec};
#[cfg(feature = "key-mapper")]
pub use rrss_key_mapper::{self as key_mapper, KeyMapper};
#[cfg(feature = "legacy-read")]
pub use rrss_legacy_read::{self as legacy_read, LegacyRead};
#[cfg(feature = "embedded")]
pub use rrss_persistence::embedded::{self, Embedded};
#[cfg(feature = "memory")]
pub use rrss_persistence::memory::{self, Memory};
#[cfg(feature = "redis")]
pub use rrss_persistence::redis::{self, Redis};
