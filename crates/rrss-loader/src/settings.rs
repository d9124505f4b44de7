//! The table `[store]`.

use rrss_core::Conflict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What belongs to the store and to no step: the table `[store]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StoreSettings {
    /// What the store is called, where a program has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,

    /// What a save does when the stored session changed since it was loaded: `merge` the changes of both,
    /// `reject` the later save, or let the `last-write` win.
    pub conflict: Conflict,
}
