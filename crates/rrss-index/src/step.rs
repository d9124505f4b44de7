//! The step: the entries of a session's indexed fields, on every operation that makes or ends some.

use std::sync::Arc;
use std::time::Duration;

use rrss_core::{
    Action, BuildContext, DurationOption, Handle, IndexKey, IndexRules, Note, NoteChange,
    Operation, Result, Role, Session, Shape, Step, Transform,
};

use crate::options::Options;

/// Finds sessions by the value of a field.
#[derive(Debug, Clone)]
pub struct Index {
    rules: IndexRules,
}

impl Index {
    /// The step with these options.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](rrss_core::ErrorKind::Config) where no field is named, one is named twice, or there is an
    /// `on_limit` without a limit, or a
    /// `keep_expired` of zero.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Self {
            rules: IndexRules {
                fields: options.fields.into_iter().map(Arc::from).collect(),
                max_per_value: options.max_per_value,
                on_limit: options.on_limit.unwrap_or_default(),
                keep_expired: options.keep_expired.map(DurationOption::get),
            },
        })
    }

    /// The entries that `session` is to have.
    fn wanted(&self, session: &Session) -> Result<Vec<IndexKey>> {
        let mut entries = Vec::new();
        for field in &self.rules.fields {
            if let Some(raw) = session.get_raw(field) {
                entries.extend(IndexKey::of(Arc::clone(field), raw)?);
            }
        }
        Ok(entries)
    }

    /// The entries that `session` has, by its fields as they are stored. A value that cannot be indexed was stored before
    /// the field was, and has none.
    fn stored<'a>(&'a self, session: &'a Session) -> impl Iterator<Item = IndexKey> {
        self.rules.fields.iter().filter_map(|field| {
            let raw = session.stored_raw(field)?;
            IndexKey::of(Arc::clone(field), raw).ok().flatten()
        })
    }

    /// What `op` changes in the note of its session, which is kept until so long `after` its deadline.
    fn note(&self, op: &Operation, after: Duration) -> NoteChange {
        let raw: for<'s> fn(&'s Session, &str) -> Option<&'s str> = match op.action() {
            Action::Create | Action::Update | Action::Rotate => Session::get_raw,
            Action::Touch | Action::Reindex => Session::stored_raw,
            // Also of one that could not be read, and so is deleted by its id alone.
            Action::Delete => return NoteChange::Remove,
            _ => return NoteChange::Leave,
        };
        let (Some(session), Some(id)) = (op.session(), op.id()) else {
            return NoteChange::Leave;
        };
        let fields = self.rules.fields.iter();
        let fields = fields.filter_map(|field| Some((&**field, raw(session, field)?)));
        NoteChange::Keep {
            note: Note::write(Handle::of(id), fields),
            after,
        }
    }
}

impl Step for Index {
    const TYPE: &'static str = "index";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"index\"
fields = [\"user_id\"]
max_per_value = 5
on_limit = \"evict-oldest\"
";

    type Options = Options;

    fn shape(options: &Options) -> Shape {
        let shape = Shape::on_session().needs_key().needs_index().once();
        match options.keep_expired {
            Some(_) => shape.needs_expired(),
            None => shape,
        }
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn build(options: Options, _: &BuildContext) -> Result<Role> {
        Ok(Role::transform(Self::new(options)?))
    }
}

impl Transform for Index {
    fn before(&self, op: &mut Operation) -> Result<()> {
        if let Some(after) = self.rules.keep_expired {
            op.index.note = self.note(op, after);
        }
        let Some(session) = op.session() else {
            return Ok(());
        };
        let (put, removed) = match op.action() {
            Action::Create => (self.wanted(session)?, Vec::new()),
            Action::Update | Action::Rotate => {
                (self.wanted(session)?, self.stored(session).collect())
            }
            Action::Touch | Action::Reindex => (self.stored(session).collect(), Vec::new()),
            Action::Delete => (Vec::new(), self.stored(session).collect()),
            _ => return Ok(()),
        };
        op.index.removed.extend(removed);
        // A rotation removes entries of the old key and puts them for the new one.
        if *op.action() != Action::Rotate {
            op.index.removed.retain(|entry| !put.contains(entry));
        }
        op.index.put = put;
        Ok(())
    }

    fn wants_session(&self, op: &Operation) -> bool {
        matches!(op.action(), Action::Touch | Action::Delete) && op.session().is_none()
    }

    fn index(&self) -> Option<&IndexRules> {
        Some(&self.rules)
    }
}

rrss_core::register!(Index);
