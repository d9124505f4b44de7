//! Inputs from inputs.

use fastrand::Rng;

/// No input is longer.
const LONGEST: usize = 16 * 1024;

/// Changes `input` in one to eight places: bits, bytes, pieces of itself, of `other` and of `words`.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], words: &[&str], random: &mut Rng) {
    for _ in 0..random.usize(1..=8) {
        let at = random.usize(0..=input.len());
        let end = (at + random.usize(0..=32)).min(input.len());
        match random.u8(0..8) {
            0 if at < input.len() => input[at] ^= 1 << random.u8(0..8),
            1 if at < input.len() => input[at] = random.u8(..),
            2 => input.insert(at, random.u8(..)),
            3 => drop(input.drain(at..end)),
            4 => {
                let piece = input[at..end].to_vec();
                let to = random.usize(0..=input.len());
                drop(input.splice(to..to, piece));
            }
            5 if !other.is_empty() => {
                let from = random.usize(0..other.len());
                let to = (from + random.usize(1..=64)).min(other.len());
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
            6 => {
                let word = words[random.usize(0..words.len())];
                drop(input.splice(at..at, word.bytes()));
            }
            _ => {
                let word = words[random.usize(0..words.len())];
                drop(input.splice(at..end, word.bytes()));
            }
        }
    }
    input.truncate(LONGEST);
}
