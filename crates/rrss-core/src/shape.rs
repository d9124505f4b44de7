//! What a step takes and gives, and where it may stand.

use std::fmt;

/// What a step takes from the steps above it and gives to those below, as far as the order of steps depends on
/// it. A pipeline is checked by the shapes of its steps before it is built.
///
/// # Examples
///
/// ```
/// use rrss_core::Shape;
///
/// assert_eq!(Shape::on_session().to_string(), "session → session");
/// assert_eq!(Shape::codec().to_string(), "session → bytes");
/// assert_eq!(Shape::anywhere().makes_key().to_string(), "id → key");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub(crate) kind: Kind,
    pub(crate) takes: Option<Data>,
    pub(crate) gives: Option<Data>,
    pub(crate) makes_key: bool,
    pub(crate) needs_key: bool,
    pub(crate) sets_deadline: bool,
    pub(crate) needs_index: bool,
    pub(crate) keeps_index: bool,
    pub(crate) needs_expired: bool,
    pub(crate) keeps_expired: bool,
    pub(crate) answers_loads: bool,
    pub(crate) needs_changes: bool,
    pub(crate) tells_changes: bool,
    pub(crate) seals: bool,
    pub(crate) shrinks: bool,
    pub(crate) hides_ids: bool,
    pub(crate) needs_ids: bool,
    pub(crate) once: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Transform,
    Around,
    Backend,
}

/// In which form a session passes between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// As fields, above the codec.
    Session,
    /// As bytes, below it.
    Bytes,
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "session",
            Self::Bytes => "bytes",
        })
    }
}

impl Shape {
    const fn transform(takes: Option<Data>, gives: Option<Data>) -> Self {
        Self {
            kind: Kind::Transform,
            takes,
            gives,
            makes_key: false,
            needs_key: false,
            sets_deadline: false,
            needs_index: false,
            keeps_index: false,
            needs_expired: false,
            keeps_expired: false,
            answers_loads: false,
            needs_changes: false,
            tells_changes: false,
            seals: false,
            shrinks: false,
            hides_ids: false,
            needs_ids: false,
            once: false,
        }
    }

    /// A transform that looks at neither fields nor bytes, and so may stand above or below the codec.
    #[must_use]
    pub const fn anywhere() -> Self {
        Self::transform(None, None)
    }

    /// A transform of sessions: it stands above the codec.
    #[must_use]
    pub const fn on_session() -> Self {
        Self::transform(Some(Data::Session), Some(Data::Session))
    }

    /// A transform of bytes: it stands below the codec.
    #[must_use]
    pub const fn on_bytes() -> Self {
        Self::transform(Some(Data::Bytes), Some(Data::Bytes))
    }

    /// A codec: it takes a session and gives bytes.
    #[must_use]
    pub const fn codec() -> Self {
        Self {
            once: true,
            ..Self::transform(Some(Data::Session), Some(Data::Bytes))
        }
    }

    /// A backend that keeps bytes: the last step.
    #[must_use]
    pub const fn backend() -> Self {
        Self {
            kind: Kind::Backend,
            needs_key: true,
            once: true,
            ..Self::transform(Some(Data::Bytes), Some(Data::Bytes))
        }
    }

    /// A backend that keeps the fields of a session one by one: the last step, with no codec above it.
    #[must_use]
    pub const fn backend_of_sessions() -> Self {
        Self {
            takes: Some(Data::Session),
            gives: Some(Data::Session),
            ..Self::backend()
        }
    }

    /// The same shape, as an [`Around`](crate::Around) step.
    #[must_use]
    pub const fn around(self) -> Self {
        Self {
            kind: Kind::Around,
            ..self
        }
    }

    /// The same shape, for a step that makes the storage key. A pipeline has exactly one.
    #[must_use]
    pub const fn makes_key(self) -> Self {
        Self {
            makes_key: true,
            once: true,
            ..self
        }
    }

    /// The same shape, for a step that reads the storage key and so stands below the one that makes it.
    #[must_use]
    pub const fn needs_key(self) -> Self {
        Self {
            needs_key: true,
            ..self
        }
    }

    /// The same shape, for a step that gives sessions a deadline.
    #[must_use]
    pub const fn sets_deadline(self) -> Self {
        Self {
            sets_deadline: true,
            ..self
        }
    }

    /// The same shape, for a step that wants index entries of the backend.
    #[must_use]
    pub const fn needs_index(self) -> Self {
        Self {
            needs_index: true,
            ..self
        }
    }

    /// The same shape, for a backend that keeps an index.
    #[must_use]
    pub const fn keeps_index(self) -> Self {
        Self {
            keeps_index: true,
            ..self
        }
    }

    /// The same shape, for a step that wants notes of sessions kept until they have expired and were told of.
    #[must_use]
    pub const fn needs_expired(self) -> Self {
        Self {
            needs_expired: true,
            ..self
        }
    }

    /// The same shape, for a backend that keeps notes of sessions.
    #[must_use]
    pub const fn keeps_expired(self) -> Self {
        Self {
            keeps_expired: true,
            ..self
        }
    }

    /// The same shape, for an [`Around`](crate::Around) step that may answer a load by itself, so that the steps below do not
    /// see it.
    #[must_use]
    pub const fn answers_loads(self) -> Self {
        Self {
            answers_loads: true,
            ..self
        }
    }

    /// The same shape, for a step that relies on a [`Validity`](crate::Validity) of what is loaded.
    #[must_use]
    pub const fn needs_changes(self) -> Self {
        Self {
            needs_changes: true,
            ..self
        }
    }

    /// The same shape, for a backend that is told of the changes that others make, and so can answer a
    /// [`Validity`](crate::Validity).
    #[must_use]
    pub const fn tells_changes(self) -> Self {
        Self {
            tells_changes: true,
            ..self
        }
    }

    /// The same shape, for a step whose bytes look like noise to who has no key, so that steps below it find nothing in
    /// them to make smaller.
    #[must_use]
    pub const fn seals(self) -> Self {
        Self {
            seals: true,
            ..self
        }
    }

    /// The same shape, for a step that makes bytes smaller by what repeats in them, and so stands above one that
    /// [seals](Shape::seals) them.
    #[must_use]
    pub const fn shrinks(self) -> Self {
        Self {
            shrinks: true,
            ..self
        }
    }

    /// The same shape, for a step that makes keys of which nobody can tell the ids.
    #[must_use]
    pub const fn hides_ids(self) -> Self {
        Self {
            hides_ids: true,
            ..self
        }
    }

    /// The same shape, for a backend whose keys somebody else reads the ids from.
    #[must_use]
    pub const fn needs_ids(self) -> Self {
        Self {
            needs_ids: true,
            ..self
        }
    }

    /// The same shape, for a step that a pipeline may have at most once.
    #[must_use]
    pub const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// Whether it is the shape of a backend.
    #[must_use]
    pub const fn is_backend(&self) -> bool {
        matches!(self.kind, Kind::Backend)
    }

    /// Whether it is the shape of a step that gives sessions a deadline.
    #[must_use]
    pub const fn ends_sessions(&self) -> bool {
        self.sets_deadline
    }

    /// The role, in a word: `transform`, `around` or `backend`.
    #[must_use]
    pub const fn role(&self) -> &'static str {
        match self.kind {
            Kind::Transform => "transform",
            Kind::Around => "around",
            Kind::Backend => "backend",
        }
    }

    /// In which form it takes a session; `None` where it does not look at it.
    #[must_use]
    pub const fn takes(&self) -> Option<Data> {
        self.takes
    }

    /// In which form it gives a session; `None` where it leaves it as it came.
    #[must_use]
    pub const fn gives(&self) -> Option<Data> {
        self.gives
    }
}

impl fmt::Display for Shape {
    /// What it takes and what it gives, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.takes, self.gives) {
            _ if self.is_backend() => match self.takes {
                Some(data) => write!(f, "{data} → stored"),
                None => f.write_str("→ stored"),
            },
            _ if self.makes_key => f.write_str("id → key"),
            _ if self.sets_deadline => f.write_str("sets the deadline"),
            _ if self.needs_index => f.write_str("session → entries"),
            (Some(takes), Some(gives)) => write!(f, "{takes} → {gives}"),
            (Some(takes), None) => write!(f, "reads {takes}"),
            (None, _) => f.write_str("looks at no data"),
        }
    }
}
