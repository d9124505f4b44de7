//! Bit masks of 64 bytes of text: bit n is byte n.
//!
//! The loops over lanes have no branches, so that compilers make vectors of them: 16 bytes at a time on every x86-64 and every
//! 64-bit ARM, and something slower with the same result elsewhere. Intrinsics would need `unsafe`, since Rust does not take
//! for enabled what a target always has.

pub(super) const SIZE: usize = 64;

const LANES: usize = 16;

type Lanes = [u8; LANES];

/// The quotes of `block`, and whether it has a backslash or a control character: most have neither.
#[inline(always)]
pub(super) fn look_at(block: &[u8; SIZE]) -> (u64, bool) {
    let mut lanes = [0; LANES];
    let is_special = lanes_of_quotes(block, &mut lanes);
    (mask_of(lanes), is_special)
}

/// The bytes of which `is` is true.
#[inline(always)]
pub(super) fn mask(block: &[u8; SIZE], is: impl Fn(u8) -> bool) -> u64 {
    let mut lanes = [0; LANES];
    lanes_of(block, is, &mut lanes);
    mask_of(lanes)
}

/// Not inlined, and with its result behind a reference: a compiler that sees that the lanes become two words next takes them
/// apart, byte by byte, which is five times as many instructions.
#[inline(never)]
fn lanes_of_quotes(block: &[u8; SIZE], lanes: &mut Lanes) -> bool {
    let rows = rows(block);
    let mut special = [0; LANES];
    for at in 0..LANES {
        lanes[at] = lane(rows, at, |byte| byte == b'"');
        special[at] = lane(rows, at, |byte| (byte == b'\\') | (byte < b' '));
    }
    u128::from_le_bytes(special) != 0
}

#[inline(never)]
fn lanes_of(block: &[u8; SIZE], is: impl Fn(u8) -> bool, lanes: &mut Lanes) {
    let rows = rows(block);
    for (at, bits) in lanes.iter_mut().enumerate() {
        *bits = lane(rows, at, &is);
    }
}

#[inline(always)]
fn rows(block: &[u8; SIZE]) -> &[Lanes; SIZE / LANES] {
    let (rows, _) = block.as_chunks();
    rows.first_chunk().expect("four times sixteen bytes")
}

/// Bit 2r for byte `at` of row r.
#[inline(always)]
fn lane(rows: &[Lanes; SIZE / LANES], at: usize, is: impl Fn(u8) -> bool) -> u8 {
    let bit = |row: usize| if is(rows[row][at]) { 1 << (2 * row) } else { 0 };
    bit(0) | bit(1) | bit(2) | bit(3)
}

/// Byte 16r + 8h + n of a block is bit 2r of lane 8h + n; moved together, it is bit 2r + h of byte n of a word.
#[inline(always)]
fn mask_of(lanes: Lanes) -> u64 {
    let lanes = u128::from_le_bytes(lanes);
    transposed(lanes as u64 | ((lanes >> 64) as u64 * 2))
}

/// Bit n of byte m as bit m of byte n: Hacker's Delight, section 7-3.
#[inline(always)]
fn transposed(word: u64) -> u64 {
    let swapped = |word: u64, distance: u32, bits: u64| {
        let moved = (word ^ (word >> distance)) & bits;
        word ^ moved ^ (moved << distance)
    };
    let word = swapped(word, 7, 0x00aa_00aa_00aa_00aa);
    let word = swapped(word, 14, 0x0000_cccc_0000_cccc);
    swapped(word, 28, 0x0000_0000_f0f0_f0f0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_seen_at_every_place() {
        for place in 0..SIZE {
            for byte in 0..=255_u8 {
                for around in [b'a', b'"', 0x20, 0xff] {
                    let mut block = [around; SIZE];
                    block[place] = byte;
                    let bits = |is: &dyn Fn(u8) -> bool| {
                        let bits = block.iter().map(|byte| u64::from(is(*byte)));
                        bits.rev().fold(0, |mask, bit| mask << 1 | bit)
                    };
                    let is_special = |byte: u8| byte == b'\\' || byte < 0x20;
                    assert_eq!(
                        look_at(&block),
                        (bits(&|byte| byte == b'"'), bits(&is_special) != 0)
                    );
                    assert_eq!(mask(&block, is_special), bits(&is_special));
                }
            }
        }
    }

    #[test]
    fn no_two_places_are_one() {
        for place in 0..SIZE {
            let mut block = [0; SIZE];
            block[place] = 1;
            assert_eq!(mask(&block, |byte| byte == 1), 1 << place);
        }
    }
}
