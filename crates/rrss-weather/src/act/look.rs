//! Looking at sessions: one, those of a user, all.

use rrss::SessionId;

use super::written::About;
use super::{Actor, text, user_name};
use crate::event::Op;
use crate::history::{Answer, COUNT, FIELDS, Seen, USER, WHO};

impl Actor {
    /// Lists all sessions, and loads all ids that were ever known.
    pub(crate) async fn look_at_all(&self) {
        self.act(Op::List).await;
        let mut known: Vec<(u64, SessionId)> = Vec::new();
        for record in self.shared.history.all() {
            let new = match &record.answer {
                Answer::Id(id) => Some(id.clone()),
                _ => None,
            };
            for id in new.into_iter().chain(record.held).chain(record.id) {
                if let Some(who) = record.who
                    && !known.iter().any(|(_, known)| *known == id)
                {
                    known.push((who, id));
                }
            }
        }
        for (who, id) in known {
            // The slot is of no matter: it is known by its id.
            self.inspect(Op::Load(0), who, id).await;
        }
    }

    /// The ids of all sessions that are there.
    pub(crate) async fn everybody(&self) -> Vec<SessionId> {
        let (mut ids, mut cursor) = (Vec::new(), None);
        while let Ok(page) = self.station.store.list(cursor.take(), 1_000).await {
            ids.extend(page.ids);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        ids
    }

    /// Looks without renewing.
    pub(super) async fn inspect(&self, op: Op, who: u64, id: SessionId) {
        let called = self.call(
            op,
            About {
                who: Some(who),
                id: Some(id.clone()),
                ..About::default()
            },
        );
        let seen = self.station.store.inspect(&id).await;
        self.answer_with(
            &called,
            seen.map(|seen| Answer::Loaded(seen.as_ref().map(Seen::of))),
            |record| record.op = Op::LoadOld(usize::MAX),
        );
    }

    pub(super) async fn find(&self, op: Op, user: u8) {
        let called = self.call(op, About::default());
        let (mut seen, mut cursor) = (Vec::new(), None);
        let (store, user) = (&self.station.store, user_name(user));
        let answer = loop {
            match store.find(USER, &user, cursor.take(), 1_000).await {
                Ok(found) => {
                    seen.extend(found.sessions.iter().map(|session| {
                        Seen {
                            who: session.get(WHO).ok().flatten(),
                            id: None,
                            fields: FIELDS
                                .map(|name| {
                                    (name, text(session.get::<String>(name).ok().flatten()))
                                })
                                .to_vec(),
                            count: session.get(COUNT).ok().flatten().unwrap_or(0),
                        }
                    }));
                    cursor = found.next;
                }
                Err(error) => break Err(error),
            }
            if cursor.is_none() {
                break Ok(Answer::Sessions(seen));
            }
        };
        self.answer(&called, answer);
    }

    pub(super) async fn list(&self, op: Op) {
        let called = self.call(op, About::default());
        let store = &self.station.store;
        let (mut seen, mut cursor) = (Vec::new(), None);
        let answer = 'pages: loop {
            match store.list(cursor.take(), 1_000).await {
                Ok(page) => {
                    for id in page.ids {
                        match store.inspect(&id).await {
                            Ok(session) => seen.extend(session.as_ref().map(Seen::of)),
                            Err(error) => break 'pages Err(error),
                        }
                    }
                    cursor = page.next;
                }
                Err(error) => break Err(error),
            }
            if cursor.is_none() {
                break Ok(Answer::Sessions(seen));
            }
        };
        self.answer(&called, answer);
    }
}
