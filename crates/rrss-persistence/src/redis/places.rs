//! What the options come to: one server, a cluster, or what sentinels watch.

use rrss_core::{Result, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::credentials::Login;
use super::node::RedisNode;
use super::options::{Options, misfit};
use super::url::RedisUrl;

/// The sentinels that know where the server is, and by which name.
///
/// # Examples
///
/// ```
/// use rrss_persistence::redis::{Options, Redis, SentinelOptions};
///
/// let sentinel = SentinelOptions {
///     master: "mymaster".to_owned(),
///     nodes: vec!["10.0.0.1:26379".parse()?, "10.0.0.2:26379".parse()?, "10.0.0.3:26379".parse()?],
///     username: None,
///     password: None,
/// };
/// Redis::new(Options { sentinel: Some(sentinel), ..Options::default() })?;
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentinelOptions {
    /// The name under which the sentinels watch the server.
    pub master: String,
    /// The sentinels, each as `host:port`, or with TLS as `rediss://host:port`; the port is 26379 where it is left
    /// out. One that answers is enough.
    pub nodes: Vec<RedisNode>,
    /// The user to log in to the sentinels as, where they want one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password of the sentinels, where they want one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// What the options come to.
#[derive(Debug)]
pub(super) enum Place {
    One(Target),
    /// Some nodes of one cluster.
    Cluster(Vec<Target>),
    Sentinel(Watched),
}

/// One server, and who logs in to it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) address: Address,
    pub(super) login: Login,
}

/// A server whose address sentinels know.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) name: String,
    pub(super) sentinels: Vec<Target>,
    pub(super) login: Login,
    pub(super) tls: bool,
}

impl Place {
    /// Whether any server of it is spoken to in TLS.
    pub(super) fn uses_tls(&self) -> bool {
        let any = |targets: &[Target]| targets.iter().any(|target| target.address.uses_tls());
        match self {
            Self::One(target) => target.address.uses_tls(),
            Self::Cluster(seeds) => any(seeds),
            Self::Sentinel(watched) => watched.tls || any(&watched.sentinels),
        }
    }
}

impl Login {
    /// Takes the user and the password of `url`, where it names them.
    pub(super) fn take(&mut self, url: &RedisUrl) {
        if url.username.is_some() {
            self.username.clone_from(&url.username);
        }
        if url.password.is_some() {
            self.password.clone_from(&url.password);
        }
    }

    /// The client would log nobody in, and a user who is meant to be restricted would not be.
    pub(super) fn check(&self, option: &'static str) -> Result<()> {
        if self.username.is_some() && self.password.is_none() {
            let message = "a user logs in with a password; set `password` too";
            return Err(misfit(option, message));
        }
        Ok(())
    }
}

const NODE_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// # Errors
///
/// [`ErrorKind::Config`](rrss_core::ErrorKind::Config), naming an option that does not go with `nodes`.
pub(super) fn cluster(nodes: &[RedisNode], beside: &Options) -> Result<Place> {
    if beside.tls {
        let message =
            "`tls` goes with `host` and `port`; begin each of the `nodes` with `rediss://` instead";
        return Err(misfit("tls", message));
    }
    if beside.database.is_some_and(|number| number != 0) {
        let message = "a Redis Cluster has the database 0 alone; remove `database`";
        return Err(misfit("database", message));
    }
    let login = joint_login(nodes, "nodes", beside.login())?;
    targets(nodes, "nodes", NODE_PORT, &login).map(Place::Cluster)
}

/// # Errors
///
/// [`ErrorKind::Config`](rrss_core::ErrorKind::Config), naming an option that does not go with `sentinel`.
pub(super) fn sentinel(sentinel: SentinelOptions, beside: &Options) -> Result<Place> {
    let SentinelOptions {
        master,
        nodes,
        username,
        password,
    } = sentinel;
    if master.is_empty() {
        let message = "`master` is the name under which the sentinels watch the server";
        return Err(misfit("sentinel", message));
    }
    let own = Login {
        username,
        password,
        database: 0,
        url: None,
    };
    let own = joint_login(&nodes, "sentinel", own)?;
    let login = beside.login();
    login.check("username")?;
    Ok(Place::Sentinel(Watched {
        name: master,
        sentinels: targets(&nodes, "sentinel", SENTINEL_PORT, &own)?,
        login,
        tls: beside.tls,
    }))
}

/// The login that `nodes` have in common: said beside them, or in their URLs, which then agree.
fn joint_login(nodes: &[RedisNode], option: &'static str, beside: Login) -> Result<Login> {
    let mut said = nodes
        .iter()
        .map(|node| (&node.url.username, &node.url.password))
        .filter(|login| *login != (&None, &None));
    let Some((username, password)) = said.next() else {
        beside.check(if option == "nodes" {
            "username"
        } else {
            option
        })?;
        return Ok(beside);
    };
    if beside.username.is_some() || beside.password.is_some() {
        let message = "the user and the password are said in the URLs and beside them; remove them in one place";
        return Err(misfit(option, message));
    }
    if said.any(|other| other != (username, password)) {
        let message = "these servers share one user and password, and their URLs name different ones; set \
                       `username` and `password` in place of them";
        return Err(misfit(option, message));
    }
    let login = Login {
        username: username.clone(),
        password: password.clone(),
        ..beside
    };
    login.check(option)?;
    Ok(login)
}

fn targets(
    nodes: &[RedisNode],
    option: &'static str,
    default_port: u16,
    login: &Login,
) -> Result<Vec<Target>> {
    let targets: Vec<Target> = nodes
        .iter()
        .map(|node| Target {
            address: node.address(default_port),
            login: login.clone(),
        })
        .collect();
    let mut tls = targets.iter().map(|target| target.address.uses_tls());
    let Some(first) = tls.next() else {
        let message = "name at least one server in `nodes`, as `host:port`";
        return Err(misfit(option, message));
    };
    if tls.any(|other| other != first) {
        let message =
            "either all or none of these servers speak TLS; begin each with `rediss://`, or none";
        return Err(misfit(option, message));
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use rrss_core::ErrorKind;
    use serde_json::{Value, json};

    use super::*;

    fn place(options: Value) -> Result<Place> {
        serde_json::from_value::<Options>(options).unwrap().place()
    }

    fn shown(target: &Target) -> String {
        let Login {
            username, password, ..
        } = &target.login;
        format!(
            "{}{}:{}@{}",
            if target.address.uses_tls() {
                "tls "
            } else {
                ""
            },
            username.as_deref().unwrap_or_default(),
            password.as_ref().map(Secret::expose).unwrap_or_default(),
            target.address
        )
    }

    #[test]
    fn nodes_share_one_login_wherever_it_is_said() {
        for (options, first, second) in [
            (
                json!({ "nodes": ["a:1", "redis://b"] }),
                ":@a:1",
                ":@b:6379",
            ),
            (
                json!({ "nodes": ["redis://web:pw@a:1", "b:2"] }),
                "web:pw@a:1",
                "web:pw@b:2",
            ),
            (
                json!({ "nodes": ["rediss://a:1", "rediss://b:2"], "password": "pw", "database": 0 }),
                "tls :pw@a:1",
                "tls :pw@b:2",
            ),
        ] {
            let Place::Cluster(seeds) = place(options).unwrap() else {
                panic!("no cluster");
            };
            assert_eq!(seeds.iter().map(shown).collect::<Vec<_>>(), [first, second]);
        }
    }

    #[test]
    fn sentinels_have_a_login_and_a_port_of_their_own() {
        let Place::Sentinel(watched) = place(json!({
            "sentinel": { "master": "mymaster", "nodes": ["a", "b:1"], "password": "theirs" },
            "username": "web",
            "password": "pw",
            "database": 3,
            "tls": true,
        }))
        .unwrap() else {
            panic!("no sentinels");
        };
        let sentinels: Vec<_> = watched.sentinels.iter().map(shown).collect();
        assert_eq!(sentinels, [":theirs@a:26379", ":theirs@b:1"]);
        assert_eq!(watched.name, "mymaster");
        assert_eq!(watched.login.username.as_deref(), Some("web"));
        assert_eq!(watched.login.password.unwrap().expose(), "pw");
        assert_eq!((watched.login.database, watched.tls), (3, true));
    }

    #[test]
    fn options_that_do_not_go_together_are_refused_at_one_of_them() {
        let sentinel = |more: Value| {
            let mut sentinel = json!({ "master": "m", "nodes": ["a:1"] });
            sentinel
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            sentinel
        };
        for (options, option) in [
            (json!({ "nodes": [] }), "nodes"),
            (
                json!({ "nodes": ["a:1"], "url": "redis://:hunter2@b" }),
                "nodes",
            ),
            (json!({ "nodes": ["a:1"], "host": "b" }), "nodes"),
            (json!({ "nodes": ["a:1"], "port": 1 }), "nodes"),
            (
                json!({ "nodes": ["a:1"], "sentinel": sentinel(json!({})) }),
                "sentinel",
            ),
            (json!({ "nodes": ["a:1"], "tls": true }), "tls"),
            (json!({ "nodes": ["a:1"], "database": 1 }), "database"),
            (json!({ "nodes": ["a:1"], "username": "web" }), "username"),
            (json!({ "nodes": ["redis://web@a:1"] }), "nodes"),
            (json!({ "nodes": ["a:1", "rediss://b:1"] }), "nodes"),
            (
                json!({ "nodes": ["redis://:hunter2@a:1", "redis://:hunter3@b:1"] }),
                "nodes",
            ),
            (
                json!({ "nodes": ["redis://:hunter2@a:1"], "password": "hunter2" }),
                "nodes",
            ),
            (
                json!({ "sentinel": sentinel(json!({})), "url": "redis://b" }),
                "sentinel",
            ),
            (
                json!({ "sentinel": sentinel(json!({ "master": "" })) }),
                "sentinel",
            ),
            (
                json!({ "sentinel": sentinel(json!({ "nodes": [] })) }),
                "sentinel",
            ),
            (
                json!({ "sentinel": sentinel(json!({ "username": "web" })) }),
                "sentinel",
            ),
            (
                json!({ "sentinel": sentinel(json!({})), "username": "web" }),
                "username",
            ),
        ] {
            let error = place(options.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.option(), Some(option), "{options}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter"));
        }
    }

    #[test]
    fn passwords_are_neither_printed_nor_serialised() {
        let options: Options = serde_json::from_value(json!({
            "nodes": ["redis://web:hunter2@a:1"],
            "sentinel": { "master": "m", "nodes": ["redis://:hunter2@b:1"], "password": "hunter2" },
        }))
        .unwrap();
        let shown = format!("{options:?} {}", serde_json::to_string(&options).unwrap());
        assert!(shown.contains("redis://web:[redacted]@a:1"), "{shown}");
        assert!(!shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn the_schema_describes_what_is_said_of_sentinels() {
        let schema = serde_json::to_value(schemars::schema_for!(SentinelOptions)).unwrap();
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}");
        }
    }
}
