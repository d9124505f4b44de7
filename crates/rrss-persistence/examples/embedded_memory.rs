//! How much memory the `embedded` backend takes: stores sessions, loads each of them once, and prints what the process holds.
//!
//! ```sh
//! cargo run --release -p rrss-persistence --example embedded_memory -- 1000000 1024
//! ```
//!
//! The first number is how many sessions, the second how many bytes each has. Linux tells the memory, in `/proc/self/status`.

#![allow(clippy::print_stdout, reason = "it is a program of the command line")]

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rrss_core::{Action, Backend, Deadline, IndexKey, KeySpace, Operation, Payload, Timestamp};
use rrss_persistence::embedded::{Embedded, Options};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const TASKS: u64 = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let count: u64 = args.next().map_or(Ok(100_000), |count| count.parse())?;
    let bytes: usize = args.next().map_or(Ok(1_024), |bytes| bytes.parse())?;
    let dir = tempfile::tempdir()?;
    let embedded = Arc::new(Embedded::open(&Options {
        // It is stored as fast as the disk can, and more than that is no error here.
        timeout: Duration::from_secs(600).into(),
        ..Options::at(dir.path())
    })?);
    println!("at the start: {}", resident()?);
    let begin = Instant::now();
    for_each(count, &embedded, move |embedded, n| async move {
        embedded.write(&create(n, bytes)?).await?;
        Ok(())
    })
    .await?;
    println!("{count} stored in {:.1?}: {}", begin.elapsed(), resident()?);
    let begin = Instant::now();
    for_each(count, &embedded, |embedded, n| async move {
        let loaded = embedded.load(&op(Action::Load, n)).await?;
        loaded.map(drop).ok_or_else(|| "a session is lost".into())
    })
    .await?;
    println!(
        "each loaded once in {:.1?}: {}",
        begin.elapsed(),
        resident()?
    );
    Ok(())
}

/// Does something for each number, by many tasks.
async fn for_each<F>(
    count: u64,
    embedded: &Arc<Embedded>,
    work: impl Fn(Arc<Embedded>, u64) -> F + Copy + Send + 'static,
) -> Result<()>
where
    F: Future<Output = Result<()>> + Send,
{
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let embedded = Arc::clone(embedded);
            tokio::spawn(async move {
                for n in (task..count).step_by(TASKS as usize) {
                    work(Arc::clone(&embedded), n).await?;
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn op(action: Action, n: u64) -> Operation {
    let mut op = Operation::new(action, Timestamp::from_millis(0));
    let key = format!("sessions:{:016x}{:016x}", mixed(n), mixed(!n));
    op.key = Some(key.into());
    op.key_space = Some(KeySpace::new("sessions:", ""));
    op
}

/// A session of a user of its own.
fn create(n: u64, bytes: usize) -> Result<Operation> {
    let mut op = op(Action::Create, n);
    op.deadline = Deadline::At(Timestamp::from_millis(1_000_000 + n));
    let text = (0..).flat_map(|part| format!("{:016x}", mixed(n * 1_000 + part)).into_bytes());
    let text: Vec<u8> = text.take(bytes).collect();
    op.payload = Payload::Bytes(text.into());
    op.index
        .put
        .extend(IndexKey::of("user_id", &n.to_string())?);
    Ok(op)
}

/// SplitMix64, so that neither keys nor sessions are in order.
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// What the process has in memory, and what it had at most.
fn resident() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes / 1_000)
    };
    let (now, peak) = (
        of("VmRSS:").ok_or("no VmRSS")?,
        of("VmHWM:").ok_or("no VmHWM")?,
    );
    Ok(format!("{now} MB resident, {peak} MB at most"))
}
