//! What is promised of the stores side by side, all of it against peers in the same rounds.

use rrss_test_servers::Flavor;

use super::{actix_session, raw, rrss as ours, tower_sessions};
use crate::corpus::Size;
use crate::peer::Doing;
use crate::promise::{Promise, RATIO};
use crate::report::{Compare, Group};

/// With how many tasks at once it is promised.
const TASKS: usize = 64;

/// What is promised of operations a second, and of processor time, for sessions of 1 KB.
pub fn of_times(
    group: &Group,
    flavor: Flavor,
    size: Size,
    doing: Doing,
    tasks: usize,
) -> Vec<Promise> {
    if size != Size::Medium || tasks != TASKS {
        return Vec::new();
    }
    let (tower, actix) = (tower_sessions::CLIENT, actix_session::NAME);
    let rate = |name: &str, other: &str, limit| Promise {
        what: format!(
            "operations a second, {}, {name} against {other}",
            group.title
        ),
        compare: Compare::Rate,
        limit,
        measured: group.ratio_against(name, other),
        unit: RATIO,
    };
    match doing {
        Doing::Load => vec![
            rate(ours::DEFAULT, tower, 2.2),
            rate(ours::DEFAULT, actix, 1.8),
            rate(ours::DEFAULT, raw::REDIS_RS, 0.75),
            rate(ours::CACHE, tower, 20.0),
            Promise {
                what: format!(
                    "processor time, {}, {} against {}",
                    group.title,
                    ours::DEFAULT,
                    raw::REDIS_RS
                ),
                compare: Compare::Time,
                limit: 1.6,
                measured: group.cpu_ratio(ours::DEFAULT, raw::REDIS_RS),
                unit: RATIO,
            },
        ],
        Doing::Request => Vec::new(),
        Doing::Save => {
            // Valkey compares by itself. On Redis 7 a script has to.
            let (than_tower, than_actix) = match flavor {
                Flavor::Valkey => (1.8, 1.2),
                _ => (1.2, 0.9),
            };
            vec![
                rate(ours::DEFAULT, tower, than_tower),
                rate(ours::DEFAULT, actix, than_actix),
                rate(ours::LAST_WRITE, tower, 1.8),
                rate(ours::LAST_WRITE, actix, 1.2),
            ]
        }
    }
}

/// What is promised of the server's memory.
pub fn of_memory(group: &Group, size: Size) -> Option<Promise> {
    let limit = match size {
        Size::Small => 0.55,
        Size::Medium => 0.3,
        Size::Large => return None,
    };
    Some(Promise {
        what: format!(
            "{}, {} against {}",
            group.title,
            ours::DICTIONARY,
            tower_sessions::CLIENT
        ),
        compare: Compare::Memory,
        limit,
        measured: group.ratio(ours::DICTIONARY),
        unit: RATIO,
    })
}
