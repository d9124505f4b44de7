//! A store of rrss, whatever its pipeline.

use rrss::{Saved, Session, SessionId, Store};

use super::{Peer, Result, Sample};
use crate::corpus::{CHANGED_FIELD, READ_FIELD};

pub struct Rrss(pub Store);

impl Peer for Rrss {
    type Id = SessionId;
    type Session = Session;

    async fn create(&self, sample: &Sample) -> Result<SessionId> {
        let (mut session, _) = Session::from_json(sample.text.clone().into(), None)?;
        self.0.save(&mut session).await?;
        Ok(session.id().cloned().ok_or("it was not stored")?)
    }

    async fn load(&self, id: &SessionId) -> Result<(Session, Option<u64>)> {
        let session = self.0.load(id).await?.ok_or("the session is gone")?;
        let number = session.get(READ_FIELD)?;
        Ok((session, number))
    }

    async fn save(&self, _: &SessionId, session: &mut Session, seen: u64) -> Result<()> {
        session.insert(CHANGED_FIELD, &seen)?;
        match self.0.save(session).await? {
            Saved::Replaced => Ok(()),
            other => Err(format!("the save answered {other:?}").into()),
        }
    }

    fn seen(session: &Session) -> Option<u64> {
        session.get(CHANGED_FIELD).ok().flatten()
    }
}
