//! Whether steps fit together, as far as their shapes are known.

use rrss_core::{Misfit, Shape, check_composition};

/// With more steps of unknown shape than these, nothing can be said of the others.
const UNKNOWN: usize = 4;

/// What a step of unknown shape may turn out to be, as far as others depend on it.
const MAY_BE: [Shape; 4] = [
    Shape::anywhere(),
    Shape::anywhere().makes_key(),
    Shape::codec(),
    Shape::backend(),
];

/// A reason why steps cannot stand in their order, whatever the steps of unknown shape are.
pub(crate) struct Unfit {
    pub(crate) misfit: Misfit,
    /// The step to point at: the one that is wrong, or the one where another is missing.
    pub(crate) near: usize,
    /// Whether what the misfit advises is right whatever they are.
    pub(crate) is_advice_sure: bool,
}

/// Every reason why these steps make no pipeline that does not depend on a step of unknown shape.
///
/// A mistyped name must not bring a report that a codec is missing, if the name was to be that codec's. So each
/// step of unknown shape is taken for everything that it may be, and what is wrong every time is reported.
pub(crate) fn misfits(steps: &[(&str, Option<Shape>)]) -> Vec<Unfit> {
    let unknown: Vec<usize> = (0..steps.len())
        .filter(|at| steps[*at].1.is_none())
        .collect();
    if unknown.len() > UNKNOWN {
        return Vec::new();
    }
    let mut guess: Vec<(&str, Shape)> = steps
        .iter()
        .map(|(name, shape)| (*name, shape.unwrap_or(MAY_BE[0])))
        .collect();
    let mut found: Vec<Unfit> = check_composition(&guess)
        .into_iter()
        .map(|misfit| Unfit {
            near: misfit.at().unwrap_or_else(|| missing_near(&guess, &misfit)),
            misfit,
            is_advice_sure: true,
        })
        .collect();
    for number in 1..MAY_BE.len().pow(unknown.len() as u32) {
        let mut rest = number;
        for &at in &unknown {
            guess[at].1 = MAY_BE[rest % MAY_BE.len()];
            rest /= MAY_BE.len();
        }
        let others = check_composition(&guess);
        found.retain_mut(|unfit| {
            let same = others.iter().find(|other| is_same(other, &unfit.misfit));
            unfit.is_advice_sure &= same.is_some_and(|same| same.hint() == unfit.misfit.hint());
            same.is_some()
        });
    }
    found
}

/// Where a step is missing: at the end, if a backend there would mend it, else at the beginning.
fn missing_near(steps: &[(&str, Shape)], misfit: &Misfit) -> usize {
    let mut ended = steps.to_vec();
    ended.push(("", Shape::backend()));
    if check_composition(&ended).contains(misfit) {
        0
    } else {
        steps.len() - 1
    }
}

/// Of a step that cannot stand where it does, the reasons differ with what others are taken for.
fn is_same(one: &Misfit, other: &Misfit) -> bool {
    one.at() == other.at() && (one.at().is_some() || one.to_string() == other.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (&str, Option<Shape>) = ("key-mapper", Some(Shape::anywhere().makes_key()));
    const CODEC: (&str, Option<Shape>) = ("json-codec", Some(Shape::codec()));
    const ZIP: (&str, Option<Shape>) = ("compression", Some(Shape::on_bytes()));
    const MEMORY: (&str, Option<Shape>) = ("memory", Some(Shape::backend()));
    const REDIS: (&str, Option<Shape>) = ("redis", Some(Shape::backend()));
    const SEAL: (&str, Option<Shape>) = ("encryption", Some(Shape::on_bytes().needs_key()));
    const UNKNOWN: (&str, Option<Shape>) = ("typo", None);

    #[track_caller]
    fn wrong(steps: &[(&str, Option<Shape>)], at: &[Option<usize>]) {
        let found: Vec<_> = misfits(steps)
            .iter()
            .map(|unfit| unfit.misfit.at())
            .collect();
        assert_eq!(found, at);
    }

    #[test]
    fn a_missing_backend_is_missing_at_the_end_and_a_missing_key_mapper_at_the_beginning() {
        let near = |steps: &[_]| {
            misfits(steps)
                .iter()
                .map(|unfit| unfit.near)
                .collect::<Vec<_>>()
        };
        assert_eq!(near(&[KEY, CODEC]), [1]);
        assert_eq!(near(&[CODEC, MEMORY]), [0]);
        assert_eq!(near(&[CODEC, SEAL]), [1, 0]);
    }

    #[test]
    fn an_unknown_step_is_not_reported_as_a_missing_one() {
        wrong(&[KEY, UNKNOWN, ZIP, MEMORY], &[]);
        wrong(&[UNKNOWN, CODEC, MEMORY], &[]);
        wrong(&[KEY, CODEC, UNKNOWN], &[]);
        wrong(&[UNKNOWN, UNKNOWN, UNKNOWN], &[]);
        wrong(&[UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, ZIP], &[]);
    }

    #[test]
    fn what_is_wrong_whatever_an_unknown_step_is_is_reported() {
        wrong(&[KEY, ZIP, UNKNOWN, MEMORY], &[Some(1)]);
        wrong(&[KEY, CODEC, UNKNOWN, MEMORY, REDIS], &[Some(4)]);
        wrong(&[KEY, UNKNOWN, CODEC, CODEC, MEMORY], &[Some(3)]);
        wrong(&[KEY, CODEC, MEMORY, REDIS, UNKNOWN], &[Some(3)]);
    }

    #[test]
    fn advice_that_depends_on_an_unknown_step_is_not_given() {
        let found = misfits(&[KEY, ZIP, UNKNOWN, MEMORY]);
        assert!(!found[0].is_advice_sure);
        assert!(misfits(&[KEY, ZIP, MEMORY])[0].is_advice_sure);
    }
}
