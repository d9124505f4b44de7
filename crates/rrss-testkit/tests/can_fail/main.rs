//! Each promise can be broken: for each there is something with one flaw that does not keep it. A test that cannot
//! fail would promise nothing.

mod backends;
mod broken;
mod entries;
mod expired;
mod fields;
mod find;
mod flaw;
mod flawed;
mod index;
mod interleavings;
mod noting;
mod stores;
mod transforms;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rrss_testkit::Promise;

/// Something with a flaw, and promises that it breaks; it may break others.
struct Case<T> {
    flaw: String,
    make: Box<dyn Fn() -> T>,
    breaks: Vec<&'static str>,
}

impl<T> Case<T> {
    fn new(flaw: impl Debug, make: impl Fn() -> T + 'static, breaks: &[&'static str]) -> Self {
        Self {
            flaw: format!("{flaw:?}"),
            make: Box::new(make),
            breaks: breaks.to_vec(),
        }
    }
}

/// Checks that every case breaks what it says, and that nothing is left unbroken but what is `held` otherwise.
fn broken_as_listed<T: 'static>(promises: &[Promise<T>], cases: &[Case<T>], held: &[&str]) {
    let mut broken: BTreeSet<&str> = BTreeSet::new();
    for case in cases {
        for name in &case.breaks {
            let promise = promises.iter().find(|promise| promise.name() == *name);
            let promise = promise.unwrap_or_else(|| panic!("there is no promise {name}"));
            assert!(
                !keeps(promise, &case.make),
                "{} does not break {name}",
                case.flaw
            );
            broken.insert(name);
        }
    }
    let all: BTreeSet<&str> = promises.iter().map(Promise::name).collect();
    let unbroken: Vec<&&str> = all.difference(&broken).collect();
    assert_eq!(
        unbroken,
        held.iter().collect::<Vec<_>>(),
        "nothing breaks these"
    );
}

fn keeps<T: 'static>(promise: &Promise<T>, make: impl Fn() -> T) -> bool {
    let check = || promise.check(|| async { make() });
    catch_unwind(AssertUnwindSafe(check)).is_ok()
}
