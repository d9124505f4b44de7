//! What is promised of stored bytes that no step of the pipeline wrote.

use bytes::Bytes;
use rrss::{Error, ErrorKind, Session};
use rrss_core::{Action, Answer, Data, Outcome, Payload};

use super::{Shelf, Specimen, ann, garbage};
use crate::secrets::Secrets;

/// Bytes that this step cannot have written are an error of kind `Corrupt`, or another step's matter; they are never
/// an empty session, nor a panic, and they stay as they are.
pub async fn foreign_bytes_are_corrupt_or_pass_and_stay_as_they_are(make: impl Fn() -> Specimen) {
    for place in make().places() {
        let shelf = Shelf::new();
        let store = make().store(place, shelf.clone());
        let mut session = ann();
        store.save(&mut session).await.expect("saving works");
        let id = session.id().expect("it was saved");
        for bytes in garbage() {
            shelf.replace_all(&bytes);
            let loaded = store.load(id).await;
            let kind = loaded.as_ref().err().map(Error::kind);
            assert_eq!(
                kind,
                Some(ErrorKind::Corrupt),
                "of {} bytes: {loaded:?}",
                bytes.len()
            );
            assert_eq!(shelf.only(), bytes, "they stay as they are");
        }
    }
    // Alone, without a codec's word on what passes.
    let specimen = make();
    if specimen.shape().takes() != Some(Data::Bytes) {
        return;
    }
    let op = specimen.operation(Action::Load, specimen.id());
    for bytes in garbage() {
        let mut answer = Answer::new(Outcome::Found);
        answer.payload = Payload::Bytes(bytes.clone());
        match specimen.transform().after(&op, &mut answer) {
            Ok(()) => assert_eq!(
                answer.take_bytes(),
                Some(bytes),
                "it was no step's, and passes"
            ),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}"),
        }
    }
}

/// "No session id, key material, password or field value reaches … an error text."
pub async fn no_error_shows_an_id_a_key_or_a_value(make: impl Fn() -> Specimen) {
    let planted = "4111-1111-1111";
    let mut errors = 0;
    for place in make().places() {
        let shelf = Shelf::new();
        let store = make().store(place, shelf.clone());
        let mut session = Session::new();
        session.insert("card", planted).expect("text serialises");
        session
            .insert("more", &planted.repeat(50))
            .expect("text serialises");
        store.save(&mut session).await.expect("saving works");
        let id = session.id().expect("it was saved").clone();
        let secrets = Secrets::of([id.as_str().to_owned(), planted.to_owned(), shelf.only_key()]);
        let stored = shelf.only();
        let mut damaged = garbage();
        damaged.push([&stored[..], planted.as_bytes()].concat().into());
        damaged.push(format!("{{\"card\":\"{planted}\",}}").into());
        damaged.push(format!("\"{planted}\"").into());
        damaged.push(Bytes::copy_from_slice(&stored[..stored.len() - 1]));
        for bytes in damaged {
            shelf.replace_all(&bytes);
            if let Err(error) = store.load(&id).await {
                secrets.are_not_in(&error);
                errors += 1;
            }
        }
        let malformed = format!("{}{planted}", id.as_str());
        let mut other = Session::with_id(malformed.as_str().into());
        other.insert("card", planted).expect("text serialises");
        if let Err(error) = store.save(&mut other).await {
            secrets.are_not_in(&error);
        }
    }
    assert!(errors > 0, "nothing was refused, so nothing was looked at");
}
