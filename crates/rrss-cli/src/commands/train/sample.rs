//! Sessions to train on: from the store, or from a file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use fastrand::Rng;
use rrss::{ErrorKind, Session, SessionId, Store, Timestamp};
use rrss_core::Encoder;

use crate::exit::{Exit, Failure};
use crate::progress::Progress;

/// How many ids one page asks for.
const PAGE: usize = 1_000;

/// What is read beyond so many bytes helps a dictionary no more, and would only be held in memory.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The sessions of a file are given times of their own; the same file gets the same ones.
const SEED: u64 = 0x7273_7472_6169_6e32;

/// How long ago the sessions of a file may have been created.
const WEEK_MILLIS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// Sessions as they come to the `compression` step.
#[derive(Default)]
pub(super) struct Sampled {
    pub(super) sessions: Vec<Bytes>,
    /// How many could not be read, or would not be stored again.
    pub(super) left_out: usize,
    /// What to do where they are too few.
    pub(super) more: &'static str,
    bytes: usize,
}

impl Sampled {
    fn push(&mut self, bytes: Bytes) {
        self.bytes += bytes.len();
        self.sessions.push(bytes);
    }

    fn is_full(&self) -> bool {
        self.bytes > MOST_BYTES
    }
}

/// Up to `count` sessions of the store. They are read as they are, and none is renewed by it.
pub(super) async fn of_store(
    store: &Store,
    count: u64,
    encoder: &Encoder,
    progress: &Progress,
) -> Result<Sampled, Failure> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut sampled = Sampled::default();
    let mut seen: HashSet<SessionId> = HashSet::new();
    let mut cursor = None;
    loop {
        let left = count - sampled.sessions.len();
        let page = progress.during(store.list(cursor, left.min(PAGE))).await?;
        for id in page.ids {
            if sampled.sessions.len() == count || sampled.is_full() {
                break;
            }
            // A page may name a session that another has named.
            if !seen.insert(id.clone()) {
                continue;
            }
            match progress.during(written(store, &id, encoder)).await {
                Ok(Some(bytes)) => sampled.push(bytes),
                Ok(None) => {}
                Err(error) if is_of_one(error.kind()) => sampled.left_out += 1,
                Err(error) => return Err(error.into()),
            }
            progress.reached(sampled.sessions.len() as u64);
        }
        cursor = page.next;
        if cursor.is_none() || sampled.sessions.len() == count || sampled.is_full() {
            break;
        }
    }
    if sampled.sessions.is_empty() {
        let message = if sampled.left_out > 0 {
            "the store has no session that can be read"
        } else {
            "the store has no sessions"
        };
        return Err(Failure::new(Exit::Data, message)
            .with_help("train once it has some thousand, or from a file of them: --from FILE"));
    }
    sampled.more = if sampled.sessions.len() == count {
        "take more sessions of the store: --sample N"
    } else {
        "these are all that the store has; train once it has more, or from a file of them: --from FILE"
    };
    Ok(sampled)
}

/// The bytes of a session as it was last written.
async fn written(store: &Store, id: &SessionId, encoder: &Encoder) -> rrss::Result<Option<Bytes>> {
    let Some(session) = store.inspect(id).await? else {
        return Ok(None);
    };
    // With one time for all of them, the dictionary would learn it, and the measure would be too good.
    let at = session.written_at().unwrap_or_else(|| store.now());
    encoder.encode(session, at)
}

/// Whether an error is about the one session alone.
fn is_of_one(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Corrupt | ErrorKind::Value | ErrorKind::TooLarge
    )
}

/// The sessions of a file, one JSON object a line.
pub(super) fn of_file(
    path: &Path,
    encoder: &Encoder,
    progress: &Progress,
) -> Result<Sampled, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(
            Exit::Io,
            format!("reading {} failed: {error}", path.display()),
        )
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut times = Times::before(&file);
    let mut lines = BufReader::new(file);
    let mut sampled = Sampled::default();
    for number in 1_u64.. {
        let mut line = Vec::new();
        let read = lines
            .by_ref()
            .take(MOST_BYTES as u64 + 1)
            .read_until(b'\n', &mut line);
        if read.map_err(|error| failed(&error))? == 0 || sampled.is_full() {
            break;
        }
        let place = || format!("line {number} of {}", path.display());
        if line.len() > MOST_BYTES {
            return Err(Failure::new(
                Exit::Data,
                format!("{} is no session: it is longer than 64 MiB", place()),
            ));
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let (created, written) = times.next();
        // What was wrong with it would quote it.
        let session = session(text).ok_or_else(|| {
            Failure::new(Exit::Data, format!("{} is not a JSON object", place()))
                .with_help("write one session a line, as `rrss get` prints them")
        })?;
        let encoded = encoder.encode(session.with_created_at(Some(created)), written);
        match encoded {
            Ok(Some(bytes)) => sampled.push(bytes),
            Ok(None) => sampled.left_out += 1,
            Err(error) => {
                return Err(Failure::new(
                    error.kind().into(),
                    format!("{} is refused: {error}", place()),
                ));
            }
        }
        progress.reached(sampled.sessions.len() as u64);
    }
    if sampled.sessions.is_empty() {
        return Err(
            Failure::new(Exit::Data, format!("{} has no sessions", path.display()))
                .with_help("write one session a line, as `rrss get` prints them"),
        );
    }
    sampled.more = "put more sessions into the file, one a line";
    Ok(sampled)
}

/// A new session with the members of a JSON object.
fn session(text: &[u8]) -> Option<Session> {
    let (read, _) = Session::from_json(Bytes::copy_from_slice(text), None).ok()?;
    let mut session = Session::new();
    for (name, value) in read.iter_raw() {
        session.insert_raw(name, value).ok()?;
    }
    Some(session)
}

/// When the sessions of a file were created and last saved. A line does not tell, and what is stored does.
struct Times {
    end: u64,
    random: Rng,
}

impl Times {
    /// In the week before the file was written.
    fn before(file: &File) -> Self {
        let modified = file.metadata().and_then(|metadata| metadata.modified());
        let end = modified.unwrap_or_else(|_| std::time::SystemTime::now());
        Self {
            end: Timestamp::from(end).as_millis().max(WEEK_MILLIS),
            random: Rng::with_seed(SEED),
        }
    }

    fn next(&mut self) -> (Timestamp, Timestamp) {
        let created = self.random.u64(self.end - WEEK_MILLIS..=self.end);
        let written = self.random.u64(created..=self.end);
        (
            Timestamp::from_millis(created),
            Timestamp::from_millis(written),
        )
    }
}
