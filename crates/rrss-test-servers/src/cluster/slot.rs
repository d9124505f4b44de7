//! Which of the cluster's slots a key belongs to.

use super::RedisCluster;

/// How many slots the keys of a cluster are spread over.
pub(super) const SLOTS: u16 = 16_384;

impl RedisCluster {
    /// The slot of a key: CRC16 of the key, or of its hash tag, the part between the first `{` and the `}`
    /// that follows, where that is not empty. See the
    /// [cluster specification](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model).
    ///
    /// # Examples
    ///
    /// ```
    /// use rrss_test_servers::RedisCluster;
    ///
    /// assert_eq!(RedisCluster::slot_of("123456789"), 0x31c3);
    /// assert_eq!(RedisCluster::slot_of("{user}:a"), RedisCluster::slot_of("{user}:b"));
    /// ```
    pub fn slot_of(key: impl AsRef<[u8]>) -> u16 {
        crc16(hash_tag(key.as_ref())) % SLOTS
    }
}

fn hash_tag(key: &[u8]) -> &[u8] {
    let tag = || {
        let open = key.iter().position(|&byte| byte == b'{')?;
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    };
    tag().unwrap_or(key)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            let carry = if crc & 0x8000 == 0 { 0 } else { 0x1021 };
            (crc << 1) ^ carry
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tag_is_the_first_pair_of_braces_that_is_not_empty() {
        for (key, tag) in [
            ("plain", "plain"),
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo{bar", "foo{bar"),
            ("}foo{bar}", "bar"),
        ] {
            assert_eq!(hash_tag(key.as_bytes()), tag.as_bytes(), "{key}");
        }
    }
}
