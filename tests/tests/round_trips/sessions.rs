//! One session: loaded, saved, touched, rotated, deleted.

use rrss::{Saved, SessionId};
use rrss_test_servers::Flavor;

use crate::*;

#[tokio::test]
async fn a_load_is_one_get() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let (loaded, cost) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(cost, commands([("get", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_create_is_one_set() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let (_, cost) = cost(&server, stored(&store)).await;
        assert_eq!(cost, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn an_update_is_one_command_that_compares_and_sets() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let mut session = stored(&store).await;
        // The first one learns whether the server has `SET … IFEQ`.
        session.insert("user", "eve").unwrap();
        store.save(&mut session).await.unwrap();
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        assert_eq!(cost, compare_and_set(flavor, 1, 1), "{flavor}");
    }
}

#[tokio::test]
async fn a_save_that_merges_is_a_try_a_load_and_another_try() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let mut session = stored(&store).await;
        let mut other = store.load(&id(&session)).await.unwrap().unwrap();
        other.insert("theme", "dark").unwrap();
        store.save(&mut other).await.unwrap();
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Merged);
        let mut expected = compare_and_set(flavor, 2, 1);
        for (name, calls) in PEEK {
            *expected.entry(name.to_owned()).or_default() += calls;
        }
        assert_eq!(cost, expected, "{flavor}");
    }
}

#[tokio::test]
async fn an_update_where_the_last_write_counts_is_one_set() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with(flavor, "[store]\nconflict = 'last-write'\n").await;
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        saved.unwrap();
        assert_eq!(cost, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_save_without_a_change_is_no_command() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let mut session = stored(&store).await;
        session.insert("user", "ann").unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        saved.unwrap();
        assert_eq!(cost, commands([]), "{flavor}");
    }
}

/// The deadline depends on what is in the session.
#[tokio::test]
async fn a_touch_is_a_load_and_one_script_that_compares() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        learn(&store).await;
        let session = stored(&store).await;
        let (touched, cost) = cost(&server, store.touch(&id(&session))).await;
        assert!(touched.unwrap());
        assert_eq!(cost, all([&PEEK, &TOUCH]), "{flavor}");
    }
}

#[tokio::test]
async fn a_touch_to_an_instant_is_one_pexpireat() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let soon = session.expires_at().unwrap();
        let (touched, cost) = cost(&server, store.touch_until(&id(&session), soon)).await;
        assert!(touched.unwrap());
        assert_eq!(cost, commands([("pexpireat", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_load_that_renews_is_a_script_more_and_only_when_it_is_due() {
    for flavor in Flavor::ALL {
        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },";
        let (server, store) = connected_by(flavor, steps, "").await;
        learn(&store).await;
        let session = stored(&store).await;
        let (loaded, not_due) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(not_due, all([&PEEK]), "{flavor}");

        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["EXPIRE", &key, "3600"]);
        let (loaded, due) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(due, all([&PEEK, &TOUCH]), "{flavor}");

        let (loaded, renewed) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(renewed, all([&PEEK]), "{flavor}");
    }
}

#[tokio::test]
async fn a_delete_is_one_unlink() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let session = stored(&store).await;
        let (deleted, cost) = cost(&server, store.delete(&id(&session))).await;
        assert!(deleted.unwrap());
        assert_eq!(cost, commands([("unlink", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_rotation_is_one_script() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        assert_eq!(cost, all([&ROTATE]), "{flavor}");
    }
}

#[tokio::test]
async fn a_rotation_where_the_last_write_counts_is_one_script_that_does_not_compare() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with(flavor, "[store]\nconflict = 'last-write'\n").await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        let expected = [("evalsha", 1), ("exists", 2), ("set", 2), ("unlink", 1)];
        assert_eq!(steady(cost), commands(expected), "{flavor}");
    }
}

#[tokio::test]
async fn a_malformed_id_never_reaches_redis() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        let good = id(&stored(&store).await);
        let good = good.as_str();
        let malformed = [
            String::new(),
            "1".to_owned(),
            good[1..].to_owned(),
            format!("{good}0"),
            good.to_uppercase(),
            format!(" {good}"),
            format!("{}\0", &good[1..]),
            format!("{}*", &good[1..]),
            format!("../{}", &good[3..]),
            "*".to_owned(),
            "a".repeat(1 << 20),
            "sesión-☃".to_owned(),
        ];
        for text in malformed.iter().filter(|text| *text != good) {
            let id = SessionId::from(text.as_str());
            let (answers, cost) = cost(&server, async {
                let loaded = store.load(&id).await.unwrap();
                (
                    loaded,
                    store.touch(&id).await.unwrap(),
                    store.delete(&id).await.unwrap(),
                )
            })
            .await;
            assert!(matches!(answers, (None, false, false)));
            assert_eq!(cost, commands([]), "{flavor}");
        }
    }
}
