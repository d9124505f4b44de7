//! A script that the server runs, by its hash where the server knows it.

use std::borrow::Cow;
use std::sync::OnceLock;

use redis::{Cmd, RedisError};

/// The text of a script.
pub(super) struct Code {
    text: &'static str,
    hash: OnceLock<String>,
}

impl Code {
    pub(super) const fn new(text: &'static str) -> Self {
        Self {
            text,
            hash: OnceLock::new(),
        }
    }

    /// The SHA-1 of the text, by which `EVALSHA` names it.
    fn hash(&self) -> &str {
        self.hash
            .get_or_init(|| redis::Script::new(self.text).get_hash().to_owned())
    }
}

/// One run of a script.
pub(super) struct Script<'a> {
    code: &'static Code,
    keys: Vec<Cow<'a, [u8]>>,
    arguments: Vec<Cow<'a, [u8]>>,
}

impl<'a> Script<'a> {
    pub(super) fn new(code: &'static Code, keys: Vec<&'a [u8]>) -> Self {
        Self {
            code,
            keys: keys.into_iter().map(Cow::Borrowed).collect(),
            arguments: Vec::new(),
        }
    }

    /// One more key, behind the others.
    pub(super) fn add_key(&mut self, key: String) {
        self.keys.push(Cow::Owned(key.into_bytes()));
    }

    pub(super) fn arg(&mut self, argument: impl Into<Cow<'a, [u8]>>) {
        self.arguments.push(argument.into());
    }

    pub(super) fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        self.arg(match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        });
    }

    /// A list, behind how many arguments it has.
    pub(super) fn list(&mut self, list: Vec<Cow<'a, [u8]>>) {
        self.text(list.len().to_string());
        self.arguments.extend(list);
    }

    /// The key that says which node of a cluster runs it.
    pub(super) fn key(&self) -> &[u8] {
        self.keys.first().map_or(b"", |key| &**key)
    }

    /// [`EVALSHA`](https://redis.io/docs/latest/commands/evalsha/).
    pub(super) fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", self.code.hash())
    }

    /// [`EVAL`](https://redis.io/docs/latest/commands/eval/), from which the server knows the script.
    pub(super) fn whole(&self) -> Cmd {
        self.command("EVAL", self.code.text)
    }

    /// Whether the server refused it because it does not know the script; it has not run then.
    pub(super) fn is_unknown(refusal: &RedisError) -> bool {
        refusal.code() == Some("NOSCRIPT")
    }

    fn command(&self, name: &str, code: &str) -> Cmd {
        let words = self.keys.len() + self.arguments.len();
        let bytes: usize = self.keys.iter().map(|key| key.len()).sum::<usize>()
            + self.arguments.iter().map(|arg| arg.len()).sum::<usize>();
        let mut command = Cmd::with_capacity(words + 3, bytes + name.len() + code.len() + 4);
        command.arg(name).arg(code).arg(self.keys.len());
        for key in &self.keys {
            command.arg(&**key);
        }
        for argument in &self.arguments {
            command.arg(&**argument);
        }
        command
    }
}
