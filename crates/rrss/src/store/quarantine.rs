//! Where stored sessions lie that could not be read.

mod entry;
mod name;
mod restore;

use std::time::Duration;

use bytes::Bytes;
use rrss_core::{
    Action, Cursor, Deadline, Error, ErrorKind, KeySpace, Operation, Outcome, Payload, Result,
    StorageKey, Timestamp,
};

use self::entry::Head;
pub use self::entry::Quarantined;
pub use self::name::Name;
pub use self::restore::Restored;
use super::{Store, unexpected};

/// How often an entry is written again that ran out in the moment between finding it there and keeping it longer.
const TRIES: u32 = 4;

/// The stored sessions that a store could not read and has moved aside, as `on_corrupt = "quarantine"` has it: see
/// [`Store::quarantine`].
///
/// Each is an entry with a [name](Name), which is a digest of where the session was stored and of its bytes: so the same bytes are
/// one entry, and no entry ever takes the place of another. Entries lie in the same backend, under keys that are
/// no session's: `quarantine:NAME` behind the prefix of the store's own keys. They end by themselves.
///
/// What lies here is what lay in the store: if sessions are not encrypted, neither is this.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> rrss::Result<()> {
/// use bytes::Bytes;
/// use rrss::core::{Action, Guard, Payload};
/// use rrss::{OnCorrupt, Operation, Session, Store};
///
/// let store = Store::from_toml(r#"
///     store = { on_corrupt = "quarantine" }
///     step = [{ type = "key-mapper" }, { type = "json-codec" }, { type = "memory" }]
/// "#)?;
/// let mut session = Session::new();
/// session.insert("user", "ann")?;
/// store.save(&mut session).await?;
/// let id = session.id().unwrap().clone();
///
/// // Something other than this store overwrites it.
/// let mut op = Operation::new(Action::Update, store.now()).with_id(id.clone());
/// store.pipeline().prepare(&mut op)?;
/// op.payload = Payload::Bytes(Bytes::from_static(b"\xff\xff"));
/// store.pipeline().run_on_backend(&op).await?;
///
/// assert!(store.load(&id).await?.is_none());
/// let quarantine = store.quarantine()?;
/// let name = quarantine.names(None, 10).await?.names[0];
/// assert_eq!(quarantine.get(&name).await?.unwrap().bytes(), &b"\xff\xff"[..]);
///
/// quarantine.restore(&name).await?;
/// assert!(quarantine.get(&name).await?.is_none());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Quarantine<'s> {
    store: &'s Store,
    /// The keys of the store's sessions.
    sessions: KeySpace,
}

/// One page of the names in a quarantine: see [`Quarantine::names`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuarantineNames {
    /// The names; perhaps some of another store whose keys begin in the same way.
    pub names: Vec<Name>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Store {
    /// The quarantine of this store, whatever `on_corrupt` says today.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where the key mapper does not tell which keys are its own, or the backend keeps fields and not
    /// bytes.
    pub fn quarantine(&self) -> Result<Quarantine<'_>> {
        let pipeline = &self.inner.pipeline;
        if pipeline.keeps_fields() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this backend keeps the fields of sessions one by one, and has no quarantine",
            ));
        }
        let mut op = self.operation(Action::Count);
        pipeline.prepare(&mut op)?;
        Ok(Quarantine::new(self, op.key_space()?.clone()))
    }
}

impl<'s> Quarantine<'s> {
    pub(super) fn new(store: &'s Store, sessions: KeySpace) -> Self {
        Self { store, sessions }
    }

    /// Names the entries, about `limit` at a time: begin with `None`, go on with [`QuarantineNames::next`]. A page may hold fewer
    /// or none and still have a next one, and a name may come twice.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] and [`ErrorKind::Timeout`] where the backend cannot tell.
    pub async fn names(&self, cursor: Option<Cursor>, limit: usize) -> Result<QuarantineNames> {
        let mut op = self.store.operation(Action::List { cursor, limit });
        let space = name::space(&self.sessions);
        op.key_space = Some(space.clone());
        let answer = self.run(&op).await?;
        let Outcome::Page(page) = answer.outcome else {
            return Err(unexpected(&op, &answer));
        };
        let names = page.keys.iter().filter_map(|key| {
            let name = space.middle(key.as_str())?;
            name.parse().ok()
        });
        Ok(QuarantineNames {
            names: names.collect(),
            next: page.next,
        })
    }

    /// Reads an entry; `None` where there is none of this name, or it is another store's.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] and [`ErrorKind::Timeout`] where the backend cannot tell; [`ErrorKind::Corrupt`] where
    /// what lies there is no entry.
    pub async fn get(&self, name: &Name) -> Result<Option<Quarantined>> {
        let mut op = self.on(Action::Load, name);
        op.wants_deadline = true;
        let answer = self.run(&op).await?;
        match answer.outcome {
            Outcome::Missing => Ok(None),
            Outcome::Found => {
                let expires_at = answer.expires_at;
                let Some(written) = answer.payload.bytes() else {
                    return Err(unexpected(&op, &answer));
                };
                let entry = Quarantined::read(*name, written, expires_at)?;
                let is_ours = self.sessions.middle(entry.key().as_str()).is_some();
                Ok(is_ours.then_some(entry))
            }
            _ => Err(unexpected(&op, &answer)),
        }
    }

    /// Keeps what was found under `key` for a while from now on.
    pub(super) async fn put(
        &self,
        key: &StorageKey,
        bytes: &Bytes,
        deadline: Option<Timestamp>,
        error: &Error,
        keep_for: Duration,
    ) -> Result<Name> {
        let name = Name::of(key, bytes);
        let now = self.store.now();
        let head = Head::new(key, now, deadline, error);
        let payload = Payload::Bytes(head.write(bytes)?);
        for _ in 0..TRIES {
            let mut op = self.on(Action::Create, &name);
            op.payload = payload.clone();
            op.deadline = Deadline::At(now + keep_for);
            let answer = self.run(&op).await?;
            match answer.outcome {
                Outcome::Done => return Ok(name),
                Outcome::Taken => {}
                _ => return Err(unexpected(&op, &answer)),
            }
            // These bytes lie there already. They are to be kept as long as if they had come now.
            let mut op = self.on(Action::Touch, &name);
            op.deadline = Deadline::At(now + keep_for);
            let answer = self.run(&op).await?;
            match answer.outcome {
                Outcome::Done => return Ok(name),
                Outcome::Missing => {}
                _ => return Err(unexpected(&op, &answer)),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "an entry of the quarantine came and went while it was written; try again",
        ))
    }

    /// An operation on the entry of this name.
    fn on(&self, action: Action, name: &Name) -> Operation {
        let mut op = self.store.operation(action);
        op.key = Some(name.key(&self.sessions));
        op.key_space = Some(name::space(&self.sessions));
        op
    }

    async fn run(&self, op: &Operation) -> Result<rrss_core::Answer> {
        self.store.start();
        self.store.inner.pipeline.run_on_backend(op).await
    }
}

/// Refuses a key space in which entries would be taken for sessions.
pub(super) fn check(sessions: &KeySpace) -> Result<()> {
    let some = Name::of(&StorageKey::from(String::new()), &[]).key(sessions);
    if sessions.middle(some.as_str()).is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Config,
        "sessions cannot be told by their keys from what is in quarantine, which lies behind the same prefix; say how long \
         their middle parts are, with `KeySpace::with_middle_of`",
    )
    .with_option("on_corrupt"))
}
