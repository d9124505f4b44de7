//! What a backend holds of sessions whose ids are hashed: nothing that anybody could present.

use rrss::core::{Action, IndexKey, Outcome};
use rrss::{
    Expiry, Index, JsonCodec, KeyMapper, Operation, Redis, Session, SessionId, Store, index,
};
use rrss_test_servers::{Flavor, RedisServer};

use crate::support::{Keys, embedded, memory, patient};

fn steps(keys: Keys, prefix: &str, with_index: bool) -> rrss::StoreBuilder {
    let builder = Store::builder()
        .step::<KeyMapper>(keys.options(prefix))
        .step::<Expiry>(Default::default());
    let builder = if with_index {
        builder.step::<Index>(index::Options {
            keep_expired: Some(std::time::Duration::from_secs(3600).into()),
            ..index::Options::of(["user"])
        })
    } else {
        builder
    };
    builder.step::<JsonCodec>(Default::default())
}

/// Sessions in every state that leaves something behind: the ids that they have and had.
async fn fill(store: &Store) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for number in 0..20 {
        let mut session = Session::new();
        session.insert("user", "ann").unwrap();
        session.insert("number", &number).unwrap();
        store.save(&mut session).await.unwrap();
        ids.push(session.id().unwrap().clone());
        match number % 4 {
            0 => {
                store.rotate(&mut session).await.unwrap();
                ids.push(session.id().unwrap().clone());
            }
            1 => {
                session.insert("late", &true).unwrap();
                store.save(&mut session).await.unwrap();
            }
            2 => assert!(store.delete(session.id().unwrap()).await.unwrap()),
            _ => assert!(store.touch(session.id().unwrap()).await.unwrap()),
        }
    }
    ids
}

/// An id as text, without hyphens, and as its sixteen bytes.
fn forms(id: &SessionId) -> [Vec<u8>; 3] {
    let digits = id.as_str().replace('-', "");
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let bytes = (0..digits.len()).step_by(2).map(byte).collect();
    [id.as_str().into(), digits.into(), bytes]
}

fn holds(dump: &[u8], part: &[u8]) -> bool {
    dump.windows(part.len()).any(|window| window == part)
}

/// Of what is stored, all the names by which a thief might try to be a session.
async fn none_logs_in(store: &Store, keys: &[String]) {
    assert!(!keys.is_empty());
    for key in keys {
        let parts = key.split(':');
        for text in parts.chain([&**key, &key["s:".len().min(key.len())..]]) {
            let presented = SessionId::from(text);
            assert!(store.load(&presented).await.unwrap().is_none());
            assert!(!store.delete(&presented).await.unwrap());
        }
    }
}

#[tokio::test]
async fn cve_2019_16782_no_key_and_no_value_in_redis_holds_an_id() {
    for flavor in [Flavor::Redis, Flavor::Valkey] {
        for with_index in [false, true] {
            // One of its own: all that it holds is looked at.
            let server = RedisServer::start(flavor);
            let store = |keys| {
                let options = rrss::redis::Options {
                    url: Some(server.url().parse().unwrap()),
                    ..patient()
                };
                let redis = Redis::new(options).unwrap();
                steps(keys, "s:", with_index)
                    .backend("redis", redis)
                    .build()
                    .unwrap()
            };
            let hashed = store(Keys::Hashed);
            let ids = fill(&hashed).await;
            let (keys, dump) = content(&server);
            for id in &ids {
                for form in forms(id) {
                    assert!(!holds(&dump, &form), "{flavor:?}, index: {with_index}");
                }
            }
            none_logs_in(&hashed, &keys).await;

            // The dump is one that would show an id.
            let raw = fill(&store(Keys::Raw)).await;
            let (_, dump) = content(&server);
            assert!(holds(&dump, raw[1].as_str().as_bytes()));
        }
    }
}

/// Every key, and with them every value, as the server writes them out.
fn content(server: &RedisServer) -> (Vec<String>, Vec<u8>) {
    let run = |command: &[&str]| server.command(command);
    let keys: Vec<String> = run(&["KEYS", "*"])
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let mut dump = keys.join("\n").into_bytes();
    for key in &keys {
        let value = match run(&["TYPE", key]).trim() {
            "string" => run(&["GET", key]),
            "zset" => run(&["ZRANGE", key, "0", "-1", "WITHSCORES"]),
            "hash" => run(&["HGETALL", key]),
            other => panic!("a key of type {other}"),
        };
        dump.extend(value.into_bytes());
    }
    (keys, dump)
}

#[tokio::test]
async fn no_file_of_the_embedded_backend_holds_an_id() {
    for with_index in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions");
        let options = rrss::embedded::Options {
            path: path.clone(),
            ..Default::default()
        };
        let store = steps(Keys::Hashed, "s:", with_index)
            .step::<rrss::Embedded>(options)
            .build()
            .unwrap();
        let ids = fill(&store).await;
        store
            .shutdown(std::time::Duration::from_secs(60))
            .await
            .unwrap();
        drop(store);
        let mut files = vec![path];
        let mut dump = Vec::new();
        while let Some(file) = files.pop() {
            if file.is_dir() {
                files.extend(file.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            } else {
                // A journal is made large at once, and most of it is not written yet.
                let content = std::fs::read(&file).unwrap();
                let end = content.iter().rposition(|byte| *byte != 0);
                dump.extend(&content[..end.map_or(0, |end| end + 1)]);
            }
        }
        assert!(holds(&dump, b"s:sha256:"));
        for form in ids.iter().flat_map(forms) {
            assert!(!holds(&dump, &form), "index: {with_index}");
        }
    }
}

#[tokio::test]
async fn no_key_and_no_value_that_a_backend_names_holds_an_id() {
    for subject in [memory(), embedded()] {
        for with_index in [false, true] {
            let store = steps(Keys::Hashed, subject.prefix(), with_index)
                .backend("backend", subject.clone())
                .build()
                .unwrap();
            let ids = fill(&store).await;
            let limit = 1_000;
            let mut actions = vec![Action::List {
                cursor: None,
                limit,
            }];
            if with_index {
                let entry = IndexKey::of("user", r#""ann""#).unwrap().unwrap();
                actions.push(Action::Find {
                    entry,
                    cursor: None,
                    limit,
                });
            }
            let (mut dump, mut keys) = (Vec::new(), Vec::new());
            for action in actions {
                let mut op = Operation::new(action, store.now());
                let answer = store.pipeline().run(&mut op).await.unwrap();
                let Outcome::Page(page) = answer.outcome else {
                    panic!("{:?}", answer.outcome)
                };
                for key in page.keys {
                    let mut op = Operation::new(Action::Load, store.now());
                    op.key = Some(key.clone());
                    let answer = store.pipeline().run_on_backend(&op).await.unwrap();
                    dump.extend(key.as_bytes());
                    dump.extend(answer.payload.bytes().into_iter().flatten());
                    keys.push(key.as_str().to_owned());
                }
            }
            for form in ids.iter().flat_map(forms) {
                assert!(!holds(&dump, &form));
            }
            none_logs_in(&store, &keys).await;
            assert_eq!(store.revoke_all_listed().await, 15);
        }
    }
}

trait RevokeAllListed {
    async fn revoke_all_listed(&self) -> usize;
}

impl RevokeAllListed for Store {
    /// Ends all sessions by what the listing names, and says how many there were.
    async fn revoke_all_listed(&self) -> usize {
        let mut ended = 0;
        loop {
            let page = self.list(None, 1_000).await.unwrap();
            if page.ids.is_empty() {
                return ended;
            }
            for id in &page.ids {
                assert!(id.is_private());
                ended += usize::from(self.delete(id).await.unwrap());
            }
        }
    }
}
