//! A rotation by a backend that cannot change two keys at once: a create and a delete.

use crate::backend::{Backend, Written};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::expired::NoteChange;
use crate::id::StorageKey;
use crate::index::IndexKey;
use crate::operation::{Action, Deadline, Guard, Operation};
use crate::payload::Payload;

/// Stores the new session, deletes the old one if its guard holds, and takes the new one back where it does not.
///
/// A lost answer to the delete is looked into: where the old session is gone, the rotation is done.
///
/// # Errors
///
/// As of the backend's write and delete; [`ErrorKind::Unavailable`] or [`ErrorKind::Timeout`] where it cannot tell whether
/// the old session is gone.
pub(crate) async fn in_two_steps<B: Backend + ?Sized>(
    backend: &B,
    op: &Operation,
) -> Result<Written> {
    let old = op.replaced()?.key()?;
    match backend.write(&create(backend, op).await?).await? {
        Written::Done => {}
        refused => return Ok(refused),
    }
    let mut delete = delete(op, old, &op.index.removed);
    delete.guard.clone_from(&op.guard);
    let deleted = match backend.delete(&delete).await {
        Err(error) if error.may_have_happened() => match backend.load(&look(op, old)).await {
            Ok(None) => Ok(Written::Done),
            Ok(Some(_)) => Err(error),
            // The old session may be deleted, and then the new one is all that there is.
            Err(_) => return Err(error),
        },
        deleted => deleted,
    };
    if !matches!(deleted, Ok(Written::Done)) {
        let undo = self::delete(op, op.key()?, &op.index.put);
        backend.delete(&undo).await.map_err(Error::in_doubt)?;
    }
    deleted
}

/// The create of the new session, with the deadline of the old one where none is given.
async fn create<B: Backend + ?Sized>(backend: &B, op: &Operation) -> Result<Operation> {
    let mut create = op.clone().with_action(Action::Create);
    create.guard = Guard::Absent;
    create.index.removed.clear();
    if let (Payload::Session(session), Some(id)) = (&op.payload, op.id()) {
        create.payload = Payload::Session(session.renewed_as(id.clone()));
    }
    if op.deadline == Deadline::Keep {
        let old = backend.load(&look(op, op.replaced()?.key()?)).await?;
        create.deadline = old
            .and_then(|record| record.expires_at)
            .map_or(Deadline::Never, Deadline::At);
    }
    Ok(create)
}

fn look(op: &Operation, key: &StorageKey) -> Operation {
    let mut look = op.derive(Action::Load);
    look.key = Some(key.clone());
    look.wants_deadline = true;
    look
}

fn delete(op: &Operation, key: &StorageKey, entries: &[IndexKey]) -> Operation {
    let mut delete = op.derive(Action::Delete);
    delete.key = Some(key.clone());
    delete.index.removed = entries.to_vec();
    if op.index.note != NoteChange::Leave {
        delete.index.note = NoteChange::Remove;
    }
    delete
}
