//! Which level of zstd suits a dictionary.

use rrss_compression::{Compression, Dictionary, Measured, Options, Sample};

use crate::exit::Failure;

/// The levels to choose from. Those from 4 to 8 look for matches in a way that finds less in a dictionary, and those above 9 take
/// too long for what is saved at each request.
const CANDIDATES: [i32; 4] = [1, 2, 3, 9];

/// A higher level takes several times as long, so it has to save more than one part in this many.
const WORTH: usize = 20;

/// What is stored with a dictionary at several levels.
pub(super) struct Levels(Vec<(i32, Measured)>);

impl Levels {
    /// What is stored of the sessions that were held out, at the candidates and at the level of `options`.
    pub(super) fn measure(
        sample: &Sample,
        options: &Options,
        dictionary: &Dictionary,
    ) -> Result<Self, Failure> {
        let mut levels: Vec<i32> = CANDIDATES.into_iter().chain(options.level).collect();
        levels.sort_unstable();
        levels.dedup();
        let measured = levels.into_iter().map(|level| {
            let options = Options {
                level: Some(level),
                ..options.clone()
            };
            let step = Compression::with_dictionary(&options, dictionary)?;
            Ok((level, sample.measure(&step)?))
        });
        measured.collect::<Result<_, Failure>>().map(Self)
    }

    /// The level to take: the lowest of the candidates that stores hardly more than the best of them.
    pub(super) fn advised(&self) -> i32 {
        let candidates = || {
            let all = self.0.iter();
            all.filter(|(level, _)| CANDIDATES.contains(level))
                .map(|(level, measured)| (*level, measured.stored_bytes))
        };
        let least = candidates().map(|(_, stored)| stored).min().unwrap_or(0);
        let enough = least + least / WORTH;
        let lowest = candidates().find(|(_, stored)| *stored <= enough);
        lowest.map_or(CANDIDATES[0], |(level, _)| level)
    }

    /// The level to take in place of `level`, where it stores less.
    pub(super) fn better_than(&self, level: i32) -> Option<i32> {
        let stored = |wanted: i32| {
            let found = self.0.iter().find(|(level, _)| *level == wanted);
            found.map(|(_, measured)| measured.stored_bytes)
        };
        let advised = self.advised();
        (stored(advised)? < stored(level)?).then_some(advised)
    }

    /// Each level and what is stored at it, the lowest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i32, Measured)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(stored: &[(i32, usize)]) -> Levels {
        let measured = stored.iter().map(|(level, stored)| {
            let mut measured = Measured::default();
            measured.stored_bytes = *stored;
            (*level, measured)
        });
        Levels(measured.collect())
    }

    #[test]
    fn the_lowest_level_is_advised_unless_a_higher_one_is_worth_its_time() {
        let alike = levels(&[(1, 1_000), (2, 1_010), (3, 990), (9, 960)]);
        assert_eq!(alike.advised(), 1);
        let worth = levels(&[(1, 1_000), (2, 1_010), (3, 970), (9, 930)]);
        assert_eq!(worth.advised(), 3);
        let far = levels(&[(1, 1_000), (2, 1_010), (3, 1_000), (9, 900)]);
        assert_eq!(far.advised(), 9);
    }

    #[test]
    fn a_level_of_the_configuration_is_replaced_where_it_stores_more() {
        let worse = levels(&[(1, 1_000), (2, 1_010), (3, 990), (5, 1_110), (9, 960)]);
        assert_eq!(worse.better_than(5), Some(1));
        assert_eq!(worse.better_than(1), None);
        let better = levels(&[(1, 1_000), (2, 1_010), (3, 990), (9, 960), (19, 900)]);
        assert_eq!(better.better_than(19), None);
    }
}
