//! The built-in `memory` backend keeps every promise.

use rrss_persistence::memory::Memory;
use rrss_testkit::Subject;

mod backend {
    use super::*;

    rrss_testkit::backend_promises!(Subject::new(Memory::default()));
}

mod store {
    use super::*;

    rrss_testkit::store_promises!(Subject::new(Memory::default()));
}

mod index {
    use super::*;

    rrss_testkit::index_promises!(Subject::new(Memory::default()));
}

mod find {
    use super::*;

    rrss_testkit::find_promises!(Subject::new(Memory::default()));
}

mod expired {
    use super::*;

    rrss_testkit::expired_promises!(Subject::new(Memory::default()));
}

mod interleavings {
    use super::*;

    rrss_testkit::interleaving_promises!(Subject::new(Memory::default()));
}
