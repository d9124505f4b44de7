//! The place of one of several servers, as the options `nodes` and `sentinel` name them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rrss_core::{Error, ErrorKind, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use super::address::Address;
use super::url::RedisUrl;

/// Where one of several servers is: `host:port`, or a [`RedisUrl`] such as `redis://user:password@host:port`.
///
/// `rediss://host:port` connects with TLS. There is neither a database nor a socket of this machine in it. The port
/// is 6379 where it is left out, and 26379 for a sentinel.
///
/// It prints, and serialises, as a URL with `[redacted]` in place of the password; no error that it makes shows any
/// part of the text.
///
/// # Examples
///
/// ```
/// use rrss_persistence::redis::RedisNode;
///
/// let node: RedisNode = "10.0.0.1:7000".parse()?;
/// assert_eq!(node.to_string(), "redis://10.0.0.1:7000");
/// assert_eq!(node, "redis://10.0.0.1:7000".parse()?);
///
/// let secured: RedisNode = "rediss://web:secret@10.0.0.1:7000".parse()?;
/// assert_eq!(secured.to_string(), "rediss://web:[redacted]@10.0.0.1:7000");
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisNode {
    pub(super) url: RedisUrl,
    says_port: bool,
}

impl RedisNode {
    pub(super) fn address(&self, default_port: u16) -> Address {
        match self.url.address.clone() {
            Address::Tcp { host, tls, .. } if !self.says_port => Address::Tcp {
                host,
                port: default_port,
                tls,
            },
            address => address,
        }
    }
}

impl FromStr for RedisNode {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Config`], saying what the place of a server looks like, where this is none.
    fn from_str(text: &str) -> Result<Self> {
        let text = match text {
            url if url.contains("://") => Cow::Borrowed(url),
            place if place.contains(['@', '/', '?', '#', ' ']) => return Err(no_place()),
            place => Cow::Owned(format!("redis://{place}")),
        };
        let parsed = redis::parse_redis_url(&text).ok_or_else(no_place)?;
        let url: RedisUrl = text.parse()?;
        if matches!(url.address, Address::Unix(_)) {
            let message =
                "one of several servers is at a host and a port, not at a socket of this machine";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if url.database.is_some_and(|number| number != 0) {
            let message =
                "one of several servers is named without a database; remove it from the URL";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(Self {
            url,
            says_port: parsed.port().is_some(),
        })
    }
}

fn no_place() -> Error {
    Error::new(
        ErrorKind::Config,
        "not the place of a server; write `host:port`, or `redis://host:port`, or `rediss://host:port` for TLS",
    )
}

impl TryFrom<String> for RedisNode {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl fmt::Display for RedisNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Debug for RedisNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl Serialize for RedisNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.url.serialize(serializer)
    }
}

impl JsonSchema for RedisNode {
    fn schema_name() -> Cow<'static, str> {
        "RedisNode".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_a_host_and_port_or_a_url() {
        for (text, address) in [
            ("localhost", "localhost:26379"),
            ("localhost:7000", "localhost:7000"),
            ("[::1]:7000", "[::1]:7000"),
            ("redis://localhost", "localhost:26379"),
            ("redis://web:pw@localhost:6379", "localhost:6379"),
            ("rediss://localhost:7000/0", "localhost:7000"),
        ] {
            let node: RedisNode = text.parse().unwrap();
            assert_eq!(node.address(26379).to_string(), address, "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_and_not_shown() {
        for text in [
            "",
            "::1",
            "web:hunter2@localhost:7000",
            "localhost:hunter2",
            "hunter2 localhost",
            "redis://web:hunter2@localhost:7000/1",
            "redis+unix:///run/redis.sock?pass=hunter2",
            "http://hunter2@localhost",
        ] {
            let error = text.parse::<RedisNode>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{text}");
        }
    }
}
