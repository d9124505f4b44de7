//! The check of an order of steps: a pipeline that cannot work is not built.

use std::fmt;

use crate::shape::{Data, Shape};

/// Why steps cannot stand in this order, said of one of them.
///
/// Both ends are named by their position, so that a loader can add where in a file they stand.
///
/// # Examples
///
/// ```
/// use rrss_core::{Shape, check_composition};
///
/// let steps = [
///     ("key-mapper", Shape::anywhere().makes_key()),
///     ("compression", Shape::on_bytes()),
///     ("memory", Shape::backend()),
/// ];
/// let misfits = check_composition(&steps);
/// assert_eq!(misfits[0].at(), Some(1));
/// assert_eq!(
///     misfits[0].to_string(),
///     "`compression` takes bytes, but `key-mapper` leaves a session",
/// );
/// assert_eq!(misfits[0].hint(), "put a codec, such as `json-codec`, between them");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    at: Option<usize>,
    other: Option<usize>,
    message: String,
    hint: String,
}

impl Misfit {
    /// The position of the step that cannot stand where it does; `None` where a step is missing.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        self.at
    }

    /// The position of the step that it does not fit with.
    #[must_use]
    pub fn other(&self) -> Option<usize> {
        self.other
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Every reason why steps of these names and shapes, in this order, make no pipeline. None: they do.
#[must_use]
pub fn check_composition(steps: &[(&str, Shape)]) -> Vec<Misfit> {
    let mut check = Check {
        steps,
        misfits: Vec::new(),
    };
    check.backends();
    check.twice();
    check.keys();
    check.data();
    check.index();
    check.expired();
    check.changes();
    check.hidden();
    check.sealed();
    check.ids();
    check.misfits
}

struct Check<'a> {
    steps: &'a [(&'a str, Shape)],
    misfits: Vec<Misfit>,
}

impl Check<'_> {
    fn report(&mut self, at: Option<usize>, other: Option<usize>, message: String, hint: String) {
        self.misfits.push(Misfit {
            at,
            other,
            message,
            hint,
        });
    }

    fn backends(&mut self) {
        let backends: Vec<usize> = self.positions(Shape::is_backend);
        match backends[..] {
            [] => self.report(
                None,
                None,
                "no step keeps the sessions".to_owned(),
                "end the steps with a backend: `memory`, `embedded` or `redis`".to_owned(),
            ),
            [at] if at + 1 < self.steps.len() => {
                let (backend, next) = (self.steps[at].0, self.steps[at + 1].0);
                self.report(
                    Some(at + 1),
                    Some(at),
                    format!(
                        "`{next}` stands after the backend `{backend}`, where no operation comes"
                    ),
                    format!("move `{backend}` to the end"),
                );
            }
            [_] => {}
            [first, ref more @ ..] => {
                for &at in more {
                    let (one, two) = (self.steps[first].0, self.steps[at].0);
                    self.report(
                        Some(at),
                        Some(first),
                        format!("`{two}` is a second backend; `{one}` is one already"),
                        "a pipeline has exactly one backend; remove one of the two".to_owned(),
                    );
                }
            }
        }
    }

    /// A second backend and a second codec are reported in their own words.
    fn twice(&mut self) {
        for (at, (name, shape)) in self.steps.iter().enumerate() {
            if !shape.once || shape.is_backend() {
                continue;
            }
            if let Some(first) = self.steps[..at].iter().position(|(other, _)| other == name) {
                self.report(
                    Some(at),
                    Some(first),
                    format!("`{name}` stands here a second time"),
                    format!("a pipeline has at most one `{name}`; remove one of the two"),
                );
            }
        }
    }

    fn keys(&mut self) {
        let makers = self.positions(|shape| shape.makes_key);
        let needs = self.steps.iter().position(|(_, shape)| shape.needs_key);
        match (makers.first(), needs) {
            (None, Some(_)) => self.report(
                None,
                None,
                "no step makes the storage key of a session".to_owned(),
                "put a `key-mapper` first".to_owned(),
            ),
            (Some(&maker), Some(needs)) if needs < maker => {
                let (early, late) = (self.steps[needs].0, self.steps[maker].0);
                self.report(
                    Some(needs),
                    Some(maker),
                    format!("`{early}` needs the storage key, but `{late}` makes it only below"),
                    format!("move `{late}` above `{early}`"),
                );
            }
            _ => {}
        }
        for pair in makers.windows(2) {
            let (one, two) = (self.steps[pair[0]].0, self.steps[pair[1]].0);
            if one != two {
                self.report(
                    Some(pair[1]),
                    Some(pair[0]),
                    format!("`{two}` makes the storage key, which `{one}` has made already"),
                    "a pipeline has one key mapper; remove one of the two".to_owned(),
                );
            }
        }
    }

    fn data(&mut self) {
        let mut have = Data::Session;
        let mut codec: Option<usize> = None;
        for (at, (name, shape)) in self.steps.iter().enumerate() {
            match shape.takes {
                Some(Data::Bytes) if have == Data::Session && self.keeps_fields().is_some() => {
                    let keeper = self.keeps_fields();
                    let backend = keeper.map_or("", |keeper| self.steps[keeper].0);
                    self.report(
                        Some(at),
                        keeper,
                        format!("`{name}` takes bytes, but `{backend}` keeps the fields of a session one by one"),
                        format!("remove `{name}`; or let `{backend}` keep a session as bytes, and put a codec, such as `json-codec`, before `{name}`"),
                    );
                    continue;
                }
                Some(Data::Bytes) if have == Data::Session => {
                    let above = at.checked_sub(1);
                    let (message, between) = match above.map(|above| self.steps[above].0) {
                        Some(above) => (
                            format!("`{name}` takes bytes, but `{above}` leaves a session"),
                            "between them".to_owned(),
                        ),
                        None => (
                            format!("`{name}` takes bytes, but what comes to it is a session"),
                            format!("before `{name}`"),
                        ),
                    };
                    let hint = match self.steps[at..].iter().find(|(_, shape)| is_codec(*shape)) {
                        Some((codec, _)) => format!("move `{codec}` above `{name}`"),
                        None => format!("put a codec, such as `json-codec`, {between}"),
                    };
                    self.report(Some(at), above, message, hint);
                    // What stands below is checked as if the codec were there, so that one slip is one report.
                    if !is_codec_below(&self.steps[at..]) {
                        have = Data::Bytes;
                        codec = Some(at);
                    }
                    continue;
                }
                Some(Data::Session) if have == Data::Bytes => {
                    let from = codec.unwrap_or_default();
                    let above = self.steps[from].0;
                    if above == *name {
                        continue;
                    }
                    let (message, hint) = if is_codec(*shape) {
                        (
                            format!("`{name}` is a second codec; `{above}` makes bytes already"),
                            "a pipeline has one codec; remove one of the two".to_owned(),
                        )
                    } else {
                        (
                            format!("`{name}` takes a session, but `{above}` leaves bytes"),
                            if shape.is_backend() {
                                self.without_bytes(from, at)
                            } else {
                                format!("move `{name}` above `{above}`")
                            },
                        )
                    };
                    self.report(Some(at), Some(from), message, hint);
                    continue;
                }
                _ => {}
            }
            if let Some(gives) = shape.gives {
                if have == Data::Session && gives == Data::Bytes {
                    codec = Some(at);
                }
                have = gives;
            }
        }
    }

    /// The backend that keeps the fields of sessions, where no codec says that bytes are meant.
    fn keeps_fields(&self) -> Option<usize> {
        let last = self.steps.len().checked_sub(1)?;
        let (_, shape) = self.steps[last];
        let keeps = shape.is_backend() && shape.takes == Some(Data::Session);
        (keeps && !is_codec_below(self.steps)).then_some(last)
    }

    /// What to do where a codec, `from`, and what may be below it stand above a backend of fields, `to`.
    fn without_bytes(&self, from: usize, to: usize) -> String {
        let on_bytes = self.steps[from..to]
            .iter()
            .filter(|(_, shape)| is_codec(*shape) || shape.takes == Some(Data::Bytes));
        let names: Vec<String> = on_bytes.map(|(name, _)| format!("`{name}`")).collect();
        match &names[..] {
            [codec] => format!("remove {codec}: this backend keeps the fields themselves"),
            _ => format!(
                "remove {}, since this backend keeps the fields themselves; or let it keep sessions as bytes",
                names.join(" and ")
            ),
        }
    }

    fn index(&mut self) {
        let needs = self.steps.iter().position(|(_, shape)| shape.needs_index);
        let backend = self.steps.iter().rposition(|(_, shape)| shape.is_backend());
        if let (Some(at), Some(backend)) = (needs, backend)
            && !self.steps[backend].1.keeps_index
        {
            let (name, keeper) = (self.steps[at].0, self.steps[backend].0);
            self.report(
                Some(at),
                Some(backend),
                format!("`{name}` makes entries of an index, but `{keeper}` keeps none"),
                format!(
                    "remove `{name}`, or end the steps with a backend that keeps one: `memory`, `embedded`, or `redis` \
                     in its usual layout"
                ),
            );
        }
    }

    /// A backend without an index is reported in the words of that.
    fn expired(&mut self) {
        let needs = self.steps.iter().position(|(_, shape)| shape.needs_expired);
        let backend = self.steps.iter().rposition(|(_, shape)| shape.is_backend());
        if let (Some(at), Some(backend)) = (needs, backend)
            && let kept = self.steps[backend].1
            && kept.keeps_index
            && !kept.keeps_expired
        {
            let (name, keeper) = (self.steps[at].0, self.steps[backend].0);
            self.report(
                Some(at),
                Some(backend),
                format!("`{name}` keeps notes of expired sessions, but `{keeper}` has no place for them"),
                "remove `keep_expired`, or end the steps with a backend that keeps them: `memory`, `embedded`, or `redis` in \
                 its usual layout"
                    .to_owned(),
            );
        }
    }

    fn changes(&mut self) {
        let needs = self.steps.iter().position(|(_, shape)| shape.needs_changes);
        let backend = self.steps.iter().rposition(|(_, shape)| shape.is_backend());
        if let (Some(at), Some(backend)) = (needs, backend)
            && !self.steps[backend].1.tells_changes
        {
            let (name, keeper) = (self.steps[at].0, self.steps[backend].0);
            self.report(
                Some(at),
                Some(backend),
                format!("`{name}` goes by changes that the backend is told of, but `{keeper}` is told of none"),
                format!(
                    "remove `{name}`; or write `on_untracked = \"max-age\"` there, if a change that another process makes may go \
                     unnoticed for so long"
                ),
            );
        }
    }

    /// Every load has to pass the step that says when sessions end and are renewed.
    fn hidden(&mut self) {
        let Some(above) = self.steps.iter().position(|(_, shape)| shape.answers_loads) else {
            return;
        };
        let below = &self.steps[above..];
        if let Some(at) = below.iter().position(|(_, shape)| shape.sets_deadline) {
            let (name, hidden) = (self.steps[above].0, below[at].0);
            self.report(
                Some(above + at),
                Some(above),
                format!("`{hidden}` does not see the loads that `{name}` above it answers, and so renews no session that is in use"),
                format!("move `{hidden}` above `{name}`"),
            );
        }
    }

    /// What is encrypted has nothing left that repeats.
    fn sealed(&mut self) {
        let Some(above) = self.steps.iter().position(|(_, shape)| shape.seals) else {
            return;
        };
        let below = &self.steps[above..];
        if let Some(at) = below.iter().position(|(_, shape)| shape.shrinks) {
            let (sealer, name) = (self.steps[above].0, below[at].0);
            self.report(
                Some(above + at),
                Some(above),
                format!("`{name}` finds nothing to make smaller in what `{sealer}` above it has encrypted"),
                format!("move `{name}` above `{sealer}`"),
            );
        }
    }

    /// Another program finds its sessions by the ids that its clients present.
    fn ids(&mut self) {
        let hides = self.steps.iter().position(|(_, shape)| shape.hides_ids);
        let backend = self.steps.iter().rposition(|(_, shape)| shape.needs_ids);
        if let (Some(at), Some(backend)) = (hides, backend) {
            let (name, keeper) = (self.steps[at].0, self.steps[backend].0);
            self.report(
                Some(at),
                Some(backend),
                format!("`{name}` hashes ids, but those who share the sessions of `{keeper}` look for them by the ids as they are"),
                format!("remove `hash` from `{name}`, or `compat` from `{keeper}` once nobody else reads its sessions"),
            );
        }
    }

    fn positions(&self, is: impl Fn(&Shape) -> bool) -> Vec<usize> {
        (0..self.steps.len())
            .filter(|&at| is(&self.steps[at].1))
            .collect()
    }
}

fn is_codec_below(steps: &[(&str, Shape)]) -> bool {
    steps.iter().any(|(_, shape)| is_codec(*shape))
}

fn is_codec(shape: Shape) -> bool {
    shape.takes == Some(Data::Session) && shape.gives == Some(Data::Bytes) && !shape.is_backend()
}
