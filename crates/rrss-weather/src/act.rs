//! Carrying operations out, and writing down what they answered.

mod look;
mod written;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rrss::{Error, ErrorKind, Result, Saved, Session, Timestamp};

use self::written::{About, Called};
use crate::event::{Change, Op};
use crate::history::{Answer, COUNT, FIELDS, FOREVER, Field, Seen, USER, WHO};
use crate::shared::Shared;
use crate::world::Station;

/// Who carries operations out: one store, at one moment.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) number: usize,
    pub(crate) station: Station,
    pub(crate) shared: Arc<Shared>,
    pub(crate) outage: Arc<AtomicU64>,
}

/// What `store.revoke` and the like are asked for.
pub(crate) fn user_name(user: u8) -> String {
    format!("u{user}")
}

impl Actor {
    pub(crate) async fn act(&self, op: Op) {
        match op {
            Op::Create(slot, user) => self.create(op, slot, user).await,
            Op::Load(slot) => drop(self.load(op, slot).await),
            Op::LoadOld(slot) => self.load_old(op, slot).await,
            Op::Save(slot, change) => self.save(op, slot, change).await,
            Op::Count(slot) => self.count(op, slot).await,
            Op::Touch(slot) => self.touch(op, slot, None).await,
            Op::TouchUntil(slot, millis) => self.touch(op, slot, Some(millis)).await,
            Op::Rotate(slot, change) => self.rotate(op, slot, change).await,
            Op::Delete(slot) => self.delete(op, slot).await,
            Op::Find(user) => self.find(op, user).await,
            Op::Revoke(user) => self.revoke(op, user).await,
            Op::RevokeOthers(slot) => self.revoke_others(op, slot).await,
            Op::List => self.list(op).await,
            Op::Sweep => {
                let called = self.call(op, About::default());
                let swept = self.station.store.sweep().await;
                self.answer(&called, swept.map(|_| Answer::Done));
            }
            Op::Reindex => {
                let called = self.call(op, About::default());
                let reindexed = self.reindex().await;
                self.answer(&called, reindexed.map(|()| Answer::Done));
            }
        }
    }

    async fn reindex(&self) -> rrss::Result<()> {
        let mut cursor = None;
        loop {
            cursor = self.station.store.reindex(cursor, 2).await?.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn create(&self, op: Op, slot: usize, user: u8) {
        let who = self.shared.history.fresh_who();
        let mut session = Session::new();
        let mut writes = self.changes(&mut session, Change::SetA);
        let _ = session.insert(WHO, &who);
        writes.extend(self.changes(&mut session, Change::User(user)));
        let called = self.call(
            op,
            About {
                who: Some(who),
                writes,
                ..About::default()
            },
        );
        let created = self.station.store.create(&mut session).await;
        let is_new = session.is_new();
        let id = session.id().cloned();
        let forgot = created.is_err() && !is_new;
        let answer = match created {
            Ok(()) => id.clone().map(Answer::Id).ok_or_else(no_id),
            Err(error) => Err(error),
        };
        self.answer_with(&called, answer, |record| {
            record.forgot = forgot;
            record.held = id.clone().filter(|_| !is_new);
        });
        if let Some(id) = id.filter(|_| !is_new && !forgot) {
            self.shared.put(slot, who, id);
            self.shared.keep(self.number, slot, who, Some(session));
        }
    }

    async fn load(&self, op: Op, slot: usize) -> Option<(u64, Session)> {
        let there = self.shared.slot(slot)?;
        let called = self.call(
            op,
            About {
                who: Some(there.who),
                id: Some(there.id.clone()),
                ..About::default()
            },
        );
        let loaded = self.station.store.load(&there.id).await;
        let copy = loaded.as_ref().ok().cloned().flatten();
        self.answer(
            &called,
            loaded.map(|loaded| Answer::Loaded(loaded.as_ref().map(Seen::of))),
        );
        self.shared.keep(self.number, slot, there.who, copy.clone());
        Some((there.who, copy?))
    }

    async fn load_old(&self, op: Op, slot: usize) {
        let Some(there) = self.shared.slot(slot) else {
            return;
        };
        for id in there.former {
            self.inspect(op, there.who, id).await;
        }
    }

    /// The store's copy of the session of a slot, loaded where it has none.
    async fn copy(&self, slot: usize) -> Option<(u64, Session)> {
        match self.shared.copy(self.number, slot) {
            Some(copy) => Some(copy),
            None => self.load(Op::Load(slot), slot).await,
        }
    }

    async fn save(&self, op: Op, slot: usize, change: Change) {
        let Some((who, mut session)) = self.copy(slot).await else {
            return;
        };
        let writes = self.changes(&mut session, change);
        let had_changes = session.is_modified();
        let called = self.call(op, self.writing(who, &session, writes, op));
        let saved = self.station.store.save(&mut session).await;
        self.written(
            &called,
            slot,
            who,
            session,
            had_changes,
            saved.map(|_| Answer::Done),
        );
    }

    async fn count(&self, op: Op, slot: usize) {
        let Some((who, mut session)) = self.copy(slot).await else {
            return;
        };
        let called = self.call(op, self.writing(who, &session, Vec::new(), op));
        let count = |count: Option<u64>| count.unwrap_or(0) + 1;
        let counted = self.station.store.update_field(&mut session, COUNT, count);
        let counted = counted.await.map(Answer::Counted);
        // What it counted is not a change of the caller's, who is to call again.
        self.written(&called, slot, who, session, false, counted);
    }

    async fn rotate(&self, op: Op, slot: usize, change: Change) {
        let Some((who, mut session)) = self.copy(slot).await else {
            return;
        };
        let writes = self.changes(&mut session, change);
        let had_changes = session.is_modified();
        let called = self.call(op, self.writing(who, &session, writes, op));
        let rotated = self.station.store.rotate(&mut session).await;
        let id = session.id().cloned();
        let answer = match (rotated, &id) {
            (Ok(Saved::Empty), _) => Ok(Answer::Done),
            (Ok(_), Some(id)) => {
                self.shared.rotated(slot, who, id.clone());
                Ok(Answer::Id(id.clone()))
            }
            (Ok(_), None) => Err(no_id()),
            (Err(error), _) => Err(error),
        };
        self.written(&called, slot, who, session, had_changes, answer);
    }

    /// What is known of a write beforehand: where the last write wins, it writes everything that its copy has, and else what
    /// an earlier write that failed has left in it, too.
    fn writing(&self, who: u64, session: &Session, mut writes: Vec<Field>, op: Op) -> About {
        for name in FIELDS {
            let left = session.changes().find(|(changed, _)| *changed == name);
            if let Some((_, value)) = left
                && !writes.iter().any(|(written, _)| *written == name)
            {
                writes.push((name, value.map(str::to_owned)));
            }
        }
        let text = |name| session.get_raw(name).map(str::to_owned);
        let all = || FIELDS.map(|name| (name, text(name))).to_vec();
        let is_last_write = self.shared.setup.conflict == rrss::Conflict::LastWrite;
        let (writes, copied) = match op {
            Op::Save(..) if is_last_write && session.is_modified() => (all(), Vec::new()),
            Op::Count(_) | Op::Rotate(..) if is_last_write => (writes, all()),
            _ => (writes, Vec::new()),
        };
        About {
            who: Some(who),
            id: session.id().cloned(),
            writes,
            copied,
            forever: session.own_deadline().is_some(),
        }
    }

    /// What a write answered; the copy stays with the store unless the session is gone.
    fn written(
        &self,
        called: &Called,
        slot: usize,
        who: u64,
        session: Session,
        had_changes: bool,
        answer: Result<Answer>,
    ) {
        let is_gone = answer.as_ref().is_err_and(Error::is_gone);
        let forgot = answer.is_err() && had_changes && !session.is_modified();
        self.answer_with(called, answer, |record| {
            record.held = session.id().cloned();
            record.forgot = forgot;
        });
        self.shared
            .keep(self.number, slot, who, Some(session).filter(|_| !is_gone));
    }

    async fn touch(&self, op: Op, slot: usize, millis: Option<i64>) {
        let Some(there) = self.shared.slot(slot) else {
            return;
        };
        let called = self.call(
            op,
            About {
                who: Some(there.who),
                id: Some(there.id.clone()),
                ..About::default()
            },
        );
        let store = &self.station.store;
        let touched = match millis {
            None => store.touch(&there.id).await,
            Some(millis) => {
                let until = self.shared.time.now().saturating_add_signed(millis);
                store
                    .touch_until(&there.id, Timestamp::from_millis(until))
                    .await
            }
        };
        self.answer(&called, touched.map(Answer::Was));
    }

    async fn delete(&self, op: Op, slot: usize) {
        let Some(there) = self.shared.slot(slot) else {
            return;
        };
        let called = self.call(
            op,
            About {
                who: Some(there.who),
                id: Some(there.id.clone()),
                ..About::default()
            },
        );
        let deleted = self.station.store.delete(&there.id).await;
        self.answer(&called, deleted.map(Answer::Was));
    }

    async fn revoke(&self, op: Op, user: u8) {
        let called = self.call(op, About::default());
        let revoked = self.station.store.revoke(USER, &user_name(user)).await;
        self.answer(&called, revoked.map(Answer::Counted));
    }

    async fn revoke_others(&self, op: Op, slot: usize) {
        let Some((who, session)) = self.copy(slot).await else {
            return;
        };
        let (Some(there), Ok(Some(user))) = (self.shared.slot(slot), session.get::<String>(USER))
        else {
            return;
        };
        if there.who != who {
            return;
        }
        let id = &there.id;
        let called = self.call(
            op,
            About {
                who: Some(who),
                id: Some(id.clone()),
                writes: vec![(USER, text(Some(user.clone())))],
                ..About::default()
            },
        );
        let revoked = self.station.store.revoke_others(USER, &user, id).await;
        self.answer(&called, revoked.map(Answer::Counted));
    }

    /// Makes the change, and says what it is to write.
    fn changes(&self, session: &mut Session, change: Change) -> Vec<Field> {
        let history = &self.shared.history;
        let field = match change {
            Change::Nothing => return Vec::new(),
            Change::Forever => {
                session.set_expires_at(FOREVER);
                return Vec::new();
            }
            Change::SetA => ("a", Some(format!("v{}", history.fresh_value()))),
            Change::SetB => ("b", Some(format!("v{}", history.fresh_value()))),
            Change::RemoveA => ("a", None),
            Change::User(0) => (USER, None),
            Change::User(user) => (USER, Some(user_name(user))),
        };
        let (name, value) = field;
        let value_text = text(value.clone());
        if session.get_raw(name) == value_text.as_deref() {
            return Vec::new();
        }
        match value {
            Some(value) => drop(session.insert(name, &value)),
            None => drop(session.remove(name)),
        }
        vec![(name, value_text)]
    }
}

fn no_id() -> Error {
    Error::new(ErrorKind::Unsupported, "a session was stored without an id")
}

/// A value as JSON text.
fn text(value: Option<String>) -> Option<String> {
    value.map(|value| format!("{value:?}"))
}
