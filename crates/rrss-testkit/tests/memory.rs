//! The built-in `memory` backend keeps every promise.

use rrss_persistence::memory::Memory;
use rrss_testkit::Subject;

mod backend {
    use super::*;

    rrss_testkit::backend_promises!(Subject::new(Memory::default()));
}
