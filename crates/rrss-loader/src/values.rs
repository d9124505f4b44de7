//! Values that come from elsewhere: `{ env = "NAME", default = "…" }` and `{ file = "path" }`.

use std::borrow::Cow;
use std::env::VarError;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::allowed::Place;
use crate::document::{Segment, dotted, kind};
use crate::report::{Problem, Problems};
use crate::source::Span;
use crate::suggest::quote;

/// Where the values of environment variables come from.
pub(crate) type Lookup = dyn Fn(&str) -> Result<String, VarError> + Send + Sync;

/// The largest file that a value may come from.
const LARGEST: u64 = 64 * 1024;

/// A value of an option that came from elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) path: String,
    pub(crate) span: Span,
    pub(crate) from: From,
    /// What came; it must not be shown.
    value: String,
}

/// Where a value came from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    Variable(String),
    /// The default of a variable that is not set; it stands in the file.
    Default(String),
    File(String),
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) | Self::Default(name) => {
                write!(f, "the environment variable {}", quote(name))
            }
            Self::File(path) => write!(f, "the file {}", quote(path)),
        }
    }
}

impl Origin {
    /// Whether the value is one that the file itself does not show.
    pub(crate) fn is_hidden(&self) -> bool {
        !matches!(self.from, From::Default(_))
    }

    /// Whether a text gives away part of the value: three characters of it are enough.
    pub(crate) fn is_given_away_by(&self, text: &str) -> bool {
        let (text, value) = (text.to_lowercase(), self.value.to_lowercase());
        let value: Vec<char> = value.chars().collect();
        let parts = value.windows(value.len().clamp(1, 3));
        parts
            .into_iter()
            .any(|part| text.contains(&part.iter().collect::<String>()))
    }

    /// A text in which the name of the variable or file stands for the value.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        if self.is_hidden() && self.value.len() > 3 {
            text.replace(&self.value, &format!("[the value of {}]", self.from))
        } else {
            text.to_owned()
        }
    }
}

/// Puts the values that come from elsewhere into a table of options.
pub(crate) struct Resolver<'a> {
    pub(crate) env: &'a Lookup,
    pub(crate) base_dir: &'a Path,
    /// Whose options they are: "step `redis`".
    pub(crate) owner: &'a str,
    pub(crate) problems: &'a mut Problems,
    /// Where values stand that nobody must see.
    pub(crate) secrets: &'a mut Vec<Span>,
}

/// What was found while resolving.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) origins: Vec<Origin>,
    /// The ways to values that could not be had; they are reported.
    pub(crate) failed: Vec<Vec<Segment>>,
}

impl Resolver<'_> {
    pub(crate) fn resolve(mut self, table: &mut DeTable<'_>, place: &Place<'_>) -> Resolved {
        let mut resolved = Resolved::default();
        self.in_table(table, place, &mut Vec::new(), &mut resolved);
        // From the last to the first, so that removing one leaves the places of the others in a list.
        resolved.failed.reverse();
        resolved
    }

    fn in_table(
        &mut self,
        table: &mut DeTable<'_>,
        place: &Place<'_>,
        path: &mut Vec<Segment>,
        out: &mut Resolved,
    ) {
        for (key, value) in table.iter_mut() {
            let Some(place) = place.property(key.get_ref()) else {
                continue;
            };
            path.push(Segment::Key(key.get_ref().to_string()));
            self.in_value(value, &place, path, out);
            path.pop();
        }
    }

    fn in_value(
        &mut self,
        value: &mut Spanned<DeValue<'_>>,
        place: &Place<'_>,
        path: &mut Vec<Segment>,
        out: &mut Resolved,
    ) {
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) if is_reference(table) && place.takes_text() => {
                if place.is_secret() {
                    self.secrets.extend(table.get("default").map(Spanned::span));
                }
                match self.fetch(table, &span) {
                    Ok((text, from, span)) => {
                        out.origins.push(Origin {
                            path: dotted(path),
                            span: span.clone(),
                            from,
                            value: text.clone(),
                        });
                        *value = Spanned::new(span, DeValue::String(Cow::Owned(text)));
                    }
                    Err(wrong) => {
                        self.report(path, wrong);
                        out.failed.push(path.clone());
                    }
                }
            }
            DeValue::Table(table) if is_reference(table) && !place.takes_table() => {
                let must = place.kind();
                let wrong = Wrong::at(&span, "`env` and `file` give text".to_owned());
                self.report(
                    path,
                    wrong.with_hint(format!("it must be {must}; write it here")),
                );
                out.failed.push(path.clone());
            }
            DeValue::Table(table) => self.in_table(table, place, path, out),
            DeValue::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Some(place) = place.item(index) {
                        path.push(Segment::Index(index));
                        self.in_value(item, &place, path, out);
                        path.pop();
                    }
                }
            }
            _ if place.is_secret() => self.secrets.push(span),
            _ => {}
        }
    }

    fn report(&mut self, path: &[Segment], wrong: Wrong) {
        let owner = self.owner;
        self.problems.add(|| {
            let option = quote(&dotted(path));
            let problem = Problem::error(&format!("{option} of {owner}: {}", wrong.message));
            let problem = problem.at(wrong.span);
            match wrong.hint {
                Some(hint) => problem.with_hint(hint),
                None => problem,
            }
        });
    }

    /// The text that a table stands for, where it came from, and the place to point at if it is not valid.
    fn fetch(&self, table: &DeTable<'_>, span: &Span) -> Result<(String, From, Span), Wrong> {
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
            if !value.get_ref().is_str() {
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
            return Ok((value, From::File(name.to_owned()), span.clone()));
        }
        match (self.variable(name), table.get("default")) {
            (Ok(value), _) => Ok((value, From::Variable(name.to_owned()), span.clone())),
            (Err(Missing::NotSet), Some(default)) => Ok((
                text("default").unwrap_or_default().to_owned(),
                From::Default(name.to_owned()),
                default.span(),
            )),
            (Err(why), default) => Err(why.wrong(name, default.is_some()).or_at(&named)),
        }
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

/// A table with a key `env` or `file` stands for a text from elsewhere, where text may stand.
pub(crate) fn is_reference(table: &DeTable<'_>) -> bool {
    table.contains_key("env") || table.contains_key("file")
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
struct Wrong {
    message: String,
    hint: Option<String>,
    span: Span,
}

impl Wrong {
    fn at(span: &Span, message: String) -> Self {
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

    fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Why a file was not read.
pub(crate) enum Unread {
    Missing,
    Directory,
    /// With its size, where that is known.
    TooLarge(Option<u64>),
    Failed(io::Error),
}

/// A whole file of at most so many bytes. No more than these is ever read.
pub(crate) fn read_up_to(path: &Path, largest: u64) -> Result<Vec<u8>, Unread> {
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unread::Missing,
        io::ErrorKind::IsADirectory => Unread::Directory,
        _ => Unread::Failed(error),
    };
    let file = File::open(path).map_err(unread)?;
    let metadata = file.metadata().map_err(unread)?;
    if metadata.is_dir() {
        return Err(Unread::Directory);
    }
    let mut bytes = Vec::new();
    file.take(largest + 1)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    if bytes.len() as u64 > largest {
        let size = metadata.is_file().then_some(metadata.len());
        return Err(Unread::TooLarge(size));
    }
    Ok(bytes)
}
