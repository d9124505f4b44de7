//! Random nonces.

use std::cell::RefCell;

use rrss_core::Result;

use crate::key::no_random_numbers;
use crate::sealed::NONCE_BYTES;

/// How many are fetched at a time: each call for random bytes costs as much as to encrypt half a session of 1 KB.
const FETCHED: usize = 32;

thread_local! {
    static LEFT: RefCell<Left> = const {
        RefCell::new(Left {
            nonces: [[0; NONCE_BYTES]; FETCHED],
            left: 0,
        })
    };
}

struct Left {
    nonces: [[u8; NONCE_BYTES]; FETCHED],
    left: usize,
}

/// A nonce that this thread has not given before, of random bytes that aws-lc seeds from the operating system.
///
/// A process that forks gives some of them a second time. That is what the cipher is chosen for: under
/// [RFC 8452, section 9](https://www.rfc-editor.org/rfc/rfc8452#section-9), two equal nonces tell no more than whether two equal
/// sessions of one storage key were encrypted.
pub(crate) fn fresh() -> Result<[u8; NONCE_BYTES]> {
    LEFT.with_borrow_mut(|of| {
        if of.left == 0 {
            aws_lc_rs::rand::fill(of.nonces.as_flattened_mut()).map_err(|_| no_random_numbers())?;
            of.left = FETCHED;
        }
        of.left -= 1;
        Ok(of.nonces[of.left])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_nonce_comes_twice_in_any_thread() {
        let many = || (0..10 * FETCHED + 1).map(|_| fresh().unwrap());
        let threads: Vec<_> = (0..4)
            .map(|_| thread::spawn(move || many().collect::<Vec<_>>()))
            .collect();
        let all: Vec<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .chain(many())
            .collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all.len(), 5 * (10 * FETCHED + 1));
    }
}
