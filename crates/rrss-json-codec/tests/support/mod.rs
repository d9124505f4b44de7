//! A session through the codec, there and back.

use bytes::Bytes;
use rrss_core::{
    Action, Answer, Operation, Outcome, Payload, Result, Session, Timestamp, Transform,
};
use rrss_json_codec::{JsonCodec, Options};

/// When sessions are written.
pub(crate) const WRITTEN: Timestamp = Timestamp::from_millis(0);

pub(crate) fn encode_with(options: Options, session: Session) -> Result<Bytes> {
    let mut op = Operation::new(Action::Update, WRITTEN).with_session(session);
    JsonCodec::new(options)?.before(&mut op)?;
    op.bytes().cloned()
}

pub(crate) fn encode(session: Session) -> Result<Bytes> {
    encode_with(Options::default(), session)
}

pub(crate) fn decode_with(options: Options, bytes: impl Into<Bytes>) -> Result<Session> {
    let mut answer = Answer::new(Outcome::Found);
    answer.payload = Payload::Bytes(bytes.into());
    let op = Operation::new(Action::Load, Timestamp::from_millis(0));
    JsonCodec::new(options)?.after(&op, &mut answer)?;
    Ok(answer.session().expect("found is a session").clone())
}

pub(crate) fn decode(bytes: impl Into<Bytes>) -> Result<Session> {
    decode_with(Options::default(), bytes)
}

/// The fields as raw JSON.
pub(crate) fn raw(session: &Session) -> Vec<(String, String)> {
    session
        .iter_raw()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The fields as values.
pub(crate) fn values(session: &Session) -> serde_json::Map<String, serde_json::Value> {
    session
        .iter_raw()
        .map(|(name, value)| {
            (
                name.to_owned(),
                serde_json::from_str(value).expect("raw values are JSON"),
            )
        })
        .collect()
}
