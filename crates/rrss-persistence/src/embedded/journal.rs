//! Taking what was refused out of the engine's journal.
//!
//! A commit whose write fails leaves a part of its batch in the file, and the rest in a buffer that is written when the engine
//! is closed: where there is room again by then, the batch is whole, and the next start would carry it out. It is the last
//! batch of the journal, since the engine accepts none after it.
//!
//! A journal is a sequence of batches: a start (`1`, the number of items in 4 bytes, the sequence number in 8), the items (`2`,
//! their type and compression in a byte each, the keyspace in 8, the length of the key in 2, that of the value in 4, and as it
//! is stored in 4, key and value; or `4` and the keyspace), and an end (`3`, a checksum in 8 bytes and 4 bytes of magic).
//! Numbers are little endian. The engine sets the file longer than it is; zeros follow the last batch.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How long closing may take behind the engine's back.
const LOOKS: usize = 1_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Cuts off of the journals in `dir`, which no engine has open, the batches whose sequence number is `from` or later.
pub(super) fn cut(dir: &Path, from: u64) -> io::Result<()> {
    let mut journals = journals(dir)?;
    wait_until_closed(dir)?;
    // The engine begins another journal at most after it has failed.
    let newest = journals.split_off(journals.len().saturating_sub(2));
    for (_, path) in newest {
        let file = File::options().read(true).write(true).open(&path)?;
        if let Some(end) = end_before(&mut BufReader::new(&file), from)? {
            file.set_len(end)?;
            file.sync_all()?;
        }
    }
    Ok(())
}

/// The journals by their numbers.
fn journals(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let number = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number
            && path.extension().is_some_and(|extension| extension == "jnl")
        {
            journals.push((number, path));
        }
    }
    journals.sort_unstable();
    Ok(journals)
}

/// Waits until this process has closed the journals: a thread of the engine that ends may do it a moment after the engine
/// was dropped, and writes what is left in the buffer then. Where there is no `/proc`, nobody can see it.
fn wait_until_closed(dir: &Path) -> io::Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let dir = fs::canonicalize(dir)?;
    for _ in 0..LOOKS {
        let Ok(open) = fs::read_dir("/proc/self/fd") else {
            return Ok(());
        };
        let is_journal = |path: &PathBuf| {
            path.parent() == Some(&dir) && path.extension().is_some_and(|ending| ending == "jnl")
        };
        let links = open.flatten().map(|entry| fs::read_link(entry.path()));
        if !links.flatten().any(|path| is_journal(&path)) {
            return Ok(());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    Err(io::Error::other("the engine has its journal open still"))
}

/// Where the first batch begins that has the number `from` or a later one; `None` where there is none.
fn end_before(journal: &mut impl Read, from: u64) -> io::Result<Option<u64>> {
    let mut at = 0;
    loop {
        let begin = at;
        match number(journal, &mut at)? {
            Some(number) if number >= from => return Ok(Some(begin)),
            Some(_) => {}
            None => return Ok(None),
        }
    }
}

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;

/// Reads a batch, and answers its sequence number; `None` where none begins here.
///
/// One whose start alone is there counts as well.
fn number(journal: &mut impl Read, at: &mut u64) -> io::Result<Option<u64>> {
    let Some([START, ..]) = take::<1>(journal, at)? else {
        return Ok(None);
    };
    let Some(start) = take::<12>(journal, at)? else {
        return Ok(None);
    };
    let number = u64_at(&start, 4);
    loop {
        match take::<1>(journal, at)? {
            Some([ITEM]) => {
                let Some(head) = take::<20>(journal, at)? else {
                    return Ok(Some(number));
                };
                let key = u64::from(u16::from_le_bytes([head[10], head[11]]));
                let value = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
                skip(journal, at, key + u64::from(value))?;
            }
            Some([CLEAR]) => skip(journal, at, 8)?,
            Some([END]) => {
                skip(journal, at, 12)?;
                return Ok(Some(number));
            }
            _ => return Ok(Some(number)),
        }
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

/// The next bytes; `None` where there are not so many.
fn take<const N: usize>(journal: &mut impl Read, at: &mut u64) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match journal.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) => {
            *at += N as u64;
            Ok(Some(bytes))
        }
    }
}

fn skip(journal: &mut impl Read, at: &mut u64, bytes: u64) -> io::Result<()> {
    *at += io::copy(&mut journal.take(bytes), &mut io::sink())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use fjall::{Database, Keyspace, KeyspaceCreateOptions};
    use tempfile::TempDir;

    use super::*;

    fn open(dir: &Path) -> (Database, Keyspace) {
        let database = Database::builder(dir).open().unwrap();
        let keyspace = database.keyspace("sessions", KeyspaceCreateOptions::default);
        (database, keyspace.unwrap())
    }

    /// Stores sessions in a batch, and answers the number that it has or a lower one that no other has.
    fn store(database: &Database, keyspace: &Keyspace, name: &str, value: &str) -> u64 {
        let from = database.snapshot().seqno();
        let mut batch = database.batch();
        for n in 0..3 {
            batch.insert(keyspace, format!("{name}:{n}"), value);
        }
        batch.remove(keyspace, "nothing");
        batch.commit().unwrap();
        from
    }

    fn stored(keyspace: &Keyspace) -> Vec<String> {
        let keys = keyspace.iter().map(|entry| entry.key().unwrap());
        keys.map(|key| String::from_utf8(key.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn the_last_batch_is_cut_off_and_those_before_it_stay() {
        // A new journal is longer than what is in it, and one that was opened again is not; a large value is compressed.
        for (is_new, size) in [(true, 10), (false, 10), (true, 100_000), (false, 100_000)] {
            let (dir, value) = (TempDir::new().unwrap(), "x".repeat(size));
            if !is_new {
                drop(open(dir.path()));
            }
            let (database, keyspace) = open(dir.path());
            store(&database, &keyspace, "a", &value);
            store(&database, &keyspace, "b", &value);
            let from = store(&database, &keyspace, "c", &value);
            drop((database, keyspace));
            cut(dir.path(), from).unwrap();
            let (database, keyspace) = open(dir.path());
            let expected = ["a:0", "a:1", "a:2", "b:0", "b:1", "b:2"];
            assert_eq!(stored(&keyspace), expected, "{is_new} {size}");
            store(&database, &keyspace, "d", &value);
            drop((database, keyspace));
            assert_eq!(stored(&open(dir.path()).1).len(), 9);
        }
    }

    #[test]
    fn a_part_of_the_last_batch_is_cut_off_too() {
        for left in 1..200 {
            let dir = TempDir::new().unwrap();
            drop(open(dir.path()));
            let (database, keyspace) = open(dir.path());
            store(&database, &keyspace, "a", "1");
            let path = journals(dir.path()).unwrap().pop().unwrap().1;
            let before = fs::metadata(&path).unwrap().len();
            let from = store(&database, &keyspace, "b", "2");
            drop((database, keyspace));
            let journal = File::options().write(true).open(&path).unwrap();
            if before + left >= journal.metadata().unwrap().len() {
                assert!(left > 50);
                return;
            }
            journal.set_len(before + left).unwrap();
            drop(journal);
            cut(dir.path(), from).unwrap();
            assert_eq!(stored(&open(dir.path()).1).len(), 3, "{left}");
        }
    }

    #[test]
    fn nothing_is_cut_off_where_nothing_was_refused() {
        let dir = TempDir::new().unwrap();
        let (database, keyspace) = open(dir.path());
        store(&database, &keyspace, "a", "1");
        let from = database.snapshot().seqno();
        drop((database, keyspace));
        cut(dir.path(), from).unwrap();
        assert_eq!(stored(&open(dir.path()).1).len(), 3);
    }
}
