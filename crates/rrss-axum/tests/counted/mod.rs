//! A store that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rrss::{Shape, Store};

/// A store in memory that counts the operations which come to its codec.
pub(crate) fn store() -> (Store, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let store = Store::builder()
        .step::<rrss::KeyMapper>(Default::default())
        .step::<rrss::Expiry>(Default::default())
        .before("count", Shape::anywhere(), move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
        .step::<rrss::JsonCodec>(Default::default())
        .step::<rrss::Memory>(Default::default())
        .build()
        .unwrap();
    (store, calls)
}
