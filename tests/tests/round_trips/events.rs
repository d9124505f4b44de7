//! With events of expired sessions.

use std::time::{Duration, SystemTime};

use rrss::{Saved, Store, Timestamp};
use rrss_test_servers::{Flavor, RedisServer};

use crate::*;

/// With sessions that are told of when they have expired.
async fn connected_with_events(flavor: Flavor) -> (RedisServer, Store) {
    let steps = "{ type = 'expiry', duration = '7d' },
        { type = 'index', fields = ['user'], keep_expired = '1d' },";
    connected_by(flavor, steps, "").await
}

/// How often the server has read from a connection since its counts were nought: once for each pipeline.
fn reads(server: &RedisServer) -> u64 {
    let stats = server.command(&["INFO", "stats"]);
    let reads = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_reads_processed:"));
    reads.unwrap().trim().parse().unwrap()
}

/// What the operation answers, and in how many round trips.
async fn round_trips<T>(server: &RedisServer, operation: impl Future<Output = T>) -> (T, u64) {
    server.reset_counts();
    let idle = reads(server);
    server.reset_counts();
    let answer = operation.await;
    (answer, reads(server) - idle)
}

#[tokio::test]
async fn with_events_a_save_and_a_renewal_are_still_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_events(flavor).await;
        learn(&store).await;
        let (mut session, create) = round_trips(&server, stored(&store)).await;
        assert_eq!(create, 1, "{flavor}");
        session.insert("cart", &1).unwrap();
        let (saved, update) = round_trips(&server, store.save(&mut session)).await;
        assert_eq!((saved.unwrap(), update), (Saved::Replaced, 1), "{flavor}");
        // It loads the session first, for its fields.
        let (touched, touch) = round_trips(&server, store.touch(&id(&session))).await;
        assert_eq!((touched.unwrap(), touch), (true, 2), "{flavor}");
        let (deleted, delete) = round_trips(&server, store.delete(&id(&session))).await;
        assert_eq!((deleted.unwrap(), delete), (true, 2), "{flavor}");

        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },
            { type = 'index', fields = ['user'], keep_expired = '1d' },";
        let (server, store) = connected_by(flavor, steps, "").await;
        let session = stored(&store).await;
        let (loaded, load) = round_trips(&server, store.load(&id(&session))).await;
        assert_eq!((loaded.unwrap().is_some(), load), (true, 1), "{flavor}");
        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["EXPIRE", &key, "3600"]);
        let (loaded, load) = round_trips(&server, store.load(&id(&session))).await;
        assert_eq!((loaded.unwrap().is_some(), load), (true, 2), "{flavor}");
    }
}

/// What the script does for the event of a session that ends.
const EVENT: [(&str, u64); 3] = [("zadd", 1), ("hset", 1), ("pexpiretime", 2)];

#[tokio::test]
async fn with_events_a_save_is_one_script_as_well() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_events(flavor).await;
        let (_, create) = cost(&server, stored(&store)).await;
        // It gives three keys their end.
        assert_eq!(create["pexpireat"], 3);
        let creates: &[_] = &[("evalsha", 1), ("exists", 1), ("set", 1)];
        assert_eq!(steady(create), all([creates, &ENTRY, &EVENT]), "{flavor}");

        learn(&store).await;
        let mut session = stored(&store).await;
        session.insert("cart", &1).unwrap();
        let (saved, update) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let updates: &[_] = &[("evalsha", 1), ("get", 1), ("set", 1)];
        assert_eq!(steady(update), all([updates, &ENTRY, &EVENT]), "{flavor}");
    }
}

#[tokio::test]
async fn a_look_for_expired_sessions_is_a_round_trip_and_telling_of_some_is_three_more() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_events(flavor).await;
        store
            .on_expired(async |_| Ok::<_, rrss::Error>(()))
            .unwrap();
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let session = stored(&store).await;
            let (swept, look) = round_trips(&server, store.sweep()).await;
            assert_eq!((swept.unwrap(), look), (0, 1), "{flavor}");
            sessions.push(session);
        }
        let (_, look) = cost(&server, store.sweep()).await;
        let looks = [("eval", 16), ("time", 16), ("zrangebyscore", 16)];
        assert_eq!(look, commands(looks), "{flavor}");

        for mut session in sessions {
            let soon = Timestamp::from(SystemTime::now()) + Duration::from_millis(50);
            session.set_expires_at(soon);
            store.save(&mut session).await.unwrap();
        }
        while !server.scan("sessions:????????-*").is_empty() {
            tokio::task::yield_now().await;
        }
        let (swept, told) = round_trips(&server, store.sweep()).await;
        // What is due; whether the sessions are there; the end of what was told; whether there is more.
        assert_eq!((swept.unwrap(), told), (0, 4), "{flavor}");
        assert_eq!(server.scan("sessions:index:expired:*"), [""; 0], "{flavor}");
    }
}
