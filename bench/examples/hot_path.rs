//! The work of a load and of a save, and nothing else, for tools that count instructions.
//!
//! `hot_path load|save COUNT` does as many over the default pipeline on `memory`, with sessions of 1 KB; what one costs is the
//! difference of two runs. docs/hot-path.md says how, and what was counted.

use std::error::Error;

use rrss::{Expiry, JsonCodec, KeyMapper, Memory, Session, SessionId, Store};

#[allow(dead_code, reason = "the benchmark uses all of it")]
#[path = "../src/corpus.rs"]
mod corpus;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(what), Some(count)) = (words.next(), words.next()) else {
        return Err("usage: hot_path load|save COUNT".into());
    };
    let store = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
        .step::<Memory>(Default::default())
        .build()?;
    let mut ids = Vec::new();
    for text in corpus::sessions(7, corpus::Size::Medium, 64) {
        let mut session = Session::new();
        session.copy_fields_of(&Session::from_json(text.into(), None)?.0);
        store.save(&mut session).await?;
        ids.push(session.id().cloned().ok_or("it was saved")?);
    }
    for (number, id) in ids.iter().cycle().take(count.parse()?).enumerate() {
        let session = load(&store, id).await?;
        if what == "save" {
            save(&store, session, number).await?;
        }
    }
    Ok(())
}

#[inline(never)]
async fn load(store: &Store, id: &SessionId) -> Result<Session, Box<dyn Error>> {
    let session = store.load(id).await?.ok_or("it is stored")?;
    session.get::<serde_json::Value>(corpus::READ_FIELD)?;
    Ok(session)
}

#[inline(never)]
async fn save(store: &Store, mut session: Session, number: usize) -> Result<(), Box<dyn Error>> {
    session.insert(corpus::CHANGED_FIELD, &(corpus::BEGIN + number as u64))?;
    store.save(&mut session).await?;
    Ok(())
}
