//! The members of a hash, as a server names them.
//!
//! The server is not a real one: a real one would take longer to write them than to read them, and says no member twice.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use rrss::redis::{Layout, Options};
use rrss::{Expiry, KeyMapper, Redis};
use rrss_core::{Action, Clock, ErrorKind, Operation, Outcome, Payload, Pipeline, SystemClock};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

type Members = Arc<Mutex<Replies>>;

/// What is answered to a load.
#[derive(Default)]
struct Replies {
    hscan: Vec<u8>,
    hgetall: Vec<u8>,
}

struct Hashes {
    runtime: Runtime,
    members: Members,
    pipeline: Pipeline,
}

static HASHES: LazyLock<Hashes> = LazyLock::new(|| {
    let members = Members::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it listens").port();
    let named = Arc::clone(&members);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let members = Arc::clone(&named);
            thread::spawn(move || serve(stream, &members));
        }
    });
    let pipeline = Pipeline::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<Redis>(Options {
            host: Some("127.0.0.1".into()),
            port: Some(port),
            layout: Layout::Hash,
            ..Options::default()
        });
    let runtime = Builder::new_current_thread().enable_all().build();
    Hashes {
        runtime: runtime.expect("a runtime of one thread starts"),
        members,
        pipeline: pipeline.build().expect("the steps go together"),
    }
});

pub(crate) fn run(input: &[u8]) {
    let hashes = &*HASHES;
    *told(&hashes.members) = Replies::of(input);
    let op = Operation::new(Action::Load, SystemClock.now());
    let mut op = op.with_id("0f8fad5b-d9cb-469f-a165-70867728950e".into());
    match hashes.runtime.block_on(hashes.pipeline.run(&mut op)) {
        Ok(answer) => match answer.payload {
            Payload::Session(session) => {
                for (name, raw) in session.iter_raw() {
                    // A number may be JSON, and too large for what serde_json reads it as.
                    let wanted = serde_json::from_str::<Value>(raw).ok();
                    assert_eq!(session.get(name).ok().flatten(), wanted);
                }
            }
            _ => assert!(matches!(answer.outcome, Outcome::Missing)),
        },
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge),
            "{error:?}"
        ),
    }
}

impl Replies {
    /// `input` is names and values by turns, a byte of its length in front of each. Of one with an odd number of bytes `HSCAN` does
    /// not tell whether that is all, so that `HGETALL` is asked for too.
    fn of(input: &[u8]) -> Self {
        let (mut texts, mut rest) = (Vec::new(), input);
        while let Some((length, after)) = rest.split_first() {
            let (text, after) = after.split_at(usize::from(*length).min(after.len()));
            texts.push(text);
            rest = after;
        }
        texts.truncate(texts.len() / 2 * 2);
        let cursor = input.len() % 2;
        let list = format!("*2\r\n$1\r\n{cursor}\r\n*{}\r\n", texts.len());
        let map = format!("%{}\r\n", texts.len() / 2);
        let [hscan, hgetall] = [list, map].map(|head| {
            let mut reply = head.into_bytes();
            for text in &texts {
                reply.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
                reply.extend_from_slice(text);
                reply.extend_from_slice(b"\r\n");
            }
            reply
        });
        Self { hscan, hgetall }
    }
}

/// Answers one connection, until it ends.
fn serve(stream: TcpStream, members: &Members) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut requests = BufReader::new(stream.try_clone().ok()?);
    let mut replies = stream;
    loop {
        let words = request(&mut requests)?;
        let reply = match words.first()?.as_slice() {
            b"HELLO" => b"%1\r\n$5\r\nproto\r\n:3\r\n".to_vec(),
            b"HSCAN" => told(members).hscan.clone(),
            b"HGETALL" => told(members).hgetall.clone(),
            b"PEXPIRETIME" => b":-1\r\n".to_vec(),
            _ => b"+OK\r\n".to_vec(),
        };
        replies.write_all(&reply).ok()?;
    }
}

fn told(members: &Members) -> MutexGuard<'_, Replies> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One command: an array of bulk strings.
fn request(from: &mut impl BufRead) -> Option<Vec<Vec<u8>>> {
    let count = number(from)?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let mut word = vec![0; number(from)? + 2];
        from.read_exact(&mut word).ok()?;
        word.truncate(word.len() - 2);
        words.push(word);
    }
    Some(words)
}

fn number(from: &mut impl BufRead) -> Option<usize> {
    let mut line = String::new();
    from.read_line(&mut line).ok()?;
    line.get(1..)?.trim_end().parse().ok()
}
