//! A session of the embedded store that expired while no process ran is told to the next one.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rrss::{Expired, Handle, Session, Store, Timestamp};

const LIMIT: Duration = Duration::from_secs(60);

/// The store of a site, as its file says it.
fn open(folder: &Path) -> Store {
    let file = folder.join("rrss.toml");
    std::fs::write(
        &file,
        "step = [
            { type = 'key-mapper' },
            { type = 'expiry', duration = '1h' },
            { type = 'index', fields = ['user'], keep_expired = '1d' },
            { type = 'json-codec' },
            { type = 'embedded' },
        ]",
    )
    .unwrap();
    Store::from_file(&file).unwrap()
}

async fn stored(store: &Store, user: &str, lives: Duration) -> Session {
    let mut session = Session::new();
    session.insert("user", user).unwrap();
    session.set_expires_at(Timestamp::from(SystemTime::now()) + lives);
    store.save(&mut session).await.unwrap();
    session
}

/// What the listeners of a store were told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Expired>>>);

impl Told {
    /// Listens, and takes in each session or none.
    fn listen(&self, store: &Store, takes_in: bool) {
        let told = Arc::clone(&self.0);
        let listener = move |expired| {
            told.lock().unwrap().push(expired);
            async move {
                match takes_in {
                    true => Ok(()),
                    false => Err("the test lets it fail"),
                }
            }
        };
        store.on_expired(listener).unwrap();
    }

    fn all(&self) -> Vec<Expired> {
        self.0.lock().unwrap().clone()
    }
}

/// Sweeps until something was told.
async fn sweep(store: &Store, told: &Told) {
    let begun = Instant::now();
    while told.all().is_empty() {
        assert!(begun.elapsed() < LIMIT);
        store.sweep().await.unwrap();
    }
}

/// A folder with a session that was stored before its deadline, which comes soon. On a slow machine it may have come
/// already; then it is another folder, and a later deadline.
async fn left_behind() -> (tempfile::TempDir, Session) {
    let mut lives = Duration::from_millis(50);
    loop {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let session = stored(&store, "ann", lives).await;
        let in_time = Some(Timestamp::from(SystemTime::now())) < session.expires_at();
        stored(&store, "bob", Duration::from_secs(3_600)).await;
        store.shutdown(LIMIT).await.unwrap();
        if in_time {
            return (folder, session);
        }
        lives *= 2;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_with_its_fields_until_somebody_took_it_in() {
    let (folder, session) = left_behind().await;

    // The first process that listens fails to take it in, and for the third there is nothing left.
    for (takes_in, times) in [(false, 1), (true, 1), (true, 0)] {
        let (store, told) = (open(folder.path()), Told::default());
        told.listen(&store, takes_in);
        if times > 0 {
            sweep(&store, &told).await;
        }
        store.sweep().await.unwrap();
        let all = told.all();
        assert_eq!(all.len(), times, "{takes_in}");
        for expired in all {
            assert_eq!(expired.handle(), Handle::of(session.id().unwrap()));
            assert_eq!(expired.get_raw("user"), Some("\"ann\""));
            assert_eq!(Some(expired.expired_at()), session.expires_at());
        }
        store.shutdown(LIMIT).await.unwrap();
    }
}
