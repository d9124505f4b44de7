//! What is kept of a session beside its fields.

use rrss_core::{Error, ErrorKind, Result, Session, Timestamp};

/// The entry of the hash that holds it, as the member of the same name in what `json-codec` writes.
pub(super) const NAME: &str = "$rrss";

/// More bytes than any version writes there; what is longer is not looked into.
const LONGEST: usize = 1024;

/// Times in milliseconds since 1970. Members that a later version adds are passed over.
#[derive(Debug, Default)]
pub(super) struct Head {
    created: Option<u64>,
    written: Option<u64>,
    pub(super) until: Option<u64>,
}

impl Head {
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] where it is something else: nobody's life of a session is guessed.
    pub(super) fn read(text: &str) -> Result<Self> {
        let head = (text.len() <= LONGEST).then(|| Self::of_members(text).ok());
        head.flatten().ok_or_else(|| {
            let message =
                format!("the field `{NAME}` of the stored session is not what rrss writes there");
            Error::new(ErrorKind::Corrupt, message)
        })
    }

    /// A JSON object is read as the fields of a session are.
    fn of_members(text: &str) -> Result<Self> {
        let (members, _) = Session::from_json(text.to_owned().into(), None)?;
        Ok(Self {
            created: members.get("created")?,
            written: members.get("written")?,
            until: members.get("until")?,
        })
    }

    pub(super) fn put_on(&self, session: Session) -> Session {
        session
            .with_created_at(self.created.map(Timestamp::from_millis))
            .with_written_at(self.written.map(Timestamp::from_millis))
            .with_own_deadline(self.until.map(Timestamp::from_millis))
    }
}
