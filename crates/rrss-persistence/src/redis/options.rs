//! The options of the `redis` step.

use std::net::Ipv6Addr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use rrss_core::{BuildContext, DurationOption, Error, ErrorKind, Result, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::address::Address;
use super::certificates::Certificates;
use super::connection::Limits;
use super::credentials::Login;
use super::hash::{Bounds, Compat, Layout, bounds};
use super::node::RedisNode;
use super::places::{self, Place, SentinelOptions, Target};
use super::url::RedisUrl;

/// Keeps sessions in Redis or Valkey, one server or many, which removes them by itself at their deadline.
///
/// Say where it is in one way: with `url`; with `host` and `port`; with `nodes`, for a Redis Cluster; or with
/// `sentinel`, for a server that sentinels watch. It needs Redis 7.0 or Valkey, or a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the server is: `redis://user:password@host:port/database`; `rediss://…` connects with TLS,
    /// `redis+unix:///path/to/socket` over a socket of this machine.
    ///
    /// What it leaves out may be said by `username`, `password` and `database`. As `{ file = "path" }` its user and password
    /// are read again for each new connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<RedisUrl>,
    /// The server's host name or IP address, in place of `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = DEFAULT_HOST))]
    pub host: Option<String>,
    /// The server's port, in place of `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = DEFAULT_PORT))]
    pub port: Option<u16>,
    /// Some nodes of a Redis Cluster, in place of `url`: each as `host:port`, as `redis://user:password@host:port`,
    /// or with TLS as `rediss://host:port`.
    ///
    /// One that answers is enough to find the others. All of them take the same user and password, and all or none
    /// speak TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<RedisNode>>,
    /// The sentinels that know the server, in place of `url`: `{ master = "mymaster", nodes = ["host:port"] }`.
    ///
    /// `username`, `password`, `database` and `tls` beside it are those of the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<SentinelOptions>,
    /// Whether to connect with TLS to `host` and `port`, or to the server that `sentinel` finds. The server's
    /// certificate is checked.
    pub tls: bool,
    /// With TLS: the authorities that vouch for the server, in place of those that this system trusts; a file of
    /// certificates in PEM.
    ///
    /// It is what `redis-cli` calls `--cacert`. The files of `cacert`, `cert` and `key` are read again for each new
    /// connection; relative paths start in the directory of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cacert: Option<PathBuf>,
    /// With TLS: the certificate that this client shows, where the server wants one (`tls-auth-clients`); a file in PEM. It
    /// goes with `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// With TLS: the private key of `cert`; a file in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The user to log in as, where the server has more than the one called `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password to log in with.
    ///
    /// As `{ file = "path" }` it is read again for each new connection, so that it can be changed while sessions are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The number of the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 0))]
    pub database: Option<u16>,
    /// How a session is stored: `"string"`, the bytes that the steps above made of it; `"hash"`, a hash with an entry for each
    /// field, of which a save writes those that changed. With `"hash"` no codec stands above.
    pub layout: Layout,
    /// With which other program sessions are shared: `"rrss-0.2"`, the rrss of Clojure. It needs `layout = "hash"` and one
    /// server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compat: Option<Compat>,
    /// With `compat`: how long after its last write that program ends a session. Say what is set there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "7d"))]
    pub compat_duration: Option<DurationOption>,
    /// With `layout = "hash"`: the most fields of a session. Saving one with more is an error; so is loading one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = bounds::FIELDS))]
    pub max_fields: Option<NonZeroUsize>,
    /// With `layout = "hash"`: the largest session, in bytes of names and of values as JSON. Saving a larger one is an error; so is
    /// loading one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = bounds::BYTES))]
    pub max_bytes: Option<NonZeroUsize>,
    /// How long each command may take.
    #[serde(deserialize_with = "not_zero")]
    pub timeout: DurationOption,
    /// How long connecting may take: name look-up, TLS and login included.
    #[serde(deserialize_with = "not_zero")]
    pub connect_timeout: DurationOption,
}

const DEFAULT_HOST: &str = "localhost";
const DEFAULT_PORT: u16 = 6379;
/// What the Clojure rrss takes where nothing is said.
const A_WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Default for Options {
    fn default() -> Self {
        let two_seconds = DurationOption::new(Duration::from_secs(2));
        Self {
            url: None,
            host: None,
            port: None,
            nodes: None,
            sentinel: None,
            tls: false,
            cacert: None,
            cert: None,
            key: None,
            username: None,
            password: None,
            database: None,
            layout: Layout::default(),
            compat: None,
            compat_duration: None,
            max_fields: None,
            max_bytes: None,
            timeout: two_seconds,
            connect_timeout: two_seconds,
        }
    }
}

impl Options {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            connect: self.connect_timeout.get(),
            command: self.timeout.get(),
        }
    }

    /// # Errors
    ///
    /// [`ErrorKind::Config`] where options do not go together, naming one of them.
    pub(super) fn place(self) -> Result<Place> {
        for (name, limit) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if limit.get().is_zero() {
                return Err(misfit(name, TOO_SHORT));
            }
        }
        self.refuse_two_ways()?;
        self.refuse_compat()?;
        self.refuse_bounds()?;
        let certificates = self.certificates()?;
        let place = self.where_it_is()?;
        match certificates.given() {
            Some(option) if !place.uses_tls() => Err(misfit(option, NO_TLS)),
            _ => Ok(place),
        }
    }

    fn where_it_is(mut self) -> Result<Place> {
        if let Some(nodes) = self.nodes.take() {
            return places::cluster(&nodes, &self);
        }
        if let Some(sentinel) = self.sentinel.take() {
            return places::sentinel(sentinel, &self);
        }
        self.target().map(Place::One)
    }

    /// # Errors
    ///
    /// As [`Certificates::new`].
    pub(super) fn certificates(&self) -> Result<Certificates> {
        let (cacert, cert, key) = (&self.cacert, &self.cert, &self.key);
        Certificates::new(cacert.clone(), cert.clone(), key.clone())
    }

    /// Relative paths start from where `context` says.
    pub(super) fn resolved(mut self, context: &BuildContext) -> Self {
        for path in [&mut self.cacert, &mut self.cert, &mut self.key]
            .into_iter()
            .flatten()
        {
            *path = context.resolve(path);
        }
        self
    }

    fn refuse_two_ways(&self) -> Result<()> {
        let ways = [
            ("sentinel", self.sentinel.is_some()),
            ("nodes", self.nodes.is_some()),
            ("url", self.url.is_some()),
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
        ];
        let mut said = ways.into_iter().filter(|(_, is_said)| *is_said);
        match (said.next(), said.next()) {
            (Some((first @ ("sentinel" | "nodes"), _)), Some(_)) => Err(misfit(
                first,
                "there are two ways here to say where the server is; leave one of `url`, `host` and `port`, \
                 `nodes`, `sentinel`",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a sharing that cannot be.
    fn refuse_compat(&self) -> Result<()> {
        let (option, message) = match (self.compat, self.compat_duration) {
            (None, Some(_)) => (
                "compat_duration",
                "`compat_duration` goes with `compat`; write `compat = \"rrss-0.2\"`, or leave it out",
            ),
            (Some(_), _) if self.layout != Layout::Hash => (
                "compat",
                "the Clojure rrss keeps sessions as hashes; write `layout = \"hash\"`, and remove the codec",
            ),
            (Some(_), _) if self.nodes.is_some() => (
                "compat",
                "in a Redis Cluster `sessions:all` is on another node than most sessions, and cannot be kept in step with \
                 them; name one server with `url`, or leave `compat` out",
            ),
            (_, Some(duration)) if duration.get().is_zero() => (
                "compat_duration",
                "a duration of zero ends every session as it is saved; write what the Clojure rrss has, such as \"7d\"",
            ),
            _ => return Ok(()),
        };
        Err(misfit(option, message))
    }

    /// How long after its last write a session ends, where sessions are shared.
    pub(super) fn shared_duration(&self) -> Option<Duration> {
        self.compat
            .map(|_| self.compat_duration.map_or(A_WEEK, DurationOption::get))
    }

    /// How large sessions may be, as hashes.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            fields: self.max_fields.map_or(bounds::FIELDS, NonZeroUsize::get),
            bytes: self.max_bytes.map_or(bounds::BYTES, NonZeroUsize::get),
        }
    }

    /// Refuses bounds that the codec has.
    fn refuse_bounds(&self) -> Result<()> {
        let said = [
            ("max_fields", self.max_fields.is_some()),
            ("max_bytes", self.max_bytes.is_some()),
        ];
        match said.into_iter().find(|(_, is_said)| *is_said) {
            Some((option, _)) if self.layout != Layout::Hash => Err(misfit(option, OF_THE_CODEC)),
            _ => Ok(()),
        }
    }

    /// # Errors
    ///
    /// [`ErrorKind::Config`] where these are the options of the other backend.
    pub(super) fn expect_layout(&self, layout: Layout) -> Result<()> {
        match (self.layout, layout) {
            (Layout::String, Layout::Hash) => Err(misfit(
                "layout",
                "`Hashes` keeps sessions as hashes; say `Layout::Hash`, or use `Redis`",
            )),
            (Layout::Hash, Layout::String) => Err(misfit(
                "layout",
                "`Redis` keeps sessions as strings; say `Layout::String`, or use `Hashes`",
            )),
            _ => Ok(()),
        }
    }

    fn target(self) -> Result<Target> {
        let named_by = if self.username.is_some() {
            "username"
        } else {
            "url"
        };
        let (address, login) = match &self.url {
            None => (self.host_and_port()?, self.login()),
            Some(url) => {
                self.refuse_beside(url)?;
                let login = Login {
                    username: self.username.or_else(|| url.username.clone()),
                    password: self.password.or_else(|| url.password.clone()),
                    database: self.database.or(url.database).unwrap_or_default(),
                    url: url.source.clone().map(|text| (text, url.address.clone())),
                };
                (url.address.clone(), login)
            }
        };
        login.check(named_by)?;
        Ok(Target { address, login })
    }

    pub(super) fn login(&self) -> Login {
        Login {
            username: self.username.clone(),
            password: self.password.clone(),
            database: self.database.unwrap_or_default(),
            url: None,
        }
    }

    /// What would say a second time what the URL says.
    fn refuse_beside(&self, url: &RedisUrl) -> Result<()> {
        const OTHER_PLACE: &str =
            "`url` says where the server is; remove it, or remove `host` and `port`";
        const SAID_TWICE: &str = "`url` says this already; remove it here or there";
        let tls = "`tls` goes with `host` and `port`; a `url` begins with `rediss://` instead";
        for (name, clashes, message) in [
            ("host", self.host.is_some(), OTHER_PLACE),
            ("port", self.port.is_some(), OTHER_PLACE),
            ("tls", self.tls, tls),
            (
                "username",
                self.username.is_some() && url.username.is_some(),
                SAID_TWICE,
            ),
            (
                "password",
                self.password.is_some() && url.password.is_some(),
                SAID_TWICE,
            ),
            (
                "database",
                self.database.is_some() && url.database.is_some(),
                SAID_TWICE,
            ),
        ] {
            if clashes {
                return Err(misfit(name, message));
            }
        }
        Ok(())
    }

    fn host_and_port(&self) -> Result<Address> {
        let host = self.host.as_deref().unwrap_or(DEFAULT_HOST);
        let of_a_name = |c: char| c.is_alphanumeric() || ['.', '-', '_'].contains(&c);
        if host.is_empty() || !(host.chars().all(of_a_name) || host.parse::<Ipv6Addr>().is_ok()) {
            return Err(misfit(
                "host",
                "not a host name or an IP address; the port goes into `port`, and a whole URL into `url`",
            ));
        }
        Ok(Address::Tcp {
            host: host.to_owned(),
            port: self.port.unwrap_or(DEFAULT_PORT),
            tls: self.tls,
        })
    }
}

const NO_TLS: &str = "certificates are of TLS, and nothing here speaks it; begin the URL with `rediss://`, or set `tls = true` beside \
     `host` or `sentinel`";
const OF_THE_CODEC: &str = "without `layout = \"hash\"` the codec above says how large a session may be; write this at the \
     `json-codec` step";
const TOO_SHORT: &str = "a limit of zero lets nothing through; leave it out for two seconds";

pub(super) fn misfit(option: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Config, message).with_option(option)
}

fn not_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    let limit = DurationOption::deserialize(deserializer)?;
    if limit.get().is_zero() {
        return Err(de::Error::custom(TOO_SHORT));
    }
    Ok(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn target(options: Value) -> Result<Target> {
        match serde_json::from_value::<Options>(options)
            .unwrap()
            .place()?
        {
            Place::One(target) => Ok(target),
            other => panic!("not one server: {other:?}"),
        }
    }

    #[test]
    fn every_way_to_say_where_the_server_is() {
        for (options, address, login) in [
            (json!({}), "localhost:6379", (None, None, 0)),
            (
                json!({ "host": "::1", "port": 7000, "database": 3 }),
                "[::1]:7000",
                (None, None, 3),
            ),
            (
                json!({ "url": "redis://web:pw@cache.example.org/3" }),
                "cache.example.org:6379",
                (Some("web"), Some("pw"), 3),
            ),
            (
                json!({ "url": "redis://web@localhost:1", "password": "pw", "database": 4 }),
                "localhost:1",
                (Some("web"), Some("pw"), 4),
            ),
        ] {
            let target = target(options).unwrap();
            assert_eq!(target.address.to_string(), address);
            let found = target.login;
            let password = found.password.as_ref().map(Secret::expose);
            assert_eq!((found.username.as_deref(), password, found.database), login);
        }
    }

    #[test]
    fn options_that_do_not_go_together_are_refused_at_one_of_them() {
        let url = "redis://web:hunter2@localhost/1";
        for (options, option) in [
            (json!({ "url": url, "host": "localhost" }), "host"),
            (json!({ "url": url, "port": 6379 }), "port"),
            (json!({ "url": url, "tls": true }), "tls"),
            (json!({ "url": url, "username": "hunter2" }), "username"),
            (json!({ "url": url, "password": "hunter2" }), "password"),
            (json!({ "url": url, "database": 1 }), "database"),
            (json!({ "url": "redis://web@localhost" }), "url"),
            (json!({ "username": "web" }), "username"),
            (json!({ "host": "" }), "host"),
            (json!({ "host": "localhost:6379" }), "host"),
            (json!({ "host": "redis://hunter2@localhost" }), "host"),
        ] {
            let error = target(options.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.option(), Some(option), "{options}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_limit_of_zero_is_refused_in_a_file_and_in_code() {
        for name in ["timeout", "connect_timeout"] {
            let error = serde_json::from_value::<Options>(json!({ name: "0s" })).unwrap_err();
            assert!(error.to_string().contains("zero"), "{error}");
        }
        let error = Options {
            timeout: DurationOption::new(Duration::ZERO),
            ..Options::default()
        }
        .place()
        .unwrap_err();
        assert_eq!(error.option(), Some("timeout"));
    }

    #[test]
    fn options_print_and_serialise_without_the_password() {
        let options: Options = serde_json::from_value(json!({
            "url": "redis://web:hunter2@localhost",
            "password": "hunter3",
        }))
        .unwrap();
        let shown = format!("{options:?} {}", serde_json::to_string(&options).unwrap());
        assert!(shown.contains("redis://web:[redacted]@localhost:6379"));
        assert!(!shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn the_schema_says_the_defaults_and_describes_every_option() {
        let schema = serde_json::to_value(schemars::schema_for!(Options)).unwrap();
        for (name, default) in [
            ("host", json!("localhost")),
            ("port", json!(6379)),
            ("tls", json!(false)),
            ("database", json!(0)),
            ("layout", json!("string")),
            ("compat_duration", json!("7d")),
            ("max_fields", json!(1000)),
            ("max_bytes", json!(1_048_576)),
            ("timeout", json!("2s")),
            ("connect_timeout", json!("2s")),
        ] {
            assert_eq!(schema["properties"][name]["default"], default, "{name}");
        }
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}");
        }
    }
}
