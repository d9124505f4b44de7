//! The step: ciphertext on the way to the backend, what it stands for on the way back.

use std::sync::Arc;

use bytes::Bytes;
use rrss_core::{
    Answer, BuildContext, Error, ErrorKind, ExpiredNote, InstantOption, NoteChange, Operation,
    Outcome, Payload, Result, Role, Shape, Step, Timestamp, Transform, Warning,
};

use crate::options::Options;
use crate::ring::{Place, Ring};
use crate::sealed::What;

/// Stores sessions encrypted and authenticated.
#[derive(Debug, Clone)]
pub struct Encryption {
    ring: Arc<Ring>,
    namespace: Box<str>,
    accept_plaintext_until: Option<Timestamp>,
}

impl Encryption {
    /// The step with these options, in a store of this name. An empty one stands for a store without a name; a `namespace` of
    /// the options takes its place.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where there is no key, or two have one id.
    pub fn new(options: &Options, store_name: &str) -> Result<Self> {
        options.check()?;
        Ok(Self {
            ring: Arc::new(Ring::new(&options.keys)?),
            namespace: options.namespace.as_deref().unwrap_or(store_name).into(),
            accept_plaintext_until: options.accept_plaintext_until.map(InstantOption::get),
        })
    }

    fn place<'a>(&'a self, what: What, key: &'a [u8]) -> Place<'a> {
        Place {
            what,
            namespace: &self.namespace,
            key,
        }
    }

    /// What `bytes` stand for: never they themselves, unless plain ones are accepted still.
    fn open(&self, what: What, key: &[u8], bytes: &Bytes, now: Timestamp) -> Result<Bytes> {
        if let Some(plain) = self.ring.open(self.place(what, key), bytes)? {
            return Ok(plain);
        }
        match self.accept_plaintext_until {
            Some(until) if now < until => Ok(bytes.clone()),
            Some(_) => Err(plain("`accept_plaintext_until` has passed")),
            None => Err(plain(
                "to read those from before this step for a while, give it `accept_plaintext_until`",
            )),
        }
    }

    /// The note as it was made. One that cannot be read is emptied, which is no note: the others are told of all the same.
    fn open_note(&self, note: &mut ExpiredNote, now: Timestamp) {
        let opened = self.open(What::Note, note.key.as_bytes(), &note.note, now);
        note.note = opened.unwrap_or_else(|error| {
            tracing::warn!(%error, "the note of an expired session cannot be decrypted");
            Bytes::new()
        });
    }
}

fn plain(advice: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("the stored session is not encrypted, so anybody may have made it; {advice}"),
    )
}

impl Step for Encryption {
    const TYPE: &'static str = "encryption";
    const EXAMPLE: &'static str = "\
[[step]]
type = \"encryption\"
keys = [{ id = \"2026-11\", key = { env = \"RRSS_KEY\" } }]
";

    type Options = Options;

    fn shape(_: &Options) -> Shape {
        Shape::on_bytes().needs_key().seals().once()
    }

    fn check(options: &Options) -> Result<()> {
        options.check()
    }

    fn warnings(options: &Options, now: Timestamp) -> Vec<Warning> {
        let Some(until) = options.accept_plaintext_until else {
            return Vec::new();
        };
        let warning = if now < until.get() {
            Warning::new(format!(
                "until {until}, stored sessions that are not encrypted are read as they are, so who can write the store can \
                 make any session"
            ))
            .with_hint("run `rrss rekey`, which encrypts those that are not, and remove the option")
        } else {
            Warning::new(format!(
                "{until} has passed, so stored sessions that are not encrypted are corrupt now"
            ))
            .with_hint("remove the option; or, where sessions are still to be encrypted, write a later date")
        };
        vec![warning.with_option("accept_plaintext_until")]
    }

    fn build(options: Options, context: &BuildContext) -> Result<Role> {
        let store_name = context.store_name().unwrap_or_default();
        Ok(Role::transform(Self::new(&options, store_name)?))
    }
}

impl Transform for Encryption {
    fn before(&self, op: &mut Operation) -> Result<()> {
        if let Payload::Bytes(plain) = &op.payload {
            let place = self.place(What::Session, op.key()?.as_bytes());
            op.payload = Payload::Bytes(self.ring.seal(place, plain)?);
        } else if op.is_write() {
            // What is no bytes yet would be stored as it is.
            op.bytes()?;
        }
        if let NoteChange::Keep { note, after } = &op.index.note {
            let place = self.place(What::Note, op.key()?.as_bytes());
            op.index.note = NoteChange::Keep {
                note: self.ring.seal(place, note)?,
                after: *after,
            };
        }
        Ok(())
    }

    fn after(&self, op: &Operation, answer: &mut Answer) -> Result<()> {
        if let Outcome::Expired(notes) = &mut answer.outcome {
            notes
                .iter_mut()
                .for_each(|note| self.open_note(note, op.now()));
        }
        if answer.outcome != Outcome::Found {
            return Ok(());
        }
        if let Payload::Bytes(bytes) = &answer.payload {
            let key = op.key()?.as_bytes();
            answer.payload = Payload::Bytes(self.open(What::Session, key, bytes, op.now())?);
        }
        Ok(())
    }
}

rrss_core::register!(Encryption);
