//! "Your devices": where a customer is signed in. No framework is needed for it: the store finds the sessions.

use rrss::{Handle, Result, Store};
use serde::{Deserialize, Serialize};

/// How many devices the page shows.
const SHOWN: usize = 100;

/// A device as its session keeps it, in the field `device`: what it is called, and by what it is told from others that are
/// called the same. Not every framework tells its handlers the id of their session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Tells it from others.
    pub mark: String,
    /// What its browser calls itself.
    pub name: String,
}

/// A device that signs in with a browser that calls itself `user_agent`.
#[must_use]
pub fn new_device(user_agent: Option<&str>) -> Device {
    let name = user_agent.unwrap_or("an unknown device");
    Device {
        mark: uuid::Uuid::new_v4().to_string(),
        name: name.chars().take(60).collect(),
    }
}

/// The devices that `user` is signed in on: the handle of the session of each, and what it is called.
///
/// # Errors
///
/// As [`Store::find`].
pub async fn devices(store: &Store, user: &str) -> Result<Vec<(Handle, Device)>> {
    let found = store.find("user", user, None, SHOWN).await?;
    let mut devices = Vec::new();
    for session in found.sessions {
        if let Some(device) = session.get::<Device>("device")? {
            devices.push((session.handle(), device));
        }
    }
    devices.sort_by(|(_, one), (_, other)| (&one.name, &one.mark).cmp(&(&other.name, &other.mark)));
    Ok(devices)
}

/// Ends the session of the device of `user` that the page shows with this handle.
///
/// # Errors
///
/// As [`Store::revoke_one`].
pub async fn end_device(store: &Store, user: &str, handle: &str) -> Result<bool> {
    match handle.parse() {
        Ok(handle) => store.revoke_one("user", user, handle).await,
        Err(_) => Ok(false),
    }
}

/// Ends the sessions of all devices of `user` but `this`.
///
/// # Errors
///
/// As [`Store::find`] and [`Store::revoke_one`].
pub async fn end_other_devices(store: &Store, user: &str, this: &Device) -> Result<()> {
    for (handle, device) in devices(store, user).await? {
        if device.mark != this.mark {
            store.revoke_one("user", user, handle).await?;
        }
    }
    Ok(())
}
