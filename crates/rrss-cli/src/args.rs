//! What may stand on the command line.

mod id;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use serde_json::value::RawValue;

pub(crate) use self::id::IdArg;

/// Checks and explains rrss.toml, and reads and changes the sessions of the store that it describes.
#[derive(Debug, Parser)]
#[command(
    name = "rrss",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = AFTER_HELP
)]
pub(crate) struct Cli {
    /// The file that lists the steps [default: the variable RRSS_CONFIG, else rrss.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
   0  done
   1  no such session (or no such field)
   2  the command line is wrong
  65  stored or given data is unusable: corrupt, too large, of another type
  69  the backend is unavailable or did not answer in time
  70  a failure that this version does not know
  74  a file could not be read or written, or the output not written
  75  the session was changed meanwhile; try again
  78  the configuration is wrong, or cannot do this
";

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented rrss.toml that works as it is
    ///
    /// A file that is there is left as it is, and the exit code is 2, unless --force is given.
    Init {
        #[command(flatten)]
        file: FileArg,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Say that the file is good, or report every problem in it
    ///
    /// A good file gets a line a step: its name, what it takes and gives, and the crate that it comes from. The files that it
    /// names, such as dictionaries and certificates, are opened and looked at; nothing is started.
    Check {
        #[command(flatten)]
        file: FileArg,
        /// Also try each operation on a new session, and say what the backend lacks
        #[arg(long)]
        connect: bool,
    },
    /// List the step types that a file may name, or describe one
    Steps {
        /// The step type to describe, with its options and an example
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw the pipeline: what each step takes, gives and is set to
    ///
    /// Secrets are left out.
    Explain {
        #[command(flatten)]
        file: FileArg,
    },
    /// Print the JSON Schema of the file, for editors
    Schema,
    /// Store a new session, and print its id and nothing else
    Create {
        /// Fields of the session; a VALUE is JSON if it parses as JSON, else text
        #[arg(value_name = "FIELD=VALUE", value_parser = Field::parse)]
        fields: Vec<Field>,
    },
    /// Print a session, or one field of it, as JSON
    ///
    /// On several lines to a terminal, else on one line. The fields stand in their stored order.
    Get {
        #[command(flatten)]
        id: IdArg,
        /// The one field to print
        field: Option<String>,
    },
    /// Set fields of a session
    Set {
        #[command(flatten)]
        id: IdArg,
        /// Fields to set; a VALUE is JSON if it parses as JSON, else text
        #[arg(value_name = "FIELD=VALUE", value_parser = Field::parse, required = true)]
        fields: Vec<Field>,
    },
    /// Remove fields of a session
    Unset {
        #[command(flatten)]
        id: IdArg,
        /// Names of fields to remove; one that is not there is fine
        #[arg(value_name = "FIELD", required = true)]
        fields: Vec<String>,
    },
    /// Move the deadline of a session as a use of now would
    Touch {
        #[command(flatten)]
        id: IdArg,
    },
    /// Give a session a new id, and print it and nothing else; the old id is dead
    Rotate {
        #[command(flatten)]
        id: IdArg,
    },
    /// End a session
    Delete {
        #[command(flatten)]
        id: IdArg,
    },
    /// Print the ids of the sessions, one a line
    ///
    /// They are printed as they are found. While others write, an id may be printed twice. Where the `key-mapper` hashes ids,
    /// the store holds none, and the handles are printed.
    List {
        /// Stop after N ids
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        limit: Option<u64>,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// List the sessions whose field has a value, the oldest first
    ///
    /// One line a session: its handle, and when it was created, last saved and will end, in UTC. With tabs between
    /// them, or in columns to a terminal. The field must be one that the `index` step of the file lists.
    Find {
        #[command(flatten)]
        value: FieldValue,
        /// Stop after N sessions, whichever are found first
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        limit: Option<u64>,
        /// Print the ids too; an id is a key to its owner's account, and a handle is not
        #[arg(long)]
        ids: bool,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// End the sessions whose field has a value, and print how many
    Revoke {
        #[command(flatten)]
        value: FieldValue,
        /// End the one session with this handle; it must have the value
        // A handle may begin with a hyphen.
        #[arg(long, value_name = "HANDLE", allow_hyphen_values = true)]
        handle: Option<String>,
    },
    /// Say what is known of a session, and none of its values
    ///
    /// Its handle, when it was created, last saved and will end, how many bytes are stored, the names of its fields,
    /// and by which of them `find` finds it. It does not count as a use of the session.
    Show {
        #[command(flatten)]
        id: IdArg,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Look at stored sessions that could not be read and were moved aside, and put them back
    ///
    /// They come there by `on_corrupt = "quarantine"` in `[store]`, and stay for the time that `quarantine_for` says.
    Quarantine {
        #[command(subcommand)]
        command: QuarantineCommand,
    },
    /// Print how many sessions there are
    Count,
    /// Remove the sessions that are past their deadline, and print how many
    Sweep,
    #[cfg(feature = "encryption")]
    /// Print a new key for the `encryption` step, and nothing else
    ///
    /// 32 random bytes in base64. Nothing is stored, and no configuration is read.
    Keygen,
    #[cfg(feature = "encryption")]
    /// Store every session under the first key of the `encryption` step, and print how many
    ///
    /// So an old key can be removed from the file once this has done all: nothing is corrupt, and none was changed all
    /// the while. Sessions that are not encrypted are too, while `accept_plaintext_until` lets them be read.
    ///
    /// It may run beside the programs that use the store, once they all read the first key. It may be broken off and
    /// begun anew: what is done already is passed by. Fields, times and deadlines stay as they are.
    ///
    /// What lies in quarantine stays as it was found, and how much that is, is said: keep its key, or put it back first.
    Rekey {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Build the index from the stored sessions, and say how many have their entries now
    ///
    /// For where entries are missing: after a failover of a Redis Cluster that lost writes, after a server evicted keys, and
    /// after a field was added to the step `index`. It is safe while the store is in use: it changes
    /// no session and no deadline. You may stop it and begin again.
    Reindex {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    #[cfg(feature = "train")]
    /// Train a dictionary for the `compression` step from sessions, and say what it saves
    ///
    /// Four in five of the sessions are trained on, and what the dictionary saves is measured on the others. They come
    /// from the store, or from a file. Nothing in the store changes.
    ///
    /// A dictionary consists of pieces of sessions, so it may hold names, tokens and whatever else is in them. Keep its
    /// file as you keep the store. On Unix it is made for this user alone (mode 0600): let every process that uses the
    /// store read it before one of them writes with it.
    Train(TrainArgs),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What is to be done with the quarantine.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List what is in it, the first come first
    ///
    /// One line an entry: its name, when it came, the deadline of the session, until when it is kept, how many bytes it
    /// has, and why they could not be read. With tabs between them, or in columns to a terminal.
    List {
        /// Stop after N entries
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        limit: Option<u64>,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show an entry, with the first of its bytes
    ///
    /// They may hold what logs people in: show them to nobody who must not read the store.
    Show {
        /// The name of the entry, or its first digits
        name: String,
        /// Print all of the bytes as they are, and nothing else; not to a terminal
        #[arg(long, conflicts_with = "json")]
        raw: bool,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put entries back to where they were found, and print how many
    ///
    /// Each gets the deadline that it had, and takes the place of nothing: where another session is stored by now, both
    /// stay as they are. Mend what made them unreadable first, such as a key that is missing from the file.
    ///
    /// Nobody can tell whose they are meanwhile: a session that its owner has ended since comes back. Give the browser a new
    /// login instead where that matters more than what the session holds.
    Restore(RestoreArgs),
}

/// Which entries are put back.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The names of the entries, or their first digits
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(crate) names: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
}

/// Where the sessions come from, and where the dictionary goes.
#[cfg(feature = "train")]
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// A file with one session a line, as a JSON object, read up to 64 MiB; the store is not opened
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "sample")]
    pub(crate) from: Option<PathBuf>,
    /// How many sessions of the store to take
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: u64,
    /// The file to write
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// The most bytes that the dictionary may have [default: 32768, or a tenth of what it is trained on]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1_024..=1_048_576))]
    pub(crate) size: Option<u32>,
    /// Replace a file that is there; never one of the dictionaries that the configuration names
    #[arg(long)]
    pub(crate) force: bool,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The file of a command that is about the file itself.
#[derive(Debug, Args)]
pub(crate) struct FileArg {
    /// The file, instead of --config
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
}

/// How many results a command stops after.
pub(crate) fn at_most(limit: Option<u64>) -> usize {
    let limit = limit.map(usize::try_from);
    limit.and_then(Result::ok).unwrap_or(usize::MAX)
}

/// A value of an indexed field.
#[derive(Debug, Args)]
pub(crate) struct FieldValue {
    /// An indexed field
    #[arg(value_name = "FIELD")]
    pub(crate) field: String,
    /// Its value: JSON if it parses as JSON, else text
    #[arg(value_name = "VALUE", value_parser = Json::parse, allow_hyphen_values = true)]
    value: Json,
}

impl FieldValue {
    pub(crate) fn value(&self) -> &RawValue {
        &self.value.0
    }
}

/// Raw JSON.
#[derive(Debug, Clone)]
struct Json(Box<RawValue>);

impl Json {
    /// Text that is no JSON becomes JSON text.
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw = serde_json::from_str(text).or_else(|_| serde_json::value::to_raw_value(text))?;
        Ok(Self(raw))
    }
}

/// A field and its value as raw JSON.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) json: String,
}

impl Field {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("write FIELD=VALUE, such as user=ann")?;
        if name.is_empty() {
            return Err("a field needs a name before the `=`".to_owned());
        }
        let Json(json) = Json::parse(value).map_err(|error| error.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            json: json.get().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[track_caller]
    fn parsed(text: &str) -> (String, String) {
        let field = Field::parse(text).unwrap();
        (field.name, field.json)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_value_is_json_if_it_parses_as_json_and_text_otherwise() {
        for (text, json) in [
            ("a=1", "1"),
            ("a=true", "true"),
            ("a=null", "null"),
            (r#"a="ann""#, r#""ann""#),
            (r#"a={"b":[1,2]}"#, r#"{"b":[1,2]}"#),
            ("a= 1.10 ", "1.10"),
            ("a=18446744073709551616", "18446744073709551616"),
            ("a=ann", r#""ann""#),
            ("a=", r#""""#),
            ("a=1 2", r#""1 2""#),
            ("a={broken", r#""{broken""#),
            ("a=\"", r#""\"""#),
        ] {
            assert_eq!(parsed(text), ("a".to_owned(), json.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_value_may_hold_an_equals_sign_and_a_name_may_not() {
        assert_eq!(parsed("a=b=c"), ("a".to_owned(), "\"b=c\"".to_owned()));
        assert!(Field::parse("=1").is_err());
        assert!(Field::parse("a").is_err());
    }

    #[test]
    fn a_value_to_find_may_begin_with_a_hyphen_and_options_may_follow_it() {
        for (value, json) in [("-5", "-5"), ("--", "\"--\""), ("-ann", "\"-ann\"")] {
            let arguments = ["rrss", "find", "user", "--json", "--", value];
            let cli = Cli::try_parse_from(arguments).unwrap();
            let Command::Find {
                value, json: true, ..
            } = cli.command
            else {
                panic!("{cli:?}")
            };
            assert_eq!(value.value().get(), json);
        }
        let cli = Cli::try_parse_from(["rrss", "find", "user", "-ann", "--json"]).unwrap();
        let Command::Find {
            value, json: true, ..
        } = cli.command
        else {
            panic!("{cli:?}")
        };
        assert_eq!((&*value.field, value.value().get()), ("user", "\"-ann\""));
    }

    #[test]
    fn an_id_may_begin_with_a_hyphen() {
        for id in ["-abc", "--abc", "-a-", "-V1", "-h_"] {
            let cli = Cli::try_parse_from(["rrss", "get", id, "field"]).unwrap();
            let Command::Get { id: parsed, field } = cli.command else {
                panic!("{cli:?}")
            };
            assert_eq!(parsed.session_id().unwrap().as_str(), id);
            assert_eq!(field.as_deref(), Some("field"));
        }
    }
}
