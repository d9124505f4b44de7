//! A pipeline in code: built-in steps with their options, a key mapper from a function, steps from closures.

use std::io::Write as _;
use std::time::Duration;

use rrss::{Compression, Expiry, JsonCodec, Memory, Session, Shape, Store, expiry};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shop = "corner-shop";
    let store = Store::builder()
        .key_mapper(move |id| format!("{shop}:sessions:{id}"))
        .step::<Expiry>(expiry::Options {
            duration: Duration::from_secs(3600).into(),
            ..Default::default()
        })
        .before("forget-password", Shape::on_session(), |op| {
            if let Some(session) = op.session_mut() {
                session.remove("password");
            }
            Ok(())
        })
        .after("greet", Shape::on_session(), |_, answer| {
            if let Some(session) = answer.session_mut()
                && let Some(user) = session.get::<String>("user")?
            {
                session.insert("greeting", &format!("Hello, {user}"))?;
            }
            Ok(())
        })
        .step::<JsonCodec>(Default::default())
        .step::<Compression>(Default::default())
        .step::<Memory>(Default::default())
        .build()?;

    let mut session = Session::new();
    session.insert("user", "ann")?;
    session.insert("password", "hunter2")?;
    store.save(&mut session).await?;

    let id = session.id().ok_or("a saved session has an id")?;
    let loaded = store.load(id).await?.ok_or("the session was just saved")?;
    let mut out = std::io::stdout();
    for (name, value) in loaded.iter_raw() {
        writeln!(out, "{name} = {value}")?;
    }
    Ok(store.shutdown(Duration::from_secs(1)).await?)
}
