//! How much memory of the server a session takes.

use redis::cmd;

use crate::peer::Result;

/// Of how many sessions the mean is.
pub const SESSIONS: usize = 500;

/// The mean of `MEMORY USAGE` (<https://redis.io/docs/latest/commands/memory-usage/>) of all keys of a database, for
/// each of its sessions.
pub async fn of_a_key(url: &str) -> Result<f64> {
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let (mut cursor, mut total) = (0_u64, 0_u64);
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("COUNT").arg(100);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await?;
        for key in keys {
            let mut usage = cmd("MEMORY");
            usage.arg("USAGE").arg(key);
            let used: u64 = usage.query_async(&mut connection).await?;
            total += used;
        }
        cursor = next;
        if cursor == 0 {
            return Ok(total as f64 / SESSIONS as f64);
        }
    }
}
