//! The text that a storage key is made from.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rrss_core::{Error, ErrorKind, IdDigest, KeySpace, Result, StorageKey};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

const ID: &str = "{id}";

/// The key of a session, with `{id}` where its id goes: `sessions:{id}` or `shop:{id}:session`.
///
/// It has `{id}` exactly once, no other braces and no control characters.
///
/// # Examples
///
/// ```
/// use rrss_key_mapper::Template;
///
/// let template: Template = "shop:{id}:session".parse()?;
/// assert_eq!(template.key("42").as_str(), "shop:42:session");
/// assert_eq!(template.to_string(), "shop:{id}:session");
///
/// let error = "sessions:".parse::<Template>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "a template needs `{id}` where the session's id goes; write `sessions:{id}`",
/// );
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(KeySpace);

impl Template {
    /// The storage key of the session called `id`.
    #[must_use]
    pub fn key(&self, id: &str) -> StorageKey {
        let (prefix, suffix) = (self.0.prefix(), self.0.suffix());
        let mut key = String::with_capacity(prefix.len() + id.len() + suffix.len());
        key.push_str(prefix);
        key.push_str(id);
        key.push_str(suffix);
        key.into()
    }

    /// The storage key of the session whose id has this digest: with the name of the digest where the id would go.
    pub(crate) fn hashed_key(&self, digest: &IdDigest) -> StorageKey {
        let (prefix, suffix) = (self.0.prefix(), self.0.suffix());
        let mut key = String::with_capacity(prefix.len() + IdDigest::NAME_LENGTH + suffix.len());
        key.push_str(prefix);
        digest.write_name(&mut key);
        key.push_str(suffix);
        key.into()
    }

    /// The keys that this template makes, by what they begin and end with.
    #[must_use]
    pub fn key_space(&self) -> &KeySpace {
        &self.0
    }
}

impl Default for Template {
    /// `sessions:{id}`
    fn default() -> Self {
        Self(KeySpace::new("sessions:", ""))
    }
}

impl FromStr for Template {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.contains(char::is_control) {
            return refuse("a template cannot hold control characters, such as a line break");
        }
        let Some((prefix, suffix)) = text.split_once(ID) else {
            return refuse(match placeholder(text) {
                None => {
                    "a template needs `{id}` where the session's id goes; write `sessions:{id}`"
                        .to_owned()
                }
                Some(other) => format!(
                    "a template needs `{{id}}` where the session's id goes, and `{other}` is not that; write `{{id}}` \
                     in its place"
                ),
            });
        };
        if suffix.contains(ID) {
            return refuse("a template has `{id}` once; remove the others");
        }
        if let Some(other) = placeholder(prefix).or_else(|| placeholder(suffix)) {
            return refuse(format!(
                "a template cannot hold `{other}`: `{{id}}` is the only placeholder, and braces have no other use; \
                 write the text itself in its place"
            ));
        }
        if prefix.contains(['{', '}']) || suffix.contains(['{', '}']) {
            return refuse("a template cannot hold braces besides those of `{id}`; remove them");
        }
        Ok(Self(KeySpace::new(prefix, suffix)))
    }
}

fn refuse(message: impl Into<Cow<'static, str>>) -> Result<Template> {
    Err(Error::new(ErrorKind::Config, message))
}

/// The first `{…}` in `text`.
fn placeholder(text: &str) -> Option<&str> {
    let open = text.find('{')?;
    let close = open + text[open..].find('}')?;
    Some(&text[open..=close])
}

impl TryFrom<String> for Template {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ID}{}", self.0.prefix(), self.0.suffix())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[^{}\u0000-\u001f\u007f-\u009f]*\{id\}[^{}\u0000-\u001f\u007f-\u009f]*$"
        })
    }
}
