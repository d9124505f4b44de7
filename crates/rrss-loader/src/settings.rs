//! The table `[store]`.

use std::time::Duration;

use rrss_core::{Conflict, DurationOption, OnCorrupt, Together};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// What belongs to the store and to no step: the table `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StoreSettings {
    /// What the store is called, where a program has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// What a save does when the stored session changed since it was loaded: `merge` the changes of both,
    /// `reject` the later save, or let the `last-write` win.
    pub conflict: Conflict,

    /// Groups of fields that stand or fall together when changes are merged, such as `[["user_id", "role"]]`. Of two requests that
    /// change some of them at once, the later save has all of them.
    #[serde(skip_serializing_if = "Together::is_empty")]
    pub together: Together,

    /// What happens to a stored session that cannot be read: answer the `error` and leave it, `discard` it, or move it to
    /// the `quarantine`, from where `rrss quarantine restore` puts it back. With a key or a dictionary missing from this
    /// file, `discard` ends every session that needs it, for good.
    pub on_corrupt: OnCorrupt,

    /// How long what is in the quarantine is kept.
    #[serde(deserialize_with = "some_time")]
    pub quarantine_for: DurationOption,

    /// How long a load of an id that was rotated away says so, rather than that there is no such session: so a request that
    /// began before a login begins no session after it. With 0 it never does.
    pub rotated_for: DurationOption,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            name: None,
            conflict: Conflict::default(),
            together: Together::default(),
            on_corrupt: OnCorrupt::default(),
            quarantine_for: Duration::from_secs(30 * 24 * 3600).into(),
            rotated_for: Duration::from_secs(30).into(),
        }
    }
}

fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DurationOption, D::Error> {
    let duration = DurationOption::deserialize(deserializer)?;
    if duration.get().is_zero() {
        return Err(de::Error::custom(
            "a quarantine of no time keeps nothing; write how long, such as \"30d\"",
        ));
    }
    Ok(duration)
}
