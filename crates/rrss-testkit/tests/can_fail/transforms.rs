//! Transforms with a flaw.

use rrss_core::{Shape, Transform};
use rrss_testkit::plain::{PlainJson, PlainKeys};
use rrss_testkit::{Specimen, keys, round_trip, transform};

use crate::{Case, broken_as_listed, flawed};

type Make = fn() -> Specimen;

fn case(flaw: &str, make: Make, breaks: &[&'static str]) -> Case<Make> {
    Case::new(flaw, move || make, breaks)
}

fn anywhere(transform: impl Transform) -> Specimen {
    Specimen::new(Shape::anywhere(), transform)
}

fn on_session(transform: impl Transform) -> Specimen {
    Specimen::new(Shape::on_session(), transform)
}

fn codec(transform: impl Transform) -> Specimen {
    Specimen::new(PlainJson::SHAPE, transform)
}

fn mapper(transform: impl Transform) -> Specimen {
    Specimen::new(PlainKeys::SHAPE, transform)
}

#[test]
fn every_promise_of_transforms_can_be_broken() {
    let cases = [
        case(
            "puts payloads",
            || anywhere(flawed::puts_payloads()),
            &["what_carries_no_session_goes_down_without_one"],
        ),
        case(
            "knows one session only",
            || anywhere(flawed::knows_one_session_only()),
            &["list_count_and_sweep_pass"],
        ),
        case(
            "changes counts",
            || anywhere(flawed::changes_counts()),
            &["list_count_and_sweep_pass"],
        ),
        case(
            "expects a session",
            || on_session(flawed::expects_a_session()),
            &["an_answer_without_a_session_passes"],
        ),
        case(
            "remembers",
            || Specimen::new(Shape::anywhere().sets_deadline(), flawed::remembers()),
            &["the_same_operation_twice_asks_for_the_same"],
        ),
        case(
            "drops the guard",
            || anywhere(flawed::drops_the_guard()),
            &["the_guard_arrives_as_it_was_set"],
        ),
        case(
            "makes keys and does not say so",
            || anywhere(flawed::makes_keys()),
            &["only_a_step_that_says_so_makes_keys"],
        ),
        case(
            "sets deadlines and does not say so",
            || anywhere(flawed::sets_deadlines()),
            &["only_a_step_that_says_so_sets_deadlines"],
        ),
        case(
            "asks the machine for the time",
            || {
                let shape = Shape::anywhere().sets_deadline();
                Specimen::new(shape, flawed::asks_the_machine_for_the_time())
            },
            &["deadlines_go_by_the_time_of_the_operation"],
        ),
        case(
            "hides what fails",
            || codec(flawed::hides_what_fails()),
            &["foreign_bytes_are_corrupt_or_pass_and_stay_as_they_are"],
        ),
        case(
            "panics where it fails",
            || codec(flawed::panics_where_it_fails()),
            &["foreign_bytes_are_corrupt_or_pass_and_stay_as_they_are"],
        ),
        case(
            "quotes what it read",
            || codec(flawed::quotes_what_it_read()),
            &["no_error_shows_an_id_a_key_or_a_value"],
        ),
    ];
    broken_as_listed(&transform::promises(), &cases, &[]);
}

#[test]
fn every_promise_of_round_trips_can_be_broken() {
    let cases = [
        case(
            "loses a field",
            || on_session(flawed::loses_a_field()),
            &["what_was_saved_is_loaded"],
        ),
        case(
            "forgets the creation",
            || on_session(flawed::forgets_the_creation()),
            &["what_was_saved_is_loaded", "what_is_saved_again_is_loaded"],
        ),
        case(
            "loses a field of updates",
            || on_session(flawed::loses_a_field_of_updates()),
            &["what_is_saved_again_is_loaded"],
        ),
        case(
            "has a key of its own",
            || Specimen::new(Shape::on_bytes(), flawed::has_a_key_of_its_own()),
            &["what_one_instance_saved_another_loads"],
        ),
        case(
            "leaves out every second",
            || on_session(flawed::leaves_out_every_second()),
            &["the_same_session_saved_twice_is_the_same"],
        ),
        case(
            "shares a buffer",
            || codec(flawed::shares_a_buffer()),
            &["many_threads_at_once_load_what_they_saved"],
        ),
        case(
            "hides what fails",
            || codec(flawed::hides_what_fails()),
            &[
                "cut_bytes_are_corrupt_and_stay_as_they_are",
                "damaged_bytes_are_corrupt_or_a_session",
            ],
        ),
        case(
            "panics where it fails",
            || codec(flawed::panics_where_it_fails()),
            &[
                "cut_bytes_are_corrupt_and_stay_as_they_are",
                "damaged_bytes_are_corrupt_or_a_session",
            ],
        ),
        case(
            "blames the value",
            || codec(flawed::blames_the_value()),
            &[
                "cut_bytes_are_corrupt_and_stay_as_they_are",
                "damaged_bytes_are_corrupt_or_a_session",
            ],
        ),
    ];
    broken_as_listed(&round_trip::promises(), &cases, &[]);
}

#[test]
fn every_promise_of_key_mappers_can_be_broken() {
    let cases = [
        case(
            "one id for all",
            || mapper(flawed::keys("s:", flawed::one_id_for_all)),
            &["a_new_session_gets_an_id_of_its_own"],
        ),
        case(
            "another id than is given",
            || mapper(flawed::keys("s:", flawed::another_id_than_is_given)),
            &["an_id_that_is_given_is_kept"],
        ),
        case(
            "any id",
            || mapper(flawed::any_id("s:", 100)),
            &[
                "a_malformed_id_is_missing_and_asks_nobody",
                "a_malformed_id_for_a_new_session_is_an_error",
            ],
        ),
        case(
            "a key for the beginning of an id",
            || mapper(flawed::any_id("s:", 1)),
            &["an_id_has_one_key_and_a_key_one_id"],
        ),
        case(
            "lists all",
            || mapper(flawed::lists_all("s:")),
            &["listed_keys_become_ids_again_and_others_are_left_out"],
        ),
    ];
    broken_as_listed(&keys::promises(), &cases, &[]);
}
