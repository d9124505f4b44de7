//! The two one-line constructors of the original rrss.

use std::time::Duration;

use rrss_core::{DurationOption, Result};

use crate::{Expiry, JsonCodec, KeyMapper, Redis, Store, expiry, redis};

/// A store of sessions in Redis that never end by themselves, under `sessions:ID` keys with random UUIDs.
///
/// It connects at its first operation.
///
/// # Errors
///
/// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where the options do not go together.
///
/// # Examples
///
/// ```
/// let store = rrss::redis_store(rrss::redis::Options::default())?;
/// assert!(!store.pipeline().sets_deadlines());
/// # Ok::<(), rrss::Error>(())
/// ```
pub fn redis_store(options: redis::Options) -> Result<Store> {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Redis>(options)
        .build()
}

/// A store of sessions in Redis that end one week after their last change.
///
/// Redis removes them by itself at their deadline.
///
/// # Errors
///
/// As [`redis_store`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use rrss::ExpiringRedisOptions;
///
/// let options = ExpiringRedisOptions { duration: Duration::from_secs(3600), ..Default::default() };
/// let store = rrss::expiring_redis_store(options)?;
/// assert!(store.pipeline().sets_deadlines());
/// # Ok::<(), rrss::Error>(())
/// ```
pub fn expiring_redis_store(options: ExpiringRedisOptions) -> Result<Store> {
    let ExpiringRedisOptions {
        redis,
        duration,
        resolution,
    } = options;
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(expiry::Options {
            duration: DurationOption::new(duration),
            resolution: DurationOption::new(resolution),
            ..Default::default()
        })
        .step::<JsonCodec>(Default::default())
        .step::<Redis>(redis)
        .build()
}

/// What [`expiring_redis_store`] is made with.
#[derive(Debug, Clone)]
pub struct ExpiringRedisOptions {
    /// Where Redis is.
    pub redis: redis::Options,
    /// How long a session lives after its last change; one week unless said.
    pub duration: Duration,
    /// How often expired sessions are looked for where that is needed; ten minutes unless said.
    pub resolution: Duration,
}

impl Default for ExpiringRedisOptions {
    fn default() -> Self {
        Self {
            redis: redis::Options::default(),
            duration: Duration::from_secs(7 * 24 * 3600),
            resolution: Duration::from_secs(600),
        }
    }
}
