//! The `url` option.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, IntoConnectionInfo};
use rrss_core::{Error, ErrorKind, Result, Secret};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use super::address::Address;

/// Where a server is, and how to log in: `redis://user:password@host:port/database`.
///
/// | scheme | connects |
/// |---|---|
/// | `redis://`, `valkey://` | over TCP |
/// | `rediss://`, `valkeys://` | over TCP with TLS; the server's certificate is checked |
/// | `redis+unix:///path/to/socket?db=1&user=…&pass=…` | over a socket of this machine |
///
/// The port is 6379 and the database 0 where they are left out. Characters of a user or a password that mean
/// something in a URL are percent-encoded
/// ([RFC 3986, 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)). The schemes are those that are
/// [registered with IANA](https://www.iana.org/assignments/uri-schemes/prov/redis), and those of Valkey.
///
/// As `{ file = "path" }` in a configuration, its user and password are read again for each new connection.
///
/// It prints, and serialises, with `[redacted]` in place of the password; no error that it makes shows any part
/// of the text.
///
/// # Examples
///
/// ```
/// use rrss_persistence::redis::RedisUrl;
///
/// let url: RedisUrl = "rediss://web:open%20sesame@cache.example.org/3".parse()?;
/// assert_eq!(url.to_string(), "rediss://web:[redacted]@cache.example.org:6379/3");
///
/// let error = "http://web:secret@localhost".parse::<RedisUrl>().unwrap_err();
/// assert!(!error.to_string().contains("secret"));
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Secret")]
pub struct RedisUrl {
    pub(super) address: Address,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<u16>,
    /// The whole text, where it came from a file.
    pub(super) source: Option<Secret>,
}

impl FromStr for RedisUrl {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Config`], saying what a URL looks like, where this is none.
    fn from_str(text: &str) -> Result<Self> {
        let text = with_plus_kept(text);
        let url = redis::parse_redis_url(&text).ok_or_else(|| {
            invalid(
                "not a URL of Redis; write `redis://host:port`, or `rediss://host:port` for TLS, and \
                 percent-encode `:/?#[]@%` in a user or password, or put them into `username` and `password`",
            )
        })?;
        let unix = url.scheme().ends_with("unix");
        if url.fragment().is_some() {
            return Err(invalid(
                "a URL of Redis ends before `#`: certificates are always checked, and a `#` in a password is \
                 written `%23`",
            ));
        }
        if !unix && url.query().is_some() {
            return Err(invalid(
                "a URL of Redis ends before `?`; the options of this step say the rest, and a `?` in a password \
                 is written `%3F`",
            ));
        }
        let known = |name: &str| ["db", "user", "pass"].contains(&name);
        if url.query_pairs().any(|(name, _)| !known(&name)) {
            return Err(invalid(
                "a URL of a socket says `db`, `user` and `pass` behind `?`, and nothing else",
            ));
        }
        let names_database = match unix {
            true => url.query_pairs().any(|(name, _)| name == "db"),
            false => !url.path().trim_matches('/').is_empty(),
        };

        let info = url.into_connection_info().map_err(|_| {
            invalid(
                "not a URL of Redis that can be connected to; write `redis://host:port/database`, the database \
                 a number, or `redis+unix:///path/to/socket`",
            )
        })?;
        let login = info.redis_settings();
        let database = u16::try_from(login.db()).map_err(|_| {
            invalid("the database of a URL of Redis is a number from 0 to 65535, after the port and `/`")
        })?;
        let tcp = |host: &String, port: &u16, tls| Address::Tcp {
            host: host.clone(),
            port: *port,
            tls,
        };
        let address = match info.addr() {
            ConnectionAddr::Tcp(host, port) => tcp(host, port, false),
            ConnectionAddr::TcpTls { host, port, .. } => tcp(host, port, true),
            ConnectionAddr::Unix(path) => Address::Unix(path.clone()),
            _ => return Err(invalid("this kind of URL of Redis is not supported")),
        };
        Ok(Self {
            address,
            username: login.username().map(str::to_owned),
            password: login.password().map(|text| text.to_owned().into()),
            database: names_database.then_some(database),
            source: None,
        })
    }
}

/// Behind `?` a form would mean a blank by `+`; a URL means a `+`
/// ([RFC 3986, 2.2](https://www.rfc-editor.org/rfc/rfc3986#section-2.2)).
fn with_plus_kept(text: &str) -> Cow<'_, str> {
    match text.split_once('?') {
        Some((place, query)) if query.contains('+') => {
            format!("{place}?{}", query.replace('+', "%2B")).into()
        }
        _ => text.into(),
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message)
}

impl TryFrom<Secret> for RedisUrl {
    type Error = Error;

    /// # Errors
    ///
    /// As [`from_str`](Self::from_str).
    fn try_from(text: Secret) -> Result<Self> {
        let url: Self = text.expose().parse()?;
        Ok(Self {
            source: text.file().is_some().then_some(text),
            ..url
        })
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "[redacted]");
        if let Address::Unix(path) = &self.address {
            write!(f, "redis+unix://{}", path.display())?;
            let database = self.database.map(|number| number.to_string());
            let pairs = [
                ("db", database.as_deref()),
                ("user", self.username.as_deref()),
                ("pass", password),
            ];
            let mut mark = '?';
            for (name, value) in pairs {
                if let Some(value) = value {
                    write!(f, "{mark}{name}={value}")?;
                    mark = '&';
                }
            }
            return Ok(());
        }
        let scheme = if self.address.uses_tls() {
            "rediss"
        } else {
            "redis"
        };
        write!(f, "{scheme}://")?;
        match (self.username.as_deref(), password) {
            (None, None) => {}
            (Some(user), None) => write!(f, "{user}@")?,
            (user, Some(password)) => write!(f, "{}:{password}@", user.unwrap_or_default())?,
        }
        write!(f, "{}", self.address)?;
        match self.database {
            Some(number) => write!(f, "/{number}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for RedisUrl {
    fn schema_name() -> Cow<'static, str> {
        "RedisUrl".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "x-remembers-file": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_prints_with_what_it_left_out_and_without_the_password() {
        for (text, printed) in [
            ("redis://localhost", "redis://localhost:6379"),
            ("redis://localhost:7000/", "redis://localhost:7000"),
            ("valkey://localhost/0", "redis://localhost:6379/0"),
            ("valkeys://localhost", "rediss://localhost:6379"),
            ("redis://[::1]:7000/2", "redis://[::1]:7000/2"),
            (
                "redis://:pw@localhost",
                "redis://:[redacted]@localhost:6379",
            ),
            ("redis://web@localhost", "redis://web@localhost:6379"),
            (
                "rediss://web:p%40ss@cache.example.org:6380/65535",
                "rediss://web:[redacted]@cache.example.org:6380/65535",
            ),
            (
                "redis+unix:///run/redis.sock",
                "redis+unix:///run/redis.sock",
            ),
            (
                "unix:///run/redis.sock?db=2&user=web&pass=pw",
                "redis+unix:///run/redis.sock?db=2&user=web&pass=[redacted]",
            ),
        ] {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), printed, "{text}");
            assert_eq!(format!("{url:?}"), printed);
            assert_eq!(serde_json::to_value(&url).unwrap(), printed);
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        let url: RedisUrl = "redis://w%3Aeb:p%40s%2Fs@localhost".parse().unwrap();
        assert_eq!(url.username.as_deref(), Some("w:eb"));
        assert_eq!(url.password.unwrap().expose(), "p@s/s");
    }

    #[test]
    fn a_plus_is_a_plus_wherever_it_is() {
        let url: RedisUrl = "redis+unix:///run/a+b.sock?user=w+b&pass=p+a%2Bs%20s"
            .parse()
            .unwrap();
        assert_eq!(url.address, Address::Unix("/run/a+b.sock".into()));
        assert_eq!(url.username.as_deref(), Some("w+b"));
        assert_eq!(url.password.unwrap().expose(), "p+a+s s");
        let url: RedisUrl = "redis://w+b:p+s@localhost".parse().unwrap();
        assert_eq!(url.username.as_deref(), Some("w+b"));
        assert_eq!(url.password.unwrap().expose(), "p+s");
    }

    #[test]
    fn an_error_says_what_a_url_looks_like_and_shows_nothing_of_the_text() {
        for text in [
            "",
            "hunter2",
            "localhost:6379",
            "http://web:hunter2@localhost",
            "redis:hunter2",
            "redis://",
            "redis://web:hunter2@",
            "redis://web:hunter2@localhost:port",
            "redis://web:hunter2@localhost:99999",
            "redis://web:hunter2@localhost/hunter2",
            "redis://web:hunter2@localhost/-1",
            "redis://web:hunter2@localhost/65536",
            "redis://web:hunter2@localhost/1/2",
            "redis://web:hunter2@localhost?protocol=hunter2",
            "rediss://web:hunter2@localhost#insecure",
            "redis://web:%FFhunter2@localhost",
            "redis://web:hun#ter2@localhost",
            "redis://web:hun/ter2@localhost",
            "redis://web:hun?ter2@localhost",
            "redis+unix://hunter2/run/redis.sock",
            "redis+unix:///run/redis.sock?password=hunter2",
            "redis+unix:///run/redis.sock?hunter2",
            "redis+unix:///run/redis.sock?db=hunter2",
            "redis+unix:///run/redis.sock#hunter2",
        ] {
            let json = serde_json::Value::from(text);
            let error = serde_json::from_value::<RedisUrl>(json).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("URL of"), "{text}: {shown}");
            assert!(
                !shown.contains("hun") && !shown.contains("ter2"),
                "{text}: {shown}"
            );
        }
    }
}
