//! How many heap allocations an operation makes.

/// The mean number of allocations and reallocations of one of `operations` that `batch` carries out on this
/// thread; `None` where this program was built without the counter.
#[cfg(feature = "count-allocations")]
pub fn per_operation(operations: u64, batch: impl FnOnce(u64)) -> Option<f64> {
    let ((allocated, reallocated, _), ()) = alloc_counter::count_alloc(|| batch(operations));
    Some((allocated + reallocated) as f64 / operations as f64)
}

/// Nothing is counted in this build.
#[cfg(not(feature = "count-allocations"))]
pub fn per_operation(_: u64, _: impl FnOnce(u64)) -> Option<f64> {
    None
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
        assert_eq!(counted, Some(2.0));
    }
}
