//! Runs in which a promise was not kept once. Each is as small as it could be made.
//!
//! Which command of an operation meets a fault is not known beforehand, so those runs try each.

use rrss_weather::World;
use rrss_weather::prelude::*;

const MINUTE: i64 = 60 * 1000;

/// Holds the run that `scenario` makes for each of the first commands of an operation.
fn at_each_command(last: u32, scenario: impl Fn(u32) -> Scenario) {
    let mut world = World::start(scenario(1).backend);
    for nth in 1..=last {
        scenario(nth).holds_on(&mut world);
    }
}

#[test]
fn a_refused_create_stores_nothing() {
    for (backend, right) in [
        (Redis7, "zadd"),
        (Redis8, "zadd"),
        (Valkey, "pexpireat"),
        (Cluster, "zadd"),
    ] {
        Scenario {
            backend,
            setup: Setup::default(),
            events: vec![Forbid(right), Do(0, Create(0, 1)), Allow],
        }
        .holds();
    }
}

#[test]
fn a_full_server_leaves_no_session_without_its_entry() {
    let mut events = vec![Do(0, Create(0, 1)), Full(true)];
    for _ in 0..8 {
        events.extend([Wait(300), Do(0, Load(0))]);
    }
    events.push(Full(false));
    Scenario {
        backend: Redis7,
        setup: Setup {
            duration: 1_500,
            renew: true,
            ..Setup::default()
        },
        events,
    }
    .holds();
}

#[test]
fn a_clock_that_is_ahead_misses_no_session() {
    Scenario {
        backend: Redis7,
        setup: Setup {
            duration: 5 * 60 * 1000,
            clocks: vec![(0, 0), (10 * MINUTE, 0)],
            ..Setup::default()
        },
        events: vec![
            Do(0, Create(0, 1)),
            Do(1, Find(1)),
            Do(1, Revoke(1)),
            Do(0, Load(0)),
        ],
    }
    .holds();
}

#[test]
fn a_clock_that_is_behind_loses_no_login() {
    Scenario {
        backend: Redis7,
        setup: Setup {
            clocks: vec![(0, 0), (-40 * MINUTE, 0)],
            ..Setup::default()
        },
        events: vec![Do(1, Create(0, 1)), Do(1, Load(0))],
    }
    .holds();
}

#[test]
fn a_rotation_counts_once_for_a_limit() {
    at_each_command(24, |nth| Scenario {
        backend: Redis7,
        setup: Setup {
            limit: Limit::EvictOldest(2),
            ..Setup::default()
        },
        events: vec![
            Do(0, Create(0, 1)),
            Meet(0, "*", nth, Hold),
            Begin(0, Rotate(0, Nothing)),
            Join,
            Do(1, Create(1, 1)),
            Do(1, Find(1)),
        ],
    });
}

#[test]
fn the_last_write_takes_no_index_entry_from_a_live_session() {
    at_each_command(16, |nth| Scenario {
        backend: Redis7,
        setup: Setup {
            conflict: Conflict::LastWrite,
            ..Setup::default()
        },
        events: vec![
            Do(0, Create(0, 1)),
            Do(1, Load(0)),
            Meet(1, "*", nth, Hold),
            Begin(1, Save(0, SetA)),
            Join,
            Do(0, Save(0, User(2))),
        ],
    });
}

#[test]
fn a_touch_moves_the_deadline_of_the_value_that_it_indexes() {
    at_each_command(5, |nth| Scenario {
        backend: Redis7,
        setup: Setup {
            duration: 2_000,
            ..Setup::default()
        },
        events: vec![
            Do(0, Create(0, 1)),
            Meet(0, "*", nth, Hold),
            Begin(0, TouchUntil(0, 20 * MINUTE)),
            Join,
            Do(1, Save(0, User(2))),
            Calm,
            Join,
            Wait(2_500),
        ],
    });
}

#[test]
fn an_entry_until_the_year_9999_that_was_put_again_stays() {
    at_each_command(24, |nth| Scenario {
        backend: Redis7,
        setup: Setup::default(),
        events: vec![
            Do(0, Create(0, 1)),
            Do(0, Save(0, Forever)),
            Meet(0, "*", nth, Hold),
            Begin(0, Save(0, User(2))),
            Join,
            Do(1, Save(0, User(1))),
        ],
    });
}

#[test]
fn a_save_at_a_limit_that_fails_stores_nothing() {
    at_each_command(24, |nth| Scenario {
        backend: Redis7,
        setup: Setup {
            limit: Limit::EvictOldest(1),
            ..Setup::default()
        },
        events: vec![
            Do(0, Create(0, 0)),
            Meet(0, "*", nth, RefuseForbidden),
            Do(0, Save(0, User(1))),
        ],
    });
}

#[test]
fn a_rotation_whose_answer_is_lost_leaves_the_session_with_its_holder() {
    for fault in [Swallow, CutAfter] {
        at_each_command(14, |nth| Scenario {
            backend: Redis7,
            setup: Setup::default(),
            events: vec![
                Do(0, Create(0, 1)),
                Meet(0, "*", nth, fault),
                Do(0, Rotate(0, SetA)),
            ],
        });
    }
}

#[test]
fn a_limit_holds_though_the_oldest_is_rotated_before_it_can_be_ended() {
    for backend in [Memory, Redis7] {
        at_each_command(16, |nth| Scenario {
            backend,
            setup: Setup {
                limit: Limit::EvictOldest(1),
                ..Setup::default()
            },
            events: vec![
                Do(0, Create(0, 1)),
                Meet(1, "*", nth, Hold),
                Begin(1, Create(1, 1)),
                Join,
                Do(0, Rotate(0, SetA)),
            ],
        });
    }
}
