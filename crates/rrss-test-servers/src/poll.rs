//! Waits for what servers agree on among themselves.

use std::time::{Duration, Instant};

/// Agreement takes a few seconds; on a machine that is busy with other tests, several times that.
const LIMIT: Duration = Duration::from_secs(60);

/// Tries until `attempt` returns a value, and returns it.
///
/// # Panics
///
/// When that takes too long, with `what` was waited for and the last reason why not.
pub(crate) fn until<T>(what: &str, attempt: impl FnMut() -> Result<T, String>) -> T {
    until_within(LIMIT, what, attempt)
}

fn until_within<T>(
    limit: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Result<T, String>,
) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(reason) if start.elapsed() > limit => {
                panic!("{what}: not after {} s: {reason}", limit.as_secs())
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_returned() {
        let mut attempts = 0;
        let value = until("a third attempt", || {
            attempts += 1;
            (attempts == 3).then_some("value").ok_or_else(String::new)
        });
        assert_eq!((value, attempts), ("value", 3));
    }

    #[test]
    #[should_panic(expected = "a master: not after 0 s: none answers")]
    fn the_limit_is_told_with_the_last_reason() {
        until_within::<()>(
            Duration::ZERO,
            "a master",
            || Err("none answers".to_owned()),
        );
    }
}
