//! Values from environment variables and from other files.

use std::borrow::Cow;
use std::env::VarError;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::document::kind;
use crate::origin::From;
use crate::read::{Unread, read_up_to};
use crate::source::Span;
use crate::suggest::quote;

/// Where the values of environment variables come from.
pub(crate) type Lookup = dyn Fn(&str) -> Result<String, VarError> + Send + Sync;

/// What some editors put in front of a text that they save as UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The largest file that a value may come from.
const LARGEST: u64 = 64 * 1024;

/// Where text comes from that a configuration asks for.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere<'a> {
    pub(crate) env: &'a Lookup,
    pub(crate) base_dir: &'a Path,
}

/// A table with a key `env` or `file` stands for a value from elsewhere, where a value that is one word may stand.
pub(crate) fn is_reference(table: &DeTable<'_>) -> bool {
    table.contains_key("env") || table.contains_key("file")
}

impl Elsewhere<'_> {
    /// The text that a table stands for, where it came from, and the place to point at if it is not valid. A default that is
    /// no text, which may stand where `is_text_alone` is not so, is taken as it is.
    pub(crate) fn fetch<'t>(
        &self,
        table: &DeTable<'t>,
        span: &Span,
        is_text_alone: bool,
    ) -> Result<(Fetched<'t>, From, Span), Wrong> {
        let (from, with) = if table.contains_key("env") {
            ("env", "default")
        } else {
            ("file", "file")
        };
        if from == "env" && table.contains_key("file") {
            let message = "a value comes from `env` or from `file`, not from both".to_owned();
            return Err(Wrong::at(span, message));
        }
        for (key, value) in table {
            let name = key.get_ref();
            if *name != from && *name != with {
                let message = format!("{} does not go with `{from}`", quote(name));
                return Err(Wrong::at(&key.span(), message).with_hint(match from {
                    "env" => "write { env = \"NAME\" } or { env = \"NAME\", default = \"…\" }",
                    _ => "write { file = \"path\" }",
                }));
            }
            let may_be_other = *name == "default" && !is_text_alone && is_word(value.get_ref());
            if !value.get_ref().is_str() && !may_be_other {
                let is = kind(value.get_ref());
                return Err(Wrong::at(
                    &value.span(),
                    format!("`{name}` must be text, not {is}"),
                ));
            }
        }
        let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
        let name = text(from).unwrap_or_default();
        let named = table.get(from).map_or(span.clone(), Spanned::span);
        if from == "file" {
            let value = self.read(name).map_err(|wrong| wrong.or_at(&named))?;
            let value = Fetched::Text(value);
            return Ok((value, From::File(name.to_owned()), span.clone()));
        }
        match (self.variable(name), table.get("default")) {
            (Ok(value), _) => {
                let value = Fetched::Text(value);
                Ok((value, From::Variable(name.to_owned()), span.clone()))
            }
            (Err(Missing::NotSet), Some(default)) => {
                let value = match default.get_ref() {
                    DeValue::String(text) => Fetched::Text(text.to_string()),
                    other => Fetched::Default(other.clone()),
                };
                Ok((value, From::Default(name.to_owned()), default.span()))
            }
            (Err(why), default) => Err(why.wrong(name, default.is_some()).or_at(&named)),
        }
    }

    /// A text together with the file that it came from, for a type that reads the file again later.
    pub(crate) fn with_file<'t>(&self, path: &str, text: &str, span: &Span) -> DeValue<'t> {
        let path = self.base_dir.join(path);
        // The directory that the program runs in may be another one then.
        let path = std::path::absolute(&path).unwrap_or(path);
        let Some(path) = path.to_str() else {
            return DeValue::String(Cow::Owned(text.to_owned()));
        };
        let mut table = DeTable::new();
        for (name, value) in [("file", path), ("text", text)] {
            let value = DeValue::String(Cow::Owned(value.to_owned()));
            table.insert(
                Spanned::new(span.clone(), Cow::Borrowed(name)),
                Spanned::new(span.clone(), value),
            );
        }
        DeValue::Table(table)
    }

    fn variable(&self, name: &str) -> Result<String, Missing> {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(Missing::NoName);
        }
        match (self.env)(name) {
            Ok(value) if value.is_empty() => Err(Missing::Empty),
            Ok(value) => Ok(value),
            Err(VarError::NotPresent) => Err(Missing::NotSet),
            Err(VarError::NotUnicode(_)) => Err(Missing::NotText),
        }
    }

    fn read(&self, path: &str) -> Result<String, Wrong> {
        let file = quote(path);
        let failed = |message: String| Wrong {
            message,
            hint: None,
            span: 0..0,
        };
        let bytes =
            read_up_to(&self.base_dir.join(path), LARGEST).map_err(|error| match error {
                Unread::Missing => failed(format!("the file {file} does not exist")).with_hint(
                    if Path::new(path).is_absolute() {
                        "create it, or name another"
                    } else {
                        "a relative path starts in the directory of the configuration"
                    },
                ),
                Unread::Directory => failed(format!("{file} is a directory, not a file")),
                Unread::TooLarge(_) => failed(format!("the file {file} is larger than 64 KiB"))
                    .with_hint("a value is a password, an address or a key"),
                Unread::Failed(error) => failed(format!("the file {file} cannot be read: {error}")),
            })?;
        let mut text = String::from_utf8(bytes)
            .map_err(|_| failed(format!("the file {file} is not UTF-8 text")))?;
        if text.starts_with(BYTE_ORDER_MARK) {
            text.remove(0);
        }
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            return Err(failed(format!("the file {file} is empty")));
        }
        Ok(text)
    }
}

/// What a table stands for.
pub(crate) enum Fetched<'t> {
    Text(String),
    /// A default that is a number, a date, `true` or `false`.
    Default(DeValue<'t>),
}

fn is_word(value: &DeValue<'_>) -> bool {
    !matches!(value, DeValue::Array(_) | DeValue::Table(_))
}

enum Missing {
    NoName,
    NotSet,
    Empty,
    NotText,
}

impl Missing {
    fn wrong(&self, name: &str, has_default: bool) -> Wrong {
        let variable = quote(name);
        let (message, hint) = match self {
            Self::NoName => (
                format!("{variable} is no name of an environment variable"),
                "write a name such as `REDIS_URL`".to_owned(),
            ),
            Self::NotSet => (
                format!("the environment variable {variable} is not set"),
                format!("set it, or add a default: {{ env = \"{name}\", default = \"…\" }}"),
            ),
            Self::Empty if has_default => (
                format!("the environment variable {variable} is empty"),
                "give it a value, or unset it: the default is for a variable that is not set"
                    .to_owned(),
            ),
            Self::Empty => (
                format!("the environment variable {variable} is empty"),
                "give it a value".to_owned(),
            ),
            Self::NotText => (
                format!("the value of the environment variable {variable} is not UTF-8 text"),
                "give it a value that is".to_owned(),
            ),
        };
        Wrong {
            message,
            hint: Some(hint),
            span: 0..0,
        }
    }
}

/// What is wrong with a table that stands for a text.
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) span: Span,
}

impl Wrong {
    pub(crate) fn at(span: &Span, message: String) -> Self {
        Self {
            message,
            hint: None,
            span: span.clone(),
        }
    }

    fn or_at(self, span: &Span) -> Self {
        Self {
            span: span.clone(),
            ..self
        }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}
