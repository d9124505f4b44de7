//! Step types for tests: one of each sort that a file may name. They do nothing; only what a file may say of them
//! is of interest here.

#![allow(dead_code, reason = "each test uses some of them")]

use std::path::PathBuf;

use rrss_core::{
    Backend, BuildContext, Cursor, DurationOption, Error, ErrorKind, Operation, Page, Record,
    Registry, Result, Role, Secret, Shape, Step, Transform, Written,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All of the types below.
pub(crate) fn registry() -> Registry {
    Registry::new()
        .with::<KeyMapper>()
        .with::<Expiry>()
        .with::<JsonCodec>()
        .with::<Compression>()
        .with::<Encryption>()
        .with::<Memory>()
        .with::<Redis>()
        .with::<Embedded>()
        .with::<Audit>()
        .with::<Hashes>()
}

struct Nothing;
impl Transform for Nothing {}

struct Nowhere;
impl Backend for Nowhere {
    async fn load(&self, _: &Operation) -> Result<Option<Record>> {
        Ok(None)
    }
    async fn write(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Gone)
    }
    async fn touch(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Gone)
    }
    async fn delete(&self, _: &Operation) -> Result<Written> {
        Ok(Written::Gone)
    }
    async fn list(&self, _: &Operation, _: Option<&Cursor>, _: usize) -> Result<Page> {
        Err(Error::new(ErrorKind::Unsupported, "it keeps nothing"))
    }
    async fn count(&self, _: &Operation) -> Result<u64> {
        Ok(0)
    }
    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

macro_rules! step {
    ($step:ident, $name:literal, $options:ty, $shape:expr, $build:expr) => {
        pub(crate) struct $step;

        impl Step for $step {
            const TYPE: &'static str = $name;
            type Options = $options;

            fn shape(_: &$options) -> Shape {
                $shape
            }

            fn build(options: $options, context: &BuildContext) -> Result<Role> {
                let build: fn($options, &BuildContext) -> Result<Role> = $build;
                build(options, context)
            }
        }
    };
}

fn nothing<O>(_: O, _: &BuildContext) -> Result<Role> {
    Ok(Role::transform(Nothing))
}

fn nowhere<O>(_: O, _: &BuildContext) -> Result<Role> {
    Ok(Role::backend(Nowhere))
}

/// Makes ids, and keys from ids.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeyMapperOptions {
    /// The key, in which `{id}` stands for the id.
    template: Template,
    /// What ids look like.
    id: IdFormat,
}

impl Default for KeyMapperOptions {
    fn default() -> Self {
        Self {
            template: Template("sessions:{id}".to_owned()),
            id: IdFormat::Uuid,
        }
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct Template(String);

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        if text.contains("{id}") {
            return Ok(Self(text));
        }
        Err(format!(
            "the template \"{text}\" has no {{id}}, so that every session would have the same key"
        ))
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum IdFormat {
    Uuid,
    Token,
}

step!(
    KeyMapper,
    "key-mapper",
    KeyMapperOptions,
    Shape::anywhere().makes_key(),
    nothing
);

/// Gives sessions a deadline.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExpiryOptions {
    /// How long a session lives.
    duration: DurationOption,
    /// The longest that a session lives, however often it is renewed.
    absolute: Option<DurationOption>,
}

impl Default for ExpiryOptions {
    fn default() -> Self {
        Self {
            duration: std::time::Duration::from_secs(7 * 24 * 60 * 60).into(),
            absolute: None,
        }
    }
}

step!(
    Expiry,
    "expiry",
    ExpiryOptions,
    Shape::anywhere().sets_deadline().once(),
    nothing
);

/// Writes sessions as JSON.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct JsonCodecOptions {
    /// The most bytes that a session may have.
    max_bytes: Option<u32>,
    /// How deep its values may nest.
    max_depth: Option<u8>,
}

step!(
    JsonCodec,
    "json-codec",
    JsonCodecOptions,
    Shape::codec(),
    nothing
);

/// Stores fewer bytes.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CompressionOptions {
    /// How to compress.
    algorithm: Algorithm,
    /// Fewer bytes than these are stored plain.
    min_bytes: usize,
    /// How hard to try.
    level: Option<i32>,
    /// At which share of its size a session is worth compressing.
    ratio: f64,
    /// Whether to store a checksum.
    checksum: bool,
    /// Paths of dictionaries.
    dictionaries: Vec<PathBuf>,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Algorithm {
    /// Small.
    #[default]
    Zstd,
    /// Fast.
    Lz4,
}

step!(
    Compression,
    "compression",
    CompressionOptions,
    Shape::on_bytes().once(),
    nothing
);

/// Makes what is stored unreadable.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EncryptionOptions {
    /// The first encrypts; all decrypt.
    keys: Vec<Key>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Key {
    /// What the key is called in stored bytes.
    id: u8,
    /// The key itself.
    key: Secret,
}

step!(
    Encryption,
    "encryption",
    EncryptionOptions,
    Shape::on_bytes().needs_key(),
    nothing
);

/// Keeps sessions in this process.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MemoryOptions {}

step!(Memory, "memory", MemoryOptions, Shape::backend(), nowhere);

/// Keeps sessions in Redis.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedisOptions {
    /// Where Redis is, such as "redis://localhost:6379".
    url: Url,
    /// The port, if not that of the address.
    port: Option<u16>,
    /// What Redis asks for.
    password: Option<Password>,
    /// How a connection is protected.
    tls: Option<Tls>,
    /// Names and addresses of nodes.
    #[serde(default)]
    nodes: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tls {
    /// The certificate of the authority.
    file: PathBuf,
    /// Whether the name of the server must match.
    #[serde(default)]
    check_name: bool,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct Url(String);

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        if text.starts_with("redis://") {
            return Ok(Self(text));
        }
        Err(format!(
            "\"{text}\" is no address of Redis, such as \"redis://localhost:6379\""
        ))
    }
}

/// A secret that is checked as it is read, by a type that is careless with it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Secret")]
#[schemars(with = "Secret")]
struct Password(Secret);

impl TryFrom<Secret> for Password {
    type Error = String;

    fn try_from(secret: Secret) -> std::result::Result<Self, String> {
        match secret.expose() {
            short if short.len() < 8 => Err(format!("the password \"{short}\" is too short")),
            _ => Ok(Self(secret)),
        }
    }
}

step!(Redis, "redis", RedisOptions, Shape::backend(), nowhere);

/// Keeps sessions on this machine's disk.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EmbeddedOptions {
    /// The directory of the database.
    path: Option<PathBuf>,
}

fn embedded(options: EmbeddedOptions, context: &BuildContext) -> Result<Role> {
    let Some(path) = options.path else {
        return Err(Error::new(ErrorKind::Config, "no path was given").with_option("path"));
    };
    let cause = std::io::Error::other("the disk is full");
    let path = context.resolve(&path);
    Err(Error::new(
        ErrorKind::Unavailable,
        format!("opening the database in {} failed", path.display()),
    )
    .with_option("path")
    .with_source(
        Error::new(ErrorKind::Unavailable, "writing the first page failed").with_source(cause),
    ))
}

step!(
    Embedded,
    "embedded",
    EmbeddedOptions,
    Shape::backend(),
    embedded
);

/// Writes down who did what.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct AuditOptions {
    /// Where to.
    to: String,
}

step!(
    Audit,
    "audit-log",
    AuditOptions,
    Shape::on_session(),
    |_, _| {
        Err(Error::new(
            ErrorKind::Config,
            "there is nowhere to write to",
        ))
    }
);

/// Keeps fields.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HashesOptions {}

step!(
    Hashes,
    "hashes",
    HashesOptions,
    Shape::backend_of_sessions(),
    nowhere
);
