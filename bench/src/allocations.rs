//! How many heap allocations an operation makes.

/// Whether this build counts allocations. It takes no times then: counting would be part of them.
pub const COUNTED: bool = cfg!(feature = "count-allocations");

/// The mean number of allocations and reallocations of one of `operations` that `batch` carries out on this
/// thread.
#[cfg(feature = "count-allocations")]
pub fn per_operation(operations: u64, batch: impl FnOnce(u64)) -> f64 {
    let ((allocated, reallocated, _), ()) = alloc_counter::count_alloc(|| batch(operations));
    (allocated + reallocated) as f64 / operations as f64
}

/// Nothing is counted in this build.
#[cfg(not(feature = "count-allocations"))]
pub fn per_operation(_: u64, _: impl FnOnce(u64)) -> f64 {
    f64::NAN
}

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: alloc_counter::AllocCounterSystem = alloc_counter::AllocCounterSystem;

#[cfg(all(test, feature = "count-allocations"))]
mod tests {
    use std::hint::black_box;

    use super::per_operation;

    #[test]
    fn allocations_and_reallocations_are_counted() {
        let counted = per_operation(10, |operations| {
            for _ in 0..operations {
                let mut text = black_box(String::with_capacity(1));
                text.push_str(black_box("longer than that"));
                drop(black_box(text));
            }
        });
        assert_eq!(counted, 2.0);
    }
}
