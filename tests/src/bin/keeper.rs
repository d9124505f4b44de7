//! Keeps sessions in the store of a file until it is killed, and says what it was told is done.
//!
//! One line for each answer of the store, printed after it: `kept ID NUMBER` for a session that it created,
//! `counted ID NUMBER` for the one that it saves again and again, `deleted ID` for one that it ended.

use std::io::{Write, stdout};

use rrss::{Session, Store};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os()
        .nth(1)
        .ok_or("say the file of the store")?;
    let store = Store::from_file(file)?;
    let mut counted = Session::new();
    for number in 1_u64.. {
        counted.insert("number", &number)?;
        store.save(&mut counted).await?;
        say("counted", &counted, &number.to_string())?;

        let mut kept = Session::new();
        kept.insert("number", &number)?;
        store.save(&mut kept).await?;
        say("kept", &kept, &number.to_string())?;

        let mut ended = kept.renewed();
        store.save(&mut ended).await?;
        if let Some(id) = ended.id() {
            store.delete(id).await?;
        }
        say("deleted", &ended, "")?;
    }
    Ok(())
}

fn say(what: &str, session: &Session, number: &str) -> Result<(), Box<dyn std::error::Error>> {
    let id = session.id().ok_or("a saved session has an id")?;
    writeln!(stdout(), "{what} {} {number}", id.as_str())?;
    Ok(())
}
