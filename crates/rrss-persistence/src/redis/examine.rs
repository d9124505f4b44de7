//! What `rrss check --connect` tells of a server: whether it has what the pipeline needs.

use std::collections::BTreeMap;

use redis::{Cmd, Value};
use rrss_core::{Error, Finding, Needs, Result};

use super::clock::ClockOffset;
use super::connection::Server;
use super::failure::Doing;
use super::link::Link;
use super::memory::{self, Memory};
use super::rights::{self, Stored};

/// The oldest version of Redis that has all commands which are sent.
const OLDEST: u64 = 7;

/// What is found on each server that keeps sessions.
///
/// # Errors
///
/// Where no server is reached.
pub(super) async fn examine(link: &Link, needs: &Needs, stored: Stored) -> Result<Vec<Finding>> {
    let servers = link.servers().await?;
    let mut findings = Vec::new();
    for server in &servers {
        let mut found = one(server, needs, stored, link.is_cluster()).await;
        if servers.len() > 1 {
            for finding in &mut found {
                finding.topic = format!("{} of {}", finding.topic, server.address());
            }
        }
        findings.extend(found);
    }
    Ok(findings)
}

async fn one(server: &Server, needs: &Needs, stored: Stored, on_cluster: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut hello = Cmd::new();
    hello.arg("HELLO");
    match server.ask(Doing::Ping, &hello.into()).await {
        Ok(hello) => findings.extend(identity(&text_map(hello))),
        Err(error) => findings.push(unknown("version", "hello", &error)),
    }
    let question = rights::question(needs, stored, on_cluster);
    match server.ask(Doing::Ping, &question.into()).await {
        Ok(answer) => findings.push(of_rights(&texts(answer), needs)),
        Err(error) => findings.push(Finding::fatal(
            "rights",
            format!("not known: {}", error.message()),
            "allow `EVAL`: rrss changes sessions by scripts",
        )),
    }
    match server.ask(Doing::Ping, &memory::question().into()).await {
        Ok(info) => {
            let info = Memory::read(&info);
            findings.push(info.eviction(needs));
            findings.push(info.room());
        }
        Err(error) => findings.push(unknown("eviction and room", "info", &error)),
    }
    findings.push(of_clock(server.clock()));
    findings
}

/// What [`HELLO`](https://redis.io/docs/latest/commands/hello/) says of the server, which needs no right beyond that of
/// connecting.
fn identity(hello: &BTreeMap<String, String>) -> Vec<Finding> {
    let said = |name: &str| hello.get(name).map_or("", String::as_str);
    let (server, version) = (said("server"), said("version"));
    let is_redis = server == "redis";
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u64>().ok());
    let name = match server {
        "redis" => "Redis",
        "valkey" => "Valkey",
        other => other,
    };
    let version = format!("{name} {version}");
    let is_old = is_redis && major.is_some_and(|major| major < OLDEST);
    let mut findings = vec![if is_old {
        Finding::fatal(
            "version",
            version,
            "use Redis 7.0 or newer, or Valkey: older servers lack `PEXPIRETIME`",
        )
    } else {
        Finding::fine("version", version)
    }];
    findings.push(match said("role") {
        "master" => Finding::fine("role", "primary"),
        "replica" => Finding::fatal(
            "role",
            "replica",
            "a replica takes no writes; name the primary, or its sentinels",
        ),
        other => Finding::warning(
            "role",
            other,
            "rrss knows primaries and replicas; see that this server takes writes",
        ),
    });
    findings
}

/// Without these rights the store works, and something stays unknown. Another finding says what.
const OPTIONAL: [&str; 2] = ["info", "time"];

fn of_rights(answer: &[String], needs: &Needs) -> Finding {
    if answer == ["?"] {
        return Finding::warning(
            "rights",
            "not known",
            "a server before Redis 7.0 does not say what a user may do",
        );
    }
    let list = |is_unknown: bool| -> Vec<&str> {
        let of_kind = answer
            .iter()
            .filter(|name| name.starts_with('!') == is_unknown);
        let names = of_kind.map(|name| name.trim_start_matches('!'));
        names.filter(|name| !OPTIONAL.contains(name)).collect()
    };
    let quoted = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let (missing, unknown) = (list(false), list(true));
    if !unknown.is_empty() {
        return Finding::fatal(
            "rights",
            format!("the server does not know {}", quoted(&unknown)),
            "use a server that has these commands under their own names",
        );
    }
    if missing.is_empty() {
        return Finding::fine("rights", "all that the pipeline needs");
    }
    let prefix = needs
        .key_space
        .as_ref()
        .map_or("PREFIX", |space| space.prefix());
    Finding::fatal(
        "rights",
        format!(
            "missing {}, or keys that begin with `{prefix}`",
            quoted(&missing)
        ),
        format!("`ACL SETUSER … ~{prefix}* +{}`", missing.join(" +")),
    )
}

fn of_clock(offset: Option<ClockOffset>) -> Finding {
    let Some(offset) = offset else {
        return Finding::warning(
            "clock",
            "not known: the user lacks the right `time`",
            "`ACL SETUSER … +time`: sessions end by the clock of the server",
        );
    };
    let seconds = offset.ahead.unsigned_abs() as f64 / 1000.0;
    let direction = if offset.ahead < 0 {
        "behind"
    } else {
        "ahead of"
    };
    let found = format!("the server is {seconds:.1} s {direction} this machine");
    if offset.is_large() {
        Finding::warning(
            "clock",
            found,
            "let NTP (chrony, for example) set the clocks of both machines",
        )
    } else if offset.ahead.unsigned_abs() < 1_000 {
        Finding::fine("clock", "as on this machine")
    } else {
        Finding::fine("clock", found)
    }
}

fn unknown(topic: &str, right: &str, error: &Error) -> Finding {
    Finding::warning(
        topic,
        format!("not known: {}", error.message()),
        format!("`ACL SETUSER … +{right}` lets this command find out"),
    )
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.clone(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        _ => Vec::new(),
    }
}

fn text_map(value: Value) -> BTreeMap<String, String> {
    match value {
        Value::Map(pairs) => pairs
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect(),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use rrss_core::Severity;

    use super::*;

    fn hello(server: &str, version: &str, role: &str) -> Vec<Severity> {
        let said = [("server", server), ("version", version), ("role", role)];
        let said = said.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let findings = identity(&BTreeMap::from(said));
        findings.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn a_server_that_is_too_old_and_a_replica_are_fatal() {
        use Severity::{Fatal, Fine, Warning};
        for (server, version, role, expected) in [
            ("redis", "7.0.15", "master", [Fine, Fine]),
            ("redis", "8.2.1", "master", [Fine, Fine]),
            ("valkey", "9.1.0", "master", [Fine, Fine]),
            ("redis", "6.2.14", "master", [Fatal, Fine]),
            ("redis", "7.0.15", "replica", [Fine, Fatal]),
            ("valkey", "9.1.0", "", [Fine, Warning]),
        ] {
            assert_eq!(
                hello(server, version, role),
                expected,
                "{server} {version} {role}"
            );
        }
    }

    #[test]
    fn a_clock_that_differs_by_more_than_five_seconds_is_a_warning_with_advice() {
        for (ahead, severity, found) in [
            (0, Severity::Fine, "as on this machine"),
            (-1_500, Severity::Fine, "1.5 s behind this machine"),
            (600_000, Severity::Warning, "600.0 s ahead of this machine"),
        ] {
            let finding = of_clock(Some(ClockOffset { ahead, within: 1 }));
            assert_eq!(finding.severity, severity);
            assert!(finding.found.ends_with(found), "{finding:?}");
            let is_warning = severity == Severity::Warning;
            assert_eq!(
                finding.advice.is_some_and(|advice| advice.contains("NTP")),
                is_warning
            );
        }
        assert!(of_clock(None).found.contains("`time`"));
    }
}
