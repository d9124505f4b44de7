//! Commands on one session.

use clap::error::ErrorKind;
use rrss::{Session, SessionId, Store};

use super::Context;
use crate::args::{Field, IdArg};
use crate::exit::{Exit, Failure};
use crate::json::lay_out;
use crate::output::Output;

pub(super) fn create(context: &mut Context<'_>, fields: &[Field]) -> Result<(), Failure> {
    if fields.is_empty() {
        return Err(context.usage(
            "create",
            ErrorKind::MissingRequiredArgument,
            "an empty session is not stored; give it at least one FIELD=VALUE",
        ));
    }
    let mut session = Session::new();
    insert(&mut session, fields)?;
    context.with_store(async |context, store| {
        store.save(&mut session).await?;
        print_id(&mut context.output, &session)
    })
}

pub(super) fn get(
    context: &mut Context<'_>,
    id: &IdArg,
    field: Option<&str>,
) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |context, store| {
        let session = load(store, &id).await?;
        let json = match field {
            None => object(&session),
            Some(name) => session
                .get_raw(name)
                .ok_or_else(|| {
                    Failure::new(Exit::Missing, format!("the session has no field `{name}`"))
                })?
                .to_owned(),
        };
        let layout = context.output.layout();
        context.output.line(&lay_out(&json, layout))
    })
}

pub(super) fn set(context: &mut Context<'_>, id: &IdArg, fields: &[Field]) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |_, store| {
        let mut session = load(store, &id).await?;
        insert(&mut session, fields)?;
        store.save(&mut session).await?;
        Ok(())
    })
}

pub(super) fn unset(
    context: &mut Context<'_>,
    id: &IdArg,
    fields: &[String],
) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |_, store| {
        let mut session = load(store, &id).await?;
        for name in fields {
            session.remove(name);
        }
        store.save(&mut session).await?;
        Ok(())
    })
}

pub(super) fn touch(context: &mut Context<'_>, id: &IdArg) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |_, store| found(store.touch(&id).await?))
}

pub(super) fn rotate(context: &mut Context<'_>, id: &IdArg) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |context, store| {
        let mut session = load(store, &id).await?;
        store.rotate(&mut session).await?;
        print_id(&mut context.output, &session)
    })
}

pub(super) fn delete(context: &mut Context<'_>, id: &IdArg) -> Result<(), Failure> {
    let id = id.session_id()?;
    context.with_store(async |_, store| found(store.delete(&id).await?))
}

async fn load(store: &Store, id: &SessionId) -> Result<Session, Failure> {
    let session = store.load(id).await?;
    session.ok_or_else(Failure::no_session)
}

fn found(found: bool) -> Result<(), Failure> {
    if found {
        Ok(())
    } else {
        Err(Failure::no_session())
    }
}

fn insert(session: &mut Session, fields: &[Field]) -> Result<(), Failure> {
    for field in fields {
        session.insert_raw(&field.name, &field.json)?;
    }
    Ok(())
}

fn print_id(output: &mut Output<'_>, session: &Session) -> Result<(), Failure> {
    match session.id() {
        Some(id) => output.line(id.as_str()),
        None => Err(Failure::new(
            Exit::Software,
            "the store saved the session and gave it no id",
        )),
    }
}

/// The session as one JSON object, its fields in their stored order.
fn object(session: &Session) -> String {
    let fields: Vec<String> = session
        .iter_raw()
        .map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name)))
        .collect();
    format!("{{{}}}", fields.join(","))
}
