//! Which orders of steps make a pipeline, and what is said of the others.

use rrss_core::{Shape, check_composition};

const KEY: (&str, Shape) = ("key-mapper", Shape::anywhere().makes_key());
const EXPIRY: (&str, Shape) = ("expiry", Shape::anywhere().sets_deadline().once());
const CODEC: (&str, Shape) = ("json-codec", Shape::codec());
const OTHER_CODEC: (&str, Shape) = ("cbor-codec", Shape::codec());
const ZIP: (&str, Shape) = ("compression", Shape::on_bytes().shrinks().once());
const INDEX: (&str, Shape) = ("index", Shape::on_session().needs_index());
const EVENTS: (&str, Shape) = ("index", Shape::on_session().needs_index().needs_expired());
const SEAL: (&str, Shape) = ("encryption", Shape::on_bytes().needs_key().seals());
const MEMORY: (&str, Shape) = ("memory", Shape::backend());
const REDIS: (&str, Shape) = ("redis", Shape::backend().keeps_index());
const HASHES: (&str, Shape) = ("redis", Shape::backend_of_sessions());

fn check(steps: &[(&str, Shape)]) -> Vec<(Option<usize>, Option<usize>, String)> {
    check_composition(steps)
        .into_iter()
        .map(|misfit| (misfit.at(), misfit.other(), misfit.to_string()))
        .collect()
}

#[track_caller]
fn refused(steps: &[(&str, Shape)], at: Option<usize>, other: Option<usize>, words: &str) {
    let misfits = check(steps);
    assert_eq!(misfits.len(), 1, "{misfits:?}");
    assert_eq!((misfits[0].0, misfits[0].1), (at, other), "{misfits:?}");
    assert!(misfits[0].2.contains(words), "{misfits:?}");
}

#[test]
fn every_order_that_can_work_is_accepted() {
    assert_eq!(check(&[KEY, CODEC, MEMORY]), []);
    assert_eq!(check(&[EXPIRY, KEY, INDEX, CODEC, ZIP, SEAL, REDIS]), []);
    assert_eq!(check(&[CODEC, ZIP, EXPIRY, KEY, REDIS]), []);
}

#[test]
fn what_makes_bytes_smaller_stands_above_what_encrypts_them() {
    refused(
        &[KEY, CODEC, SEAL, ZIP, MEMORY],
        Some(3),
        Some(2),
        "`compression` finds nothing to make smaller in what `encryption` above it has encrypted",
    );
}

#[test]
fn a_step_on_bytes_cannot_stand_above_a_backend_of_fields() {
    let misfits = check_composition(&[KEY, SEAL, HASHES]);
    let said: Vec<_> = misfits.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["`encryption` takes bytes, but `redis` keeps the fields of a session one by one"]
    );
    assert_eq!((misfits[0].at(), misfits[0].other()), (Some(1), Some(2)));
    let misfits = check_composition(&[KEY, CODEC, ZIP, SEAL, HASHES]);
    assert_eq!(misfits.len(), 1, "{misfits:?}");
    let hint = misfits[0].hint();
    assert!(
        hint.contains("`json-codec` and `compression` and `encryption`"),
        "{hint}"
    );
    assert!(hint.contains("let it keep sessions as bytes"), "{hint}");
}

#[test]
fn a_pipeline_has_exactly_one_backend_and_it_is_the_last() {
    refused(&[KEY, CODEC], None, None, "no step keeps the sessions");
    refused(
        &[KEY, CODEC, MEMORY, REDIS],
        Some(3),
        Some(2),
        "second backend",
    );
    refused(
        &[KEY, CODEC, MEMORY, MEMORY],
        Some(3),
        Some(2),
        "second backend",
    );
    refused(
        &[KEY, CODEC, MEMORY, EXPIRY],
        Some(3),
        Some(2),
        "after the backend",
    );
}

#[test]
fn a_pipeline_has_exactly_one_codec() {
    refused(
        &[KEY, MEMORY],
        Some(1),
        Some(0),
        "takes bytes, but `key-mapper` leaves a session",
    );
    refused(&[KEY, ZIP, MEMORY], Some(1), Some(0), "takes bytes");
    refused(
        &[KEY, CODEC, OTHER_CODEC, MEMORY],
        Some(2),
        Some(1),
        "second codec",
    );
    refused(
        &[KEY, CODEC, CODEC, MEMORY],
        Some(2),
        Some(1),
        "a second time",
    );
}

#[test]
fn steps_on_bytes_stand_below_the_codec_and_steps_on_sessions_above() {
    refused(&[KEY, ZIP, CODEC, MEMORY], Some(1), Some(0), "takes bytes");
    refused(
        &[KEY, CODEC, INDEX, REDIS],
        Some(2),
        Some(1),
        "takes a session, but `json-codec` leaves bytes",
    );
    let misfit = &check_composition(&[KEY, ZIP, CODEC, MEMORY])[0];
    assert_eq!(misfit.hint(), "move `json-codec` above `compression`");
}

#[test]
fn the_storage_key_is_made_once_and_before_it_is_needed() {
    refused(
        &[CODEC, MEMORY],
        None,
        None,
        "no step makes the storage key",
    );
    refused(
        &[CODEC, SEAL, KEY, MEMORY],
        Some(1),
        Some(2),
        "needs the storage key",
    );
    refused(
        &[KEY, KEY, CODEC, MEMORY],
        Some(1),
        Some(0),
        "a second time",
    );
}

#[test]
fn a_backend_that_keeps_fields_stands_below_no_codec() {
    assert_eq!(check(&[KEY, EXPIRY, HASHES]), []);
    refused(
        &[KEY, CODEC, HASHES],
        Some(2),
        Some(1),
        "`redis` takes a session, but `json-codec` leaves bytes",
    );
    let hint = check_composition(&[KEY, CODEC, HASHES])[0]
        .hint()
        .to_owned();
    assert!(hint.starts_with("remove `json-codec`"), "{hint}");
}

#[test]
fn an_index_needs_a_backend_that_keeps_one() {
    refused(
        &[KEY, INDEX, CODEC, MEMORY],
        Some(1),
        Some(3),
        "`memory` keeps none",
    );
}

#[test]
fn notes_of_expired_sessions_need_a_backend_that_keeps_them() {
    const KEEPS: (&str, Shape) = ("redis", Shape::backend().keeps_index().keeps_expired());
    assert_eq!(check(&[KEY, EVENTS, CODEC, KEEPS]), []);
    refused(
        &[KEY, EVENTS, CODEC, REDIS],
        Some(1),
        Some(3),
        "`redis` has no place for them",
    );
    refused(
        &[KEY, EVENTS, CODEC, MEMORY],
        Some(1),
        Some(3),
        "`memory` keeps none",
    );
}

#[test]
fn a_cache_needs_a_backend_that_is_told_of_changes() {
    const TELLS: (&str, Shape) = ("redis", Shape::backend().tells_changes());
    const CACHE: (&str, Shape) = ("cache", Shape::on_session().around().needs_changes());
    assert_eq!(check(&[KEY, CACHE, CODEC, TELLS]), []);
    refused(
        &[KEY, CACHE, CODEC, MEMORY],
        Some(1),
        Some(3),
        "`memory` is told of none",
    );
}

#[test]
fn a_step_that_answers_loads_hides_none_from_the_one_that_sets_deadlines() {
    const CACHE: (&str, Shape) = ("cache", Shape::on_session().around().answers_loads());
    assert_eq!(check(&[KEY, EXPIRY, CACHE, CODEC, MEMORY]), []);
    refused(
        &[KEY, CACHE, EXPIRY, CODEC, MEMORY],
        Some(2),
        Some(1),
        "`expiry` does not see the loads that `cache` above it answers",
    );
}

#[test]
fn every_misfit_is_reported_in_one_run() {
    assert_eq!(check(&[ZIP, EXPIRY, EXPIRY]).len(), 3);
}

#[test]
fn hashed_ids_do_not_stand_over_a_backend_whose_sessions_others_look_for_by_the_ids() {
    let keys = Shape::anywhere().makes_key().hides_ids();
    let shared = Shape::backend_of_sessions().needs_ids();
    let misfits = check_composition(&[("key-mapper", keys), ("redis", shared)]);
    assert_eq!(misfits.len(), 1);
    assert_eq!((misfits[0].at(), misfits[0].other()), (Some(0), Some(1)));
    assert!(
        misfits[0]
            .to_string()
            .starts_with("`key-mapper` hashes ids")
    );
    assert!(
        check_composition(&[
            ("key-mapper", keys),
            ("redis", Shape::backend_of_sessions())
        ])
        .is_empty()
    );
}
