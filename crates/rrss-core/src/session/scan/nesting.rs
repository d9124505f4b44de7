//! Which of the arrays and objects around a place are objects: a bit for each.

/// A stack of bits, of which the lowest is the innermost and the highest one marks the bottom.
///
/// Nesting has no limit of its own: a text that was stored is to be read again. What it costs is a bit for each level, so
/// never more than an eighth of the text, and no allocation up to 63 levels.
pub(super) struct Nesting<'b> {
    innermost: u64,
    /// What lies below where `innermost` begins; each is full. Behind a reference, so that `innermost` can stay in a register.
    below: &'b mut Vec<u64>,
}

const BOTTOM: u64 = 1;
const FULL: u64 = 1 << 63;

impl<'b> Nesting<'b> {
    /// `below` is empty, and for this alone.
    #[inline(always)]
    pub(super) fn new(below: &'b mut Vec<u64>) -> Self {
        Self {
            innermost: BOTTOM,
            below,
        }
    }

    #[inline(always)]
    pub(super) fn enter_object(&mut self) {
        self.enter(1);
    }

    #[inline(always)]
    pub(super) fn enter_array(&mut self) {
        self.enter(0);
    }

    #[inline(always)]
    fn enter(&mut self, bit: u64) {
        if self.innermost >= FULL {
            self.below.push(self.innermost);
            self.innermost = BOTTOM;
        }
        self.innermost = self.innermost << 1 | bit;
    }

    /// Whether the place is outside of all.
    #[inline(always)]
    pub(super) fn is_outside(&self) -> bool {
        self.innermost == BOTTOM
    }

    /// Whether the innermost is an object.
    #[inline(always)]
    pub(super) fn is_object(&self) -> bool {
        self.innermost & 1 == 1
    }

    #[inline(always)]
    pub(super) fn leave(&mut self) {
        self.innermost >>= 1;
        if self.innermost == BOTTOM {
            self.innermost = self.below.pop().unwrap_or(BOTTOM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_left_in_reverse() {
        let bits: Vec<bool> = (0..1_000).map(|level| level % 3 == 0).collect();
        let mut below = Vec::new();
        let mut nesting = Nesting::new(&mut below);
        for is_object in &bits {
            nesting.enter(u64::from(*is_object));
        }
        for is_object in bits.iter().rev() {
            assert!(!nesting.is_outside());
            assert_eq!(nesting.is_object(), *is_object);
            nesting.leave();
        }
        assert!(nesting.is_outside());
    }

    #[test]
    fn levels_that_come_and_go_at_the_border_of_a_word_are_kept_apart() {
        let mut below = Vec::new();
        let mut nesting = Nesting::new(&mut below);
        (0..63).for_each(|_| nesting.enter_array());
        for _ in 0..3 {
            nesting.enter_object();
            assert!(nesting.is_object());
            nesting.leave();
            assert!(!nesting.is_object());
        }
        (0..63).for_each(|_| nesting.leave());
        assert!(nesting.is_outside());
    }

    #[test]
    fn up_to_63_levels_nothing_is_allocated() {
        let mut below = Vec::new();
        let mut nesting = Nesting::new(&mut below);
        (0..63).for_each(|_| nesting.enter_object());
        assert_eq!(below.capacity(), 0);
    }
}
