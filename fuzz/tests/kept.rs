//! Every input that is kept, and many that are made of them.

use rrss_fuzz::{TARGETS, Target, mutants};

#[test]
fn every_target_keeps_inputs_and_holds_for_them() {
    for target in TARGETS {
        let kept = target.kept();
        assert!(kept.len() > 3, "{}", target.name);
        for (name, input) in kept {
            println!("{} {name}", target.name);
            (target.run)(&input);
        }
    }
}

/// So many that all targets together take a few seconds in a debug build.
fn holds_for_mutants(target: &Target, count: u64) {
    match mutants(target, 1, count, None) {
        Ok(given) => assert_eq!(given, count),
        Err(input) => panic!(
            "`{}` panicked at {:?}",
            target.name,
            String::from_utf8_lossy(&input)
        ),
    }
}

#[test]
fn a_session_is_scanned_as_serde_json_reads_it() {
    holds_for_mutants(&rrss_fuzz::SESSION, 200_000);
}

#[test]
fn a_stored_value_is_a_session_or_corrupt() {
    holds_for_mutants(&rrss_fuzz::DECODE, 15_000);
}

#[test]
fn a_file_is_a_plan_or_a_report() {
    holds_for_mutants(&rrss_fuzz::CONFIG, 5_000);
}

#[test]
fn a_cookie_is_answered_and_logs_nobody_in() {
    holds_for_mutants(&rrss_fuzz::COOKIE, 10_000);
}

#[test]
fn a_hash_is_a_session_or_corrupt() {
    holds_for_mutants(&rrss_fuzz::REDIS_HASH, 10_000);
}
