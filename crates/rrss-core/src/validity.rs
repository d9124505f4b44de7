//! Whether what was loaded is still what is stored.

use std::fmt;
use std::sync::Arc;

/// Tells whether what a load answered is still what is stored, as far as the backend has been told.
///
/// A backend that [is told of changes](crate::Shape::tells_changes) makes one for a load that
/// [wants it](crate::Operation::wants_validity), before it reads. It holds until the backend learns that the stored session has
/// changed or has ended, whoever did that, or until the backend could not learn of it any more: its connection is lost.
/// It never holds again then. Clones are of one.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use rrss_core::Validity;
///
/// let unchanged = Arc::new(AtomicBool::new(true));
/// let validity = Validity::new({
///     let unchanged = Arc::clone(&unchanged);
///     move || unchanged.load(Ordering::Acquire)
/// });
/// assert!(validity.holds());
/// unchanged.store(false, Ordering::Release);
/// assert!(!validity.holds());
/// ```
#[derive(Clone)]
pub struct Validity(Arc<dyn Fn() -> bool + Send + Sync>);

impl Validity {
    /// One that holds for as long as `holds` says so: it is asked at every use, so it must answer at once.
    #[must_use]
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    /// Whether nothing has been heard of a change.
    #[must_use]
    pub fn holds(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Validity(holds: {})", self.holds())
    }
}
