//! Answers after which a connection is given up, since another one may reach a server that is of use.
//!
//! Behind one address there may be another server after a failover, and a master may have become a replica; the old
//! connection stays with the old one. A server that wants a password by now lets in who logs in again.

use redis::{RedisError, Value};

/// The error codes, wherever in an answer they are. What was refused so was not done.
const CODES: [&str; 6] = [
    "NOAUTH",
    // It is a replica,
    "READONLY",
    // which does not reach its master,
    "MASTERDOWN",
    // or has not loaded what it knows.
    "LOADING",
    // It is a master that was cut off from its replicas,
    "NOREPLICAS",
    // or from most of the other masters.
    CLUSTERDOWN,
];

/// Each node of a Redis Cluster says this while one part of it is down. The connection to a node is to no other server,
/// so it is kept, and the nodes are looked for.
const CLUSTERDOWN: &str = "CLUSTERDOWN";

/// Whether the error says so, or a transaction was discarded for it.
pub(super) fn is_asked_by(error: &RedisError) -> bool {
    let (code, _) = reason(error.code().unwrap_or_default(), error.detail());
    CODES.contains(&code)
}

/// The same, over a connection to one of the nodes of a Redis Cluster.
pub(super) fn is_asked_by_node(error: &RedisError) -> bool {
    is_asked_by(error) && error.code() != Some(CLUSTERDOWN)
}

/// The first error in a reply, nested ones included, that is as `wanted`.
pub(super) fn find(reply: &Value, wanted: fn(&RedisError) -> bool) -> Option<RedisError> {
    match reply {
        Value::Array(replies) => replies.iter().find_map(|reply| find(reply, wanted)),
        Value::ServerError(error) => {
            let error = RedisError::from(error.clone());
            wanted(&error).then_some(error)
        }
        _ => None,
    }
}

/// The code and the text of an error, or of the one for which a transaction was discarded.
pub(super) fn reason<'e>(code: &'e str, text: Option<&'e str>) -> (&'e str, &'e str) {
    let text = text.unwrap_or_default();
    match text.strip_prefix("Transaction discarded because of: ") {
        Some(cause) if code == "EXECABORT" => cause.split_once(' ').unwrap_or((cause, "")),
        _ => (code, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reply: &str) -> Value {
        redis::parse_redis_value(reply.as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_that_another_server_may_not_give_is_found_wherever_it_is() {
        for (reply, code) in [
            ("-NOAUTH Authentication required.\r\n", Some("NOAUTH")),
            (
                "*2\r\n+OK\r\n-READONLY You can't write\r\n",
                Some("READONLY"),
            ),
            (
                "*2\r\n+OK\r\n*2\r\n:1\r\n-LOADING Redis\r\n",
                Some("LOADING"),
            ),
            ("*1\r\n*1\r\n*1\r\n-MASTERDOWN Link\r\n", Some("MASTERDOWN")),
            ("-NOREPLICAS Not enough\r\n", Some("NOREPLICAS")),
            ("-CLUSTERDOWN The cluster is down\r\n", Some("CLUSTERDOWN")),
            (
                "*1\r\n-EXECABORT Transaction discarded because of: READONLY You can't write\r\n",
                Some("EXECABORT"),
            ),
            (
                "-EXECABORT Transaction discarded because of previous errors.\r\n",
                None,
            ),
            ("*2\r\n-OOM no memory\r\n-NOPERM no\r\n", None),
            ("$6\r\nNOAUTH\r\n", None),
            ("_\r\n", None),
        ] {
            let found = find(&read(reply), is_asked_by);
            assert_eq!(found.as_ref().and_then(RedisError::code), code, "{reply}");
        }
    }

    #[test]
    fn a_node_of_a_cluster_that_is_down_is_kept_to() {
        for (reply, is_found) in [
            ("-CLUSTERDOWN The cluster is down\r\n", false),
            ("*1\r\n-LOADING Redis\r\n", true),
        ] {
            assert_eq!(find(&read(reply), is_asked_by_node).is_some(), is_found);
        }
    }
}
